"""Several ways to one BMC: more than one address, and IPMI beside Redfish.

`fencer.run.open_transport` makes these transports where the target asks for them. One thread; times are seconds of the
monotonic clock.

Rules
  1. Addresses of one protocol are alternatives: the next one is tried if one does not answer, and the one that answered last
     is used first.
  2. Two protocols are two witnesses. Each Off of Redfish needs the Off of IPMI, if IPMI has answered in this run:
     `fencer.witnesses` judges it like a chassis. A contradiction, and a witness that fell silent, is never Off.
  3. If Redfish does not answer, IPMI is read alone and receives the commands. The chassis that were asked before are then
     missing, so such a reading is no Off (`fencer.witnesses`); without any, its proof is the longer one.
  4. Credentials that one protocol refused are not sent over the other one: refused log-ins are counted together. A System that
     Redfish does not find, or several of which none is selected, are not fenced over IPMI instead.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from fencer import witnesses
from fencer.events_effects import AllowedCommands, CommandAnswered, TaskStatus
from fencer.outcome import Cause, Failure, Member, PowerCommand, Reading, Witness, WitnessState
from fencer.transport.base import CallFailed, Transport
from fencer.witnesses import OTHER_PROTOCOL

NO_ANSWER = frozenset({Cause.UNREACHABLE, Cause.TIMEOUT})
JUDGED_BY_REDFISH = frozenset({Cause.AUTH, Cause.LOCKED, Cause.PRIVILEGE, Cause.CONFIG, Cause.NOT_FOUND})
"""Redfish answered that this user or this System is not accepted. IPMI knows no Systems, so it must not act in its place."""
IPMI_STATUS = "IPMI Get Chassis Status"
PATIENCE_S = 3.0  # for a protocol that did not answer before, while the other one answers
GIVE_UP_AFTER = 2  # reads without an answer of a protocol that never answered


class SeveralAddresses:
    """One BMC behind several addresses, over one protocol."""

    def __init__(self, transports: Sequence[Transport]) -> None:
        """`transports` are in the order in which they are tried. There is at least one."""
        self._transports = list(transports)

    @property
    def logged_in(self) -> bool:
        return any(transport.logged_in for transport in self._transports)

    def read(self, timeout: float) -> Reading:
        """Reads over the first address that answers; it becomes the first. Raises CallFailed of the first one if none does."""
        end = time.monotonic() + timeout
        first_failure: CallFailed | None = None
        for position, transport in enumerate(tuple(self._transports)):
            share = (end - time.monotonic()) / (len(self._transports) - position)
            try:
                reading = transport.read(max(share, 0.05))
            except CallFailed as call_failed:
                if call_failed.final or call_failed.failure.cause not in NO_ANSWER:
                    raise
                first_failure = first_failure or call_failed
                continue
            if position:
                self._transports.remove(transport)
                self._transports.insert(0, transport)
            return replace(reading, repeated=reading.repeated + position)
        assert first_failure is not None
        raise first_failure

    def allowed_commands(self, timeout: float) -> AllowedCommands:
        return self._transports[0].allowed_commands(timeout)

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        """Sends the command over the address of the last reading, and over no other."""
        return self._transports[0].command(command, timeout)

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        return self._transports[0].read_task(task, timeout)

    def members(self, timeout: float) -> tuple[Member, ...]:
        """Lists the hosts over the first address that answers. Raises CallFailed of the first one if none does."""
        end = time.monotonic() + timeout
        first_failure: CallFailed | None = None
        for position, transport in enumerate(self._transports):
            share = (end - time.monotonic()) / (len(self._transports) - position)
            try:
                return transport.members(max(share, 0.05))
            except CallFailed as call_failed:
                if call_failed.final or call_failed.failure.cause not in NO_ANSWER:
                    raise
                first_failure = first_failure or call_failed
        assert first_failure is not None
        raise first_failure

    def close(self, timeout: float) -> None:
        close_all(self._transports, timeout)


class RedfishAndIpmi:
    """One host behind one BMC, over both protocols."""

    def __init__(self, redfish: Transport, ipmi: Transport) -> None:
        self._redfish = redfish
        self._ipmi = ipmi
        self._speaker = redfish  # whose reading was used last: it receives the commands
        self._first = True
        self._redfish_answered = False
        self._redfish_lost = 0  # reads in a row without an answer
        self._ipmi_answered = False
        self._ipmi_lost = 0
        self._ipmi_refused: Failure | None = None  # it refused the log-in: it is not asked again

    @property
    def logged_in(self) -> bool:
        return self._redfish.logged_in or self._ipmi.logged_in

    def read(self, timeout: float) -> Reading:
        """Reads Redfish, and IPMI at the first read, for each Off, and where Redfish does not answer. Raises CallFailed."""
        end = time.monotonic() + timeout
        reading, lost = self._read_redfish(timeout)
        if reading is not None and not (self._first or reading.word == "Off"):
            return reading
        self._first = False
        ipmi, witness = self._read_ipmi(end, alone=reading is None)
        if reading is not None:
            self._speaker = self._redfish
            return _judged(replace(reading, witnesses=(*reading.witnesses, witness)))
        assert lost is not None
        if ipmi is None:
            failure = replace(lost.failure, text=f"{lost.failure.text}; {IPMI_STATUS}: {witness.why}")
            raise CallFailed(failure, lost.retry_after)
        self._speaker = self._ipmi
        shown = tuple((f"IPMI {name}", value) for name, value in ipmi.shown)
        return _judged(replace(ipmi, shown=shown, witnesses=(witness,), repeated=ipmi.repeated + 1))

    def _read_redfish(self, timeout: float) -> tuple[Reading | None, CallFailed | None]:
        """Returns the reading, or why there is none. Raises CallFailed for what IPMI must not decide instead."""
        if not self._redfish_answered and self._ipmi_answered and self._redfish_lost >= GIVE_UP_AFTER:
            failure = Failure(cause=Cause.UNREACHABLE, text="Redfish did not answer in this run")
            return None, CallFailed(failure)
        patience = min(PATIENCE_S, timeout / 2) if self._redfish_lost and self._ipmi_answered else timeout * 0.6
        try:
            reading = self._redfish.read(patience)
        except CallFailed as call_failed:
            if call_failed.final or call_failed.contradicts or call_failed.failure.cause in JUDGED_BY_REDFISH:
                raise
            self._redfish_lost += 1
            return None, call_failed
        self._redfish_answered, self._redfish_lost = True, 0
        return reading, None

    def _read_ipmi(self, end: float, *, alone: bool) -> tuple[Reading | None, Witness]:
        """Returns what IPMI says, and the same as a witness. Raises CallFailed if another machine answers."""
        if self._ipmi_refused is not None:
            return None, _silent(self._ipmi_refused.text)
        if not self._ipmi_answered and self._ipmi_lost >= GIVE_UP_AFTER and not alone:
            return None, _silent("it did not answer in this run")
        left = max(end - time.monotonic(), 0.05)
        try:
            reading = self._ipmi.read(left if alone or self._ipmi_answered else min(PATIENCE_S, left))
        except CallFailed as call_failed:
            failure = call_failed.failure
            if call_failed.contradicts or (failure.cause is Cause.CONFIG and call_failed.final):
                raise
            if failure.cause in (Cause.AUTH, Cause.LOCKED, Cause.PRIVILEGE):
                self._ipmi_refused = failure
            self._ipmi_lost += 1
            return None, _silent(failure.text)
        self._ipmi_answered, self._ipmi_lost = True, 0
        return reading, Witness(uri=IPMI_STATUS, state=WitnessState.SAYS, word=reading.word, kind=OTHER_PROTOCOL)

    def allowed_commands(self, timeout: float) -> AllowedCommands:
        return self._speaker.allowed_commands(timeout)

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        """Sends the command over the protocol of the last reading, and over no other."""
        if self._speaker is self._ipmi:
            known = self._ipmi.allowed_commands(timeout).commands
            if command is PowerCommand.FORCE_ON:
                command = PowerCommand.ON
            if command not in known:
                text = f"IPMI has no {command}, and Redfish does not answer"
                return CommandAnswered(Failure(cause=Cause.BUSY, text=text))
        return self._speaker.command(command, timeout)

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        return self._redfish.read_task(task, timeout)

    def members(self, timeout: float) -> tuple[Member, ...]:
        """Lists the hosts over Redfish, or over IPMI if that does not answer. Raises CallFailed."""
        end = time.monotonic() + timeout
        try:
            return self._redfish.members(timeout / 2)
        except CallFailed as call_failed:
            if call_failed.final or call_failed.failure.cause not in NO_ANSWER:
                raise
        return self._ipmi.members(max(end - time.monotonic(), 0.05))

    def close(self, timeout: float) -> None:
        close_all((self._redfish, self._ipmi), timeout)


def close_all(transports: Sequence[Transport], timeout: float) -> None:
    """Logs out of each. Those that still wait share the time that is left."""
    end = time.monotonic() + timeout
    waiting = sorted(transports, key=lambda transport: transport.logged_in)
    for position, transport in enumerate(waiting):
        transport.close(max(end - time.monotonic(), 0.0) / (len(waiting) - position))


def _silent(why: str) -> Witness:
    return Witness(uri=IPMI_STATUS, state=WitnessState.SILENT, why=why, kind=OTHER_PROTOCOL)


def _judged(reading: Reading) -> Reading:
    return witnesses.judged(reading, witnesses.WitnessMemory())
