"""One host under HA in a world of its own: what its BMC says, what is asked of it, and a clock that moves from wish to wish."""

from __future__ import annotations

from collections.abc import Callable

from fencer.device_check import DeviceCheck
from fencer.ha import machine
from fencer.ha.bmc import BmcReadFailed
from fencer.ha.effects import AlertName, CallBmc, CheckActivity, HaEffect, LineKind, OperatorAnswer, TimelineLine
from fencer.ha.observations import (
    Activity,
    CommandReply,
    CommandResult,
    DeviceChecked,
    Health,
    Hold,
    Observation,
    PowerRead,
    Tick,
)
from fencer.ha.policy import Policy
from fencer.ha.record import BmcRequest, HostRecord, RequestKind
from fencer.ha.states import HAState
from fencer.outcome import (
    Action,
    Cause,
    Evidence,
    Failure,
    FenceVerdict,
    Outcome,
    Power,
    Reading,
    Witness,
    WitnessState,
)

S = HAState
WORDS = {"On": Power.ON, "Off": Power.OFF}


class World:
    """One host that does not answer its health checks unless told so, and a BMC whose answers are `word` or a failure."""

    def __init__(self, word: str | Cause = "On", policy: Policy | None = None, **record: object) -> None:
        self.policy = policy or Policy(recovery_attempts=0)
        self.now = 1000.0
        known = {"epoch": 1, "lease_until": 1e9, "seen_healthy": True, **record}
        self.rec = HostRecord(host="node1", state=S.AVAILABLE, **known)  # type: ignore[arg-type]
        self.word: str | Cause = word
        self.chassis: str | None = None
        self.identity: str | None = None
        self.serial: str | None = None
        self.identity_missing = False
        self.healthy: bool | None = False
        self.active: bool | None = False
        self.reply: Callable[[World, RequestKind], CommandReply | tuple[CommandResult, Failure | None]] = accept
        self.hold: Hold | None = None
        self.effects: list[HaEffect] = []
        self.commands: list[tuple[float, RequestKind]] = []
        self.reads: list[float] = []
        self.checks: list[float] = []
        self.next_health = self.now
        self.silent = False
        self.samples_end = True  # False: no activity sample is answered

    def see(self, seen: Observation) -> tuple[HaEffect, ...]:
        self.rec, effects = machine.step(self.rec, seen, self.policy, self.now)
        self.effects += effects
        for effect in effects:
            if isinstance(effect, CheckActivity) and self.samples_end:
                self.see(Activity(active=self.active, epoch=effect.epoch, began=self.now))
            elif isinstance(effect, CallBmc) and not self.silent:
                self.answer(effect.request)
        return effects

    def answer(self, request: BmcRequest) -> None:
        epoch = self.rec.epoch
        if request.ask is RequestKind.CHECK:
            self.checks.append(self.now)
            read = self.read(request, epoch)
            self.see(DeviceChecked(request=request.id, epoch=epoch, started=self.now, reading=read.reading, failure=read.failure))
        elif request.ask is RequestKind.READ:
            self.reads.append(self.now)
            self.see(self.read(request, epoch))
        else:
            self.commands.append((self.now, request.ask))
            result, failure = self.reply(self, request.ask)  # type: ignore[misc]
            self.see(CommandReply(request=request.id, epoch=epoch, result=result, failure=failure))

    def read(self, request: BmcRequest, epoch: int) -> PowerRead:
        if isinstance(self.word, Cause):
            failure = Failure(cause=self.word, text=f"no reading: {self.word}")
            return PowerRead(request=request.id, epoch=epoch, started=self.now, failure=failure)
        reading = Reading(
            power=WORDS.get(self.word, Power.UNKNOWN), word=self.word or None, at=self.now, path="redfish",
            witnesses=self.witnesses, identity=self.identity, shown=self.shown, identity_missing=self.identity_missing,
        )  # fmt: skip
        return PowerRead(request=request.id, epoch=epoch, started=self.now, reading=reading)

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        if self.chassis is None:
            return ()
        return (Witness(uri="/redfish/v1/Chassis/1", state=WitnessState.SAYS, word=self.chassis),)

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        return (("SerialNumber", self.serial),) if self.serial else ()

    def run(self, seconds: float, until: Callable[[World], bool] = lambda _: False, tick: float = 0.25) -> float:
        """Lets time pass; returns how much it was when `until` held."""
        begun = self.now
        while self.now - begun <= seconds:
            if self.now >= self.next_health:
                self.next_health = self.now + self.policy.poll
                self.see(Health(passed=self.healthy))
            self.see(Tick(hold=self.hold))
            if until(self):
                break
            self.now += tick
        return self.now - begun

    def to(self, state: HAState, seconds: float = 2000) -> float:
        spent = self.run(seconds, lambda w: w.rec.state is state)
        assert self.rec.state is state, self.rec
        return spent

    @property
    def alerts(self) -> list[str]:
        return [str(e.detail["alert"]) for e in self.effects if isinstance(e, TimelineLine) and e.kind is LineKind.ALERT]

    @property
    def states(self) -> list[str]:
        return [str(e.detail["to"]) for e in self.effects if isinstance(e, TimelineLine) and e.kind is LineKind.STATE]

    def said(self, alert: AlertName) -> list[dict[str, object]]:
        return [dict(e.detail) for e in self.effects if isinstance(e, TimelineLine) and e.detail.get("alert") == alert]

    @property
    def answers(self) -> list[OperatorAnswer]:
        return [e for e in self.effects if isinstance(e, OperatorAnswer)]

    @property
    def off_commands(self) -> int:
        return sum(ask is RequestKind.OFF for _, ask in self.commands)


def accept(world: World, ask: RequestKind) -> tuple[CommandResult, Failure | None]:
    return CommandResult.ACCEPTED, None


def cuts_power(world: World, ask: RequestKind) -> tuple[CommandResult, Failure | None]:
    world.word = "Off"
    return CommandResult.ACCEPTED, None


def answers(
    result: CommandResult, cause: Cause, text: str = "said so"
) -> Callable[[World, RequestKind], tuple[CommandResult, Failure]]:
    return lambda *_: (result, Failure(cause=cause, text=text, code="HTTP 409", message_id="Base.1.0.X"))


def fencing(word: str | Cause = "On", **policy: object) -> World:
    world = World(word, Policy(recovery_attempts=0, fast_path=False, activity_samples=1, **policy))  # type: ignore[arg-type]
    world.to(S.FENCING)
    return world


def checked(read: Callable[[], Reading]) -> DeviceCheck:
    """The device check of a BMC that is good for everything that can be read."""
    try:
        reading = read()
    except BmcReadFailed as error:
        return DeviceCheck(outcome=None, failure=error.failure)
    evidence = Evidence(readings=(reading,), chassis_check="not-asked", how="read")
    outcome = Outcome(verdict=FenceVerdict.CONFIRMED, action=Action.MONITOR, readings=(reading,), evidence=evidence)
    return DeviceCheck(outcome=outcome, failure=None)
