"""Chooses the host for each VM that must be started, the order of the starts, and the words for "no host fits".

`Restarts` calls these functions in the loop's thread. Pure.

Rules
  1. A VM starts only on a host that is Available, takes VMs, has room, may hold this VM, holds no VM of the same `apart`
     group, and has not just refused it. A host that still has to stop this VM holds it, so it does not fit.
  2. System VMs start first, then VMs with higher priority, then by name.
  3. If no host fits, the text names the last condition that excluded the remaining hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fencer.ha.vm_record import VmRecord, VmSpec

DEFAULT_SPEC = VmSpec()


@dataclass(slots=True, kw_only=True)
class HostRoom:
    """One host as placement sees it. `load`: VMs bound to it; `starting`: starts under way on it."""

    name: str
    available: bool
    draining: bool = False
    capacity: int | None = None
    load: int = 0
    starting: int = 0
    apart: dict[str, int] = field(default_factory=dict)

    def take(self, spec: VmSpec) -> None:
        """One more VM is about to start here."""
        self.load += 1
        self.starting += 1
        if spec.apart:
            self.apart[spec.apart] = self.apart.get(spec.apart, 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HostChoice:
    """`host` to start the VM on; or None, and `why`. `busy`: a host fits, and has too many starts under way now."""

    host: str | None = None
    why: str = ""
    busy: bool = False


def order(records: Iterable[VmRecord], specs: Mapping[str, VmSpec]) -> list[VmRecord]:
    def rank(record: VmRecord) -> tuple[bool, int, str]:
        spec = specs.get(record.vm, DEFAULT_SPEC)
        return (not spec.system, -spec.priority, record.vm)

    return sorted(records, key=rank)


def choose(record: VmRecord, spec: VmSpec, rooms: Mapping[str, HostRoom], now: float, starts_per_host: int) -> HostChoice:
    """Returns the host for one VM that waits. `rooms` has every host of the file, in its order."""
    left = {one.host for one in record.left}
    refused = set(record.refused) if now < record.retry_at else set()
    allowed = set(spec.hosts) | {record.wanted} if spec.hosts else set(rooms)
    conditions: Sequence[tuple[Callable[[HostRoom], bool], str]] = (
        (lambda room: room.available, ""),
        (lambda room: room.name in allowed, f"none of them is allowed ({', '.join(spec.hosts)})"),
        (lambda room: not room.draining, "those that are allowed are being drained"),
        (lambda room: room.name not in left, f"those that are allowed have to stop their old {record.vm} first"),
        (lambda room: room.capacity is None or room.load < room.capacity, "those that are allowed are full"),
        (lambda room: not (spec.apart and room.apart.get(spec.apart)), f"each that has room runs a VM of {spec.apart}"),
        (lambda room: room.name not in refused, f"each that fits has refused it: {record.last_error}"),
    )
    fit, available = list(rooms.values()), 0
    for condition, why in conditions:
        fit = [room for room in fit if condition(room)]
        if not why:
            available = len(fit)
        if not fit:
            return HostChoice(why=f"{available} host(s) Available, {why}" if available else "no host is Available")
    free = [room for room in fit if room.starting < starts_per_host]
    if not free:
        return HostChoice(busy=True)
    preferred = [room for room in free if room.name == record.wanted]
    if preferred:
        return HostChoice(host=record.wanted)
    if spec.hosts:
        return HostChoice(host=min(free, key=lambda room: spec.hosts.index(room.name)).name)
    return HostChoice(host=min(free, key=lambda room: (room.load, room.name)).name)
