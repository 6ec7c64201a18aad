"""Whether a failure tells its reader why."""

from __future__ import annotations

import re
from dataclasses import dataclass

from conformance import cause_patterns
from conformance import requirement as req
from conformance.expectations.case import AskCase, last_words
from conformance.expectations.expectation import Expectation, should
from conformance.finding import Finding
from conformance.vocabulary import Cause, FindingKind, Level, Verdict


@dataclass(frozen=True, slots=True)
class NamesCause(Expectation):
    """T: if it fails, its text names one of these causes. Without patterns of the fencer's own a wrong cause is only noted."""

    causes: frozenset[Cause]
    level: Level = Level.MUST

    def phrase(self) -> str:
        return f"if it fails, names {' or '.join(sorted(self.causes))}{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        if not case.failed:
            return None
        patterns = case.causes if case.causes is not None else cause_patterns.BUILT_IN
        named = cause_patterns.named(case.outcome.text, patterns)
        if named & self.causes:
            return None
        what = f"names {', '.join(sorted(named))}" if named else "names no cause that the suite knows"
        return case.finding(
            Verdict.MISLEADING,
            "T",
            f"a failure that names {' or '.join(sorted(self.causes))}",
            f"{what}; {last_words(case.outcome)}",
            kind=FindingKind.WRONG_CAUSE if named else FindingKind.NO_CAUSE,
            level=self.level if case.causes is not None else Level.SHOULD,
            requirement=req.TRUE_CAUSE,
            guessed=case.causes is None,
        )


def names_cause(*causes: Cause, level: Level = Level.MUST) -> NamesCause:
    return NamesCause(frozenset(causes), level)


@dataclass(frozen=True, slots=True)
class NeverSays(Expectation):
    """T: if it fails, its text does not match this pattern, which would send the reader to the wrong place."""

    pattern: str

    def phrase(self) -> str:
        return f"if it fails, does not say /{self.pattern}/"

    def check(self, case: AskCase) -> Finding | None:
        if not case.failed or (match := re.search(self.pattern, case.outcome.text)) is None:
            return None
        return case.finding(
            Verdict.MISLEADING,
            "T",
            "a failure that does not blame what is in order",
            f"says {match[0]!r}; {last_words(case.outcome)}",
            kind=FindingKind.WRONG_CAUSE,
            requirement=req.TRUE_CAUSE,
        )


@dataclass(frozen=True, slots=True)
class SaysInText(Expectation):
    """T: if it fails, its text matches this pattern. `meaning` is what the pattern looks for, in words."""

    pattern: str
    meaning: str
    level: Level = Level.MUST

    def phrase(self) -> str:
        return f"if it fails, names {self.meaning}{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        if not case.failed or re.search(self.pattern, case.outcome.text) is not None:
            return None
        return case.finding(
            Verdict.MISLEADING,
            "T",
            f"a failure that names {self.meaning}",
            f"does not name {self.meaning}; {last_words(case.outcome)}",
            kind=FindingKind.NO_CAUSE,
            level=self.level,
            requirement=req.TRUE_CAUSE,
        )
