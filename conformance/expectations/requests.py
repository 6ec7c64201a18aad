"""What it asks of the BMC: reads, power commands, log-ins."""

from __future__ import annotations

from dataclasses import dataclass

from conformance import requirement as req
from conformance.expectations.case import AskCase
from conformance.expectations.claims import CONFIRMED_S
from conformance.expectations.expectation import Expectation, should
from conformance.finding import Finding
from conformance.timeline import text
from conformance.vocabulary import FindingKind, Level, Verdict
from emulator import EventKind

NEEDS_NO_OS = frozenset({"ForceOff", "PowerCycle", "FullPowerCycle", "ForceRestart"})


@dataclass(frozen=True, slots=True)
class ReadsBeforeClaim(Expectation):
    """It reads the state after its last power command and before it claims."""

    def phrase(self) -> str:
        return "reads the power state after its last power command and before it claims"

    def check(self, case: AskCase) -> Finding | None:
        if not case.succeeded:
            return None
        last = max((e.seq for e in case.window.power_commands), default=case.window.start.seq)
        if any(e.seq > last for e in case.window.state_reads):
            return None
        since = "after its last power command" if case.window.power_commands else "at all"
        return case.finding(
            Verdict.HYGIENE,
            "S",
            "a read of the power state between the last power command and the claim",
            f"claimed {case.outcome.claim} without reading the power state {since}",
            kind=FindingKind.UNVERIFIED,
            requirement=req.VERIFIES,
            anchors=(last,),
        )


@dataclass(frozen=True, slots=True)
class ConfirmsOff(Expectation):
    """A claim of off rests on two words of Off, a second apart, with no other word in between."""

    level: Level = Level.SHOULD

    def phrase(self) -> str:
        return f"reads Off at least twice, a second apart, before it claims{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        if not case.succeeded or case.window.confirmed_off(CONFIRMED_S):
            return None
        off = [e for e in case.window.looks if case.window.is_target(e) and text(e, "word") == "Off"]
        return case.finding(
            Verdict.HYGIENE,
            "S",
            "Off at least twice, a second apart, and no other word in between",
            f"claimed {case.outcome.claim} after {len({e.cause for e in off})} of its reads had said Off",
            kind=FindingKind.UNVERIFIED,
            level=self.level,
            requirement=req.CONFIRMED,
            anchors=tuple(e.seq for e in off[-2:]),
        )


@dataclass(frozen=True, slots=True)
class AtMostCommands(Expectation):
    """H: no more power commands than this."""

    count: int

    def phrase(self) -> str:
        return f"sends at most {self.count} power command{'s' if self.count != 1 else ''}"

    def check(self, case: AskCase) -> Finding | None:
        sent = case.window.power_commands
        if len(sent) <= self.count:
            return None
        return case.finding(
            Verdict.HYGIENE,
            "H",
            f"at most {self.count} power command{'s' if self.count != 1 else ''}",
            f"sent {len(sent)}",
            kind=FindingKind.REPEATED,
            requirement=req.FEW_COMMANDS,
            anchors=tuple(e.seq for e in sent[:3]),
        )


@dataclass(frozen=True, slots=True)
class AtMostAuthFailures(Expectation):
    """H: no more refused log-ins than this."""

    count: int

    def phrase(self) -> str:
        return f"tries refused credentials at most {self.count} times"

    def check(self, case: AskCase) -> Finding | None:
        count = case.window.login_failures
        if count <= self.count:
            return None
        return case.finding(
            Verdict.HYGIENE,
            "H",
            f"at most {self.count} refused log-ins",
            f"tried refused credentials {count} times",
            kind=FindingKind.REPEATED,
            requirement=req.FEW_LOGINS,
        )


@dataclass(frozen=True, slots=True)
class ClosesSessions(Expectation):
    """G5 as a must, where the scenario is about it: every session that it opened is closed when it has ended. Of asks at the same
    time the last one to end answers for all."""

    def phrase(self) -> str:
        return "closes every session that it has opened"

    def check(self, case: AskCase) -> Finding | None:
        events = [e for e in case.window.settled if e.kind is EventKind.SESSION]
        opened = [e for e in events if text(e, "what") == "opened"]
        left = len(opened) - sum(1 for e in events if text(e, "what") == "closed")
        if left <= 0 or case.outcome.timed_out:
            return None
        return case.finding(
            Verdict.HYGIENE,
            "H",
            "every session that it opened is closed",
            f"left {left} open",
            kind=FindingKind.LEFTOVER,
            requirement=req.CLOSES_SESSIONS,
            anchors=tuple(e.seq for e in opened[:1]),
        )


@dataclass(frozen=True, slots=True)
class Forces(Expectation):
    """It does not leave the host to its operating system: a command that needs no OS was accepted."""

    level: Level = Level.SHOULD

    def phrase(self) -> str:
        return f"sends a command that needs no operating system{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        if any(text(e, "reset") in NEEDS_NO_OS for e in case.window.commands):
            return None
        asked = sorted({text(e, "reset") for e in case.window.commands})
        what = f"only ever asked for {', '.join(asked)}" if asked else "sent no power command"
        return case.finding(
            Verdict.STUCK,
            "L",
            "a power command that needs no operating system",
            what,
            level=self.level,
            requirement=req.FORCE_WHEN_HUNG,
            anchors=tuple(e.seq for e in case.window.commands[:3]),
        )
