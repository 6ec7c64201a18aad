"""Writes a BMC's event log and counters (power-on hours, boots, restart cause) when one of its hosts changes state.

The rack calls it after each change, in the emulator's one thread; views call it for logins and for entries that clients add.
It never gives an order to a host.

A BMC that is away writes no entry, and writes none later about what happened meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

from emulator.core.bmc.accounts import AuthResult
from emulator.core.bmc.boot import BootTarget, RestartCause
from emulator.core.bmc.eventlog import SENTENCES, UNUSED, LogEntry, LogKind, SelFields, Severity
from emulator.core.bmc.unit import Unit
from emulator.core.power.system import SystemState
from emulator.core.rack_services import RackServices
from emulator.core.truth.host import Host, News
from emulator.core.vocab import Os, Rail

LAN_CHANNEL = 0x01
LOGIN_KINDS = frozenset({LogKind.LOGIN_FAILED, LogKind.LOCKOUT})


class BmcLogWriter:
    """Writes the event logs of all BMCs of a rack. `epoch` is the Unix time of the rack's start, in seconds."""

    def __init__(self, services: RackServices, epoch: float) -> None:
        self._services = services
        self._epoch = epoch
        self.listeners: list[Callable[[str, LogEntry], None]] = []

    def wall(self, unit: Unit) -> float:
        """Unix time in seconds, as this BMC's clock shows it."""
        return self._epoch + unit.clock_offset + self._services.now

    # -- writing -------------------------------------------------------------------------------------------------------

    def log(
        self,
        unit: Unit,
        kind: LogKind,
        system: str | None = None,
        *,
        more: str = "",
        second: int = UNUSED,
        third: int = UNUSED,
        offset: int | None = None,
        cause: int | None = None,
    ) -> LogEntry | None:
        """Adds an entry with the text of its kind, followed by `more`. `second` and `third` are event data 2 and 3.

        None where the BMC is away, its log is full and refuses, or a client has disabled this event of the sensor.
        """
        if unit.absence.deaf(self._services.now):
            return None
        sentence = SENTENCES[kind]
        fields = sentence.fields(second, third, offset)
        setup = unit.first().setups.get(sentence.sensor_number)
        if setup is not None and not setup.logs(fields.data[0] & 0x0F, asserted=fields.asserted):
            return None
        return self.add(
            unit,
            kind,
            sentence.severity,
            f"{sentence.text} {more}".rstrip(),
            fields,
            system=system,
            cause=cause,
        )

    def add(
        self,
        unit: Unit,
        kind: LogKind,
        severity: Severity,
        text: str,
        sel: SelFields,
        *,
        system: str | None = None,
        cause: int | None = None,
    ) -> LogEntry | None:
        """Adds an entry with a text and SEL fields of its own, and calls the listeners. None where the log does not take it."""
        if not unit.logging and kind is not LogKind.ADDED:
            return None
        entry = unit.log.add(
            t=self._services.now,
            wall=self.wall(unit),
            severity=severity,
            kind=kind,
            text=text,
            system=system,
            sel=sel,
            cause=cause,
        )
        if entry is not None:
            for listen in self.listeners:
                listen(unit.name, entry)
            for listener in unit.log_listeners:
                listener(entry)
        return entry

    # -- hosts ---------------------------------------------------------------------------------------------------------

    def host_changed(self, unit: Unit, system: SystemState, news: News, before: Host, cause: int | None) -> None:
        """Updates log and counters after a change of a host. `before` is the host before the news."""
        machine, after, now = system.machine, system.host, self._services.now
        system.meter.changed(before, after, now)
        if after.rail is Rail.DOWN and machine.energised:
            self._rail_fell(unit, system, cause)
        elif after.rail is Rail.UP and not machine.energised:
            self._rail_rose(unit, system, cause)
        elif news is News.CAME_UP and before.rail is Rail.UP and before.os is Os.STOPPED:
            self._host_boots(unit, system, machine.pending or RestartCause.UNKNOWN, cause)
        elif news is News.WAS_RESET:
            why = machine.pending or RestartCause.UNKNOWN
            self.log(unit, LogKind.RESET, system.id, cause=cause)
            self._host_boots(unit, system, why, cause)
        elif news is News.OS_BOOTED:
            self._host_boots(unit, system, machine.pending or RestartCause.SOFT_RESET, cause)
        elif news is News.OS_WENT_DOWN:
            self.log(unit, LogKind.OS_SHUTDOWN, system.id, cause=cause)
        elif news is News.OS_CRASHED:
            self.log(unit, LogKind.OS_CRASH, system.id, cause=cause)

    def _rail_fell(self, unit: Unit, system: SystemState, cause: int | None) -> None:
        machine = system.machine
        machine.on_before, machine.energised = machine.on_seconds(self._services.now), False
        machine.mains_failed = unit.absence.dark
        if machine.cycling:
            self.log(unit, LogKind.POWER_CYCLE, system.id, cause=cause)
            machine.cycling = False
        self.log(unit, LogKind.POWER_OFF, system.id, cause=cause)

    def _rail_rose(self, unit: Unit, system: SystemState, cause: int | None) -> None:
        machine = system.machine
        machine.energised, machine.on_since, machine.cycling = True, self._services.now, False
        machine.powered_by = machine.pending or RestartCause.UNKNOWN
        self.log(unit, LogKind.POWER_ON, system.id, cause=cause)
        self._host_boots(unit, system, machine.powered_by, cause)

    def _host_boots(self, unit: Unit, system: SystemState, why: RestartCause, cause: int | None) -> None:
        machine = system.machine
        machine.restart_cause, machine.pending = why, None
        boot = machine.boot.begin(self._services.now, why)
        more = f"Boot source override: {boot.target}." if boot.target is not BootTarget.NONE else ""
        channel = LAN_CHANNEL if why is RestartCause.CHASSIS_CONTROL else UNUSED
        self.log(unit, LogKind.BOOT, system.id, more=more, second=why, third=channel, cause=cause)

    # -- logins --------------------------------------------------------------------------------------------------------

    def login(self, unit: Unit, result: AuthResult, user: str | None, *, locked: bool, cause: int | None) -> None:
        """Logs the result of a login. `user` is None for a name that does not exist: it may be a password in the wrong field.

        Equal failures are one entry as long as no other entry comes between, so a flood of failures does not fill the log.
        """
        if result is AuthResult.OK:
            return
        more = f"User: {user}." if user is not None else ""
        slot = unit.accounts.slot(user) if user is not None else 0
        text = f"{SENTENCES[LogKind.LOGIN_FAILED].text} {more}".rstrip()
        run = takewhile(lambda entry: entry.kind in LOGIN_KINDS, unit.log.newest_first())
        if all(entry.text != text for entry in run):
            self.log(unit, LogKind.LOGIN_FAILED, more=more, second=slot, third=LAN_CHANNEL, cause=cause)
        if locked:
            self.log(unit, LogKind.LOCKOUT, more=more, second=slot, third=LAN_CHANNEL, cause=cause)


def listener_remover(unit: Unit, listener: Callable[[LogEntry], None]) -> Callable[[], None]:
    """A function that removes a listener of one BMC's log. It may be called more than once."""

    def stop() -> None:
        if listener in unit.log_listeners:
            at = unit.log_listeners.index(listener)
            unit.log_listeners = unit.log_listeners[:at] + unit.log_listeners[at + 1 :]

    return stop
