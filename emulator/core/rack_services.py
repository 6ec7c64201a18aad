"""The part of the rack that the classes which it owns may use: time, orders, what a BMC says, the journal.

`Effects`, `BmcLogWriter`, `Watchdogs`, `Alarms` and `BmcLife` receive it from `Rack`, and call it in the emulator's one thread.
Times are in seconds on the rack's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from emulator.core.bmc.unit import Unit
from emulator.core.clock import Instant
from emulator.core.journal import Journal
from emulator.core.power.system import SystemState
from emulator.core.timers import Timer
from emulator.core.truth.host import Order
from profiles.model import Span, View

if TYPE_CHECKING:
    from emulator.core.faults.control import FaultControl


class RackServices(Protocol):
    """`Rack` as those classes see it. A protocol, because `rack` imports their modules and they cannot import it."""

    journal: Journal
    faults: FaultControl

    @property
    def now(self) -> Instant: ...
    def after(self, seconds: float, do: Callable[[], None]) -> Timer: ...
    def draw(self, span: Span) -> float: ...
    def order(
        self, unit: Unit, system: SystemState, order: Order, cause: int, says: Mapping[View, str | None] | None = None
    ) -> None: ...
    def say(self, unit: Unit, system: SystemState, says: Mapping[View, str | None], cause: int | None) -> None: ...
