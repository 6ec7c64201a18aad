"""Journals written by hand, and the verdict on them."""

from __future__ import annotations

import re

from conformance import requirement as req
from conformance.expectations.expectation import Expectation
from conformance.finding import Judgement
from conformance.givens.given import FaultFacts
from conformance.judge import Trial, judge
from conformance.outcome import FencerOutcome
from conformance.requirement import Requirement
from conformance.scenario import AskStep
from conformance.vocabulary import Ask, Cause, Claim
from emulator.core.clock import VirtualClock
from emulator.core.faults.trigger import ClientRequest, Intent
from emulator.core.journal import Datum, EventKind, Journal
from emulator.core.vocab import ResetType

SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
SECRET = "Zq7-0123456789ab"


class Story:
    """A journal in the making: what happened to two hosts behind one BMC, told from the outside."""

    def __init__(self, rail: str = "up", os: str = "running") -> None:
        self.clock = VirtualClock()
        self.journal = Journal(self.clock)
        self.incarnation = {"1": 1, "2": 1}
        for system in ("1", "2"):
            self._truth(EventKind.RAIL, system, rail if system == "1" else "down", os if rail == "up" else "stopped", "initial")

    def say(self, kind: EventKind, cause: int | None = None, bmc: str = "target", **data: Datum) -> int:
        return self.journal.record(bmc, kind, cause, **data)

    def _truth(self, kind: EventKind, system: str, rail: str, os: str, was: str) -> int:
        return self.say(
            kind, system=system, host=f"host{system}", rail=rail, os=os, incarnation=self.incarnation[system], was=was
        )

    def start(self, ask: Ask = Ask.OFF, number: int = 0) -> Story:
        self.say(EventKind.FENCER, what="start", ask=number, action=ask.value, system="1")
        return self

    def read(
        self, path: str = SYSTEM, method: str = "GET", protocol: str = "redfish", system: str = "1", told: str | None = "On"
    ) -> Story:
        """Asks for the power of a system. `told` is the word of the answer; None: there is no answer."""
        asked = ClientRequest(protocol, method, path, system, None, Intent.POWER_READ)
        seq = self.say(EventKind.REQUEST, **asked.facts(path, auth="basic", user="root"))
        if told is not None:
            self.say(EventKind.RESPONSE, seq, status=200)
            view = "ipmi" if protocol == "ipmi" else "system"
            self.say(EventKind.LOOK, seq, system=system, view=view, word=told)
        return self

    def later(self, seconds: float) -> Story:
        self.clock.advance(seconds)
        return self

    def command(
        self,
        reset: str = "ForceOff",
        system: str = "1",
        row: str = "On",
        assumed: bool = False,
        status: int = 204,
        retry_after: str | None = None,
    ) -> Story:
        path = f"/redfish/v1/Systems/{system}/Actions/ComputerSystem.Reset"
        known = ResetType(reset) if reset in ResetType._value2member_map_ else None
        asked = ClientRequest("redfish", "POST", path, system, known, Intent.POWER_COMMAND)
        seq = self.say(EventKind.REQUEST, **asked.facts(path, auth="basic", user="root"))
        self.say(
            EventKind.COMMAND,
            seq,
            system=system,
            via="redfish",
            reset=reset,
            row=row,
            outcome="ok",
            status=status,
            effect="off",
            assumed=assumed,
        )
        self.say(EventKind.RESPONSE, seq, status=status, **({} if retry_after is None else {"retry_after": retry_after}))
        return self

    def request(self, method: str, path: str, intent: Intent = Intent.READ, auth: str = "basic") -> Story:
        asked = ClientRequest("ipmi" if method == "IPMI" else "redfish", method, path, None, None, intent)
        self.say(EventKind.REQUEST, **asked.facts(path, auth=auth, user="root"))
        return self

    def falls(self, system: str = "1") -> Story:
        self.incarnation[system] += 1
        self._truth(EventKind.RAIL, system, "down", "stopped", "went-down")
        return self

    def rises(self, system: str = "1") -> Story:
        self._truth(EventKind.RAIL, system, "up", "running", "came-up")
        return self

    def resets(self, system: str = "1") -> Story:
        self.incarnation[system] += 1
        self._truth(EventKind.OS, system, "up", "running", "was-reset")
        return self

    def refused_login(self, times: int = 1) -> Story:
        for _ in range(times):
            self.say(EventKind.AUTH, result="bad", user="root", via="redfish")
        return self

    def claim(self, number: int = 0) -> Story:
        self.say(EventKind.FENCER, what="claim", ask=number)
        return self


def verdict_on(
    story: Story,
    *expect: Expectation,
    claim: Claim = Claim.OFF,
    ask: Ask = Ask.OFF,
    causes: dict[Cause, re.Pattern[str]] | None = None,
    faults: tuple[FaultFacts, ...] = (),
    requirement: Requirement = req.SAFE_CLAIM,
    certificate_fails: bool = False,
    strict: bool = False,
    lag_s: float = 0.0,
    **outcome: object,
) -> Judgement:
    code = {Claim.FAILED: 1, Claim.NONE: None}.get(claim, 0)
    told = FencerOutcome(ask=ask, claim=claim, **{"exit": code, "duration": 1.0, **outcome})  # type: ignore[arg-type]
    return judge(
        Trial(
            requirement=requirement,
            steps=(AskStep(ask, expect),),
            outcomes=(told,),
            events=tuple(story.journal),
            deadline=15.0,
            secrets=(SECRET,),
            causes=causes,
            faults=faults,
            certificate_fails=certificate_fails,
            strict=strict,
            lag_s=lag_s,
        )
    )


def verified_off() -> Story:
    return Story().start().read().command().falls().read().claim()
