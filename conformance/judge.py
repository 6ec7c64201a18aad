"""The verdict on one run of one scenario: a pure function of the journal and of what the fencer said.

Rules
  1. What a fencer says decides only *that* it claimed and *which cause* it named. Whether a claim is true is read from the
     journal, at the position of the claim.
  2. The invariants G1 to G9 hold in every scenario; expectations come on top.
  3. A broken MUST is a finding. A broken SHOULD is a note; with `strict` it is a finding too, unless it was only guessed from the
     built-in words.
  4. A fault was *not met* if it must fire and did not, or need not fire (`must_fire=False`) and did not although its BMC took a
     power command in. Then, in this order:
       a. What stands without the fault is the verdict: every finding but one about the cause that a failure names, since that
          cause was to be the fault.
       b. An ask that failed is STUCK (NOT-TRIED): nothing had gone wrong yet. Where failing is what is expected (a refusal), the
          scenario is N/A.
       c. Only what is left, a success that tested nothing, is ERROR: never green.
     The verdict carries a remark that names the fault.

Theory
  Off is safe to claim when the rail is down. A reboot is safe when the incarnation has moved, or the host is off: then the run
  that was to be ended has ended. Everything else that can be wrong with a claim is a question of when: never, later, no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from conformance import invariants
from conformance.cause_patterns import Patterns
from conformance.expectations.case import AskCase, how_it_ended, last_words
from conformance.expectations.claims import NeverClaims
from conformance.finding import AskFacts, Finding, Judgement, PowerCellMet
from conformance.givens.given import FaultFacts
from conformance.outcome import FencerOutcome
from conformance.requirement import DOES_IT, Requirement
from conformance.scenario import AskStep
from conformance.timeline import Incomplete, Timeline, text
from conformance.vocabulary import Aspect, Claim, FindingKind, Level, Verdict
from emulator import Event, EventKind, ResetType

RESET_TYPES = frozenset(ResetType)
ABOUT_THE_CAUSE = frozenset({FindingKind.WRONG_CAUSE, FindingKind.NO_CAUSE})


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
    certificate_fails: bool = False  # the fencer was to verify the BMC's certificate, and cannot
    lag_s: float = 0.0  # by how much the machine was late during the run
    strict: bool = False  # a broken SHOULD fails the gate
    faults: Sequence[FaultFacts] = field(default=())


def judge(trial: Trial) -> Judgement:
    """The verdict, every finding, every note, and the facts of each ask."""
    timeline = Timeline(trial.events)
    cases: list[AskCase] = []
    found: list[Finding] = []
    try:
        for number, (step, outcome) in enumerate(zip(trial.steps, trial.outcomes, strict=True)):
            window = timeline.window(number)
            case = AskCase(
                requirement=trial.requirement,
                window=window,
                outcome=outcome,
                before=timeline.truth(window.bmc, window.system, window.start.seq),
                at_claim=timeline.truth(window.bmc, window.system, window.claim.seq),
                deadline=trial.deadline,
                secrets=tuple(trial.secrets),
                causes=trial.causes,
                certificate_fails=trial.certificate_fails,
                lag_s=trial.lag_s,
            )
            cases.append(case)
            found += (finding for word in step.expect if (finding := word.check(case)) is not None)
            found += (_softened(finding, step, case) for finding in invariants.check(case))
    except Incomplete as error:
        return _void(str(error), cases)
    never_met = unfired(trial.faults, trial.events)
    if not never_met:
        return _sum_up(found, cases, strict=trial.strict)
    return _without_the_fault(trial, found, cases, f"never met: {'; '.join(never_met)}")


def _softened(finding: Finding, step: AskStep, case: AskCase) -> Finding:
    """A broken G1 has the level that the step's `NeverClaims` gives it: some lies cannot be seen through."""
    levels = [word.level_of(case) for word in step.expect if isinstance(word, NeverClaims)]
    return replace(finding, level=levels[0]) if levels and finding.rule == "G1" else finding


