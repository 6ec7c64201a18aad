"""The verdict on one run of one scenario: a pure function of the journal and of what the fencer said.

Rules
  1. What a fencer says decides only *that* it claimed and *which cause* it named. Whether a claim is true is read from the
     journal, at the position of the claim.
  2. The invariants G1 to G7 hold in every scenario; expectations come on top.
  3. Only a broken MUST makes a finding. A broken SHOULD, and a cause that only the built-in words could not find, is a note.
  4. A fault that had to fire and did not makes the run void (ERROR) unless it failed in a way that the fault could only have made
     worse: UNSAFE, HANG and STUCK stand.

Theory
  Off is safe to claim when the rail is down. A reboot is safe when the incarnation has moved, or the host is off: then the run
  that was to be ended has ended. Everything else that can be wrong with a claim is a question of when: never, later, no longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from conformance import expectations, invariants
from conformance.cause_patterns import Patterns
from conformance.finding import AskFacts, Finding, Judgement
from conformance.outcome import FencerOutcome
from conformance.requirement import ALL, Requirement
from conformance.scenario import AskStep
from conformance.timeline import AskWindow, HostTruth, Incomplete, Timeline
from conformance.vocabulary import SEVERITY, Claim, FindingKind, Level, Verdict
from emulator import Event

STANDS_WITHOUT_FAULT = frozenset({Verdict.UNSAFE, Verdict.HANG, Verdict.STUCK})
BY_ID: Mapping[str, Requirement] = {requirement.id: requirement for requirement in ALL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run, complete. `steps` and `outcomes` belong together; `secrets` must appear nowhere."""

    requirement: Requirement
    steps: Sequence[AskStep]
    outcomes: Sequence[FencerOutcome]
    events: Sequence[Event]
    deadline: float
    secrets: Sequence[str] = ()
    causes: Patterns | None = None  # the fencer's own; None: the built-in words, which can only warn
    unfired: Sequence[str] = field(default=())


def judge(trial: Trial) -> Judgement:
    """The verdict, every finding, every note, and the facts of each ask."""
    timeline = Timeline(trial.events)
    found: list[Finding] = []
    facts: list[AskFacts] = []
    try:
        for number, (step, outcome) in enumerate(zip(trial.steps, trial.outcomes, strict=True)):
            window = timeline.window(number)
            before = timeline.truth(window.bmc, window.system, window.start.seq)
            at_claim = timeline.truth(window.bmc, window.system, window.claim.seq)
            case = expectations.AskCase(
                requirement=trial.requirement,
                window=window,
                outcome=outcome,
                before=before,
                at_claim=at_claim,
                deadline=trial.deadline,
                secrets=tuple(trial.secrets),
                causes=trial.causes,
            )
            for word in step.expect:
                found += expectations.check(word, case)
            found += invariants.check(case)
            facts.append(_facts(window, outcome, before, at_claim))
    except Incomplete as error:
        return _void(str(error), facts)
    return _sum_up(found, facts, tuple(trial.unfired))


def _sum_up(found: Sequence[Finding], facts: Sequence[AskFacts], unfired: tuple[str, ...]) -> Judgement:
    findings = sorted((f for f in found if f.level is Level.MUST), key=lambda f: SEVERITY[f.verdict])
    notes = tuple(f for f in found if f.level is Level.SHOULD)
    verdict = findings[0].verdict if findings else Verdict.PASS
    if unfired and verdict not in STANDS_WITHOUT_FAULT:
        return _void(f"never met, so nothing was tested: {'; '.join(unfired)}", facts, FindingKind.UNFIRED)
    return Judgement(
        verdict=verdict,
        kind=findings[0].kind if findings else None,
        why=findings[0].actual if findings else "",
        findings=tuple(findings),
        notes=notes,
        facts=tuple(facts),
    )


def _void(why: str, facts: Sequence[AskFacts], kind: FindingKind | None = None) -> Judgement:
    return Judgement(verdict=Verdict.ERROR, kind=kind, why=why, findings=(), notes=(), facts=tuple(facts))


def _facts(window: AskWindow, outcome: FencerOutcome, before: HostTruth, at_claim: HostTruth) -> AskFacts:
    return AskFacts(
        ask=outcome.ask,
        bmc=window.bmc,
        system=window.system,
        claim=Claim.NONE if outcome.timed_out else outcome.claim,
        exit=outcome.exit,
        seconds=outcome.duration,
        rail=at_claim.rail,
        os=at_claim.os,
        incarnation_before=before.incarnation,
        incarnation=at_claim.incarnation,
        requests=len(window.requests),
        state_reads=len(window.state_reads),
        power_commands=len(window.power_commands),
        login_failures=window.login_failures,
        assumed=sum(1 for e in window.commands if e.data.get("assumed") is True),
    )
