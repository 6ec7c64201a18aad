"""A host's power through IPMI 2.0: Get Chassis Status decides, completion codes only explain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from fencer.events_effects import CommandAnswered, Offers, TaskSaid
from fencer.outcome import Cause, Failure, PowerCommand, Reading, power_of
from fencer.target import Target
from fencer.transport.base import Unread
from fencer.transport.ipmi_session import IpmiSession

CHASSIS, STATUS, CONTROL = 0x00, 0x01, 0x02
DIRECTIVES: Mapping[PowerCommand, int] = {
    PowerCommand.FORCE_OFF: 0x00,
    PowerCommand.ON: 0x01,
    PowerCommand.NMI: 0x04,
    PowerCommand.GRACEFUL_SHUTDOWN: 0x05,
}
# IPMI 2.0, table 5-2. 0xCC looks like "never", but some BMCs say so of a host that is off already.
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
    """One host behind one IPMI responder."""

    def __init__(self, target: Target, request: float, now: Callable[[], float]) -> None:
        """`request` bounds every exchange, in seconds. Raises Unread for settings that IPMI cannot carry."""
        self._session = IpmiSession(target)
        self._name = target.host
        self._expected = target.identity
        self._request = request
        self._now = now

    def read(self, timeout: float) -> Reading:
        """Get Chassis Status. Raises Unread."""
        at = self._now()
        reply = self._session.request(CHASSIS, STATUS, b"", min(timeout, self._request))
        if reply[0]:
            raise Unread(_failure("Get Chassis Status", reply[0]))
        if len(reply) < 2:
            raise Unread(Failure(cause=Cause.BAD_RESPONSE, text=f"{self._name} sent an empty chassis status"))
        word = "On" if reply[1] & 0x01 else "Off"
        guid = self._session.guid
        if self._expected and guid and self._expected.replace("-", "").casefold() != guid:
            text = f"{self._name} shows GUID {guid}, expected {self._expected}: not the same machine"
            raise Unread(Failure(cause=Cause.CONFIG, text=text))
        return Reading(
            power=power_of(word), word=word, at=at, path="ipmi", source="Get Chassis Status", identity=guid
        )  # fmt: skip

    def offers(self, timeout: float) -> Offers:
        """IPMI lists nothing; these are the directives of table 28-4 that we use."""
        return Offers(frozenset(DIRECTIVES), listed=True, source="Chassis Control")

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        """Chassis Control, once: a lost answer is for the next reading to tell."""
        what = f"Chassis Control {command}"
        try:
            data = bytes([DIRECTIVES[command]])
            reply = self._session.request(CHASSIS, CONTROL, data, min(timeout, self._request), once=True)
        except Unread as unread:
            return CommandAnswered(replace(unread.failure, text=f"{what}: {unread.failure.text}"))
        return CommandAnswered(_failure(what, reply[0]) if reply[0] else None)

    def follow(self, task: str, timeout: float) -> TaskSaid:
        """IPMI has no tasks."""
        return TaskSaid(ended=True)

    def members(self, timeout: float) -> tuple[str, ...]:
        """An IPMI responder is one host."""
        return (self._name,)

    def close(self) -> None:
        self._session.close()


def _failure(what: str, code: int) -> Failure:
    cause, words = CODES.get(code, (Cause.BAD_RESPONSE, "no standard text"))
    return Failure(
        cause=cause, text=f"{what} was answered with completion code 0x{code:02X}", code=f"0x{code:02X}", bmc_text=words
    )
