"""The resets of a BMC, and the loss of its input power.

Rules
  1. Its hosts do not care: a reset of the BMC moves no rail, and steps already under way go on.
  2. Who asked for the reset can still read the answer and log out: the BMC goes `bmc_reset.grace_s` after it accepted, and
     until then nothing of it has changed. A loss of input power asks nobody.
  3. After the outage it may answer a reply of its own for a while (`bmc_reset.after` of the profile), then it is itself again.
"""

from __future__ import annotations

from dataclasses import replace

from emulator.core.bmc.alarms import Alarms
from emulator.core.bmc.bmc_log_writer import BmcLogWriter
from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.eventlog import LogKind
from emulator.core.bmc.machine import RestorePolicy
from emulator.core.bmc.unit import Unit
from emulator.core.bmc.watchdogs import Watchdogs
from emulator.core.journal import EventKind
from emulator.core.rack_services import RackServices
from emulator.core.truth.host import Order
from emulator.core.vocab import Rail
from profiles.model import Span


class BmcLife:
    """Resets BMCs and takes their input power away."""

    def __init__(self, room: RackServices, witness: BmcLogWriter, watchdogs: Watchdogs, alarms: Alarms) -> None:
        self._room = room
        self._witness = witness
        self._watchdogs = watchdogs
        self._alarms = alarms

    def reset(self, unit: Unit, kind: str, cause: int | None) -> int:
        """The BMC will start again. Returns the journal's seq. A second reset while it is going or away changes nothing."""
        seq = self._room.journal.record(unit.name, EventKind.BMC, cause, what="reset", reset=kind)
        if unit.absence.deaf(self._room.now) or unit.absence.goes_at is not None:
            return seq
        grace = self._room.draw(unit.profile.bmc_reset.grace_s)
        if grace > 0:
            timer = self._room.after(grace, lambda: self._down(unit, kind, seq))
            unit.absence = replace(unit.absence, goes_at=self._room.now + grace, timer=timer)
        else:
            self._down(unit, kind, seq)
        return seq

    def _down(self, unit: Unit, kind: str, cause: int) -> None:
        seq = self._room.journal.record(unit.name, EventKind.BMC, cause, what="down", reset=kind)
        self._witness.log(unit, LogKind.BMC_RESET, more=f"({kind})", cause=seq)
        self._go(unit)
        self._start(unit, seq)

    def mains_lost(self, unit: Unit) -> None:
        if unit.absence.dark:
            return
        seq = self._room.journal.record(unit.name, EventKind.BMC, None, what="mains lost")
        self._witness.log(unit, LogKind.MAINS_LOST, cause=seq)
        self._go(unit)
        unit.absence = replace(unit.absence, dark=True)
        for system in unit.systems:
            system.machine.was_on = system.host.rail is not Rail.DOWN
            system.machine.uncommanded()
            system.drop_timers()
            if system.gate is not None:
                system.gate.held = ()
            self._room.order(unit, system, Order.CUT, seq)

    def mains_back(self, unit: Unit) -> None:
        if not unit.absence.dark:
            return
        seq = self._room.journal.record(unit.name, EventKind.BMC, None, what="mains back")
        unit.absence = replace(unit.absence, dark=False)
        self._start(unit, seq, after_mains=True)

    def _go(self, unit: Unit) -> None:
        """Whatever only its memory held is lost: sessions, the watchdog, and how its sensors and
        its log were set."""
        self._watchdogs.stop(unit)
        self._alarms.forget(unit)
        unit.logging = True
        unit.sessions.clear()
        if unit.absence.timer is not None:
            unit.absence.timer.cancel()
        unit.absence = replace(unit.absence, goes_at=None, generation=unit.absence.generation + 1)

    def _start(self, unit: Unit, seq: int, *, after_mains: bool = False) -> None:
        rules, absence, now = unit.profile.bmc_reset, unit.absence, self._room.now
        outage = self._room.draw(rules.outage_s)
        absence = replace(absence, deaf_until=now + outage, not_ready_until=now + outage)
        if rules.after is not None:
            length = rules.after["for_s"]
            assert isinstance(length, Span)
            absence = replace(
                absence,
                not_ready_until=absence.not_ready_until + self._room.draw(length),
                reply=str(rules.after["reply"]),
                resets=tuple(rules.after.get("reset", ())),
                code=rules.after.get("ipmi"),
            )
        timer = self._room.after(outage, lambda: self._up(unit, seq, after_mains))
        unit.absence = replace(absence, timer=timer)

    def _up(self, unit: Unit, cause: int, after_mains: bool) -> None:
        seq = self._room.journal.record(unit.name, EventKind.BMC, cause, what="up")
        if after_mains:
            self._witness.log(unit, LogKind.MAINS_BACK, cause=seq)
        self._witness.log(unit, LogKind.BMC_READY, cause=seq)
        if after_mains:
            self._restore(unit, seq)

    def _restore(self, unit: Unit, cause: int) -> None:
        for system in unit.systems:
            machine = system.machine
            previous = machine.restore is RestorePolicy.PREVIOUS
            if machine.restore is RestorePolicy.ALWAYS_ON or (previous and machine.was_on):
                machine.pending = RestartCause.POLICY_PREVIOUS if previous else RestartCause.POLICY_ALWAYS_ON
                self._room.order(unit, system, Order.ENERGISE, cause)
