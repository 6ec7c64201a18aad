"""What the judge brings back. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.requirement import Requirement
from conformance.vocabulary import Ask, Claim, FindingKind, Level, Verdict
from emulator import Os, Rail


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken requirement.

    `rule` is the invariant (G1 to G9) or the aspect (S, L, T, H) that found it. `anchors` are journal positions from which the
    causal chain is told. `seen` says what was read and commanded when, `remedy` what to change in the fencer. With `guessed` the
    suite only guesses, from words that it has built in: then it stays a note, however strict the run is.
    """

    verdict: Verdict
    rule: str
    requirement: Requirement
    expected: str
    actual: str
    ask: int
    kind: FindingKind | None = None
    level: Level = Level.MUST
    anchors: tuple[int, ...] = field(default=())
    seen: str = ""
    remedy: str = ""
    guessed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFacts:
    """What happened in one ask, as numbers. `seconds` is wall clock; `assumed` counts commands whose table cell is a guess."""

    ask: Ask
    bmc: str
    system: str
    claim: Claim
    exit: int | None
    seconds: float
    rail: Rail
    os: Os
    incarnation_before: int
    incarnation: int
    requests: int
    state_reads: int
    power_commands: int
    login_failures: int
    assumed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`why` is one sentence; empty for a PASS. `findings` fail the gate, the worst first; `notes` do not.

    `remarks` are sentences about the verdict itself, such as a fault that was never met.
    """

    verdict: Verdict
    kind: FindingKind | None
    why: str
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    facts: tuple[AskFacts, ...]
    remarks: tuple[str, ...] = ()
