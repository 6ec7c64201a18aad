"""One ComputerSystem as its BMC holds it: the truth about the host beside what is said about it.

Rules
  1. `host` is the truth and only `rack` writes it, from news. `says` is the report and only steps and news change it.
  2. Front ends never see this class: they are handed a `BmcView`, which has no path to `host`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.core.clock import Instant
from emulator.core.host import Host
from emulator.core.machine import Machine
from emulator.core.timers import Timer
from emulator.core.vocab import Rail
from profiles.model import Step, View

GATE_SECONDS = 10.0
"""After the second read a gate waits no longer than this (ruling 8)."""


@dataclass(slots=True)
class Gate:
    """Holds an effect back until the fencer has looked `reads` times, or GATE_SECONDS after its second look."""

    reads: int
    seen: int = 0
    open: bool = False
    held: tuple[Step, ...] = ()
    cause: int | None = None


@dataclass(slots=True)
class SystemState:
    id: str
    chassis_id: str
    uuid: str
    serial: str
    host_name: str
    host: Host
    says: dict[View, str | None] = field(default_factory=dict)
    awaiting: Mapping[View, str | None] | None = None  # what to say when the ordered change has really happened
    awaiting_cause: int | None = None
    effect: str | None = None  # the effect that is in flight
    timers: list[tuple[Timer, Step]] = field(default_factory=list)  # steps that are still to come
    gate: Gate | None = None
    began: dict[str, tuple[Instant, float]] = field(default_factory=dict)  # effect -> (since, drawn length of its window)
    last_power_event: str = "unknown"
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        if not self.says:
            self.says = dict.fromkeys(View, "On" if self.host.rail is Rail.UP else "Off")

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
        self.timers.clear()
        self.effect = None
