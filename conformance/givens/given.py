"""What every precondition offers, and the rack that preconditions shape.

`play_scenario` goes through the preconditions of a scenario and calls, in this order: `shape` (before the emulator starts),
`arrange` (when it runs), `handed` (for each ask) and `faults` (when the fencer has ended). `runner` asks `missing_in` before
anything is started. None of them knows which kinds there are.

Rules
  1. A precondition is a frozen dataclass without state: one object serves all runs, in several threads at once.
  2. Every precondition says where it comes from: *injected* is the same on every profile, *profile* runs only where the profile's
     own table has it (ruling 7).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from conformance.vocabulary import Ask
from profiles.model import Profile

if TYPE_CHECKING:
    from conformance.site import Agents, ManagedSite
    from emulator import Emulator, UnitSpec

TARGET = "target"
"""The name of the BMC that is meant, where a scenario does not say otherwise."""


class GivenOrigin(StrEnum):
    INJECTED = "injected"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRack:
    """The BMCs of a scenario before they are started. Nothing listens for those in `silent`. `addresses` are those of BMCs that
    listen elsewhere than on 127.0.0.1. `workloads` are those of each host that a manager watches; empty where there is none.

    All BMCs begin with the same profile and, for the fencer's account, the same password, which is made for this run.
    """

    profile: Profile
    password: str
    units: tuple[UnitSpec, ...] = ()
    silent: frozenset[str] = frozenset()
    addresses: Mapping[str, str] = field(default_factory=dict)
    workloads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def with_unit(self, bmc: str, change: Callable[[UnitSpec], UnitSpec]) -> PlannedRack:
        """The rack with one of its BMCs changed; that BMC must be given before."""
        return replace(self, units=tuple(change(unit) if unit.name == bmc else unit for unit in self.units))

    def listening_at(self, bmc: str, address: str) -> PlannedRack:
        return replace(self, addresses={**self.addresses, bmc: address})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFacts:
    """What became of one fault in a run: how often it fired, and whether the run is void if it never did."""

    sentence: str
    bmc: str
    must_fire: bool
    fired: int
    protocol: str | None = None  # the fault acts on requests of this protocol only; None: of any


class Given(ABC):
    """One precondition. What a kind does not override has no effect."""

    __slots__ = ()
    origin: ClassVar[GivenOrigin] = GivenOrigin.INJECTED
    on_sockets: ClassVar[bool] = False
    """Whether it needs sockets or the machine's clock: then a fencer that is handed a transport cannot be tried."""
    yaml_word: ClassVar[str] = ""
    """How scenario files call it, where that is not the name of the class in small letters with hyphens."""

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What is given, for people; without a full stop."""

    @property
    def told_by(self) -> frozenset[str]:
        """Placeholders by which a fencer is told of it. A fencer whose file has none of them cannot know; empty: it need not."""
        return frozenset()

    def shape(self, rack: PlannedRack) -> PlannedRack:
        """The rack with what this precondition adds or changes."""
        return rack

    def arrange(self, emulator: Emulator) -> None:  # noqa: B027 - most kinds have nothing to prepare
        """Prepares the running BMCs; the fencer has not been started. Called in the thread of the run."""

    def claimed(self, emulator: Emulator, ask: Ask, bmc: str) -> None:  # noqa: B027 - most kinds do not wait for it
        """An ask of this BMC has just been answered, and the answer is in the journal. Called in the thread of the ask."""

    def told_to_manager(self, site: ManagedSite) -> ManagedSite:
        """What a manager is told of the hosts that it watches."""
        return site

    def watched(self, emulator: Emulator, agents: Agents) -> None:  # noqa: B027 - only scenarios for managers need it
        """A manager has taken up all hosts: now they may fail. Called in the thread of the ask."""

    def claimed_down(self, emulator: Emulator, bmc: str) -> None:  # noqa: B027
        """A manager has called this host down, which is in the journal. Called in the thread of the ask; the manager runs on."""

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        """What the fencer is told: the value of each placeholder ("bmc.user"), empty where it is told nothing."""
        return values

    def faults(self, emulator: Emulator) -> tuple[FaultFacts, ...]:
        """The faults that it armed, with how often they fired. Called when the fencer has ended, before the BMCs stop."""
        return ()

    def reached_through(self, bmc: str) -> tuple[str, tuple[str, ...]] | None:
        """The PDU that a fencer of this BMC's host is told instead of the BMC, and the host's outlets there; None: the BMC."""
        return None

    @property
    def certificate_fails(self) -> bool:
        """Whether the fencer has to verify the BMC's certificate and cannot: then no credentials may be sent (G8)."""
        return False

    def missing_in(self, profile: Profile) -> str | None:
        """Why a BMC of this profile cannot have it, as a sentence; None where it can."""
        return None
