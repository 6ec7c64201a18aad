"""What can be done to the time of a running emulator, from any thread. `Emulator` inherits it."""

from __future__ import annotations

from typing import Final

from emulator.core.clock import Clock
from emulator.core.errors import RackMisconfigured
from emulator.core.journal import EventKind
from emulator.core.rack import Rack
from emulator.operations import EmulatorOperations
from emulator.status import ClockStatus
from emulator.wire.wallclock import WallClock

SLOWEST: Final = 0.001
FASTEST: Final = 1000.0
LONGEST_STEP_S: Final = 86_400.0


class ClockOperations(EmulatorOperations):
    _clock: Clock

    def clock_status(self) -> ClockStatus:
        """What the emulator's clock shows, and how fast it runs."""
        clock = self._wall_clock()
        return self.call(lambda rack: ClockStatus(now_s=clock.now(), rate=clock.rate, paused=clock.paused))

    def set_clock(self, *, rate: float | None = None, paused: bool | None = None, step_s: float = 0.0) -> ClockStatus:
        """Changes how the emulator's time runs: delays of profiles, timers, time-outs of its connections and sessions.

        First the rate, then pause or resume, then the step, which lets everything happen that is due on the way.
        Raises RackMisconfigured for a rate or a step out of range, and for an emulator on virtual time.
        """
        clock = self._wall_clock()
        if rate is not None and not SLOWEST <= rate <= FASTEST:
            raise RackMisconfigured(f"a rate is from {SLOWEST:g} to {FASTEST:g}, not {rate:g}")
        if not 0 <= step_s <= LONGEST_STEP_S:
            raise RackMisconfigured(f"a step is from 0 to {LONGEST_STEP_S:g} s, not {step_s:g}")

        def change(rack: Rack) -> None:
            if rate is not None:
                clock.set_rate(rate)
            if paused is not None:
                (clock.pause if paused else clock.resume)()
            clock.step(step_s)
            rack.journal.record("", EventKind.CLOCK, rate=clock.rate, paused=clock.paused, stepped_s=step_s)

        self.call(change)
        self.call(lambda rack: None)  # so that all that the step has made due has happened
        return self.clock_status()

    def _wall_clock(self) -> WallClock:
        if not isinstance(self._clock, WallClock):
            raise RackMisconfigured("this emulator's time is virtual: `advance` moves it")
        return self._clock
