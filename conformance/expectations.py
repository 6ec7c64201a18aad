"""What the words of a scenario mean. Each is a pure function of one ask."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass

from conformance import cause_patterns as wording
from conformance import requirement as req
from conformance.finding import Finding
from conformance.outcome import FencerOutcome
from conformance.requirement import Requirement
from conformance.scenario import (
    Answers,
    AtMostAuthFailures,
    AtMostCommands,
    Claims,
    Expectation,
    Forces,
    NamesCause,
    NeverClaims,
    NeverSays,
    ReadsBeforeClaim,
    Refuses,
)
from conformance.timeline import AskWindow, HostTruth, text
from conformance.vocabulary import SUCCESS, Ask, Claim, FindingKind, Level, Verdict
from emulator import Rail

NEEDS_NO_OS = frozenset({"ForceOff", "PowerCycle", "FullPowerCycle", "ForceRestart"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCase:
    """One ask with everything that may be known about it."""

    requirement: Requirement
    window: AskWindow
    outcome: FencerOutcome
    before: HostTruth
    at_claim: HostTruth
    deadline: float
    secrets: tuple[str, ...]
    causes: wording.Patterns | None

    @property
    def succeeded(self) -> bool:
        return not self.outcome.timed_out and self.outcome.claim in SUCCESS[self.outcome.ask]

    @property
    def failed(self) -> bool:
        """It answered, and the answer is that it could not."""
        return not self.outcome.timed_out and not self.succeeded

    def _evidence(self) -> tuple[int, ...]:
        """The commands that it sent and its last look: without them no story can be followed."""
        return tuple(e.seq for e in (*self.window.power_commands[:3], *self.window.state_reads[-1:]))

    def finding(
        self,
        verdict: Verdict,
        rule: str,
        expected: str,
        actual: str,
        *,
        kind: FindingKind | None = None,
        level: Level = Level.MUST,
        requirement: Requirement | None = None,
        anchors: tuple[int, ...] = (),
    ) -> Finding:
        return Finding(
            verdict=verdict,
            rule=rule,
            requirement=requirement or self.requirement,
            expected=expected,
            actual=actual,
            ask=self.window.number,
            kind=kind,
            level=level,
            anchors=tuple(sorted({*anchors, *self._evidence(), self.window.claim.seq})),
        )


def check(word: Expectation, case: AskCase) -> tuple[Finding, ...]:
    """The findings of one expectation: none where it holds."""
    finding = _CHECKS[type(word)](word, case)
    return () if finding is None else (finding,)


def how_it_ended(outcome: FencerOutcome) -> str:
    """A fencer's end in a few words."""
    if outcome.timed_out:
        return f"was still running after {outcome.duration:.0f} s"
    if outcome.claim is Claim.FAILED:
        return f"failed ({exit_of(outcome)})"
    return f"claimed {outcome.claim} ({exit_of(outcome)})"


def exit_of(outcome: FencerOutcome) -> str:
    if outcome.exit is None:
        return "no exit code"
    return f"killed by {_signal_name(-outcome.exit)}" if outcome.exit < 0 else f"exit {outcome.exit}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def last_words(outcome: FencerOutcome) -> str:
    """The last line that it said and that says something, for people."""
    lines = [line.strip() for line in outcome.text.splitlines() if line.strip() and "for usage" not in line]
    return f"its last words: {lines[-1][:200]}" if lines else "it said nothing"


def _claims(word: Claims, case: AskCase) -> Finding | None:
    if not case.failed:
        return None  # a success is judged by G1, a hang by G2
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
        level=word.level,
        anchors=(case.at_claim.seq,),
    )


def _never_claims(word: NeverClaims, case: AskCase) -> Finding | None:
    return None  # said in the scenario for its readers; G1 checks it everywhere


def _refuses(word: Refuses, case: AskCase) -> Finding | None:
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
        anchors=tuple(e.seq for e in sent[:3]),
    )


