"""What the judge brings back. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.requirement import Requirement
from conformance.vocabulary import Ask, Claim, FindingKind, Level, Verdict
from emulator import Os, Rail


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken requirement. `anchors` are journal positions from which the story is told; `rule` is the invariant or word."""

    verdict: Verdict
    rule: str
    requirement: Requirement
    expected: str
    actual: str
    ask: int
    kind: FindingKind | None = None
    level: Level = Level.MUST
    anchors: tuple[int, ...] = field(default=())


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
    """`why` is one sentence; empty for a PASS."""

    verdict: Verdict
    kind: FindingKind | None
    why: str
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    facts: tuple[AskFacts, ...]
