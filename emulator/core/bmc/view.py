"""What a front end may read and do: one BMC, what it says about power, its accounts, its power commands.

The Redfish and IPMI front ends call it, in the emulator's one thread. It has no method that shows the truth about a host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from emulator.core.bmc.accounts import AccountSession, AuthResult, LocalAccount
from emulator.core.bmc.bmc_log_writer import listener_remover
from emulator.core.bmc.eventlog import LogEntry
from emulator.core.bmc.presence import Presence
from emulator.core.bmc.unit import Unit
from emulator.core.bmc.view_accounts import AccountsView
from emulator.core.bmc.view_machine import BootView, ChassisView, LogView, SensorsView, WatchdogView
from emulator.core.bmc.view_network import NetworkView
from emulator.core.clock import Instant
from emulator.core.faults.board import Fired
from emulator.core.faults.fault import Fault, LoginFault, LoginPoint, ReportFault, Seam, SequenceReportFault
from emulator.core.faults.trigger import ClientRequest, Intent
from emulator.core.journal import Datum, EventKind
from emulator.core.naming import drawn_from, mac_of, machine_uuid
from emulator.core.power.commands import PowerCommand, PowerReply
from emulator.core.power.system import Look, SystemState
from emulator.core.rack import Rack
from profiles import template
from profiles.model import ABSENT, Account, Lockout, Profile, View


@dataclass(frozen=True, slots=True)
class SystemName:
    """What identifies a system to clients. It says nothing about power."""

    id: str
    chassis_id: str
    uuid: str
    serial: str
    host_name: str
    sku: str = ABSENT
    mac: str = ""  # of the network interface of its BMC
    drawn: str = ""  # serial numbers and addresses of its parts are derived from it


class BmcView:
    """One BMC as its front ends see it. Methods that depend on time first run the rack's due timers."""

    __slots__ = ("_rack", "_unit")

    def __init__(self, rack: Rack, name: str) -> None:
        self._rack = rack
        self._unit: Unit = rack.unit(name)

    @property
    def name(self) -> str:
        return self._unit.name

    @property
    def profile(self) -> Profile:
        return self._unit.profile

    @property
    def now(self) -> Instant:
        return self._rack.now

    def advance(self) -> None:
        self._rack.advance()

    # -- systems -------------------------------------------------------------------------------------------------------

    def systems(self) -> tuple[SystemName, ...]:
        return tuple(self._named(system) for system in self._unit.systems)

    def system_ids(self) -> tuple[str, ...]:
        return tuple(system.id for system in self._unit.systems)

    def system(self, system_id: str) -> SystemName:
        """Raises NoSuchSystem."""
        return self._named(self._unit.system(system_id))

    def _named(self, s: SystemState) -> SystemName:
        key = f"{self._rack.seed}/{self._unit.name}/{s.number}"
        identity, given, first = self.profile.identity, self.profile.given, s.number == 0
        drawn = drawn_from(key, s.draw)
        mac = mac_of(drawn, given if first else ())
        uuid = machine_uuid(identity.system_uuid, key, s.serial, mac, given, first=first)
        sku = template.fill(identity.sku, {**self.profile.vars, "serial": s.serial})
        return SystemName(s.id, s.chassis_id, uuid, s.serial, s.host_name, sku, mac, drawn)

    def root_uuid(self) -> str:
        """The UUID of the service root, different for each BMC; may be ABSENT."""
        first, form = self.first_system(), self.profile.identity.root_uuid
        return machine_uuid(form, f"service-root/{self.name}/{first.drawn}", first.serial, first.mac, self.profile.given)

    def power(self, system_id: str, view: View, request: ClientRequest, cause: int | None = None) -> str | None:
        """What this view says about the system's power now: a PowerState word, None for null, or ABSENT.

        Report faults count each call, so call it once per request. It is not a look: `told` is, when the word goes out.
        Raises NoSuchSystem.
        """
        self._rack.advance()
        system = self._unit.system(system_id)
        word = system.says[view]
        for fired in self._firing(Seam.REPORT, request, cause, system_id, lambda fault: view in getattr(fault, "views", (view,))):
            word = _reported(fired, word)
        return word

    def told(self, looks: Iterable[Look], cause: int | None) -> None:
        """The answer to the request `cause` has told its client these power words.

        Journals a `look` for each system and view, and lets the gate of each system count one read.
        """
        append, unit = self._rack.journal.append, self._unit
        seen: set[Look] = set()
        for look in looks:
            if look not in seen:  # links run in rings: an expanded answer may show a resource twice
                seen.add(look)
                append(unit.name, EventKind.LOOK, cause, {"system": look.system, "view": look.view, "word": look.word})
        armed = bool(unit.faults.armings)
        for system in unit.systems:
            if not armed and system.gate is None:
                continue
            told = next((look for look in seen if look.system == system.id), None)
            if told is None:
                continue
            if armed:
                self._let_happen(system, told, cause)
            if system.gate is not None:
                self._rack.effects.looked(unit, system, cause)

    def _let_happen(self, system: SystemState, look: Look, cause: int | None) -> None:
        """What happens by itself as soon as a client has been told the power of a system. The rail counts as it was then."""
        protocol = "ipmi" if look.view == View.IPMI else "redfish"
        request = ClientRequest(protocol, "", look.view, system.id, None, Intent.POWER_READ)
        for fired in self._firing(Seam.INCIDENT, request, cause, system.id):
            self._rack.incidents.begin(self._unit, system, fired.fault, cause)

    def command(self, system_id: str, command: PowerCommand, cause: int | None) -> PowerReply:
        """Takes in a power command of either protocol. Raises NoSuchSystem."""
        self._rack.advance()
        return self._rack.effects.command(self._unit, self._unit.system(system_id), command, cause)

    def first_system(self) -> SystemName:
        """The first system, which is the one that IPMI commands act on."""
        return self._named(self._first())

    @property
    def first_id(self) -> str:
        return self._first().id

    def last_power_event(self) -> str:
        return self._first().last_power_event

    def _first(self) -> SystemState:
        return self._unit.first()

    # -- other state of the BMC, one object per subject ----------------------------------------------------------------

    @property
    def log(self) -> LogView:
        return LogView(self._rack, self._unit)

    @property
    def boot(self) -> BootView:
        return BootView(self._rack, self._unit)

    @property
    def sensors(self) -> SensorsView:
        return SensorsView(self._rack, self._unit)

    @property
    def chassis(self) -> ChassisView:
        return ChassisView(self._rack, self._unit)

    @property
    def watchdog(self) -> WatchdogView:
        return WatchdogView(self._rack, self._unit)

    @property
    def users(self) -> AccountsView:
        return AccountsView(self._rack, self._unit)

    @property
    def network(self) -> NetworkView:
        return NetworkView(self._rack, self._unit, self.first_system)

    @property
    def lockout(self) -> Lockout:
        return self._unit.accounts.lockout

    @property
    def login_late_s(self) -> float:
        """By how many seconds the answer to the last wrong credentials is late."""
        return self._unit.accounts.late_s

    def set_lockout(self, rule: Lockout, cause: int) -> None:
        self._unit.accounts.lockout = rule
        self.record(
            EventKind.SETTING, cause, what="lockout", failures=rule.failures, penalty_s=rule.penalty_s, window_s=rule.window_s
        )

    def on_log(self, listener: Callable[[LogEntry], None]) -> Callable[[], None]:
        """Calls `listener(entry)` after every new log entry of this BMC. The function that is returned removes the listener."""
        self._unit.log_listeners += (listener,)
        return listener_remover(self._unit, listener)

    @property
    def ipmi_lan(self) -> bool:
        """Whether this BMC answers IPMI over LAN."""
        return self._unit.ipmi_lan

    def set_ipmi_lan(self, on: bool, cause: int | None = None) -> None:
        """Switches IPMI over LAN on or off. Off: every datagram is dropped unread, also those of open sessions."""
        self._unit.ipmi_lan = on
        self.record(EventKind.SETTING, cause, what="ipmi over lan", on=on)

    # -- the BMC itself ------------------------------------------------------------------------------------------------

    def presence(self) -> Presence:
        """Whether the BMC answers now. A front end asks before it reads a request, and not again before it answers."""
        self._rack.advance()
        return self._unit.absence.presence(self._rack.now)

    @property
    def generation(self) -> int:
        """Counts the starts of the BMC. A front end drops the sessions that it keeps when this has changed."""
        return self._unit.absence.generation

    def reset_bmc(self, kind: str, cause: int | None = None) -> int:
        """Resets the BMC and returns the `seq` of the journal event. `kind` is the client's word (GracefulRestart, cold, warm).

        It goes down `bmc_reset.grace_s` from now, is away for `bmc_reset.outage_s`, then answers as `bmc_reset.after` says, then
        normally (seconds, from the profile). Sessions are lost; no rail moves.
        """
        self._rack.advance()
        return self._rack.life.reset(self._unit, kind, cause)

    # -- accounts and sessions -----------------------------------------------------------------------------------------

    def accounts(self) -> Iterator[LocalAccount]:
        return iter(self._unit.accounts)

    def account(self, name: str) -> LocalAccount | None:
        return self._unit.accounts.get(name)

    def verify(
        self, name: str, password: str, address: str, via: str, cause: int | None = None, request: ClientRequest | None = None
    ) -> tuple[AuthResult, LocalAccount | None]:
        """Checks a user name and password that came in clear text. With the `request` that brought them, faults may lock the
        account."""
        self._rack.advance()
        if request is not None and self.login_fault(LoginPoint.LOCKED, name, request, cause) is not None:
            self._journal_auth(AuthResult.LOCKED, name if self._unit.accounts.get(name) else None, via, cause, locked=False)
            return AuthResult.LOCKED, None
        was_locked = self._unit.accounts.is_locked(name, address, self._rack.now)
        result, account = self._unit.accounts.verify(name, password, address, self._rack.now)
        locked = not was_locked and self._unit.accounts.is_locked(name, address, self._rack.now)
        self._journal_auth(result, name if self._unit.accounts.get(name) else None, via, cause, locked=locked)
        return result, account

    def is_locked(self, name: str, address: str) -> bool:
        return self._unit.accounts.is_locked(name, address, self._rack.now)

    def note_auth(self, name: str, address: str, via: str, *, ok: bool, cause: int | None = None) -> None:
        """Notes the result of an authentication that a protocol did itself (RAKP), for the lockout and the journal."""
        self._rack.advance()
        locked = self._unit.accounts.note(name, address, self._rack.now, ok=ok)
        known = name if self._unit.accounts.get(name) else None
        self._journal_auth(AuthResult.OK if ok else AuthResult.BAD, known, via, cause, locked=locked)

    def _journal_auth(self, result: AuthResult, user: str | None, via: str, cause: int | None, *, locked: bool) -> None:
        # A wrong user name may be a password in the wrong field: only names that exist are journaled.
        seq = self.record(EventKind.AUTH, cause, result=result, user=user, via=via)
        self._rack.log_writer.login(self._unit, result, user, locked=locked, cause=seq)

    def open_session(self, account: Account, cause: int | None = None) -> AccountSession | None:
        """Opens a Redfish session; None where the table is full."""
        self._rack.advance()
        session = self._unit.sessions.open(account, self._rack.now, self._rack.make_token)
        self.record(
            EventKind.SESSION,
            cause,
            what="opened" if session else "refused: table full",
            user=account.name,
            session=session.id if session else None,
            live=len(self._unit.sessions),
        )
        return session

    def use_session(self, token: str) -> AccountSession | None:
        self._rack.advance()
        return self._unit.sessions.use(token, self._rack.now)

    def sessions(self) -> tuple[AccountSession, ...]:
        return self._unit.sessions.all(self._rack.now)

    def close_session(self, session_id: str, cause: int | None = None) -> bool:
        session = self._unit.sessions.close(session_id)
        if session is None:
            return False
        self.record(EventKind.SESSION, cause, what="closed", user=session.user, session=session.id, live=len(self._unit.sessions))
        return True

    # -- faults and the journal ----------------------------------------------------------------------------------------

    @property
    def has_faults(self) -> bool:
        """Whether any fault is armed on this BMC."""
        return bool(self._unit.faults.armings)

    def faults(self, seam: Seam, request: ClientRequest, cause: int | None = None) -> tuple[Fault, ...]:
        """The faults of a seam that act on this request, already journaled as fired."""
        return tuple(fired.fault for fired in self.fired(seam, request, cause))

    def fired(
        self,
        seam: Seam,
        request: ClientRequest,
        cause: int | None = None,
        concerns: Callable[[Fault], bool] | None = None,
    ) -> tuple[Fired, ...]:
        """The same, with the ids of their armings; with `concerns`, only those that it lets through."""
        return self._firing(seam, request, cause, request.system, concerns)

    def standing(self, seam: Seam) -> tuple[Fault, ...]:
        """The faults of a seam that act as long as they are armed, if they are active now."""
        return self._rack.faults.standing(self._unit, seam) if self._unit.faults.armings else ()

    def login_fault(self, point: LoginPoint, user: str, request: ClientRequest, cause: int | None = None) -> Fault | None:
        """The fault that answers this question of the account code with yes; None: nobody interferes."""
        if not self._unit.faults.armings:
            return None

        def answers(fault: Fault) -> bool:
            return isinstance(fault, LoginFault) and fault.answers(point, user, request.protocol)

        fired = self.fired(Seam.LOGIN, request, cause, answers)
        return fired[0].fault if fired else None

    def _firing(
        self,
        seam: Seam,
        request: ClientRequest,
        cause: int | None,
        system_id: str | None,
        concerns: Callable[[Fault], bool] | None = None,
    ) -> tuple[Fired, ...]:
        if not self._unit.faults.armings:
            return ()
        system = self._unit.find(system_id) if system_id else self._first()
        rail = system.host.rail if system else None
        return self._rack.faults.firing(self._unit, seam, request, rail=rail, cause=cause, system=system_id, concerns=concerns)

    def record(self, kind: EventKind, cause: int | None = None, **data: Datum) -> int:
        return self._rack.journal.append(self._unit.name, kind, cause, data)

    def record_request(self, request: ClientRequest, path: str, **more: Datum) -> int:
        """Journals a request, with its path as the client wrote it and what the protocol adds. Returns the `seq` of the event."""
        seq = self._rack.journal.append(self._unit.name, EventKind.REQUEST, None, request.facts(path, **more))
        if self._unit.faults.armings:
            self._rack.faults.came(self._unit, request, seq)
        return seq


def _reported(fired: Fired, word: str | None) -> str | None:
    """What a report fault makes of a view's word."""
    fault, arming = fired.fault, fired.arming
    assert isinstance(fault, ReportFault)
    if not isinstance(fault, SequenceReportFault):
        return fault.report(word)
    if arming.fired == 1:
        arming.first_word = word
    return fault.report_nth(word, arming.fired, arming.first_word)
