"""One ComputerSystem as its BMC holds it: the truth about the host beside what is said about it.

Rules
  1. `host` is the truth and only `rack` writes it, from news. `says` is the report and only steps and news change it.
  2. Front ends never see this class: they are handed a `BmcView`, which has no path to `host`.
  3. An idle system is small: what its BMC remembers of it beside its power begins when somebody asks, as if it had begun at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from emulator.core.bmc.machine import Machine
from emulator.core.bmc.sensor_setup import NO_SETUPS, SensorSetup
from emulator.core.bmc.sensors import Meter, SensorNumber
from emulator.core.clock import Instant
from emulator.core.lazy import lazy
from emulator.core.timers import Timer
from emulator.core.truth.host import Host, HostDriver
from emulator.core.vocab import Rail
from profiles.model import EffectStep, View

GATE_SECONDS = 10.0
"""After the second read a gate waits no longer than this (ruling 8)."""


class Look(NamedTuple):
    """One power word that a client was told.

    `view` is "system", "chassis" or "ipmi", or "event" for an event that the BMC sent to a subscriber. `word` is a PowerState
    (IPMI's bit and ACPI state as "On" or "Off"); None: the client was told that it is not known.
    """

    system: str
    view: str
    word: str | None


@dataclass(slots=True)
class Gate:
    """Holds an effect back until the fencer has looked `reads` times, or GATE_SECONDS after its second look."""

    reads: int
    seen: int = 0
    open: bool = False
    held: tuple[EffectStep, ...] = ()
    cause: int | None = None


SAYS: Mapping[str, Mapping[View, str | None]] = {
    word: MappingProxyType(dict.fromkeys(View, word)) for word in ("On", "Off")
}  # fmt: skip
"""All views say the same."""

NO_WINDOWS: Mapping[str, tuple[Instant, float]] = MappingProxyType({})


@dataclass(slots=True)
class SystemState:
    id: str
    chassis_id: str
    number: int  # among the systems of its BMC, from 0
    host_name: str
    host: Host
    since: Instant = 0.0  # when the rack was made
    at_first: Host = field(init=False)  # as it was then
    holder: HostDriver | None = None
    says: Mapping[View, str | None] = field(default_factory=dict)
    awaiting: Mapping[View, str | None] | None = None  # what to say when the ordered change has really happened
    awaiting_cause: int | None = None
    effect: str | None = None  # the effect that is in flight
    timers: tuple[tuple[Timer, EffectStep], ...] = ()  # steps that are still to come
    gate: Gate | None = None
    began: Mapping[str, tuple[Instant, float]] = field(default_factory=lambda: NO_WINDOWS)  # effect -> (since, seconds)
    last_power_event: str = "unknown"
    setups: Mapping[SensorNumber, SensorSetup] = field(default_factory=lambda: NO_SETUPS)  # of sensors that somebody has set
    _machine: Machine = field(init=False, repr=False, compare=False)
    _meter: Meter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.at_first = self.host
        if not self.says:
            self.says = SAYS["On" if self.host.rail is Rail.UP else "Off"]

    @lazy
    def machine(self) -> Machine:
        return Machine(energised=self.at_first.rail is Rail.UP, on_since=self.since)

    @lazy
    def meter(self) -> Meter:
        meter = Meter()
        meter.begin(self.at_first, self.since)
        return meter

    @property
    def row(self) -> str:
        """The row of the reply tables. A BMC senses the rail itself; out of sight counts as On, so that an off is still tried."""
        return "Off" if self.host.rail is Rail.DOWN else "On"

    def falls(self) -> bool:
        """Whether a cut of the rail is under way: nothing that leaves the rail alone calls it back."""
        held = self.gate.held if self.gate is not None else ()
        return any(step.real == "Off" for step in (*held, *(step for timer, step in self.timers if timer.live)))

    def drop_timers(self) -> None:
        for timer, _ in self.timers:
            timer.cancel()
        self.timers = ()
        self.effect = None
