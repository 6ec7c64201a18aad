"""One ask as the judge sees it, and the words in which findings tell how it ended.

`judge` makes one `AskCase` per ask; expectations and invariants read it and make their findings with it.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass

from conformance import requirement as req
from conformance import seen
from conformance.cause_patterns import Patterns
from conformance.finding import Finding
from conformance.outcome import FencerOutcome
from conformance.remedies import Situation, remedy
from conformance.requirement import Requirement
from conformance.timeline import AskWindow, HostTruth
from conformance.vocabulary import SUCCESS, Ask, Aspect, Claim, FindingKind, Level, Verdict
from emulator import Rail

IN_GENERAL: Mapping[Aspect, Requirement] = {
    Aspect.SAFETY: req.SAFE_CLAIM,
    Aspect.LIVENESS: req.DOES_IT,
    Aspect.TRUTH: req.TRUE_CAUSE,
    Aspect.CONDUCT: req.ONLY_POWER,
}
"""What a finding quotes where the scenario's own requirement is about something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCase:
    """One ask with everything that may be known about it. `deadline` is in seconds; `secrets` must appear nowhere.

    `causes` are the fencer's own patterns; None where it has none. With `certificate_fails` the fencer was to verify the BMC's
    certificate and cannot. `lag_s` is by how much the machine was late: that time is given back to the fencer.
    """

    requirement: Requirement
    window: AskWindow
    outcome: FencerOutcome
    before: HostTruth
    at_claim: HostTruth
    deadline: float
    secrets: tuple[str, ...]
    causes: Patterns | None
    certificate_fails: bool = False
    lag_s: float = 0.0

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
        guessed: bool = False,
    ) -> Finding:
        """A finding of this ask. Without a `requirement` it quotes that of the scenario, if the rule is about that, else the
        general one of the rule."""
        broken = requirement or self._broken(rule)
        return Finding(
            verdict=verdict,
            rule=rule,
            requirement=broken,
            expected=expected,
            actual=actual,
            ask=self.window.number,
            kind=kind,
            level=level,
            anchors=tuple(sorted({*anchors, *self._evidence(), self.window.claim.seq})),
            seen=seen.seen(self.window),
            remedy=remedy(rule, broken.id, kind, self.situations),
            guessed=guessed,
        )

    @property
    def situations(self) -> frozenset[Situation]:
        return seen.situations(self.window, self.outcome, self.before)

    def _broken(self, rule: str) -> Requirement:
        aspect = Aspect.SAFETY if rule == "G1" else Aspect(rule)
        if self.requirement.aspect is aspect:
            return self.requirement
        if aspect is Aspect.LIVENESS and self.outcome.ask is Ask.OFF and self.before.rail is Rail.DOWN:
            return req.STATE_NOT_TRANSITION
        return IN_GENERAL[aspect]


def how_it_ended(outcome: FencerOutcome) -> str:
    """A fencer's end in a few words."""
    if outcome.timed_out:
        return f"was still running after {outcome.duration:.0f} s"
    if outcome.claim is Claim.FAILED and outcome.ask is Ask.WATCH:
        return f"did not call the host down ({exit_of(outcome)})"
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
