"""What lies between two power commands: a read, and a wait where the BMC asked for one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from conformance import requirement as req
from conformance.expectations.case import AskCase
from conformance.expectations.expectation import Expectation, should
from conformance.finding import Finding
from conformance.vocabulary import FindingKind, Level, Verdict

MARGIN_S = 0.1
"""Clocks may differ, and the journal stamps the request when all of it has come."""


@dataclass(frozen=True, slots=True)
class ReadsBetweenCommands(Expectation):
    """It reads the state before it sends a power command again."""

    level: Level = Level.SHOULD

    def phrase(self) -> str:
        return f"reads the power state before it repeats a power command{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        for first, again in pairwise(case.window.power_commands):
            if not any(first.seq < read.seq < again.seq for read in case.window.state_reads):
                return case.finding(
                    Verdict.HYGIENE,
                    "H",
                    "a read of the power state between two power commands",
                    f"sent another power command {again.t - first.t:.1f} s after the one before, without a read between them",
                    kind=FindingKind.REPEATED,
                    level=self.level,
                    requirement=req.LOST_ANSWER,
                    anchors=(first.seq, again.seq),
                )
        return None


@dataclass(frozen=True, slots=True)
class WaitsBetweenCommands(Expectation):
    """It repeats a power command only after the seconds that the BMC asked for."""

    seconds: float
    level: Level = Level.SHOULD

    def phrase(self) -> str:
        return f"waits {self.seconds:g} s before it repeats a power command{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        for first, again in pairwise(case.window.power_commands):
            if again.t - first.t < self.seconds - MARGIN_S:
                return case.finding(
                    Verdict.HYGIENE,
                    "H",
                    f"at least {self.seconds:g} s between two power commands",
                    f"sent another power command {again.t - first.t:.1f} s after one that the BMC was too busy for",
                    kind=FindingKind.REPEATED,
                    level=self.level,
                    requirement=req.LITTLE_TRAFFIC,
                    anchors=(first.seq, again.seq),
                )
        return None