def _answers(word: Answers, case: AskCase) -> Finding | None:
    claim = case.outcome.claim
    if case.outcome.timed_out or claim in word.claims:
        return None
    wanted = " or ".join(sorted(word.claims))
    stuck = claim is Claim.FAILED
    return case.finding(
        Verdict.STUCK if stuck else Verdict.MISLEADING,
        "T",
        f"{case.outcome.ask} of {case.window.bmc} answers {wanted}",
        f"{case.outcome.ask} of {case.window.bmc} {how_it_ended(case.outcome)}; the truth: {case.at_claim}; "
        f"{last_words(case.outcome)}",
        kind=None if stuck else FindingKind.WRONG_ANSWER,
        anchors=(case.at_claim.seq,),
    )


def _names_cause(word: NamesCause, case: AskCase) -> Finding | None:
    if not case.failed:
        return None
    named = wording.named(case.outcome.text, case.causes if case.causes is not None else wording.BUILT_IN)
    if named & word.causes:
        return None
    level = word.level if case.causes is not None else Level.SHOULD
    what = f"names {', '.join(sorted(named))}" if named else "names no cause that the suite knows"
    return case.finding(
        Verdict.MISLEADING,
        "T",
        f"a failure that names {' or '.join(sorted(word.causes))}",
        f"{what}; {last_words(case.outcome)}",
        kind=FindingKind.WRONG_CAUSE if named else FindingKind.NO_CAUSE,
        level=level,
        requirement=req.TRUE_CAUSE,
    )


def _never_says(word: NeverSays, case: AskCase) -> Finding | None:
    if not case.failed or (match := re.search(word.pattern, case.outcome.text)) is None:
        return None
    return case.finding(
        Verdict.MISLEADING,
        "T",
        "a failure that does not blame what is in order",
        f"says {match[0]!r}; {last_words(case.outcome)}",
        kind=FindingKind.WRONG_CAUSE,
        requirement=req.TRUE_CAUSE,
    )


def _reads_before_claim(word: ReadsBeforeClaim, case: AskCase) -> Finding | None:
    if not case.succeeded:
        return None
    last = max((e.seq for e in case.window.power_commands), default=case.window.start.seq)
    if any(e.seq > last for e in case.window.state_reads):
        return None
    since = "after its last power command" if case.window.power_commands else "at all"
    return case.finding(
        Verdict.HYGIENE,
        "S",
        "a read of the power state between the last power command and the claim",
        f"claimed {case.outcome.claim} without reading the power state {since}",
        kind=FindingKind.UNVERIFIED,
        requirement=req.VERIFIES,
        anchors=(last,),
    )


def _at_most_commands(word: AtMostCommands, case: AskCase) -> Finding | None:
    sent = case.window.power_commands
    if len(sent) <= word.count:
        return None
    return case.finding(
        Verdict.HYGIENE,
        "H",
        f"at most {word.count} power command{'s' if word.count != 1 else ''}",
        f"sent {len(sent)}",
        kind=FindingKind.REPEATED,
        requirement=req.FEW_COMMANDS,
        anchors=tuple(e.seq for e in sent[:3]),
    )


def _at_most_auth_failures(word: AtMostAuthFailures, case: AskCase) -> Finding | None:
    count = case.window.login_failures
    if count <= word.count:
        return None
    return case.finding(
        Verdict.HYGIENE,
        "H",
        f"at most {word.count} refused log-ins",
        f"tried refused credentials {count} times",
        kind=FindingKind.REPEATED,
        requirement=req.FEW_LOGINS,
    )


def _forces(word: Forces, case: AskCase) -> Finding | None:
    if any(text(e, "reset") in NEEDS_NO_OS for e in case.window.commands):
        return None
    asked = sorted({text(e, "reset") for e in case.window.commands})
    what = f"only ever asked for {', '.join(asked)}" if asked else "sent no power command"
    return case.finding(
        Verdict.STUCK,
        "L",
        "a power command that needs no operating system",
        what,
        level=word.level,
        requirement=req.FORCE_WHEN_HUNG,
        anchors=tuple(e.seq for e in case.window.commands[:3]),
    )


_CHECKS: dict[type, Callable[..., Finding | None]] = {
    Claims: _claims,
    NeverClaims: _never_claims,
    Refuses: _refuses,
    Answers: _answers,
    NamesCause: _names_cause,
    NeverSays: _never_says,
    ReadsBeforeClaim: _reads_before_claim,
    AtMostCommands: _at_most_commands,
    AtMostAuthFailures: _at_most_auth_failures,
    Forces: _forces,
}
