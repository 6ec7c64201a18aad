"""Whether it succeeds, refuses, or answers a question truly."""

from __future__ import annotations

from dataclasses import dataclass

from conformance import requirement as req
from conformance.expectations.case import AskCase, how_it_ended, last_words
from conformance.expectations.expectation import Expectation, should
from conformance.finding import Finding
from conformance.vocabulary import Ask, Claim, FindingKind, Level, Verdict
from emulator import Rail


@dataclass(frozen=True, slots=True)
class Claims(Expectation):
    """L: it succeeds by its deadline. A false success is found by G1, no end by G2."""

    level: Level = Level.MUST

    def phrase(self) -> str:
        return f"succeeds by its deadline{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        if not case.failed:
            return None
        state = "the host was off already" if case.at_claim.rail is Rail.DOWN else "the host could have been brought there"
        what = case.outcome.ask
        if what is not Ask.OFF:
            state = f"at that moment: {case.at_claim}"
        return case.finding(
            Verdict.STUCK,
            "L",
            f"{what} succeeds within {case.deadline:g} s",
            f"{how_it_ended(case.outcome)} although {state}; {last_words(case.outcome)}"
            if what is Ask.OFF
            else f"{what} {how_it_ended(case.outcome)}; {state}; {last_words(case.outcome)}",
            level=self.level,
            anchors=(case.at_claim.seq,),
        )


@dataclass(frozen=True, slots=True)
class NeverClaims(Expectation):
    """S: it does not claim while the host's rail is up. Readers of the scenario are told so; G1 checks it in every scenario."""

    def phrase(self) -> str:
        return "never claims while the rail is up"

    def check(self, case: AskCase) -> Finding | None:
        return None


@dataclass(frozen=True, slots=True)
class Refuses(Expectation):
    """It cannot know which host is meant: no claim and no power command."""

    level: Level = Level.MUST

    @property
    def met_by_failing(self) -> bool:
        return True

    def phrase(self) -> str:
        return f"refuses: no claim, no power command{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        sent = case.window.power_commands
        if not case.succeeded and not sent:
            return None
        what = [f"sent {len(sent)} power command{'s' if len(sent) > 1 else ''} to a system of its own choice"] if sent else []
        if case.succeeded:
            what.append(f"claimed {case.outcome.claim}")
        return case.finding(
            Verdict.UNSAFE,
            "S",
            "no power command and no claim: it cannot know which system is meant",
            f"{' and '.join(what)}; the target at that moment: {case.at_claim}",
            kind=FindingKind.WRONG_TARGET,
            level=self.level,
            requirement=req.EXACT_TARGET,
            anchors=tuple(e.seq for e in sent[:3]),
        )


@dataclass(frozen=True, slots=True)
class Answers(Expectation):
    """It answers with one of these."""

    claims: frozenset[Claim]

    @property
    def met_by_failing(self) -> bool:
        return Claim.FAILED in self.claims

    def phrase(self) -> str:
        return f"answers {' or '.join(sorted(self.claims))}"

    def check(self, case: AskCase) -> Finding | None:
        claim = case.outcome.claim
        if case.outcome.timed_out or claim in self.claims:
            return None
        wanted = " or ".join(sorted(self.claims))
        stuck = claim is Claim.FAILED
        return case.finding(
            Verdict.STUCK if stuck else Verdict.MISLEADING,
            "L" if stuck else "T",
            f"{case.outcome.ask} of {case.window.bmc} answers {wanted}",
            f"{case.outcome.ask} of {case.window.bmc} {how_it_ended(case.outcome)}; the truth: {case.at_claim}; "
            f"{last_words(case.outcome)}",
            kind=None if stuck else FindingKind.WRONG_ANSWER,
            requirement=None if stuck else req.TRUE_STATUS,
            anchors=(case.at_claim.seq,),
        )


def answers(*claims: Claim) -> Answers:
    return Answers(frozenset(claims))
