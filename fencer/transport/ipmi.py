"""Reads and switches the power of a host over IPMI 2.0.

`fencer.run` calls it from one thread; times are seconds. Only Get Chassis Status says what state the host is in. The
completion code of Chassis Control only explains why a command failed. The identity is the GUID of the session, or a serial
number of the FRU data (IPMI 2.0, section 34), which is read only if a serial number is expected.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from fencer import identity
from fencer.events_effects import AllowedCommands, CommandAnswered, TaskStatus
from fencer.outcome import Cause, Failure, Member, PowerCommand, Reading, power_of
from fencer.target import IdentityCheck, Target
from fencer.transport import fru
from fencer.transport.base import CallFailed
from fencer.transport.ipmi_session import IpmiSession
from fencer.transport.refused_logins import RefusedLogins

CHASSIS, STATUS, CONTROL = 0x00, 0x01, 0x02
STORAGE, READ_FRU = 0x0A, 0x11
FRU_CHUNK, MAX_FRU_BYTES = 16, 512
DIRECTIVES: Mapping[PowerCommand, int] = {
    PowerCommand.FORCE_OFF: 0x00,
    PowerCommand.ON: 0x01,
    PowerCommand.POWER_CYCLE: 0x02,
    PowerCommand.FORCE_RESTART: 0x03,
    PowerCommand.NMI: 0x04,
    PowerCommand.GRACEFUL_SHUTDOWN: 0x05,
}
# IPMI 2.0, table 5-2. Some BMCs answer 0xCC to a power-off if the host is off already, so it is a CONFLICT.
CODES: Mapping[int, tuple[Cause, str]] = {
    0xC0: (Cause.BUSY, "node busy"),
    0xC1: (Cause.UNSUPPORTED, "invalid command"),
    0xC3: (Cause.TIMEOUT, "time-out while processing the command"),
    0xC4: (Cause.BUSY, "out of space"),
    0xC9: (Cause.CONFLICT, "parameter out of range"),
    0xCC: (Cause.CONFLICT, "invalid data field in request"),
    0xCE: (Cause.BUSY, "command response could not be provided"),
    0xD0: (Cause.BUSY, "SDR repository in update mode"),
    0xD1: (Cause.BUSY, "device firmware in update mode"),
    0xD2: (Cause.BUSY, "BMC initialization in progress"),
    0xD3: (Cause.UNREACHABLE, "destination unavailable"),
    0xD4: (Cause.PRIVILEGE, "insufficient privilege level"),
    0xD5: (Cause.CONFLICT, "command not supported in present state"),
    0xD6: (Cause.UNSUPPORTED, "command disabled"),
}


class IpmiTransport:
    """The power of one host behind one IPMI BMC."""

    def __init__(self, target: Target, request: float, now: Callable[[], float], refused: RefusedLogins | None = None) -> None:
        """`request` bounds every exchange, in seconds. Raises CallFailed for settings that IPMI cannot carry."""
        self._session = IpmiSession(target, refused)
        self._name = target.host
        self._target = target
        self._serials: Mapping[str, str] | None = None  # read once
        self._request = request
        self._now = now

    @property
    def logged_in(self) -> bool:
        return self._session.is_open

    def read(self, timeout: float) -> Reading:
        """Get Chassis Status. Raises CallFailed."""
        at = self._now()
        reply = self._session.request(CHASSIS, STATUS, b"", min(timeout, self._request))
        if reply[0]:
            raise CallFailed(_failure("Get Chassis Status", reply[0]))
        if len(reply) < 2:
            raise CallFailed(Failure(cause=Cause.BAD_RESPONSE, text=f"{self._name} sent an empty chassis status"))
        word = "On" if reply[1] & 0x01 else "Off"
        expected, shown = self._target.identity, self._shown(min(timeout, self._request))
        matched = expected is not None and self._matches(expected, shown)
        if expected is not None and not matched and ("UUID" if identity.is_uuid(expected) else "SerialNumber") in dict(shown):
            values = ", ".join(f"{name} {value}" for name, value in shown)
            text = f"{self._name} shows {values}, expected {expected}: not the same machine"
            raise CallFailed(Failure(cause=Cause.CONFIG, text=text), final=True)
        return Reading(
            power=power_of(word),
            word=word,
            at=at,
            path="ipmi",
            source="Get Chassis Status",
            identity=expected if matched else None if expected else dict(shown).get("UUID"),
            shown=shown,
            identity_missing=expected is not None and not matched and self._target.identity_check is IdentityCheck.REQUIRE,
        )

    def _shown(self, timeout: float) -> identity.ShownIdentities:
        """Returns the GUID, and the serial numbers of the FRU data if a serial number is expected."""
        guid = self._session.guid
        shown = (("UUID", identity.guid_text(guid)),) if guid else ()
        expected = self._target.identity
        if expected is None or identity.is_uuid(expected):
            return shown
        if self._serials is None:
            self._serials = fru.serial_numbers(self._fru_data(timeout))
        return (*shown, *((name, text) for name, text in self._serials.items() if not identity.is_blank(text)))

    def _matches(self, expected: str, shown: identity.ShownIdentities) -> bool:
        guid = self._session.guid
        texts = [*(value for _, value in shown), *(identity.guid_orders(guid) if guid else ())]
        return identity.canonical(expected) in map(identity.canonical, texts)

    def _fru_data(self, timeout: float) -> bytes:
        """Reads the FRU data of device 0, as far as the BMC sends them. Raises CallFailed if an answer is lost."""
        end, data = time.monotonic() + timeout, b""
        while len(data) < MAX_FRU_BYTES:
            where = len(data).to_bytes(2, "little")
            reply = self._session.request(STORAGE, READ_FRU, b"\0" + where + bytes([FRU_CHUNK]), end - time.monotonic())
            block = reply[2 : 2 + reply[1]] if not reply[0] and len(reply) > 2 else b""
            if not block:
                break
            data += block
        return data

    def allowed_commands(self, timeout: float) -> AllowedCommands:
        """Returns the directives of table 28-4 that this transport sends. IPMI itself lists no allowed commands."""
        return AllowedCommands(frozenset(DIRECTIVES), listed=True, source="Chassis Control")

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        """Sends Chassis Control once. If the answer is lost, the next read shows the state."""
        what = f"Chassis Control {command}"
        try:
            data = bytes([DIRECTIVES[command]])
            reply = self._session.request(CHASSIS, CONTROL, data, min(timeout, self._request), once=True)
        except CallFailed as call_failed:
            return CommandAnswered(
                replace(call_failed.failure, text=f"{what}: {call_failed.failure.text}"), call_failed.retry_after
            )
        return CommandAnswered(_failure(what, reply[0]) if reply[0] else None)

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        """Returns an ended task: IPMI has no tasks."""
        return TaskStatus(ended=True)

    def members(self, timeout: float) -> tuple[Member, ...]:
        """Returns one host, by the address of its BMC: IPMI has no name for it. Raises CallFailed."""
        return (Member(plug=self._name, word=self.read(timeout).word),)

    def close(self, timeout: float) -> None:
        self._session.close(timeout)


def _failure(what: str, code: int) -> Failure:
    cause, words = CODES.get(code, (Cause.BAD_RESPONSE, "no standard text"))
    return Failure(
        cause=cause, text=f"{what} was answered with completion code 0x{code:02X}", code=f"0x{code:02X}", bmc_text=words
    )
