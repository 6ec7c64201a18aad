"""What FenceAgentAPI wants besides a true answer: the exit code, silence towards the BMC, metadata, and a word of warning."""

from __future__ import annotations

from dataclasses import dataclass

from conformance import requirement as req
from conformance.expectations import agent_metadata
from conformance.expectations.case import AskCase, exit_of, last_words
from conformance.expectations.expectation import Expectation, should
from conformance.finding import Finding
from conformance.vocabulary import Ask, FindingKind, Level, Verdict
from emulator import EventKind

TRAFFIC = frozenset({EventKind.REQUEST, EventKind.AUTH, EventKind.SESSION})


@dataclass(frozen=True, slots=True)
class ExitsWith(Expectation):
    """T: it ends by itself with this code."""

    code: int
    level: Level = Level.MUST

    @property
    def met_by_failing(self) -> bool:
        return self.code != 0

    def phrase(self) -> str:
        return f"exits {self.code}{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        if case.outcome.timed_out or case.outcome.exit == self.code:
            return None
        return case.finding(
            Verdict.MISLEADING,
            "T",
            f"exit {self.code}",
            f"{exit_of(case.outcome)}; {last_words(case.outcome)}",
            kind=FindingKind.WRONG_ANSWER,
            level=self.level,
        )


@dataclass(frozen=True, slots=True)
class NoTraffic(Expectation):
    """H: it asks no BMC anything."""

    @property
    def met_by_failing(self) -> bool:
        return True

    def phrase(self) -> str:
        return "sends nothing to any BMC"

    def check(self, case: AskCase) -> Finding | None:
        sent = [e for e in case.window.during if e.kind in TRAFFIC]
        if not sent:
            return None
        return case.finding(
            Verdict.HYGIENE,
            "H",
            "nothing is sent to any BMC",
            f"asked {', '.join(sorted({e.bmc for e in sent}))} {len(case.window.requests)} times",
            kind=FindingKind.OVERREACH,
            requirement=req.AGENT_ERRORS if case.outcome.ask is not Ask.METADATA else req.AGENT_METADATA,
            anchors=tuple(e.seq for e in sent[:3]),
        )


@dataclass(frozen=True, slots=True)
class DescribesItself(Expectation):
    """T: its standard output is metadata as fence agents have it (`agent_metadata`)."""

    def phrase(self) -> str:
        return "prints well-formed metadata that lists its actions and parameters"

    def check(self, case: AskCase) -> Finding | None:
        if not case.succeeded:
            return None
        wrong = agent_metadata.problems_of(case.outcome.stdout)
        if not wrong:
            return None
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return case.finding(
            Verdict.MISLEADING,
            "T",
            "metadata as the grammar of fence-agents has it",
            "; ".join(wrong[:3]) + more,
            kind=FindingKind.WRONG_ANSWER,
            requirement=req.AGENT_METADATA,
        )


@dataclass(frozen=True, slots=True)
class Warns(Expectation):
    """T: it succeeds and still says on standard error that something went wrong."""

    def phrase(self) -> str:
        return "if it succeeds, says on standard error what went wrong"

    def check(self, case: AskCase) -> Finding | None:
        if not case.succeeded or case.outcome.stderr.strip():
            return None
        return case.finding(
            Verdict.MISLEADING,
            "T",
            "a line on standard error about the part that failed",
            f"{case.outcome.ask} succeeded and said nothing of it",
            kind=FindingKind.NO_CAUSE,
            requirement=req.TRUE_CAUSE,
        )
