"""Chooses the host for each VM that must be started, and the order of the starts.

`Restarts` calls these functions in the loop's thread. Pure.

Rules
  1. A VM may start only on a host that is Available and has free capacity. A claimed ledger row keeps its host.
  2. System VMs start first, then VMs with higher priority, then by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fencer.ha.config import HostPart, VmPart
from fencer.ha.entries import LedgerRow
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState


def order(rows: Sequence[LedgerRow], vms: Mapping[str, VmPart]) -> list[LedgerRow]:
    def rank(row: LedgerRow) -> tuple[bool, int, str]:
        vm = vms.get(row.vm)
        return (not (vm and vm.system), -(vm.priority if vm else 0), row.vm)

    return sorted(rows, key=rank)


def choose(
    row: LedgerRow,
    vm: VmPart | None,
    hosts: Sequence[HostPart],
    records: Mapping[str, HostRecord],
    placements: Mapping[str, str | None],
) -> str | None:
    """Returns the host for one VM, or None if no host fits now."""
    load = {host.name: sum(1 for at in placements.values() if at == host.name) for host in hosts}
    allowed = vm.hosts if vm and vm.hosts else [host.name for host in hosts]
    fit = [
        host.name
        for host in hosts
        if host.name in allowed
        and records[host.name].state is HAState.AVAILABLE
        and (row.target == host.name or host.capacity is None or load[host.name] < host.capacity)
    ]
    if row.target is not None:
        return row.target if row.target in fit else None
    if vm and vm.hosts:
        return min(fit, key=vm.hosts.index, default=None)
    return min(fit, key=lambda name: (load[name], name), default=None)
