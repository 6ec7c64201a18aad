"""A scenario: a requirement, a plan, and what must hold. Data only; `stage` plays it, `judge` gives the expectations meaning.

Rules
  1. Everything that makes a host fall waits for the fencer to look (a gate), never for a clock, except where time is the subject.
  2. Every precondition says where it comes from: *injected* is the same on every profile, *profile* runs only where the profile's
     own table has it (ruling 7).
  3. A fault that must fire and did not makes the run void, never green (ruling 6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from conformance.requirement import Requirement
from conformance.vocabulary import Ask, Cause, Claim, Level, Protocol
from emulator import Armed, HostSpec
from profiles.model import Profile

TARGET = "target"


class GivenOrigin(StrEnum):
    INJECTED = "injected"
    PROFILE = "profile"


# -- what is given ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BmcGiven:
    """A BMC and its hosts. The first host is the one that is meant; the others must stay as they are."""

    name: str
    hosts: tuple[HostSpec, ...]
    listens: bool = True
    os_shutdown_s: float = 0.0  # a healthy OS goes down at once; gates decide when

    @property
    def origin(self) -> GivenOrigin:
        return GivenOrigin.INJECTED

    @property
    def sentence(self) -> str:
        hosts = ", ".join(("hung" if h.hung else "on") if h.power == "on" else "off" for h in self.hosts)
        several = f"{len(self.hosts)} systems: {hosts}" if len(self.hosts) > 1 else f"host {hosts}"
        return f"{self.name}: {several}" + ("" if self.listens else "; nothing listens at its address")


@dataclass(frozen=True, slots=True)
class Inject:
    """A fault on a BMC."""

    sentence: str
    armed: Armed
    bmc: str = TARGET

    @property
    def origin(self) -> GivenOrigin:
        return GivenOrigin.INJECTED


@dataclass(frozen=True, slots=True)
class WrongPassword:
    """The fencer is handed a password that the BMC refuses."""

    sentence: str = "the fencer is given a wrong password"

    @property
    def origin(self) -> GivenOrigin:
        return GivenOrigin.INJECTED


@dataclass(frozen=True, slots=True)
class NoSelector:
    """The fencer is not told which of the BMC's systems is meant."""

    sentence: str = "the fencer is given no system to choose"

    @property
    def origin(self) -> GivenOrigin:
        return GivenOrigin.INJECTED


@dataclass(frozen=True, slots=True)
class ProfileAnswers:
    """Runs only where the profile's own table answers a ResetType in a state with this HTTP status."""

    row: str  # "On" | "Off"
    reset: str
    status: int

    @property
    def origin(self) -> GivenOrigin:
        return GivenOrigin.PROFILE

    @property
    def sentence(self) -> str:
        return f"the profile answers {self.reset} on a host that is {self.row} with HTTP {self.status}"

    def missing_in(self, profile: Profile) -> str | None:
        """Why it does not hold, or None where it does."""
        cell = profile.power.table.get(self.row, {}).get(self.reset, profile.power.unlisted_type)
        status = profile.replies[profile.power.outcomes[cell.outcome].reply].status
        if status == self.status:
            return None
        return f"{profile.id} answers {self.reset} on a host that is {self.row} with HTTP {status}, not {self.status}"


Given = BmcGiven | Inject | WrongPassword | NoSelector | ProfileAnswers


# -- what is expected ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claims:
    """L: it succeeds by its deadline."""

    level: Level = Level.MUST


@dataclass(frozen=True, slots=True)
class NeverClaims:
    """S: it does not claim while the host's rail is up."""


@dataclass(frozen=True, slots=True)
class Refuses:
    """It cannot know which host is meant: no claim and no power command."""


@dataclass(frozen=True, slots=True)
class Answers:
    """It answers with one of these."""

    claims: frozenset[Claim]


@dataclass(frozen=True, slots=True)
class NamesCause:
    """T: if it fails, its text names one of these causes."""

    causes: frozenset[Cause]
    level: Level = Level.MUST


@dataclass(frozen=True, slots=True)
class NeverSays:
    """T: if it fails, its text does not match this pattern, which would send the reader to the wrong place."""

    pattern: str


@dataclass(frozen=True, slots=True)
class ReadsBeforeClaim:
    """It reads the state after its last power command and before it claims."""


@dataclass(frozen=True, slots=True)
class AtMostCommands:
    """H: no more power commands than this."""

    count: int


@dataclass(frozen=True, slots=True)
class AtMostAuthFailures:
    """H: no more refused log-ins than this."""

    count: int


@dataclass(frozen=True, slots=True)
class Forces:
    """It does not leave the host to its operating system: a command that needs no OS was accepted."""

    level: Level = Level.SHOULD


Expectation = (
    Claims
    | NeverClaims
    | Refuses
    | Answers
    | NamesCause
    | NeverSays
    | ReadsBeforeClaim
    | AtMostCommands
    | AtMostAuthFailures
    | Forces
)


@dataclass(frozen=True, slots=True)
class AskStep:
    """One ask of one BMC, and what must hold for it."""

    ask: Ask
    expect: tuple[Expectation, ...]
    bmc: str = TARGET
    optional: bool = False  # left out where the fencer has no such action; else the scenario is N/A for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`id` is GROUP-NUMBER. `protocol` None: either will do, Redfish first."""

    id: str
    tier: int
    title: str
    requirement: Requirement
    source: str
    given: tuple[Given, ...]
    steps: tuple[AskStep, ...]
    protocol: Protocol | None = None
    adapters: frozenset[str] = field(default=frozenset())  # empty: any
    needs: frozenset[str] = field(default=frozenset())  # capabilities besides those that the steps ask for

    @property
    def group(self) -> str:
        return self.id.partition("-")[0]

    @property
    def bmcs(self) -> tuple[BmcGiven, ...]:
        return tuple(g for g in self.given if isinstance(g, BmcGiven))


# -- the words that scenario files use -------------------------------------------------------------------------------------

ON = HostSpec(power="on")
OFF = HostSpec(power="off")
HUNG = HostSpec(power="on", hung=True)


def host(*hosts: HostSpec, name: str = TARGET, listens: bool = True) -> BmcGiven:
    return BmcGiven(name, hosts, listens)


def answers(*claims: Claim) -> Answers:
    return Answers(frozenset(claims))


def names_cause(*causes: Cause, level: Level = Level.MUST) -> NamesCause:
    return NamesCause(frozenset(causes), level)


def off(*expect: Expectation) -> tuple[AskStep, ...]:
    """The plain case: ask for off once."""
    return (AskStep(Ask.OFF, expect),)
