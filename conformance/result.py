"""One cell of the matrix, judged, with everything that a report needs. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.causal_chain import ChainLine
from conformance.finding import AskFacts, Finding
from conformance.scenario import GivenOrigin, Scenario
from conformance.vocabulary import FindingKind, Protocol, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`stories` hold the causal chain of each finding, in the order of `findings`. `seconds` is wall clock, re-runs included.

    `unprotected` and `unsearched` say what the suite could not do on this machine (`FencerOutcome`).
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
    first_verdict: Verdict | None = None  # set where a second run was needed and came out differently
    journal: str = field(default="", repr=False)

    @property
    def id(self) -> str:
        """As pytest calls it."""
        return f"{self.scenario.id}[{self.profile}]"

    @property
    def preconditions(self) -> tuple[tuple[GivenOrigin, str], ...]:
        return tuple((given.origin, given.sentence) for given in self.scenario.given)


GOOD = frozenset({Verdict.PASS, Verdict.NA, Verdict.WAIVED, Verdict.XPASS})
NOT_RUN = frozenset({Verdict.NA, Verdict.SKIP})


def counts(results: tuple[Result, ...]) -> Mapping[Verdict, int]:
    return {verdict: sum(1 for result in results if result.verdict is verdict) for verdict in Verdict}


def exit_code(results: tuple[Result, ...], *, strict_waivers: bool = False) -> int:
    """The gate (ruling 19): 3 unsafe, 5 the suite failed, 4 the machine lacks something or nothing ran, 1 other findings.

    Then 6 where a waiver is stale and that was asked for; else 0.
    """
    found = counts(results)
    if found[Verdict.UNSAFE]:
        return 3
    if found[Verdict.ERROR]:
        return 5
    if found[Verdict.SKIP] or all(result.verdict in NOT_RUN for result in results):
        return 4
    if not all(result.verdict in GOOD for result in results):
        return 1
    return 6 if strict_waivers and found[Verdict.XPASS] else 0
