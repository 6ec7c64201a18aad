"""Expectations in words, for `explain` and for pages."""

from __future__ import annotations

from conformance.scenario import (
    Answers,
    AtMostAuthFailures,
    AtMostCommands,
    Claims,
    Expectation,
    Forces,
    NamesCause,
    NeverClaims,
    NeverSays,
    ReadsBeforeClaim,
    Refuses,
)
from conformance.vocabulary import Level


def in_words(word: Expectation) -> str:
    """One expectation as a phrase."""
    match word:
        case Claims(level=level):
            return f"succeeds by its deadline{_should(level)}"
        case NeverClaims():
            return "never claims while the rail is up"
        case Refuses():
            return "refuses: no claim, no power command"
        case Answers(claims=claims):
            return f"answers {' or '.join(sorted(claims))}"
        case NamesCause(causes=causes, level=level):
            return f"if it fails, names {' or '.join(sorted(causes))}{_should(level)}"
        case NeverSays(pattern=pattern):
            return f"if it fails, does not say /{pattern}/"
        case ReadsBeforeClaim():
            return "reads the power state after its last power command and before it claims"
        case AtMostCommands(count=count):
            return f"sends at most {count} power command{'s' if count != 1 else ''}"
        case AtMostAuthFailures(count=count):
            return f"tries refused credentials at most {count} times"
        case Forces(level=level):
            return f"sends a command that needs no operating system{_should(level)}"


def _should(level: Level) -> str:
    return " (SHOULD)" if level is Level.SHOULD else ""
