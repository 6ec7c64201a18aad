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
    WATCH = "watch"  # asked of an HA manager, not of a fencer: watch these hosts; one of them will fail

    @property
    def reads_only(self) -> bool:
        return self not in (Ask.OFF, Ask.ON, Ask.REBOOT, Ask.WATCH)


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
    Ask.WATCH: frozenset({Claim.OFF}),
}
"""Which claims say that an ask has succeeded. A manager that calls the host down has claimed off."""

ASKED_OF_FENCERS: frozenset[Ask] = frozenset(Ask) - {Ask.WATCH}
"""What fencers can be asked for; managers are asked to watch and nothing else."""


class Protocol(StrEnum):
    REDFISH = "redfish"
    IPMI = "ipmi"


class Convention(StrEnum):
    """A convention of how fencers are called and answer, which an adapter may follow and a scenario may be about."""

    FENCE_AGENT_API = "FenceAgentAPI"


class Level(StrEnum):
    """RFC 2119. A MUST decides the verdict; a SHOULD becomes a note; a MAY is only ever a note, for information."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Aspect(StrEnum):
    """The four kinds of failure that scenarios ask about (catalogue 7), by the letter that findings carry as their rule."""

    SAFETY = "S"  # a claim that is not true of the host
    LIVENESS = "L"  # no success although it was possible
    TRUTH = "T"  # a wrong answer, or a failure that names no cause or the wrong one
    CONDUCT = "H"  # what it does beside: commands, log-ins, secrets, processes

    @property
    def sentence(self) -> str:
        return _ASPECTS[self]


_ASPECTS = {
    Aspect.SAFETY: "Safety: a fencer claims nothing that is not true of the host.",
    Aspect.LIVENESS: "Liveness: a fencer succeeds by its deadline where success is possible.",
    Aspect.TRUTH: "Truth: a fencer answers truly, and a failure names its cause.",
    Aspect.CONDUCT: "Hygiene: a fencer behaves well towards the BMC, the machine and its secrets.",
}


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
    strict_junit: JUnitElement | None = None
    ran: bool = True
    meaning: str


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
    strict_junit          JUnit with --strict-waivers
    counted_as            its word in the last line; with `always_counted` also where there is none
    ran                   the fencer was asked
    meaning               one sentence
    """

    severity: int
    letter: str
    style: str
    colours: tuple[str, str]
    exit_code: int
    strict_exit_code: int
    junit: JUnitElement
    strict_junit: JUnitElement
    sarif: SarifLevel
    counted_as: str
    always_counted: bool
    ran: bool
    meaning: str

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
        member.strict_junit = facts.strict_junit or facts.junit
        member.sarif = facts.sarif
        member.counted_as = facts.counted_as
        member.always_counted = facts.always_counted
        member.ran = facts.ran
        member.meaning = facts.meaning
        return member

    # The colours are Okabe and Ito's palette, which survives every common colour blindness; darker where the text is white.

    UNSAFE = "UNSAFE", _VerdictFacts(
        letter="U", style="bold white on red", colours=("#b94e00", "#fff"), exit_code=3, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.ERROR, counted_as="UNSAFE",
        meaning="It claimed what is not true of the host, or harmed another host.",
    )  # fmt: skip
    ERROR = "ERROR", _VerdictFacts(
        letter="E", style="bold magenta", colours=("#000", "#fff"), exit_code=5, junit=JUnitElement.ERROR,
        sarif=SarifLevel.ERROR, counted_as="ERROR", always_counted=False,
        meaning="The suite could not test it: that says nothing about the fencer.",
    )  # fmt: skip
    HANG = "HANG", _VerdictFacts(
        letter="H", style="bold yellow", colours=("#cc79a7", "#000"), exit_code=1, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.ERROR, counted_as="HANG",
        meaning="It had not ended by its deadline plus grace, and was ended.",
    )  # fmt: skip
    STUCK = "STUCK", _VerdictFacts(
        letter="S", style="yellow", colours=("#e69f00", "#000"), exit_code=1, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.ERROR, counted_as="STUCK",
        meaning="The goal was reached or within reach, and it reported no success.",
    )  # fmt: skip
    FLAKY = "FLAKY", _VerdictFacts(
        letter="F", style="bold cyan", colours=("#0072b2", "#fff"), exit_code=1, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.ERROR, counted_as="FLAKY", always_counted=False,
        meaning="Two runs of the same scenario came out differently, because the verdict depends on the clock.",
    )  # fmt: skip
    MISLEADING = "MISLEADING", _VerdictFacts(
        letter="M", style="cyan", colours=("#f0e442", "#000"), exit_code=1, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.WARNING, counted_as="MISLEADING",
        meaning="It failed honestly and named the wrong cause, or it answered wrongly.",
    )  # fmt: skip
    HYGIENE = "HYGIENE", _VerdictFacts(
        letter="h", style="blue", colours=("#56b4e9", "#000"), exit_code=1, junit=JUnitElement.FAILURE,
        sarif=SarifLevel.WARNING, counted_as="hygiene",
        meaning="It broke a rule of conduct: a password in sight, a process left behind, something touched unasked.",
    )  # fmt: skip
    XPASS = "XPASS", _VerdictFacts(
        letter="X", style="magenta", colours=("#000", "#fff"), exit_code=0, strict_exit_code=6, junit=JUnitElement.PASSED,
        strict_junit=JUnitElement.FAILURE, sarif=SarifLevel.WARNING, counted_as="unexpected pass", always_counted=False,
        meaning="It passes, and a waiver says that it does not: the waiver has to go.",
    )  # fmt: skip
    WAIVED = "WAIVED", _VerdictFacts(
        letter="w", style="dim", colours=("#bbb", "#000"), exit_code=0, junit=JUnitElement.SKIPPED,
        sarif=SarifLevel.NOTE, counted_as="waived",
        meaning="It fails in exactly the way that a waiver accepts, for a while and with a reason.",
    )  # fmt: skip
    SKIP = "SKIP", _VerdictFacts(
        letter="s", style="dim", colours=("#eee", "#555"), exit_code=4, junit=JUnitElement.SKIPPED,
        sarif=SarifLevel.NONE, counted_as="skipped", always_counted=False, ran=False,
        meaning="This machine lacks the fencer, or cannot start it.",
    )  # fmt: skip
    NA = "N/A", _VerdictFacts(
        letter="-", style="dim", colours=("#eee", "#555"), exit_code=0, junit=JUnitElement.SKIPPED,
        sarif=SarifLevel.NONE, counted_as="N/A", ran=False,
        meaning="The fencer or the profile has nothing that the scenario could try.",
    )  # fmt: skip
    PASS = "PASS", _VerdictFacts(
        letter="p", style="green", colours=("#007a59", "#fff"), exit_code=0, junit=JUnitElement.PASSED,
        sarif=SarifLevel.NONE, counted_as="pass",
        meaning="Every MUST holds.",
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
    """What exactly is wrong; `meaning` says it in a sentence. The first four are the kinds of UNSAFE."""

    meaning: str

    def __new__(cls, word: str, meaning: str = "") -> FindingKind:
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member

    FALSE = "FALSE", "Claimed, and the host never went off."
    EARLY = "EARLY", "Claimed, and the host went off later."
    WRONG_TARGET = "WRONG-TARGET", "Claimed or acted on another host."
    RESURRECTED = "RESURRECTED", "It was off, and was on again when it was claimed."
    TWICE = "TWICE", "Started a workload while another copy of it was running."
    UNVERIFIED = "UNVERIFIED", "Claimed what is true without having read it."
    LEFTOVER = "LEFTOVER", "Child processes outlive the fencer."
    CONDUCT = "CONDUCT", "Attacked what watches it, or went beyond a limit of the suite."
    SECRET = "SECRET", "The password was shown."
    OVERREACH = "OVERREACH", "Touched what was not asked for."
    REPEATED = "REPEATED", "More power commands or log-ins than are allowed."
    WRONG_ANSWER = "WRONG-ANSWER", "The answer to a question is not true."
    WRONG_CAUSE = "WRONG-CAUSE", "Names a cause that it was not."
    NO_CAUSE = "NO-CAUSE", "Says nothing from which the cause could be known."
    NOT_TRIED = "NOT-TRIED", "Failed before it met what the scenario is about."
    CREDENTIALS = "CREDENTIALS", "Sent credentials where they do not belong."
    UNFIRED = "UNFIRED", "A fault that had to fire did not."
