"""What a manager asks of a BMC, and the two clients that can be asked: the reference fencer and CloudStack's, as found.

Rules
  1. Every call ends by itself, within the time that it was given plus one log-out.
  2. `permit` is asked in the instant before each power command leaves. It is how a lost lease stops a late command.
  3. No answer of `off` or `reset` is proof; only `read` can give that, and only twice.
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
    """No reading; nothing is known about the host's power."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


class BmcClient(Protocol):
    def read(self, timeout: float) -> Reading:
        """One live read. Raises ReadFailed."""
        ...

    def off(self, timeout: float, permit: CommandPermit) -> CommandAnswer: ...

    def reset(self, timeout: float, permit: CommandPermit) -> CommandAnswer: ...


_FINAL = frozenset({Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED, Cause.NOT_FOUND, Cause.UNSUPPORTED, Cause.CONFIG, Cause.TLS})
_REFUSAL = frozenset({Cause.ALREADY_IN_STATE, Cause.CONFLICT, Cause.BUSY, Cause.PRECONDITION})


@dataclass(frozen=True, slots=True, kw_only=True)
class FencedBmc:
    """A BMC through the reference fencer. `power_off_timeout`: seconds that a whole reset may take."""

    target: Target
    chassis_check: ChassisCheck = ChassisCheck.REQUIRE
    power_off_timeout: float = 60.0

    def read(self, timeout: float) -> Reading:
        try:
            return read(self.target, timeout, chassis_check=self.chassis_check)
        except FenceError as error:
            raise BmcReadFailed(error.failure) from error

    def off(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        vetoed, ask = _remembering(permit)
        # One command per attempt: the machine counts, spaces and announces them. Three calls of `timeout` each fit.
        limits = Limits(
            deadline=3 * timeout,
            connect=timeout,
            request=timeout,
            stable_for=0.0,
            max_commands=1,
            chassis_check=self.chassis_check,
        )
        return _answer(fence(self.target, limits, permit=lambda _: ask()), vetoed)

    def reset(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        vetoed, ask = _remembering(permit)
        limits = Limits(
            deadline=max(self.power_off_timeout, 3 * timeout),
            connect=timeout,
            request=timeout,
            chassis_check=self.chassis_check,
        )
        return _answer(reset(self.target, limits, permit=lambda _: ask()), vetoed)


def _remembering(permit: CommandPermit) -> tuple[list[bool], CommandPermit]:
    asked: list[bool] = []

    def ask() -> bool:
        asked.append(permit())
        return asked[-1]

    return asked, ask


def _answer(outcome: Outcome, permits: list[bool]) -> CommandAnswer:
    failure = outcome.failure
    if outcome.verdict is FenceVerdict.CONFIRMED or failure is None:
        return CommandAnswer(result=CommandResult.ACCEPTED)
    if outcome.commands_sent == 0:
        vetoed = False in permits
        return CommandAnswer(result=CommandResult.NOT_SENT if vetoed else CommandResult.FAILED, failure=failure)
    if failure.cause in _FINAL:
        return CommandAnswer(result=CommandResult.FAILED, failure=failure)
    if failure.cause in _REFUSAL:
        return CommandAnswer(result=CommandResult.REFUSED, failure=failure)
    return CommandAnswer(result=CommandResult.AMBIGUOUS, failure=failure)
