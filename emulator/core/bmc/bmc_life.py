"""Resets of a BMC (Redfish Manager.Reset, IPMI cold and warm reset), and the loss and return of its input power.

`BmcView.reset_bmc` and `Rack.mains_lost` and `mains_back` call it, in the emulator's one thread. All times are seconds of the
profile's `bmc_reset`.

Rules
  1. A reset of the BMC does not touch its hosts: no rail moves, and steps that are under way go on.
  2. The client can still read the answer and log out: the BMC goes down `grace_s` after it accepted the reset and works as before
     until then. A loss of input power takes effect at once.
  3. After the outage the BMC may answer a reply of its own for a while (`bmc_reset.after`), then it works normally.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from emulator.core.bmc.alarms import Alarms
from emulator.core.bmc.bmc_log_writer import BmcLogWriter
from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.eventlog import LogKind
from emulator.core.bmc.machine import RestorePolicy
from emulator.core.bmc.presence import Absence
from emulator.core.bmc.unit import Unit
from emulator.core.bmc.watchdogs import Watchdogs
from emulator.core.journal import EventKind
from emulator.core.power.system import SAYS, Gate
from emulator.core.rack_services import RackServices
from emulator.core.truth.host import Order
from emulator.core.vocab import Rail
from profiles.model import EffectStep, Span

POWER_RETURNS: Final = EffectStep(at=Span(0, 0), real="On", says=SAYS["On"])
"""What a restore policy does to a host."""


class BmcLife:
    """Resets BMCs and takes their input power away."""

    def __init__(self, services: RackServices, log_writer: BmcLogWriter, watchdogs: Watchdogs, alarms: Alarms) -> None:
        self._services = services
        self._log_writer = log_writer
        self._watchdogs = watchdogs
        self._alarms = alarms

    def reset(self, unit: Unit, kind: str, cause: int | None) -> int:
        """Starts the reset and returns its `seq` in the journal. A second reset, before the BMC is back, changes nothing."""
        seq = self._services.journal.record(unit.name, EventKind.BMC, cause, what="reset", reset=kind)
        if unit.absence.deaf(self._services.now) or unit.absence.goes_at is not None:
            return seq
        grace = self._services.draw(unit.profile.bmc_reset.grace_s)
        if grace > 0:
            timer = self._services.after(grace, lambda: self._go_down(unit, kind, seq))
            unit.absence = replace(unit.absence, goes_at=self._services.now + grace, timer=timer)
        else:
            self._go_down(unit, kind, seq)
        return seq

    def restart_by_itself(self, unit: Unit, outage_s: float, cause: int | None) -> None:
        """The BMC stops at once and answers again after `outage_s` seconds. Nothing changes if it is away already."""
        if unit.absence.deaf(self._services.now):
            return
        seq = self._services.journal.record(unit.name, EventKind.BMC, cause, what="down", reset="by itself")
        self._log_writer.log(unit, LogKind.BMC_RESET, more="(by itself)", cause=seq)
        self._stop(unit)
        self._away(unit, seq, outage_s)

    def _go_down(self, unit: Unit, kind: str, cause: int) -> None:
        seq = self._services.journal.record(unit.name, EventKind.BMC, cause, what="down", reset=kind)
        self._log_writer.log(unit, LogKind.BMC_RESET, more=f"({kind})", cause=seq)
        self._stop(unit)
        self._start(unit, seq)

    def mains_lost(self, unit: Unit, cause: int | None = None) -> None:
        """Cuts the input power of a BMC and of all its hosts. Repeating it changes nothing. `cause` is the outlet's event."""
        if unit.absence.dark:
            return
        seq = self._services.journal.record(unit.name, EventKind.BMC, cause, what="mains lost")
        self._log_writer.log(unit, LogKind.MAINS_LOST, cause=seq)
        restores = unit.absence.restores
        self._stop(unit)
        unit.absence = replace(unit.absence, dark=True)
        for system in unit.systems:
            waits = restores and system.machine.was_on  # power came back and is lost again before the policy was followed
            system.machine.was_on = waits or system.host.rail is not Rail.DOWN
            system.machine.uncommanded()
            system.drop_timers()
            if system.gate is not None:
                system.gate.held = ()
            self._services.order(unit, system, Order.CUT, seq)

    def mains_back(self, unit: Unit, outage_at_most_s: float | None = None, *, cause: int | None = None) -> None:
        """Restores the input power: the BMC starts, and then its hosts follow their restore policy. With `outage_at_most_s` it
        answers normally after so many seconds at most, without the profile's time in which it says that it is not ready."""
        if not unit.absence.dark:
            return
        seq = self._services.journal.record(unit.name, EventKind.BMC, cause, what="mains back")
        unit.absence = replace(unit.absence, dark=False)
        if outage_at_most_s is None:
            self._start(unit, seq, after_mains=True)
        else:
            outage = self._services.draw(unit.profile.bmc_reset.outage_s)
            self._away(unit, seq, min(outage, outage_at_most_s), after_mains=True)

    def mains_back_at_once(self, unit: Unit, restore_after_reads: int) -> None:
        """As `mains_back`, with a BMC that answers normally at once and hosts whose power returns behind a gate: when their power
        state has been read so often (ruling 8)."""
        if not unit.absence.dark:
            return
        seq = self._services.journal.record(unit.name, EventKind.BMC, None, what="mains back")
        unit.absence = replace(unit.absence, dark=False)
        for system in unit.systems:
            system.gate = Gate(restore_after_reads)
        self._finish_start(unit, seq, after_mains=True)

    def _stop(self, unit: Unit) -> None:
        """The BMC stops: it loses its sessions, its running watchdog, and the settings of its sensors and its log."""
        self._watchdogs.stop(unit)
        self._alarms.reset(unit)
        unit.logging = True
        unit.sessions.clear()
        if unit.absence.timer is not None:
            unit.absence.timer.cancel()
        unit.absence = replace(unit.absence, goes_at=None, generation=unit.absence.generation + 1, restores=False)

    def _start(self, unit: Unit, seq: int, *, after_mains: bool = False) -> None:
        rules, now = unit.profile.bmc_reset, self._services.now
        outage = self._services.draw(rules.outage_s)
        absence = self._away(unit, seq, outage, after_mains=after_mains)
        if rules.after is not None:
            length = rules.after["for_s"]
            assert isinstance(length, Span)
            unit.absence = replace(
                absence,
                not_ready_until=now + outage + self._services.draw(length),
                reply=str(rules.after["reply"]),
                resets=tuple(rules.after.get("reset", ())),
                code=rules.after.get("ipmi"),
            )

    def _away(self, unit: Unit, seq: int, outage_s: float, *, after_mains: bool = False) -> Absence:
        until = self._services.now + outage_s
        timer = self._services.after(outage_s, lambda: self._finish_start(unit, seq, after_mains))
        unit.absence = replace(unit.absence, deaf_until=until, not_ready_until=until, timer=timer, restores=after_mains)
        return unit.absence

    def _finish_start(self, unit: Unit, cause: int, after_mains: bool) -> None:
        seq = self._services.journal.record(unit.name, EventKind.BMC, cause, what="up")
        unit.absence = replace(unit.absence, restores=False)
        if after_mains:
            self._log_writer.log(unit, LogKind.MAINS_BACK, cause=seq)
        self._log_writer.log(unit, LogKind.BMC_READY, cause=seq)
        if after_mains:
            self._restore_power(unit, seq)
        elif unit.profile.bmc_reset.restore_policy:
            self._switch_on_what_shall_be_on(unit, seq)

    def _switch_on_what_shall_be_on(self, unit: Unit, cause: int) -> None:
        """Some BMCs take their own restart for a return of the input power: a host that was switched off comes back."""
        for system in unit.systems:
            if system.machine.restore is RestorePolicy.ALWAYS_ON and system.host.rail is Rail.DOWN:
                system.machine.pending = RestartCause.POLICY_ALWAYS_ON
                self._services.order(unit, system, Order.ENERGISE, cause)

    def _restore_power(self, unit: Unit, cause: int) -> None:
        for system in unit.systems:
            machine = system.machine
            previous = machine.restore is RestorePolicy.PREVIOUS
            if machine.restore is RestorePolicy.ALWAYS_ON or (previous and machine.was_on):
                machine.pending = RestartCause.POLICY_PREVIOUS if previous else RestartCause.POLICY_ALWAYS_ON
                if system.gate is None or system.gate.open:
                    self._services.order(unit, system, Order.ENERGISE, cause)
                else:
                    system.gate.held, system.gate.cause = (POWER_RETURNS,), cause
            else:
                system.gate = None
