"""A read that the deadline ends says nothing about the BMC: the failure before it is the cause that is named."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from fencer import run
from fencer.events_effects import AllowedCommands, CommandAnswered, TaskStatus
from fencer.outcome import Action, Cause, Failure, FenceVerdict, Member, PowerCommand, Reading
from fencer.target import Limits, Target
from fencer.transport import redfish_reader
from fencer.transport.base import CallFailed
from fencer.transport.redfish_bodies import ResourceKind
from fencer.transport.redfish_http import HttpResponse
from fencer.transport.redfish_reader import ResourceReader


def failed(cause: Cause) -> CallFailed:
    return CallFailed(Failure(cause=cause, text=f"it was {cause}"))


@dataclass
class Slow:
    """A BMC whose pages are no JSON, each after `takes` seconds; a read that has less time left times out."""

    takes: float
    cause: Cause = Cause.BAD_RESPONSE
    at: float = 0.0
    logged_in: bool = False
    tried: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def read(self, timeout: float) -> Reading:
        self.tried.append(timeout)
        self.at += min(self.takes, timeout)
        raise failed(self.cause if self.takes < timeout else Cause.TIMEOUT)

    def allowed_commands(self, timeout: float) -> AllowedCommands:
        raise AssertionError("there was no reading")

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        raise AssertionError("there was no reading")

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        raise AssertionError("there is no task")

    def members(self, timeout: float) -> tuple[Member, ...]:
        return ()

    def close(self, timeout: float) -> None: ...


@pytest.mark.parametrize("action", [Action.OFF, Action.ON, Action.REBOOT])
@pytest.mark.parametrize("takes", [2.6, 4.0])
def test_the_cause_before_the_deadline_is_named(takes: float, action: Action) -> None:
    bmc = Slow(takes)
    outcome = run.run_procedure(action, bmc, bmc, Limits(deadline=15))
    assert bmc.tried[-1] <= takes, "the deadline ended the last read"
    assert outcome.verdict is FenceVerdict.UNKNOWN
    assert outcome.failure is not None
    assert outcome.failure.cause is Cause.BAD_RESPONSE


def test_one_read_that_takes_all_the_time_is_a_time_out() -> None:
    bmc = Slow(99.0)
    outcome = run.run_procedure(Action.OFF, bmc, bmc, Limits(deadline=15))
    assert outcome.failure is not None
    assert outcome.failure.cause is Cause.TIMEOUT


class TwoAnswers:
    """Fails with one cause and then with another one, which takes all the time there is."""

    base = "https://192.0.2.1"

    def __init__(self, reader: ResourceReader, second: Cause, left: float) -> None:
        self._reader, self._left = reader, left
        self._causes = [Cause.BAD_RESPONSE, second]

    def request(self, method: str, path: str, end: float) -> HttpResponse:
        cause = self._causes.pop(0)
        if not self._causes:
            self._reader.begin(self._left)
        raise failed(cause)


@pytest.mark.parametrize(
    ("second", "left", "told"),
    [
        (Cause.TIMEOUT, 0.0, Cause.BAD_RESPONSE),
        (Cause.TIMEOUT, 60.0, Cause.TIMEOUT),
        (Cause.UNREACHABLE, 0.0, Cause.UNREACHABLE),
    ],
)
def test_a_repeat_without_time_tells_the_first_failure(
    second: Cause, left: float, told: Cause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redfish_reader, "REPEAT_AFTER_S", 0.0)
    target = Target(host="192.0.2.1", user="u", password="p")
    reader = ResourceReader(target, Limits(deadline=15), 5.0, None)
    monkeypatch.setattr(reader, "bmc", TwoAnswers(reader, second, left))
    reader.begin(60.0)
    with pytest.raises(CallFailed) as caught:
        reader.get("/redfish/v1/Systems/1", ResourceKind.SYSTEM)
    assert caught.value.failure.cause is told
