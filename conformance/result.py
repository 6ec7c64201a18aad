"""One cell of the matrix, judged, with everything that a report needs. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from conformance.causal_chain import ChainLine
from conformance.finding import AskFacts, Finding
from conformance.givens.given import GivenOrigin
from conformance.scenario import Scenario
from conformance.vocabulary import FindingKind, Protocol, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`stories` hold the causal chain of each finding, in the order of `findings`. `seconds` is wall clock, re-runs included.

    `runs` are the verdicts of all runs with their reasons, in order; `remarks` are sentences about the verdict, such as what a
    waiver lacks. An `informational` result says nothing about the gate. `waived_from` is the verdict that a waiver has replaced.
    `started` is when the run that is shown began, in Unix time; 0 where nothing was run. `fencer_file` is absolute, and
    `profile_version` the firmware that the profile is modelled on; both may be empty. `journal` holds no secrets.
    `identity_only` is that of the profile. `unprotected` and `unsearched` say what the suite could not do on this machine
    (`FencerOutcome`).
    """

    fencer: str
    fencer_digest: str
    profile: str
    profile_digest: str
    scenario: Scenario
    verdict: Verdict
    kind: FindingKind | None = None
    why: str = ""
    protocol: Protocol | None = None
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    stories: tuple[tuple[ChainLine, ...], ...] = ()
    facts: tuple[AskFacts, ...] = ()
    said: str = ""
    unprotected: tuple[str, ...] = ()
    unsearched: tuple[str, ...] = ()
    seconds: float = 0.0
    deadline: float = 0.0
    repeat: str = ""
    runs: tuple[tuple[Verdict, str], ...] = ()
    remarks: tuple[str, ...] = ()
    informational: bool = False
    waived_from: Verdict | None = None
    journal: str = field(default="", repr=False)
    started: float = 0.0
    fencer_file: str = ""
    profile_version: str = ""
    identity_only: bool = False

    @property
    def assumed(self) -> int:
        """How many power commands met a cell `"?"` of the profile."""
        return sum(facts.assumed for facts in self.facts)

    @property
    def id(self) -> str:
        """As pytest calls it."""
        return f"{self.scenario.id}[{self.profile}]"

    @property
    def first_verdict(self) -> Verdict | None:
        """That of the first run, where a further one was needed and came out differently."""
        first = self.runs[0][0] if self.runs else None
        return first if any(verdict is not first for verdict, _ in self.runs) else None

    @property
    def preconditions(self) -> tuple[tuple[GivenOrigin, str], ...]:
        return tuple((given.origin, given.sentence) for given in self.scenario.given)


PRECEDENCE: Final = (3, 5, 4, 1, 6)
"""Which exit code wins where several verdicts ask for one (ruling 19)."""
NOTHING_RAN: Final = 4


def counts(results: tuple[Result, ...]) -> Mapping[Verdict, int]:
    """How often there is each verdict; informational results are left out."""
    return {verdict: sum(1 for r in results if r.verdict is verdict and not r.informational) for verdict in Verdict}


def exit_code(results: tuple[Result, ...], *, strict_waivers: bool = False, is_part: bool = False) -> int:
    """The gate (ruling 19): 3 unsafe, 5 the suite failed, 4 the machine lacks something or nothing ran, 1 other findings.

    Informational results do not count. Then 6 where a waiver is stale and that was asked for; else 0. A part of a run
    (`--shard`) may have nothing to run: that is 0 (ruling 33).
    """
    codes = {
        result.verdict.strict_exit_code if strict_waivers else result.verdict.exit_code
        for result in results
        if not result.informational
    }
    if not is_part and not any(result.verdict.ran for result in results):
        codes.add(NOTHING_RAN)
    return next((code for code in PRECEDENCE if code in codes), 0)
