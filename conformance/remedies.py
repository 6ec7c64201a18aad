"""What to change in a fencer, one line per finding: the first row of `REMEDIES` that fits is printed as its remedy.

`AskCase.finding` calls `remedy`. To change an advice, change its row; a test holds every finding that the suite can make to one.

Rules
  1. Rows are tried from the top. A row fits if all that it names is so: the rule, the requirement, the kind, the situation.
  2. A row says what to do, for a reader who has the fencer's code before him. It names no scenario and no fencer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto

from conformance.vocabulary import FindingKind


class Situation(StrEnum):
    """Something that holds of one ask, from the journal."""

    NO_REQUEST = auto()
    NEVER_READ = auto()
    NO_COMMAND = auto()
    WAS_OFF = auto()
    CHASSIS_ON = auto()
    CHASSIS_UNREAD = auto()
    READ_OFF = auto()
    READ_ON = auto()
    OTHER_WORD = auto()
    COMMAND_BUSY = auto()
    COMMAND_REFUSED = auto()
    ANSWER_LOST = auto()
    ASKED_POLITELY = auto()
    SAID_NOTHING = auto()
    OTHER_HOST = auto()
    LOGIN_REFUSED = auto()
    UNAUTHORIZED = auto()
    REDIRECTED = auto()


@dataclass(frozen=True, slots=True)
class Remedy:
    """A row. What is None, or empty, is not looked at; of `rules` and `kinds` one must fit, of `when` all."""

    advice: str
    rules: tuple[str, ...] = ()
    requirement: str | None = None
    kinds: tuple[FindingKind, ...] = ()
    when: tuple[Situation, ...] = ()

    def fits(self, rule: str, requirement: str, kind: FindingKind | None, holds: frozenset[Situation]) -> bool:
        return (
            (not self.rules or rule in self.rules)
            and self.requirement in (None, requirement)
            and (not self.kinds or kind in self.kinds)
            and holds.issuperset(self.when)
        )


KIND, IS = FindingKind, Situation
CLAIM = ("G1", "S")

REMEDIES: tuple[Remedy, ...] = (
    # -- claims that are not true
    Remedy("Poll until the state says On before you claim on: an accepted command proves nothing, and PoweringOn is not On",
           ("G1",), kinds=(KIND.WRONG_ANSWER,), requirement="FENCE-17"),
    Remedy("Verify that the old run of the host has ended (read Off after the command) before you call it rebooted",
           ("G1",), requirement="FENCE-17"),
    Remedy("Let the answer of the BMC that you were told decide: do not follow a redirect to another host",
           ("G1",), kinds=(KIND.WRONG_TARGET,), when=(IS.OTHER_HOST,)),
    Remedy("Choose the system that you were told, by URI or UUID, on every request; refuse where several could be meant",
           (*CLAIM, "G6"), kinds=(KIND.WRONG_TARGET,)),
    Remedy("Compare the UUID or URI of the system with what you were told before each power command, and command no other",
           ("G6",), kinds=(KIND.OVERREACH,), requirement="FENCE-9"),
    Remedy("Keep the UUID and @odata.id of the first answer, compare every later one with them, and believe no other machine",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY), requirement="FENCE-9"),
    Remedy("Read the Chassis that the System links to before you believe Off; while it says On the host has power",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY), when=(IS.CHASSIS_ON,)),
    Remedy("Read the Chassis that the System links to before you believe Off, and read Off twice with a pause",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY), when=(IS.CHASSIS_UNREAD,)),
    Remedy("Read Off twice, at least a second apart, immediately before you claim: a host may come on again",
           CLAIM, kinds=(KIND.RESURRECTED,)),
    Remedy("Treat a BMC that does not answer as unknown: end as a failure that says it cannot be reached",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY), when=(IS.NO_REQUEST,)),
    Remedy("Treat a read that is not answered, or answered without a power state, as unknown: read again, then fail",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY), requirement="FENCE-7"),
    Remedy("Take an answer without a power state (404, 5xx, no JSON) for an error and end as a failure that names it",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY), when=(IS.NEVER_READ, IS.NO_COMMAND)),
    Remedy("Take nothing but the word Off for off: PoweringOff, null and words that you do not know mean that it is still on",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY), when=(IS.OTHER_WORD,)),
    Remedy("Read the power state after a refused command and claim only if it says Off: 400, 409 and 0xD5 have other reasons too",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY), when=(IS.COMMAND_REFUSED,)),
    Remedy("Read the power state after a lost answer and claim only if it says Off",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY), when=(IS.ANSWER_LOST,)),
    Remedy("Poll the power state after the command until it says Off twice; that a command was accepted proves nothing",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY), when=(IS.NEVER_READ,)),
    Remedy("Go on reading until the state says Off, twice and spaced; while it says On, the answer is a failure",
           CLAIM, kinds=(KIND.FALSE, KIND.EARLY)),
    Remedy("Answer what you read: On, Off or an error, and an error for everything else",
           ("G1", "T"), kinds=(KIND.WRONG_ANSWER,)),
    Remedy("Read Off twice, at least a second apart, before you claim: one word may be a glitch, and a host may come on again",
           ("S",), kinds=(KIND.UNVERIFIED,), requirement="FENCE-28"),
    Remedy("Read the power state after the last command and before you claim", ("S",), kinds=(KIND.UNVERIFIED,)),
    Remedy("Claim only what the last read of the power state says", CLAIM),
    # -- success that was possible
    Remedy("Send the request before you give up: nothing had failed yet when the fencer did",
           ("L",), kinds=(KIND.NOT_TRIED,)),
    Remedy("Send ForceOff, at once or after a short polite try: a hung system never answers a shutdown request",
           ("L",), requirement="FENCE-5"),
    Remedy("Send user name and password byte for byte (UTF-8, with quotes, blanks and backslashes); where the BMC refuses Basic, "
           "open a session, and where it has none, send Basic", ("L",), when=(IS.LOGIN_REFUSED, IS.NEVER_READ)),
    Remedy("Open a session where the BMC refuses HTTP Basic; a fencer that cannot says so in its file: `capabilities` with "
           "basic-auth and without sessions", ("L",), when=(IS.UNAUTHORIZED, IS.NEVER_READ)),
    Remedy("Read the state before you command; if it says Off twice, report success whatever the BMC answers to a reset",
           ("L",), when=(IS.WAS_OFF,)),
    Remedy("Follow a redirect on the same host with method, body and credentials (307, 308); it is no answer to a command",
           ("L",), when=(IS.REDIRECTED,)),
    Remedy("Wait as Retry-After says (2 s without it) and send the command again, up to the deadline",
           ("L",), when=(IS.COMMAND_BUSY,)),
    Remedy("Read the state after a lost answer; if it says On, send the command once more",
           ("L",), when=(IS.ANSWER_LOST,)),
    Remedy("Send ForceOff when the polite request has had no effect", ("L",), when=(IS.ASKED_POLITELY,)),
    Remedy("Read the state after a refused command and decide by it, up to the deadline; an answer code ends nothing",
           ("L",), when=(IS.COMMAND_REFUSED,)),
    Remedy("Send the power command: the fencer ended without one", ("L",), when=(IS.NO_COMMAND,)),
    Remedy("Poll until the deadline: the host reached the state, and the fencer had stopped looking", ("L",)),
    # -- truth of failures
    Remedy("Print the reason: the class of the failure and what the BMC answered", when=(IS.SAID_NOTHING,), rules=("T", "G7")),
    Remedy("Name the cause that this failure has, with the status and message of the BMC, and no other",
           ("T",), kinds=(KIND.WRONG_CAUSE,)),
    Remedy("Name the cause in the error text, and map it in the fencer file under `causes`", ("T",), kinds=(KIND.NO_CAUSE,)),
    Remedy("Answer every question with what was read, and end as a failure only if nothing could be read", ("T",)),
    # -- conduct
    Remedy("Wait for every child, or start none in the background; nothing may run on when the fencer has ended",
           ("G2",), kinds=(KIND.LEFTOVER,)),
    Remedy("Leave the processes and folders of the suite alone, and stay within what a fencer needs of the machine",
           ("G2",), kinds=(KIND.CONDUCT,)),
    Remedy("Put a time limit on every connect, read and wait, and keep one overall deadline", ("G2",)),
    Remedy("Pass the password by standard input, environment or a file that you remove; mask it in every log line", ("G3",)),
    Remedy("Wait two seconds or Retry-After between commands, poll at most twice a second, command at most three times", ("G4",)),
    Remedy("Delete the session in a `finally`: DELETE its URI, or Close Session", ("G5",)),
    Remedy("Leave everything alone but the power of the target: no other host, no reset of the BMC, no setting, no command "
           "that leads the other way (as the power button does for a host that is off), and no writes for a question", ("G6",)),
    Remedy("Catch errors at the outermost level and print one sentence; print success only when it is one", ("G7",)),
    Remedy("Verify the certificate before the first request with credentials, never send them in clear text, and drop them when "
           "a redirect or a URI in an answer leaves the host", ("G8",)),
    Remedy("Exit 0 from monitor whenever the device can be used; 2 is for status alone", ("G9",), requirement="FENCE-25"),
    Remedy("Exit with another code than 0 whenever you print an error", ("G9",)),
    Remedy("End after the second refused log-in: more of them lock the account", ("H",), requirement="FENCE-12"),
    Remedy("Send one power command, then read; send another only if the state is still On and time is left", ("H",)),
)  # fmt: skip


def remedy(rule: str, requirement: str, kind: FindingKind | None, holds: frozenset[Situation]) -> str:
    """The advice of the first row that fits; empty where none does."""
    return next((row.advice for row in REMEDIES if row.fits(rule, requirement, kind, holds)), "")
