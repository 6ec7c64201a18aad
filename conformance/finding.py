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


@dataclass(frozen=True, slots=True)
class PowerCellMet:
    """The cell of the profile's power table that one power command met.

    `via` is `redfish` or `ipmi`, `row` the state that the BMC held (`On`, `Off`), `reset` a ResetType (`another`: a word that
    DSP0268 does not have), `code` the HTTP status or the completion code.
    `effect` is a key of the profile's effects, or `none`. `assumed`: the profile has `"?"` there.
    """

    via: str
    row: str
    reset: str
    code: int
    effect: str
    assumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFacts:
    """What happened in one ask. `seconds` is wall clock; `cells` has one entry for each power command that a BMC took in.

    `assumed` counts the commands whose table cell is a guess.
    """

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
    cells: tuple[PowerCellMet, ...] = ()


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
