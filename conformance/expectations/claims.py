"""Whether it succeeds, refuses, or answers a question truly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from conformance import requirement as req
from conformance.expectations.case import AskCase, how_it_ended, last_words
from conformance.expectations.expectation import Expectation, should
from conformance.finding import Finding
from conformance.vocabulary import Ask, Claim, FindingKind, Level, Verdict
from emulator import Rail

CONFIRMED_S: Final = 0.8
"""How far apart two words of Off must be to count as two: a second, less what a busy machine may take from it."""


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
    """S: it does not claim while the host's rail is up. G1 checks it in every scenario; this says at which level.

    With `unless_confirmed` a false claim is for information where the fencer was told Off at least twice, a second apart, and
    nothing else in between: no fencer could know better.
    """

    level: Level = Level.MUST
    unless_confirmed: bool = False

    def phrase(self) -> str:
        excused = " unless it was told Off twice, a second apart" if self.unless_confirmed else ""
        return f"never claims while the rail is up{excused}{should(self.level)}"

    def level_of(self, case: AskCase) -> Level:
        """At which level a false claim counts in this ask."""
        return Level.MAY if self.unless_confirmed and case.window.confirmed_off(CONFIRMED_S) else self.level

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
    """It answers with one of these; where that is a failure, also with the truth, if the other channel of the BMC has told it."""

    claims: frozenset[Claim]

    @property
    def met_by_failing(self) -> bool:
        return Claim.FAILED in self.claims

    def phrase(self) -> str:
        return f"answers {' or '.join(sorted(self.claims))}"

    def check(self, case: AskCase) -> Finding | None:
        claim = case.outcome.claim
        if case.outcome.timed_out or claim in self.claims or (self.met_by_failing and _is_told_truth(case)):
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


@dataclass(frozen=True, slots=True)
class BringsBack(Expectation):
    """After a reboot the host is on again; where it is not, the fencer says so."""

    level: Level = Level.SHOULD

    def phrase(self) -> str:
        return f"has the host on again when it claims, or warns that it is not{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        if not case.succeeded or case.at_claim.rail is Rail.UP or re.search(r"(?i)\b(on|off|warning)\b", case.outcome.text):
            return None
        return case.finding(
            Verdict.STUCK,
            "L",
            "the host on again, or a warning that it is not",
            f"{how_it_ended(case.outcome)}, the host was still off, and it gave no warning; {last_words(case.outcome)}",
            level=self.level,
            anchors=(case.at_claim.seq,),
        )


def _is_told_truth(case: AskCase) -> bool:
    """Whether it answers with the truth and the BMC's second channel has said so."""
    word = {Claim.ON: "On", Claim.OFF: "Off"}.get(case.outcome.claim)
    true = "On" if case.at_claim.rail is Rail.UP else "Off"
    return word == true and word in case.window.words_of_second_channel


def answers(*claims: Claim) -> Answers:
    return Answers(frozenset(claims))


@dataclass(frozen=True, slots=True)
class LeavesOn(Expectation):
    """L: where it succeeds, the host has power at that moment: for `reboot`, whose off part alone makes it a success."""

    level: Level = Level.SHOULD

    def phrase(self) -> str:
        return f"where it succeeds, has brought the host on{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        if not case.succeeded or case.at_claim.rail is Rail.UP:
            return None
        return case.finding(
            Verdict.STUCK,
            "L",
            "the host is on at the end",
            f"{how_it_ended(case.outcome)} and left the host off; {last_words(case.outcome)}",
            level=self.level,
            anchors=(case.at_claim.seq,),
        )
