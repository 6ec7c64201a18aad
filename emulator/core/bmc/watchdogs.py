"""Runs the watchdog timers.

Rules
  1. A watchdog acts on the BMC's first system by the usual orders; the host's holder carries them out like any other.
  2. It runs while the host is powered: a fall of the rail, a reset of the host or of the BMC stops it.
  3. Expiration flags stay until a Set clears them.
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
"""How long the rail stays down in a power cycle by the watchdog."""

STOPPED_BY = frozenset({News.WENT_DOWN, News.WAS_RESET, News.OUT_OF_SIGHT})


class Watchdogs:
    def __init__(self, room: RackServices, witness: BmcLogWriter) -> None:
        self._room = room
        self._witness = witness

    def set(self, unit: Unit, setup: WatchdogSetup, clear: frozenset[TimerUse], cause: int | None) -> None:
        dog = unit.watchdog
        runs_on = setup.dont_stop and dog.due is not None
        self.stop(unit)
        dog.setup, dog.left_s, dog.expired = setup, setup.countdown_s, dog.expired - clear
        self._room.journal.record(
            unit.name,
            EventKind.WATCHDOG,
            cause,
            what="set",
            use=setup.use.name,
            action=setup.action.name,
            pre=setup.pre.name,
            countdown_s=setup.countdown_s,
        )
        if runs_on:
            self._run(unit, setup)

    def reset(self, unit: Unit, cause: int | None) -> None:
        """Starts it, or starts it anew. Raises WatchdogNotSet."""
        setup = unit.watchdog.setup
        if setup is None:
            raise WatchdogNotSet(f"{unit.name}: the watchdog was never set")
        self.stop(unit)
        self._room.journal.record(unit.name, EventKind.WATCHDOG, cause, what="started", countdown_s=setup.countdown_s)
        self._run(unit, setup)

    def state(self, unit: Unit) -> WatchdogState:
        dog = unit.watchdog
        left = dog.left_s if dog.due is None else max(0.0, dog.due - self._room.now)
        return WatchdogState(setup=dog.setup, running=dog.due is not None, left_s=left, expired=dog.expired)

    def stop(self, unit: Unit) -> None:
        dog = unit.watchdog
        if dog.due is not None:
            dog.left_s, dog.due = max(0.0, dog.due - self._room.now), None
        for timer in dog.timers:
            timer.cancel()
        dog.timers = ()

    def saw(self, unit: Unit, system: SystemState, news: News) -> None:
        """A host has changed: with the rail the timer stops."""
        if news in STOPPED_BY and system is unit.first():
            self.stop(unit)

    def _run(self, unit: Unit, setup: WatchdogSetup) -> None:
        dog = unit.watchdog
        dog.due = self._room.now + setup.countdown_s
        timers = []
        if setup.pre is not PreTimeout.NONE:
            timers.append(self._room.after(max(0.0, setup.countdown_s - setup.pre_s), lambda: self._warn(unit, setup)))
        timers.append(self._room.after(setup.countdown_s, lambda: self._expire(unit, setup)))
        dog.timers = tuple(timers)

    def _note(self, unit: Unit, setup: WatchdogSetup, what: str, kind: LogKind, offset: int) -> int:
        system = unit.first()
        seq = self._room.journal.record(
            unit.name, EventKind.WATCHDOG, None, system=system.id, what=what, use=setup.use.name, action=setup.action.name
        )
        if not setup.dont_log:
            self._witness.log(unit, kind, system.id, second=setup.pre << 4 | setup.use, offset=offset, cause=seq)
        return seq

    def _warn(self, unit: Unit, setup: WatchdogSetup) -> None:
        seq = self._note(unit, setup, "pre-timeout", LogKind.WATCHDOG_PRETIMEOUT, 8)
        system = unit.first()
        if setup.pre is PreTimeout.NMI and system.host.rail is Rail.UP:
            self._room.order(unit, system, Order.CRASH, seq)

    def _expire(self, unit: Unit, setup: WatchdogSetup) -> None:
        dog, system = unit.watchdog, unit.first()
        dog.due, dog.left_s, dog.timers = None, 0.0, ()
        dog.expired |= {setup.use}
        seq = self._note(unit, setup, "expired", LogKind.WATCHDOG, setup.action)
        if setup.action is TimerAction.NONE or system.host.rail is Rail.DOWN:
            return
        system.drop_timers()
        if setup.action is TimerAction.HARD_RESET:
            system.machine.pending = RestartCause.WATCHDOG
            self._room.order(unit, system, Order.RESET, seq)
            return
        cycles = setup.action is TimerAction.POWER_CYCLE
        system.machine.pending = RestartCause.WATCHDOG if cycles else None
        system.machine.cycling = cycles
        self._room.order(unit, system, Order.CUT, seq)
        if cycles:
            back = self._room.after(CYCLE_SECONDS, lambda: self._room.order(unit, system, Order.ENERGISE, seq))
            system.timers += ((back, EffectStep(at=Span(CYCLE_SECONDS, CYCLE_SECONDS), real="On")),)
