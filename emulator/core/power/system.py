"""The state of one ComputerSystem: the truth about its host, and what its BMC says about it.

`Rack` and the classes that it owns read and change it, in the emulator's one thread. Times are in seconds on the rack's clock.

Rules
  1. `host` is the truth; only `Rack.news` writes it. `says` is the report; only steps and news change it.
  2. Front ends never see this class. They get a `BmcView`, which has no path to `host`.
  3. An idle system is small: `machine` and `meter` are made on first use, with the values that they would have had.
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
"""A gate opens this long after the second read, in seconds, whatever `reads` says (ruling 8); `Effects.gates_open_by` may be
earlier."""


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
    """Holds an effect back until the fencer has read the power state `reads` times, or, once it has read
    twice, until time is up: GATE_SECONDS after the second read, or the instant `Effects.gates_open_by`.

    `fault_id` is the arming that has made it, with which it goes; None: no fault has, or somebody has taken it over
    (`Effects.expect_reads`)."""

    reads: int | None  # None: no read opens it, and no time
    seen: int = 0
    open: bool = False
    held: tuple[EffectStep, ...] = ()
    cause: int | None = None
    fault_id: str | None = None


SAYS: Mapping[str, Mapping[View, str | None]] = {
    word: MappingProxyType(dict.fromkeys(View, word)) for word in ("On", "Off")
}  # fmt: skip
"""What a BMC says when all its views say the same."""

NO_WINDOWS: Mapping[str, tuple[Instant, float]] = MappingProxyType({})


@dataclass(slots=True)
class SystemState:
    """One system of a BMC."""

    id: str
    chassis_id: str
    number: int  # among the systems of its BMC, from 0
    host_name: str
    host: Host
    serial: str = ""
    draw: int = 0  # how often its names were drawn before, because another machine of the rack had them
    since: Instant = 0.0  # when the rack was made
    at_first: Host = field(init=False)  # the host as it was then
    driver: HostDriver | None = None  # carries out orders on the host
    says: Mapping[View, str | None] = field(default_factory=dict)
    awaiting: Mapping[View, str | None] | None = None  # what to say when the driver reports the ordered change
    awaiting_cause: int | None = None  # the journal event of that order
    effect: str | None = None  # the effect that is under way
    timers: tuple[tuple[Timer, EffectStep], ...] = ()  # its steps that are still to come
    gate: Gate | None = None
    began: Mapping[str, tuple[Instant, float]] = field(default_factory=lambda: NO_WINDOWS)  # effect: (when, seconds it lasts)
    last_power_event: str = "unknown"
    setups: Mapping[SensorNumber, SensorSetup] = field(default_factory=lambda: NO_SETUPS)  # of sensors that a client has set
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
    def machine_if_made(self) -> Machine | None:
        """`machine`, or None where nobody has used it yet: lists of thousands of systems must not make theirs."""
        return getattr(self, "_machine", None)

    @property
    def row(self) -> str:
        """The row of the reply tables: "On" or "Off". An unknown rail counts as On, so that an off command is still tried."""
        return "Off" if self.host.rail is Rail.DOWN else "On"

    def falls(self) -> bool:
        """Whether a step that cuts the rail is still to come. A command that leaves the rail alone does not cancel it."""
        held = self.gate.held if self.gate is not None else ()
        return any(step.real == "Off" for step in (*held, *(step for timer, step in self.timers if timer.live)))

    @property
    def moves(self) -> bool:
        """Whether steps of its effect are still to come."""
        return (self.gate is not None and bool(self.gate.held)) or any(timer.live for timer, _ in self.timers)

    def drop_timers(self) -> None:
        """Cancels the steps that are still to come."""
        for timer, _ in self.timers:
            timer.cancel()
        self.timers = ()
        self.effect = None
