"""Runs the watchdog timers of all BMCs of a rack (IPMI 2.0, chapter 27).

`WatchdogView` sets and starts them, the rack reports changes of hosts, and the rack's timers call it when a countdown ends;
all in the emulator's one thread. Times are in seconds.

Rules
  1. A watchdog acts on the BMC's first system, with the same orders to the host's driver as a power command.
  2. It runs while the host is powered. A fall of the rail, a reset of the host and a reset of the BMC stop it.
  3. Expiration flags stay until a Set Watchdog Timer clears them.
"""

from __future__ import annotations

from emulator.core.bmc.bmc_log_writer import BmcLogWriter
from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.eventlog import LogKind
from emulator.core.bmc.unit import Unit
from emulator.core.bmc.watchdog import PreTimeout, TimerAction, TimerUse, WatchdogNotSet, WatchdogSetup, WatchdogState
from emulator.core.journal import EventKind
from emulator.core.power.system import SystemState
from emulator.core.rack_services import RackServices
from emulator.core.truth.host import News, Order
from emulator.core.vocab import Rail
from profiles.model import EffectStep, Span

CYCLE_SECONDS = 10.0
"""How long the rail stays down, in seconds, when the watchdog cycles the power."""

STOPPED_BY = frozenset({News.WENT_DOWN, News.WAS_RESET, News.OUT_OF_SIGHT})


class Watchdogs:
    """Sets, starts and stops the timers, and carries out what happens when they expire."""

    def __init__(self, services: RackServices, log_writer: BmcLogWriter) -> None:
        self._services = services
        self._log_writer = log_writer

    def set(self, unit: Unit, setup: WatchdogSetup, clear: frozenset[TimerUse], cause: int | None) -> None:
        """Set Watchdog Timer. `clear` names the expiration flags to be cleared."""
        watchdog = unit.watchdog
        keeps_running = setup.dont_stop and watchdog.due is not None
        self.stop(unit)
        watchdog.setup, watchdog.left_s, watchdog.expired = setup, setup.countdown_s, watchdog.expired - clear
        self._services.journal.record(
            unit.name,
            EventKind.WATCHDOG,
            cause,
            what="set",
            use=setup.use.name,
            action=setup.action.name,
            pre=setup.pre.name,
            countdown_s=setup.countdown_s,
        )
        if keeps_running:
            self._run(unit, setup)

    def reset(self, unit: Unit, cause: int | None) -> None:
        """Reset Watchdog Timer: starts the countdown from its beginning. Raises WatchdogNotSet."""
        setup = unit.watchdog.setup
        if setup is None:
            raise WatchdogNotSet(f"{unit.name}: the watchdog was never set")
        self.stop(unit)
        self._services.journal.record(unit.name, EventKind.WATCHDOG, cause, what="started", countdown_s=setup.countdown_s)
        self._run(unit, setup)

    def state(self, unit: Unit) -> WatchdogState:
        """Get Watchdog Timer."""
        watchdog = unit.watchdog
        left = watchdog.left_s if watchdog.due is None else max(0.0, watchdog.due - self._services.now)
        return WatchdogState(setup=watchdog.setup, running=watchdog.due is not None, left_s=left, expired=watchdog.expired)

    def stop(self, unit: Unit) -> None:
        """Stops the timer; the countdown keeps its value."""
        watchdog = unit.watchdog
        if watchdog.due is not None:
            watchdog.left_s, watchdog.due = max(0.0, watchdog.due - self._services.now), None
        for timer in watchdog.timers:
            timer.cancel()
        watchdog.timers = ()

    def host_changed(self, unit: Unit, system: SystemState, news: News) -> None:
        """The rack reports a change of a host: news of STOPPED_BY stop the timer."""
        if news in STOPPED_BY and system is unit.first():
            self.stop(unit)

    def _run(self, unit: Unit, setup: WatchdogSetup) -> None:
        watchdog = unit.watchdog
        watchdog.due = self._services.now + setup.countdown_s
        timers = []
        if setup.pre is not PreTimeout.NONE:
            timers.append(self._services.after(max(0.0, setup.countdown_s - setup.pre_s), lambda: self._pre_timeout(unit, setup)))
        timers.append(self._services.after(setup.countdown_s, lambda: self._expire(unit, setup)))
        watchdog.timers = tuple(timers)

    def _record(self, unit: Unit, setup: WatchdogSetup, what: str, kind: LogKind, offset: int) -> int:
        system = unit.first()
        seq = self._services.journal.record(
            unit.name, EventKind.WATCHDOG, None, system=system.id, what=what, use=setup.use.name, action=setup.action.name
        )
        if not setup.dont_log:
            self._log_writer.log(unit, kind, system.id, second=setup.pre << 4 | setup.use, offset=offset, cause=seq)
        return seq

    def _pre_timeout(self, unit: Unit, setup: WatchdogSetup) -> None:
        seq = self._record(unit, setup, "pre-timeout", LogKind.WATCHDOG_PRETIMEOUT, 8)
        system = unit.first()
        if setup.pre is PreTimeout.NMI and system.host.rail is Rail.UP:
            self._services.order(unit, system, Order.CRASH, seq)

    def _expire(self, unit: Unit, setup: WatchdogSetup) -> None:
        watchdog, system = unit.watchdog, unit.first()
        watchdog.due, watchdog.left_s, watchdog.timers = None, 0.0, ()
        watchdog.expired |= {setup.use}
        seq = self._record(unit, setup, "expired", LogKind.WATCHDOG, setup.action)
        if setup.action is TimerAction.NONE or system.host.rail is Rail.DOWN:
            return
        system.drop_timers()
        if setup.action is TimerAction.HARD_RESET:
            system.machine.pending = RestartCause.WATCHDOG
            self._services.order(unit, system, Order.RESET, seq)
            return
        cycles = setup.action is TimerAction.POWER_CYCLE
        system.machine.pending = RestartCause.WATCHDOG if cycles else None
        system.machine.cycling = cycles
        self._services.order(unit, system, Order.CUT, seq)
        if cycles:
            back = self._services.after(CYCLE_SECONDS, lambda: self._services.order(unit, system, Order.ENERGISE, seq))
            system.timers += ((back, EffectStep(at=Span(CYCLE_SECONDS, CYCLE_SECONDS), real="On")),)
