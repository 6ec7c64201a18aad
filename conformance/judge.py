"""The verdict on one run of one scenario: a pure function of the journal and of what the fencer said.

Rules
  1. What a fencer says decides only *that* it claimed and *which cause* it named. Whether a claim is true is read from the
     journal, at the position of the claim.
  2. The invariants G1 to G7 hold in every scenario; expectations come on top.
  3. Only a broken MUST makes a finding. A broken SHOULD, and a cause that only the built-in words could not find, is a note.
  4. The run is void (ERROR) where a fault was not met without which nothing was tested: one that must fire and did not, or one
     that need not fire (`must_fire=False`) and did not although its BMC took a power command in. Verdicts that such a fault could
     only have made worse stand: UNSAFE, HANG, STUCK and HYGIENE.

Theory
  Off is safe to claim when the rail is down. A reboot is safe when the incarnation has moved, or the host is off: then the run
  that was to be ended has ended. Everything else that can be wrong with a claim is a question of when: never, later, no longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from conformance import invariants
from conformance.cause_patterns import Patterns
from conformance.expectations.case import AskCase
from conformance.finding import AskFacts, Finding, Judgement
from conformance.givens.given import FaultFacts
from conformance.outcome import FencerOutcome
from conformance.requirement import ALL, Requirement
from conformance.scenario import AskStep
from conformance.timeline import AskWindow, HostTruth, Incomplete, Timeline
from conformance.vocabulary import Claim, FindingKind, Level, Verdict
from emulator import Event, EventKind

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
    faults: Sequence[FaultFacts] = field(default=())


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
            case = AskCase(
                requirement=trial.requirement,
                window=window,
                outcome=outcome,
                before=before,
                at_claim=at_claim,
                deadline=trial.deadline,
                secrets=tuple(trial.secrets),
                causes=trial.causes,
            )
            found += (finding for word in step.expect if (finding := word.check(case)) is not None)
            found += invariants.check(case)
            facts.append(_facts(window, outcome, before, at_claim))
    except Incomplete as error:
        return _void(str(error), facts)
    return _sum_up(found, facts, unfired(trial.faults, trial.events))


def unfired(faults: Sequence[FaultFacts], events: Sequence[Event]) -> tuple[str, ...]:
    """The faults without which nothing was tested, as sentences.

    One that must fire and did not; and one that need not, where its BMC took a power command in and yet it did not act on it.
    """
    commanded = {event.bmc for event in events if event.kind is EventKind.COMMAND}
    return tuple(f.sentence for f in faults if f.fired == 0 and (f.must_fire or f.bmc in commanded))


def _sum_up(found: Sequence[Finding], facts: Sequence[AskFacts], never_met: tuple[str, ...]) -> Judgement:
    findings = sorted((f for f in found if f.level is Level.MUST), key=lambda f: f.verdict.severity)
    notes = tuple(f for f in found if f.level is Level.SHOULD)
    verdict = findings[0].verdict if findings else Verdict.PASS
    if never_met and not verdict.stands_without_fault:
        return _void(f"never met, so nothing was tested: {'; '.join(never_met)}", facts, FindingKind.UNFIRED)
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
