"""How a fencer behaves in every scenario: G4 traffic, G5 sessions, G7 text, G8 credentials, G9 exit code.

Their sentences are in `requirement.INVARIANTS`. `invariants.check` calls `check` once per ask. G4, G5 and G7 are SHOULDs, G8 and
G9 are MUSTs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from conformance import cause_patterns
from conformance import requirement as req
from conformance.expectations.case import AskCase, last_words
from conformance.finding import Finding
from conformance.seen import is_busy
from conformance.timeline import means, text
from conformance.vocabulary import Ask, Claim, FindingKind, Level, Verdict
from emulator import Event, EventKind, Intent

REQUESTS_FREE: Final = 10
REQUESTS_PER_SECOND: Final = 2
COMMANDS_FREE: Final = 3
BUSY_PAUSE_S: Final = 1.9
"""Two seconds, and what clocks may differ by. What Retry-After said is not in the journal."""
MONITOR_OFF_EXIT: Final = 2
SUCCESS_WORD: Final = re.compile(r"^\W*success\b", re.IGNORECASE)
ERROR_WORD: Final = re.compile(r"(?i:^\W*(error|failed|failure|fatal|unable to|cannot|could not)\b)|\b(ERROR|CRITICAL|FATAL)\b")
"""A line that reports an error: by its first word, or by the level of a log line."""


def check(case: AskCase, *, claim_is_false: bool) -> Iterator[Finding]:
    """The findings and notes of one ask; G9 is silent where G1 has spoken."""
    watches = case.outcome.ask is Ask.WATCH  # a manager reads all BMCs for as long as it runs, and is stopped, not answered
    if not watches:
        yield from _traffic(case)
        yield from _busy(case)
    yield from _sessions(case)
    yield from _text(case)
    yield from _credentials(case)
    if not claim_is_false and not watches:
        yield from _exit_code(case)


# -- G4 --------------------------------------------------------------------------------------------------------------------


def _traffic(case: AskCase) -> Iterator[Finding]:
    fencers = (1 + len(case.window.beside)) * max(1, len(case.window.outlets))  # each outlet is read and switched on its own
    allowed = fencers * (REQUESTS_FREE + REQUESTS_PER_SECOND * case.outcome.duration)
    commands = [e for e in case.window.power_commands if not _was_busy(case, e)]
    if (count := len(case.window.requests)) > allowed or len(commands) > fencers * COMMANDS_FREE:
        yield case.finding(
            Verdict.HYGIENE,
            "G4",
            f"at most {allowed:.0f} requests and {fencers * COMMANDS_FREE} power commands",
            f"sent {count} requests, {len(commands)} of them power commands, in {case.outcome.duration:.1f} s",
            kind=FindingKind.REPEATED,
            level=Level.SHOULD,
            requirement=req.LITTLE_TRAFFIC,
        )


def _busy(case: AskCase) -> Iterator[Finding]:
    if case.window.beside:
        return  # the next command may be another fencer's
    commands = sorted(case.window.power_commands, key=lambda e: (e.bmc, text(e, "system")))  # in order for each system
    for earlier, later in pairwise(commands):
        if (earlier.bmc, earlier.data.get("system")) != (later.bmc, later.data.get("system")):
            continue
        if _was_busy(case, earlier) and later.t - earlier.t < _pause_s(case, earlier):
            yield case.finding(
                Verdict.HYGIENE,
                "G4",
                "two seconds, or what Retry-After says, between a command that met a busy BMC and the next",
                f"sent the next command {later.t - earlier.t:.1f} s after the BMC had said that it is busy",
                kind=FindingKind.REPEATED,
                level=Level.SHOULD,
                requirement=req.LITTLE_TRAFFIC,
                anchors=(earlier.seq, later.seq),
            )
            return


def _pause_s(case: AskCase, command: Event) -> float:
    """Seconds until the next command: what Retry-After said (RFC 9110, 10.2.3), but two or more."""
    answer = case.window.answers.get(command.seq)
    said = text(answer, "retry_after") if answer is not None else ""
    asked = float(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0.0
    return max(BUSY_PAUSE_S, asked - (2.0 - BUSY_PAUSE_S))


def _was_busy(case: AskCase, command: Event) -> bool:
    answer = case.window.answers.get(command.seq)
    return answer is not None and is_busy(answer)


# -- G5 --------------------------------------------------------------------------------------------------------------------


def _sessions(case: AskCase) -> Iterator[Finding]:
    events = [e for e in case.window.settled if e.kind is EventKind.SESSION and not _never_used(case, e)]
    left = sum(1 for e in events if text(e, "what") == "opened") - sum(1 for e in events if text(e, "what") == "closed")
    if left > 0:
        yield case.finding(
            Verdict.HYGIENE,
            "G5",
            "every session that it opened is closed",
            f"left {left} open",
            kind=FindingKind.LEFTOVER,
            level=Level.SHOULD,
            requirement=req.CLOSES_SESSIONS,
            anchors=tuple(e.seq for e in events[:1]),
        )


def _never_used(case: AskCase, event: Event) -> bool:
    """An IPMI session in which no request came: the client could not verify the BMC's last message, so it has no keys to close it
    with."""
    return text(event, "via") == "ipmi" and not any(text(e, "protocol") == "ipmi" for e in case.window.requests)


# -- G7 --------------------------------------------------------------------------------------------------------------------


def _text(case: AskCase) -> Iterator[Finding]:
    wrong = [(f"printed {stray}", "an error message for people") for stray in cause_patterns.strays(case.outcome.text)]
    if case.failed and not case.outcome.text:
        wrong.append(("failed and said nothing", "at least one line that names a cause"))
    if case.failed and SUCCESS_WORD.search(_last_line(case)):
        wrong.append((f"failed and said {_last_line(case)[:80]!r}", "words of success only where it succeeds"))
    for actual, expected in wrong:
        yield case.finding(
            Verdict.MISLEADING,
            "G7",
            expected,
            actual,
            level=Level.SHOULD,
            requirement=req.FOR_PEOPLE,
        )


# -- G8 --------------------------------------------------------------------------------------------------------------------


def _credentials(case: AskCase) -> Iterator[Finding]:
    """Anything that carries credentials, by where it went: another BMC, clear text, a peer that cannot be verified."""
    sent = [e for e in case.window.during if _carries_credentials(e)]
    elsewhere = [e for e in sent if e.bmc not in case.window.told_units and case.outcome.ask is not Ask.WATCH]
    clear = [e for e in sent if e.data.get("tls") is False]
    unverified = [e for e in sent if case.certificate_fails and text(e, "protocol") == "redfish"]
    for events, actual in (
        (elsewhere, "sent credentials to another host than the one that it was told"),
        (clear, "sent credentials in clear text, over HTTP"),
        (unverified, "sent credentials to a BMC whose certificate it was to verify and cannot"),
    ):
        if events:
            yield case.finding(
                Verdict.HYGIENE,
                "G8",
                "credentials for the BMC that it was told, over a connection that it has verified, and for nobody else",
                f"{actual} ({len(events)} time{'s' if len(events) > 1 else ''})",
                kind=FindingKind.CREDENTIALS,
                requirement=req.VERIFIED_PEER,
                anchors=tuple(e.seq for e in events[:3]),
            )
            return


def _carries_credentials(event: Event) -> bool:
    """A Redfish request with Basic or a token, a log-in, or the result of a handshake that IPMI made."""
    if event.kind is EventKind.AUTH:
        return text(event, "via") == "ipmi"
    if event.kind is not EventKind.REQUEST:
        return False
    return text(event, "auth") in ("basic", "session") or (text(event, "protocol") == "redfish" and means(event, Intent.LOGIN))


# -- G9 --------------------------------------------------------------------------------------------------------------------


def _exit_code(case: AskCase) -> Iterator[Finding]:
    outcome = case.outcome
    if outcome.ask is Ask.MONITOR and outcome.claim is Claim.OK and outcome.exit == MONITOR_OFF_EXIT:
        yield case.finding(
            Verdict.MISLEADING,
            "G9",
            "exit 0 from a monitor of a device that can be used",
            "monitor ended with 2, which only a status may; a cluster stops the device for it",
            kind=FindingKind.WRONG_ANSWER,
            level=Level.SHOULD,
            requirement=req.MONITOR_IS_NO_STATUS,
        )
    if outcome.exit != 0:
        return
    if case.failed:
        yield _exits_zero(case, f"failed with exit code 0; {last_words(outcome)}")
    elif case.succeeded and outcome.ask is not Ask.REBOOT and _complains(_last_line(case)):
        # A reboot whose second half failed is a success with a logged error: off is what counts (FenceAgentAPI).
        yield _exits_zero(case, f"ended with exit code 0 and an error; {last_words(outcome)}")


def _exits_zero(case: AskCase, actual: str) -> Finding:
    return case.finding(
        Verdict.MISLEADING,
        "G9",
        "another exit code than 0 for a failure",
        actual,
        kind=FindingKind.WRONG_ANSWER,
        requirement=req.TRUE_EXIT,
    )


def _complains(line: str) -> bool:
    return ERROR_WORD.search(line) is not None


def _last_line(case: AskCase) -> str:
    """The last line that says something, of what it meant for people first."""
    streams = (case.outcome.stderr, case.outcome.stdout)
    lines = [line.strip() for stream in streams for line in stream.splitlines() if line.strip()]
    return lines[-1] if lines else ""
