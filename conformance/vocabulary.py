"""The suite's words, each with one meaning. Nothing here acts.

The words for failures are the cause classes of the catalogue; `builtin` and a fencer's own `causes` map its text to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ask(StrEnum):
    """What is asked of a fencer, in FenceAgentAPI's words."""

    OFF = "off"
    ON = "on"
    REBOOT = "reboot"
    STATUS = "status"
    MONITOR = "monitor"
    METADATA = "metadata"
    VALIDATE_ALL = "validate-all"
    LIST = "list"
    LIST_STATUS = "list-status"

    @property
    def reads_only(self) -> bool:
        return self not in (Ask.OFF, Ask.ON, Ask.REBOOT)


class Claim(StrEnum):
    """What a fencer says once its answer is final. It decides *that* something was claimed, never whether it is true."""

    OFF = "off"
    ON = "on"
    REBOOTED = "rebooted"
    OK = "ok"  # monitor, metadata, validate-all, list, list-status: it works
    FAILED = "failed"
    NONE = "none"  # no answer at all: it was stopped at the cap


SUCCESS: dict[Ask, frozenset[Claim]] = {
    Ask.OFF: frozenset({Claim.OFF}),
    Ask.ON: frozenset({Claim.ON}),
    Ask.REBOOT: frozenset({Claim.REBOOTED}),
    Ask.STATUS: frozenset({Claim.ON, Claim.OFF}),
    Ask.MONITOR: frozenset({Claim.OK}),
    Ask.METADATA: frozenset({Claim.OK}),
    Ask.VALIDATE_ALL: frozenset({Claim.OK}),
    Ask.LIST: frozenset({Claim.OK}),
    Ask.LIST_STATUS: frozenset({Claim.OK}),
}
"""Which claims say that an ask has succeeded."""


class Protocol(StrEnum):
    REDFISH = "redfish"
    IPMI = "ipmi"


class Convention(StrEnum):
    """A convention of how fencers are called and answer, which an adapter may follow and a scenario may be about."""

    FENCE_AGENT_API = "FenceAgentAPI"


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


class JUnitElement(StrEnum):
    """What a test case holds in JUnit XML. `passed` is no element: the case is empty."""

    PASSED = "passed"
    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


