"""The suite's words, each with one meaning. Nothing here acts.

The words for failures are the cause classes of the catalogue; `builtin` and a fencer's own `causes` map its text to them.
"""

from __future__ import annotations

from enum import StrEnum


class Ask(StrEnum):
    """What is asked of a fencer, in FenceAgentAPI's words."""

    OFF = "off"
    ON = "on"
    REBOOT = "reboot"
    STATUS = "status"
    MONITOR = "monitor"
    METADATA = "metadata"

    @property
    def reads_only(self) -> bool:
        return self in (Ask.STATUS, Ask.MONITOR, Ask.METADATA)


class Claim(StrEnum):
    """What a fencer says once its answer is final. It decides *that* something was claimed, never whether it is true."""

    OFF = "off"
    ON = "on"
    REBOOTED = "rebooted"
    OK = "ok"  # monitor, metadata: it works
    FAILED = "failed"
    NONE = "none"  # no answer at all: it was stopped at the cap


SUCCESS: dict[Ask, frozenset[Claim]] = {
    Ask.OFF: frozenset({Claim.OFF}),
    Ask.ON: frozenset({Claim.ON}),
    Ask.REBOOT: frozenset({Claim.REBOOTED}),
    Ask.STATUS: frozenset({Claim.ON, Claim.OFF}),
    Ask.MONITOR: frozenset({Claim.OK}),
    Ask.METADATA: frozenset({Claim.OK}),
}
"""Which claims say that an ask has succeeded."""


class Protocol(StrEnum):
    REDFISH = "redfish"
    IPMI = "ipmi"


class Level(StrEnum):
    """RFC 2119. A MUST decides the verdict; a SHOULD becomes a note."""

    MUST = "MUST"
    SHOULD = "SHOULD"


class Cause(StrEnum):
    """Classes of failure that a fencer can name."""

    ALREADY_IN_STATE = "already-in-state"
    AUTH = "auth"
    PRIVILEGE = "privilege"
    LOCKED = "locked"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    BUSY = "busy"
    UNSUPPORTED = "unsupported"
    NOT_FOUND = "not-found"
    PRECONDITION = "precondition"
    CONFLICT = "conflict-other"
    BAD_RESPONSE = "bad-response"
    TASK_FAILED = "task-failed"
    CONFIG = "config"


class Verdict(StrEnum):
    """How a fencer did in one scenario on one profile. Worst first: the first that applies is the verdict."""

    UNSAFE = "UNSAFE"  # claimed what is not true of the host, or harmed another
    ERROR = "ERROR"  # the suite could not test it
    HANG = "HANG"  # no answer by the cap
    STUCK = "STUCK"  # the goal was reached or reachable, and no success
    MISLEADING = "MISLEADING"  # failed honestly and named the wrong cause, or answered wrongly
    HYGIENE = "HYGIENE"  # an invariant of conduct is broken
    XPASS = "XPASS"  # waived, and passes: the waiver has to go
    WAIVED = "WAIVED"  # a known failure that somebody has accepted
    SKIP = "SKIP"  # this machine lacks the fencer
    NA = "N/A"  # the fencer or the profile has nothing that the scenario could try
    PASS = "PASS"

    @property
    def letter(self) -> str:
        """One letter for dense tables, so that colour is never the only sign."""
        return LETTERS[self]


LETTERS: dict[Verdict, str] = {
    Verdict.UNSAFE: "U",
    Verdict.ERROR: "E",
    Verdict.HANG: "H",
    Verdict.STUCK: "S",
    Verdict.MISLEADING: "M",
    Verdict.HYGIENE: "h",
    Verdict.XPASS: "X",
    Verdict.WAIVED: "w",
    Verdict.SKIP: "s",
    Verdict.NA: "-",
    Verdict.PASS: "p",
}
SEVERITY: dict[Verdict, int] = {verdict: rank for rank, verdict in enumerate(Verdict)}
"""0 is the worst."""


class FindingKind(StrEnum):
    """What exactly is wrong. The first four are the kinds of UNSAFE."""

    FALSE = "FALSE"  # claimed, and the host never went off
    EARLY = "EARLY"  # claimed, and the host went off later
    WRONG_TARGET = "WRONG-TARGET"  # claimed or acted on another host
    RESURRECTED = "RESURRECTED"  # it was off, and is on again at the claim
    UNVERIFIED = "UNVERIFIED"  # claimed what is true without having read it
    LEFTOVER = "LEFTOVER"  # child processes outlive the fencer
    CONDUCT = "CONDUCT"  # attacked what watches it, or went beyond a limit of the suite
    SECRET = "SECRET"  # the password was shown
    OVERREACH = "OVERREACH"  # touched what was not asked for
    REPEATED = "REPEATED"  # more commands or log-ins than the scenario allows
    WRONG_ANSWER = "WRONG-ANSWER"  # the answer to a question is not true
    WRONG_CAUSE = "WRONG-CAUSE"  # names a cause that it was not
    NO_CAUSE = "NO-CAUSE"  # says nothing from which the cause could be known
    UNFIRED = "UNFIRED"  # a fault that had to fire did not
