"""A BMC made of plain data and a clock of its own, and the fence procedure played against them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fencer.events_effects import AllowedCommands, CommandAnswered, TaskStatus
from fencer.outcome import Action, Cause, Failure, FenceVerdict, Outcome, PowerCommand, Reading, Witness, WitnessState, power_of
from fencer.run import run_procedure
from fencer.target import Limits
from fencer.transport.base import CallFailed

OFF, ON = PowerCommand.FORCE_OFF, PowerCommand.ON
LIMITS = Limits(deadline=15)
UNKNOWN, SILENT = "(unknown)", "(silent)"  # what a chassis may say instead of a word


def trouble(cause: Cause, text: str = "the BMC said no") -> Failure:
    return Failure(cause=cause, text=text, code="HTTP 4xx")


def refused(cause: Cause, retry_after: float | None = None) -> CommandAnswered:
    return CommandAnswered(trouble(cause), retry_after)


@dataclass
class Clock:
    at: float = 100.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.at += seconds


@dataclass
class Bmc:
    """Says what it is told to say; `up` is the truth that a claim is compared with."""

    clock: Clock
    up: bool = True
    says: Callable[[Bmc], str | None] = lambda bmc: "On" if bmc.up else "Off"
    chassis: Callable[[Bmc], str | None] = lambda bmc: None
    answers: list[CommandAnswered] = field(default_factory=list)  # then accepted
    obeys: Callable[[Bmc, PowerCommand], None] = lambda bmc, command: bmc.follow_orders(command)
    offered: AllowedCommands = field(default_factory=AllowedCommands)
    misses: list[Failure] = field(default_factory=list)  # of the next reads
    foreign: bool = False  # reads that fail bring the body of another resource
    final: frozenset[Cause] = frozenset({Cause.CONFIG})
    retry_after: float | None = None
    tasks: list[TaskStatus] = field(default_factory=list)
    identity: Callable[[Bmc], str | None] = lambda bmc: "uuid-1"
    wanted: str | None = None  # the identity that is required
    repeated: Callable[[Bmc], int] = lambda bmc: 0
    logged_in: bool = False
    cost: float = 0.02
    requests: int = 1
    reads: int = 0
    followed: int = 0
    commands: list[tuple[float, PowerCommand]] = field(default_factory=list)

    def follow_orders(self, command: PowerCommand) -> None:
        self.up = command in (ON, PowerCommand.FORCE_ON)

    def read(self, timeout: float) -> Reading:
        assert timeout > 0
        at = self.clock.now()
        self.reads += 1
        self.clock.at += min(self.cost, timeout)
        if self.cost > timeout:
            raise CallFailed(trouble(Cause.TIMEOUT))
        if self.misses:
            failure = self.misses.pop(0)
            raise CallFailed(failure, self.retry_after, final=failure.cause in self.final, contradicts=self.foreign)
        word, chassis = self.says(self), self.chassis(self)
        state = WitnessState.UNKNOWN if chassis == UNKNOWN else WitnessState.SILENT if chassis == SILENT else WitnessState.SAYS
        said = (
            ()
            if chassis is None
            else (Witness(uri="/c/1", state=state, word=None if state is not WitnessState.SAYS else chassis),)
        )
        identity = self.identity(self)
        return Reading(
            power=power_of(word), word=word, at=at, path="test", source="the System", witnesses=said,
            identity=identity, shown=(("UUID", identity),) if identity else (), requests=self.requests,
            identity_missing=self.wanted is not None and identity != self.wanted, repeated=self.repeated(self),
        )  # fmt: skip

    def allowed_commands(self, timeout: float) -> AllowedCommands:
        return self.offered

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        self.commands.append((self.clock.now(), command))
        self.clock.at += self.cost
        answer = self.answers.pop(0) if self.answers else CommandAnswered()
        if answer.failure is None:
            self.obeys(self, command)
        return answer

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        self.followed += 1
        return self.tasks.pop(0) if self.tasks else TaskStatus(ended=False)

    def members(self, timeout: float) -> tuple[str, ...]:
        return ()

    def close(self, timeout: float) -> None: ...

    @property
    def sent(self) -> list[PowerCommand]:
        return [command for _, command in self.commands]


def play(bmc: Bmc, action: Action = Action.OFF, limits: Limits = LIMITS, **given: object) -> Outcome:
    began = bmc.clock.at
    outcome = run_procedure(action, bmc, bmc.clock, limits, **given)  # type: ignore[arg-type]
    assert bmc.clock.at - began <= limits.deadline + 0.1
    if action is Action.OFF and outcome.verdict is FenceVerdict.CONFIRMED:
        assert not bmc.up, "claimed off while the host was up"
    return outcome


def cause_of(outcome: Outcome) -> Cause:
    assert outcome.verdict is not FenceVerdict.CONFIRMED
    assert outcome.failure is not None
    return outcome.failure.cause


def how(outcome: Outcome) -> str:
    assert outcome.evidence is not None, outcome.failure
    return outcome.evidence.how


def listed(*commands: PowerCommand) -> AllowedCommands:
    return AllowedCommands(frozenset(commands), listed=True, source="the System")
