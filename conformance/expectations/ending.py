"""How it ends when it is told to."""

from __future__ import annotations

from dataclasses import dataclass

from conformance import requirement as req
from conformance.expectations.case import AskCase
from conformance.expectations.expectation import Expectation
from conformance.finding import Finding
from conformance.vocabulary import FindingKind, Verdict


@dataclass(frozen=True, slots=True)
class EndsAfterSigterm(Expectation):
    """It ends as a failure within `seconds` after SIGTERM. Where none was sent there is nothing to judge."""

    seconds: float = 5.0

    def phrase(self) -> str:
        return f"ends within {self.seconds:g} s after SIGTERM, and not as a success"

    def check(self, case: AskCase) -> Finding | None:
        sent = case.outcome.sigterm_at
        if sent is None or case.outcome.timed_out:
            return None
        took = case.outcome.duration - sent
        if took > self.seconds:
            return case.finding(
                Verdict.HANG,
                "G2",
                f"an end within {self.seconds:g} s after SIGTERM",
                f"ran on for {took:.1f} s",
                requirement=req.ENDS,
            )
        if case.succeeded:
            return case.finding(
                Verdict.MISLEADING,
                "T",
                "a failure after SIGTERM",
                f"claimed {case.outcome.claim} although it was ended by SIGTERM",
                kind=FindingKind.WRONG_ANSWER,
                requirement=req.TRUE_CAUSE,
            )
        return None
