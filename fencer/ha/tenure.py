"""What a manager holds in memory: the first records of its hosts, its tenure, and what a round has decided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fencer.ha.config import Config, HostPart
from fencer.ha.effects import HaEffect, OperatorAnswer
from fencer.ha.observations import Observation
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState


@dataclass(slots=True)
class Tenure:
    """From the lease that a manager got until it lost it. Every tenure has an owner name of its own in the store.

    `epochs`: the hosts that are owned, with their epochs. `until`: the end of the lease; 0: there is none yet.
    """

    owner: str
    until: float = 0.0
    epochs: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Decided:
    """What this turn has decided about one host and not written yet. `base` is the record in the store."""

    base: HostRecord
    new: HostRecord
    effects: list[HaEffect] = field(default_factory=list)
    answers: list[Observation] = field(default_factory=list)  # not of a Tick

    def has_answered(self, request: int) -> bool:
        """True if the round has decided the answer to this operator's request, which the snapshot does not show yet."""
        return any(isinstance(effect, OperatorAnswer) and effect.request == request for effect in self.effects)


def configured(record: HostRecord, host: HostPart, config: Config) -> HostRecord:
    """Returns the record with what the configuration says of the host, for the start of an epoch."""
    probes, levels = host.probes_key, config.levels(host)
    return replace(
        record, identity=host.bmc.identity, chassis_check=host.bmc.chassis_check != "ignore", heartbeat=bool(host.activity),
        delay=host.delay * config.part.scale, probes=probes, seen_healthy=record.seen_healthy and record.probes in ("", probes),
        levels=levels, level=record.level if record.levels == levels else 1,
    )  # fmt: skip


def first_records(config: Config, now: float) -> list[tuple[HostRecord, list[str]]]:
    """The record of each host of the file as it is before any manager has watched it, and the VMs that run there."""
    vms: dict[str, list[str]] = {}
    for vm in config.part.vms:
        vms.setdefault(vm.host, []).append(vm.name)
    records = []
    for host in config.part.hosts:
        state = HAState.AVAILABLE if host.enabled else HAState.DISABLED
        record = HostRecord(host=host.name, state=state, since=now, identity=host.bmc.identity)
        records.append((record, vms.get(host.name, [])))
    return records
