"""The interface of a manager to a BMC, and its implementation with the reference fencer.

`Manager` calls it in the worker threads of the pool "bmc". Timeouts are seconds.

Rules
  1. Every call returns within its timeouts plus one log-out.
  2. A client calls `permit` immediately before it sends a power command. If the manager has lost its lease, `permit`
     returns False and the command is not sent.
  3. The result of `off` or `reset` does not prove that the host is off. Only two calls of `read` can prove it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fencer import ChassisCheck, FenceError, FenceVerdict, Limits, Outcome, Reading, Target, fence, read, reset
from fencer.ha.observations import CommandResult
from fencer.outcome import Cause, Failure

CommandPermit = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswer:
    result: CommandResult
    failure: Failure | None = None


class BmcReadFailed(Exception):
    """The read returned no power state. The power state of the host is unknown."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


class BmcClient(Protocol):
    def read(self, timeout: float) -> Reading:
        """Reads the power state once, live. Raises BmcReadFailed."""
        ...

    def off(self, timeout: float, permit: CommandPermit) -> CommandAnswer: ...

    def reset(self, timeout: float, permit: CommandPermit) -> CommandAnswer: ...


_FINAL_CAUSES = frozenset(
    {Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED, Cause.NOT_FOUND, Cause.UNSUPPORTED, Cause.CONFIG, Cause.TLS}
)
_REFUSAL_CAUSES = frozenset({Cause.ALREADY_IN_STATE, Cause.CONFLICT, Cause.BUSY, Cause.PRECONDITION})


@dataclass(frozen=True, slots=True, kw_only=True)
class FencedBmc:
    """Calls a BMC with the reference fencer. `power_off_timeout`: seconds that a whole reset may take."""

    target: Target
    chassis_check: ChassisCheck = ChassisCheck.REQUIRE
    power_off_timeout: float = 60.0

    def read(self, timeout: float) -> Reading:
        try:
            return read(self.target, timeout, chassis_check=self.chassis_check)
        except FenceError as error:
            raise BmcReadFailed(error.failure) from error

    def off(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        permits, recorded_permit = _recording_permit(permit)
        # One command per attempt: `machine` counts the attempts and waits between them. The deadline allows three calls.
        limits = Limits(
            deadline=3 * timeout,
            connect=timeout,
            request=timeout,
            stable_for=0.0,
            max_commands=1,
            chassis_check=self.chassis_check,
        )
        return _command_answer(fence(self.target, limits, permit=lambda _: recorded_permit()), permits)

    def reset(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        permits, recorded_permit = _recording_permit(permit)
        limits = Limits(
            deadline=max(self.power_off_timeout, 3 * timeout),
            connect=timeout,
            request=timeout,
            chassis_check=self.chassis_check,
        )
        return _command_answer(reset(self.target, limits, permit=lambda _: recorded_permit()), permits)


def _recording_permit(permit: CommandPermit) -> tuple[list[bool], CommandPermit]:
    """Returns a list, and a permit that appends each of its results to that list."""
    answers: list[bool] = []

    def recorded_permit() -> bool:
        answers.append(permit())
        return answers[-1]

    return answers, recorded_permit


def _command_answer(outcome: Outcome, permits: list[bool]) -> CommandAnswer:
    failure = outcome.failure
    if outcome.verdict is FenceVerdict.CONFIRMED or failure is None:
        return CommandAnswer(result=CommandResult.ACCEPTED)
    if outcome.commands_sent == 0:
        refused = False in permits
        return CommandAnswer(result=CommandResult.NOT_SENT if refused else CommandResult.FAILED, failure=failure)
    if failure.cause in _FINAL_CAUSES:
        return CommandAnswer(result=CommandResult.FAILED, failure=failure)
    if failure.cause in _REFUSAL_CAUSES:
        return CommandAnswer(result=CommandResult.REFUSED, failure=failure)
    return CommandAnswer(result=CommandResult.AMBIGUOUS, failure=failure)
