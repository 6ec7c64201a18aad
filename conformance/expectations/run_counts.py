"""Power commands that took effect, and power commands of the whole run so far."""

from __future__ import annotations

from dataclasses import dataclass

from conformance import requirement as req
from conformance.expectations.case import AskCase
from conformance.expectations.expectation import Expectation
from conformance.finding import Finding
from conformance.timeline import is_power_command, text
from conformance.vocabulary import FindingKind, Verdict
from emulator import Event, EventKind


def had_effect(event: Event) -> bool:
    """Whether a BMC took a power command in that does something: it was accepted, and its effect is not none."""
    accepted = text(event, "status").startswith("2") or text(event, "completion_code") == "0"
    return event.kind is EventKind.COMMAND and accepted and text(event, "effect") != "none"


def _commands(count: int, what: str = "") -> str:
    return f"at most {count} {what}power command{'s' if count != 1 else ''}"


@dataclass(frozen=True, slots=True)
class AtMostEffective(Expectation):
    """H: no more power commands with an effect than this, lost answers and other fencers of the same host included."""

    count: int

    def phrase(self) -> str:
        return f"causes {_commands(self.count)} with an effect"

    def check(self, case: AskCase) -> Finding | None:
        events = case.window.settled if case.window.beside else case.window.during
        effective = [e for e in events if had_effect(e)]
        if len(effective) <= self.count:
            return None
        return case.finding(
            Verdict.HYGIENE,
            "H",
            f"{_commands(self.count)} with an effect",
            f"{len(effective)} were accepted and had an effect",
            kind=FindingKind.REPEATED,
            requirement=req.FEW_COMMANDS,
            anchors=tuple(e.seq for e in effective[:3]),
        )


@dataclass(frozen=True, slots=True)
class AtMostCommandsInAll(Expectation):
    """H: no more power commands than this in the whole run so far, earlier asks included.

    Of asks at the same time the last one to end answers for all.
    """

    count: int

    def phrase(self) -> str:
        return f"has sent {_commands(self.count)} in all, earlier asks included"

    def check(self, case: AskCase) -> Finding | None:
        events = {e.seq: e for e in (*case.window.past, *case.window.settled)}.values()
        sent = [e for e in events if is_power_command(e)]
        if len(sent) <= self.count or not case.window.settled:
            return None
        return case.finding(
            Verdict.HYGIENE,
            "H",
            f"{_commands(self.count)} in all",
            f"sent {len(sent)}",
            kind=FindingKind.REPEATED,
            requirement=req.FEW_COMMANDS,
            anchors=tuple(e.seq for e in sent[:3]),
        )