class SarifLevel(StrEnum):
    """`level` of a SARIF 2.1.0 result (section 3.27.10)."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class _VerdictFacts:
    letter: str
    style: str
    colours: tuple[str, str]
    exit_code: int
    junit: JUnitElement
    sarif: SarifLevel
    counted_as: str
    always_counted: bool = True
    strict_exit_code: int | None = None
    ran: bool = True
    stands_without_fault: bool = False


class Verdict(StrEnum):
    """How a fencer did in one scenario on one profile. Worst first: the first that applies is the verdict.

    Whatever a report or the gate wants to know of a verdict is an attribute of it:

    severity              0 is the worst
    letter                for dense tables, so that colour is never the only sign
    style                 for a terminal, in the words of rich
    colours               for a page: background and text, in CSS
    exit_code             how the command ends if this verdict decides (ruling 19); 0 lets the gate pass
    strict_exit_code      the same with --strict-waivers
    junit, sarif          how these formats call it
    counted_as            its word in the last line; with `always_counted` also where there is none
    ran                   the fencer was asked
    stands_without_fault  a fault that never fired could only have made it worse
    """

    severity: int
    letter: str
    style: str
    colours: tuple[str, str]
    exit_code: int
    strict_exit_code: int
    junit: JUnitElement
    sarif: SarifLevel
    counted_as: str
    always_counted: bool
    ran: bool
    stands_without_fault: bool

    def __new__(cls, word: str, facts: _VerdictFacts | None = None) -> Verdict:
        assert facts is not None  # `Verdict("N/A")` looks a member up and does not come here
        member = str.__new__(cls, word)
        member._value_ = word
        member.severity = len(cls.__members__)
        member.letter = facts.letter
        member.style = facts.style
        member.colours = facts.colours
        member.exit_code = facts.exit_code
        member.strict_exit_code = facts.exit_code if facts.strict_exit_code is None else facts.strict_exit_code
        member.junit = facts.junit
        member.sarif = facts.sarif
        member.counted_as = facts.counted_as
        member.always_counted = facts.always_counted
        member.ran = facts.ran
        member.stands_without_fault = facts.stands_without_fault
        return member

    # The colours are Okabe and Ito's palette, which survives every common colour blindness.

    # claimed what is not true of the host, or harmed another
    UNSAFE = "UNSAFE", _VerdictFacts(
        letter="U", style="bold white on red", colours=("#d55e00", "#fff"), exit_code=3, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.ERROR, counted_as="UNSAFE", stands_without_fault=True,
    )  # fmt: skip
    # the suite could not test it
    ERROR = "ERROR", _VerdictFacts(
        letter="E", style="bold magenta", colours=("#000", "#fff"), exit_code=5, junit=JUnitElement.ERROR,
        sarif=SarifLevel.ERROR, counted_as="ERROR", always_counted=False,
    )  # fmt: skip
    # no answer by the cap
    HANG = "HANG", _VerdictFacts(
        letter="H", style="bold yellow", colours=("#cc79a7", "#000"), exit_code=1, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.ERROR, counted_as="HANG", stands_without_fault=True,
    )  # fmt: skip
    # the goal was reached or reachable, and no success
    STUCK = "STUCK", _VerdictFacts(
        letter="S", style="yellow", colours=("#e69f00", "#000"), exit_code=1, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.ERROR, counted_as="STUCK", stands_without_fault=True,
    )  # fmt: skip
    # failed honestly and named the wrong cause, or answered wrongly
    MISLEADING = "MISLEADING", _VerdictFacts(
        letter="M", style="cyan", colours=("#f0e442", "#000"), exit_code=1, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.WARNING, counted_as="MISLEADING",
    )  # fmt: skip
    # an invariant of conduct is broken
    HYGIENE = "HYGIENE", _VerdictFacts(
        letter="h", style="blue", colours=("#56b4e9", "#000"), exit_code=1, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.WARNING, counted_as="hygiene", stands_without_fault=True,
    )  # fmt: skip
    # waived, and passes: the waiver has to go
    XPASS = "XPASS", _VerdictFacts(
        letter="X", style="magenta", colours=("#000", "#fff"), exit_code=0, strict_exit_code=6, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.WARNING, counted_as="unexpected pass", always_counted=False,
    )  # fmt: skip
    # a known failure that somebody has accepted
    WAIVED = "WAIVED", _VerdictFacts(
        letter="w", style="dim", colours=("#bbb", "#000"), exit_code=0, junit=JUnitElement.SKIPPED,
        sarif=SarifLevel.NOTE, counted_as="waived",
    )  # fmt: skip
    # this machine lacks the fencer
    SKIP = "SKIP", _VerdictFacts(
        letter="s", style="dim", colours=("#eee", "#555"), exit_code=4, junit=JUnitElement.SKIPPED,
        sarif=SarifLevel.NONE, counted_as="skipped", always_counted=False, ran=False,
    )  # fmt: skip
    # the fencer or the profile has nothing that the scenario could try
    NA = "N/A", _VerdictFacts(
        letter="-", style="dim", colours=("#eee", "#555"), exit_code=0, junit=JUnitElement.SKIPPED,
        sarif=SarifLevel.NONE, counted_as="N/A", ran=False,
    )  # fmt: skip
    PASS = "PASS", _VerdictFacts(
        letter="p", style="green", colours=("#009e73", "#fff"), exit_code=0, junit=JUnitElement.PASSED,
        sarif=SarifLevel.NONE, counted_as="pass",
    )  # fmt: skip

    @property
    def fails_gate(self) -> bool:
        return self.exit_code != 0

    @property
    def is_defect(self) -> bool:
        """It says that the fencer did something wrong; that can be waived."""
        return self.exit_code in (1, 3)

    @property
    def needs_action(self) -> bool:
        """Somebody has to change something, so reports tell it in full."""
        return self.severity <= Verdict.XPASS.severity


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
