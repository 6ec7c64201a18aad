"""The interface of a manager to a BMC, and its implementation with the reference fencer's transports.

`Manager` calls it in the worker threads of the pools "bmc" and "check". Timeouts are seconds.

Rules
  1. Every call returns within three times its timeout plus one log-out.
  2. One call sends at most one power command, and no procedure decides beside the HA rules: they count the attempts, wait and
     read. A client calls `permit` immediately before the command leaves; if it returns False, nothing is sent.
  3. A host that reads Off, and a machine that is not the one of the read before, gets no command.
  4. The result of `off` or `reset` does not prove that the host is off. Only reads can prove it (`fencer.proof`).
  5. All calls to one BMC share its refused log-ins: two within `LOGIN_WINDOW_S`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from fencer import ChassisCheck, Limits, PowerCommand, Reading, Target, command_plan, failure_text, identity
from fencer.device_check import DeviceCheck, check_device
from fencer.events_effects import AllowedCommands, CommandAnswered
from fencer.ha.observations import CommandResult
from fencer.outcome import Cause, Failure, Power
from fencer.run import LOGOUT_S, MonotonicClock, open_transport
from fencer.transport.base import CallFailed, Transport
from fencer.transport.refused_logins import RefusedLogins

CommandPermit = Callable[[], bool]

LOGIN_WINDOW_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswer:
    result: CommandResult
    failure: Failure | None = None


class BmcReadFailed(Exception):
    """The read returned no power state. The power state of the host is unknown.

    `contradicts`: there was an answer, and it was about something else than what was asked for.
    """

    def __init__(self, failure: Failure, *, contradicts: bool = False) -> None:
        super().__init__(failure.text)
        self.failure = failure
        self.contradicts = contradicts


class BmcClient(Protocol):
    def read(self, timeout: float) -> Reading:
        """Reads the power state once, live. Raises BmcReadFailed."""
        ...

    def off(self, timeout: float, permit: CommandPermit) -> CommandAnswer: ...

    def reset(self, timeout: float, permit: CommandPermit) -> CommandAnswer: ...

    def check(self, timeout: float) -> DeviceCheck:
        """Checks without a power command whether the host could be fenced now: log-in, identity, System, Reset action."""
        ...


@dataclass(slots=True)
class BmcLogins(RefusedLogins):
    """The refused log-ins of one BMC, over all calls of this process. They are forgotten after `window_s`."""

    window_s: float = LOGIN_WINDOW_S

    def wait(self, end: float) -> None:
        if self.last is not None and time.monotonic() - self.at >= self.window_s:
            self.count, self.last, self.open = 0, None, False
        RefusedLogins.wait(self, end)


_FINAL_CAUSES = frozenset(
    {Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED, Cause.NOT_FOUND, Cause.UNSUPPORTED, Cause.CONFIG, Cause.TLS}
)
_REFUSAL_CAUSES = frozenset({Cause.ALREADY_IN_STATE, Cause.CONFLICT, Cause.BUSY, Cause.PRECONDITION})
RESETS = (PowerCommand.FORCE_RESTART, PowerCommand.POWER_CYCLE)


@dataclass(slots=True, kw_only=True)
class FencedBmc:
    """One host behind one BMC, for one manager. At most one power command is under way at a time."""

    target: Target
    chassis_check: ChassisCheck = ChassisCheck.REQUIRE
    logins: BmcLogins = field(default_factory=BmcLogins)
    _shown: identity.ShownIdentities = ()  # of the last read
    _failed_offs: int = 0  # power-offs since the last read of Off
    _unknown_command: bool = False  # the BMC does not know the command that was sent last

    def read(self, timeout: float) -> Reading:
        try:
            with self._transport(timeout, timeout) as transport:
                reading = transport.read(timeout)
        except CallFailed as failed:
            raise BmcReadFailed(failed.failure, contradicts=failed.contradicts) from failed
        self._shown = reading.shown
        if reading.power is Power.OFF:
            self._failed_offs, self._unknown_command = 0, False
        return reading

    def off(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        answer = self._command(timeout, permit, self._choose_off)
        self._failed_offs += 1
        return answer

    def reset(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        return self._command(timeout, permit, _choose_reset)

    def check(self, timeout: float) -> DeviceCheck:
        return check_device(self.target, self._limits(3 * timeout, timeout), refused=self.logins)

    def _limits(self, deadline: float, request: float) -> Limits:
        return Limits(deadline=deadline, request=request, connect=min(request, 5.0), chassis_check=self.chassis_check)

    @contextmanager
    def _transport(self, deadline: float, request: float) -> Iterator[Transport]:
        transport = open_transport(self.target, self._limits(deadline, request), request, MonotonicClock(), self.logins)
        try:
            yield transport
        finally:
            transport.close(LOGOUT_S)

    def _command(
        self, timeout: float, permit: CommandPermit, choose: Callable[[Reading, AllowedCommands], PowerCommand | Failure]
    ) -> CommandAnswer:
        try:
            with self._transport(3 * timeout, timeout) as transport:
                reading = transport.read(timeout)
                if changed := identity.other(self._shown, reading.shown):
                    failure = failure_text.other_machine(reading.source, *changed)
                    return CommandAnswer(result=CommandResult.FAILED, failure=failure)
                if reading.word == "Off":
                    return CommandAnswer(result=CommandResult.NOT_SENT)
                command = choose(reading, transport.allowed_commands(timeout))
                if isinstance(command, Failure):
                    return CommandAnswer(result=CommandResult.FAILED, failure=command)
                if not permit():
                    return CommandAnswer(result=CommandResult.NOT_SENT)
                answer = transport.command(command, timeout)
        except CallFailed as failed:
            return CommandAnswer(result=CommandResult.FAILED, failure=failed.failure)
        self._unknown_command = answer.wrong_parameter
        return _command_answer(answer)

    def _choose_off(self, reading: Reading, allowed: AllowedCommands) -> PowerCommand | Failure:
        """The next way to Off that the BMC allows: after a failed attempt, the next one of the plan."""
        plan, others = command_plan.plan(Power.OFF, allowed, self._limits(60.0, 10.0))
        ways = (*plan, *others) if self._unknown_command else plan
        if not ways:
            return failure_text.unsupported(Power.OFF, allowed)
        command = ways[min(self._failed_offs, len(ways) - 1)]
        if command is PowerCommand.PUSH_POWER_BUTTON and reading.power is not Power.ON:
            text = f"{reading.source} says {failure_text.reading_text(reading)}, and only the power button is left, which toggles"
            return Failure(cause=Cause.PRECONDITION, text=text)
        return command


def _choose_reset(reading: Reading, allowed: AllowedCommands) -> PowerCommand | Failure:
    if reading.power is not Power.ON:
        text = f"{reading.source} says {failure_text.reading_text(reading)}; only a host that is On is reset"
        return Failure(cause=Cause.PRECONDITION, text=text)
    for command in RESETS:
        if not allowed.listed or command in allowed.commands:
            return command
    text = f"{allowed.source} allows no {' and no '.join(RESETS)}; it allows {', '.join(sorted(allowed.commands)) or 'nothing'}"
    return Failure(cause=Cause.UNSUPPORTED, text=text)


def _command_answer(answer: CommandAnswered) -> CommandAnswer:
    failure = answer.failure
    if failure is None:
        return CommandAnswer(result=CommandResult.ACCEPTED)
    if failure.cause in _FINAL_CAUSES and not answer.wrong_parameter:
        return CommandAnswer(result=CommandResult.FAILED, failure=failure)
    if failure.cause in _REFUSAL_CAUSES or answer.wrong_parameter:
        return CommandAnswer(result=CommandResult.REFUSED, failure=failure)
    return CommandAnswer(result=CommandResult.AMBIGUOUS, failure=failure)