def unfired(faults: Sequence[FaultFacts], events: Sequence[Event]) -> tuple[str, ...]:
    """The faults that were not met (rule 4), as sentences."""
    commanded = {(event.bmc, via) for event in events if event.kind is EventKind.COMMAND for via in (None, event.data.get("via"))}
    return tuple(f.sentence for f in faults if f.fired == 0 and (f.must_fire or (f.bmc, f.protocol) in commanded))


def _without_the_fault(trial: Trial, found: Sequence[Finding], cases: Sequence[AskCase], remark: str) -> Judgement:
    """Rule 4."""
    standing = [f for f in found if f.kind not in ABOUT_THE_CAUSE]
    judgement = _sum_up(standing, cases, strict=trial.strict, remarks=(remark,))
    if judgement.findings:
        return judgement
    failed = [(case, step) for case, step in zip(cases, trial.steps, strict=True) if case.failed]
    not_tried = [_not_tried(case, remark) for case, step in failed if not any(word.met_by_failing for word in step.expect)]
    if not_tried:
        return _sum_up([*standing, *not_tried[:1]], cases, strict=trial.strict, remarks=(remark,))
    if failed:
        return _void(f"it refused, and nothing was tested: {remark}", cases, verdict=Verdict.NA)
    return _void(f"nothing was tested: {remark}", cases, FindingKind.UNFIRED)


def _not_tried(case: AskCase, remark: str) -> Finding:
    return case.finding(
        Verdict.STUCK,
        Aspect.LIVENESS,
        "a try that meets what this scenario is about",
        f"{how_it_ended(case.outcome)} before anything of what this scenario is about had happened ({remark}); "
        f"{last_words(case.outcome)}",
        kind=FindingKind.NOT_TRIED,
        requirement=DOES_IT,
    )


def _sum_up(
    found: Sequence[Finding], cases: Sequence[AskCase], *, strict: bool = False, remarks: tuple[str, ...] = ()
) -> Judgement:
    counts = {id(f) for f in found if f.level is Level.MUST or (strict and f.level is Level.SHOULD and not f.guessed)}
    findings = sorted((f for f in found if id(f) in counts), key=lambda f: (f.verdict.severity, f.level is Level.SHOULD))
    return Judgement(
        verdict=findings[0].verdict if findings else Verdict.PASS,
        kind=findings[0].kind if findings else None,
        why=findings[0].actual if findings else "",
        findings=tuple(findings),
        notes=tuple(f for f in found if id(f) not in counts),
        facts=tuple(_facts(case) for case in cases),
        remarks=remarks,
    )


def _void(why: str, cases: Sequence[AskCase], kind: FindingKind | None = None, verdict: Verdict = Verdict.ERROR) -> Judgement:
    facts = tuple(_facts(case) for case in cases)
    return Judgement(verdict=verdict, kind=kind, why=why, findings=(), notes=(), facts=facts)


def _facts(case: AskCase) -> AskFacts:
    window, outcome = case.window, case.outcome
    return AskFacts(
        ask=outcome.ask,
        bmc=window.bmc,
        system=window.system,
        claim=Claim.NONE if outcome.timed_out else outcome.claim,
        exit=outcome.exit,
        seconds=outcome.duration,
        rail=case.at_claim.rail,
        os=case.at_claim.os,
        incarnation_before=case.before.incarnation,
        incarnation=case.at_claim.incarnation,
        requests=len(window.requests),
        state_reads=len(window.state_reads),
        power_commands=len(window.power_commands),
        login_failures=window.login_failures,
        assumed=sum(1 for e in window.commands if e.data.get("assumed") is True),
        cells=tuple(_cell_met(e) for e in window.commands),
    )


def _cell_met(command: Event) -> PowerCellMet:
    return PowerCellMet(
        via=text(command, "via"),
        row=text(command, "row"),
        reset=reset if (reset := text(command, "reset")) in RESET_TYPES else "another",
        code=int(text(command, "status") or text(command, "completion_code") or 0),
        effect=text(command, "effect"),
        assumed=command.data.get("assumed") is True,
    )
