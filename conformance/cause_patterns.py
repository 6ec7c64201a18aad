"""Which cause a fencer's text names.

Rules
  1. A fencer's own patterns decide. The built-in word lists are a guess, so with them a wrong cause is only ever a note.
  2. Patterns are searched in everything the fencer said; several causes may match.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from conformance.vocabulary import Cause

Patterns = Mapping[Cause, re.Pattern[str]]

BUILT_IN: Patterns = {
    cause: re.compile(words, re.IGNORECASE)
    for cause, words in {
        Cause.ALREADY_IN_STATE: r"already (is )?(off|on|powered)|not supported in present state",
        Cause.AUTH: r"\b401\b|unauthori[sz]ed|authenticat|credential|password|RAKP|log ?in fail|unable to establish .* session",
        Cause.PRIVILEGE: r"\b403\b|forbidden|privilege|permission|not permitted",
        Cause.LOCKED: r"\blocked\b|lock(ed)?[ -]?out",
        Cause.UNREACHABLE: r"refused|unreachable|no route|cannot connect|unable to connect|failed to (connect|establish)"
        r"|connection (error|aborted)"
        r"|name or service not known|unable to establish",
        Cause.TLS: r"\bTLS\b|\bSSL\b|certificate",
        Cause.TIMEOUT: r"time[ -]?d? ?-?out|timed out|deadline|did not (go|turn|power) off|still on|no effect",
        Cause.BUSY: r"\b503\b|\bbusy\b|unavailable|try again|in progress|\bin use\b",
        Cause.UNSUPPORTED: r"not supported|unsupported|not implemented|not allowed|\b501\b",
        Cause.NOT_FOUND: r"\b404\b|not found|no such (system|host|plug)",
        Cause.PRECONDITION: r"\b412\b|\b428\b|precondition|if-match",
        Cause.CONFLICT: r"\b409\b|conflict|refused the|present state|0xd5",
        Cause.BAD_RESPONSE: r"\b50[0-24-9]\b|invalid (json|response|answer)|unexpected|malformed"
        r"|cannot parse|decode|internal server error",
        Cause.TASK_FAILED: r"task .*(fail|exception|cancel)",
        Cause.CONFIG: r"config|ambiguous|several systems|more than one"
        r"|missing (parameter|option)|must be (set|given|specified)|not defined",
    }.items()
}


def named(text: str, patterns: Patterns) -> frozenset[Cause]:
    """Every cause that the text names."""
    return frozenset(cause for cause, pattern in patterns.items() if pattern.search(text))


def strays(text: str) -> tuple[str, ...]:
    """Marks of a program that broke instead of failing (G7)."""
    return ("a Python traceback",) if "Traceback (most recent call last)" in text else ()
