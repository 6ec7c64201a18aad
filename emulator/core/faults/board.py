"""The faults that are armed on one BMC, when each may act, and how often each has fired.

`FaultControl` arms them and asks for those that act on a request, in the emulator's one thread.

Rules
  1. A reply table of a profile is not a fault (ruling 6). A fault that must fire and did not makes a scenario invalid.
  2. `firing` counts, so it is called exactly once per request and seam.
  3. No clock and no dice: the time and the draw come in with `Scene`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from emulator.core.clock import Instant
from emulator.core.faults.fault import Fault, Seam
from emulator.core.faults.trigger import ALWAYS, ClientRequest, Intent, When
from emulator.core.vocab import Rail

FaultId = str
"""Names one arming in a rack: "f1", "f2", ... in the order of arming. Never used twice."""


@dataclass(frozen=True, slots=True)
class RailIs:
    """A condition on the truth: the rail of a host of this BMC. `system` None: any of its hosts."""

    rail: Rail
    system: str | None = None

    def holds(self, system: str, rail: Rail) -> bool:
        return rail is self.rail and self.system in (None, system)


@dataclass(frozen=True, slots=True)
class RequestCame:
    """A condition on what clients have sent: a request with this intent has come. What begins with it acts on later requests."""

    intent: Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """A fault on a BMC, and when it acts.

    `when` says on which requests. `count` is how often at most (None: without end).
    `after` is when it begins: seconds after arming, a rail (one that is so already counts), or behind a request of a client.
    None: at once.
    `until` is when it ends for good: seconds after arming, or a change of a rail to that state after it has begun. None: never.
    `probability` is drawn from the rack's dice for each request that would fire. With `must_fire` a scenario is void where it
    never fired.
    """

    fault: Fault
    when: When = ALWAYS
    count: int | None = None
    must_fire: bool = True
    after: float | RailIs | RequestCame | None = None
    until: float | RailIs | None = None
    probability: float = 1.0


class Phase(StrEnum):
    WAITING = "waiting"  # `after` has not come
    ACTIVE = "active"
    SPENT = "spent"  # has acted `count` times
    OVER = "over"  # `until` has come


class Scene(NamedTuple):
    """What is the case when a request comes. `roll()` is a number from 0 to 1. `cause` is the `seq` of the request's event, None
    before that is journaled."""

    now: Instant
    rail: Rail | None
    roll: Callable[[], float]
    cause: int | None = None


class Fired(NamedTuple):
    """A fault that acts now: which arming it is of, how often that has acted, this time included."""

    id: FaultId
    fault: Fault
    arming: Arming


@dataclass(slots=True)
class Arming:
    """How often one armed fault has matched and fired. `matched` counts requests that `when` fits while it is active."""

    id: FaultId
    armed: Armed
    since: Instant
    begun: bool = False
    begun_by: int | None = None  # the `seq` of the request that it has begun with; it does not act on that one
    ended: bool = False
    matched: int = 0
    fired: int = 0
    first_word: str | None = None  # of a report fault: what the view said when it acted for the first time

    def phase(self, now: Instant) -> Phase:
        armed = self.armed
        if self.ended or (isinstance(armed.until, int | float) and now >= self.since + armed.until):
            return Phase.OVER
        if armed.count is not None and self.fired >= armed.count:
            return Phase.SPENT
        after = armed.after
        if not self.begun and after is not None and (isinstance(after, RailIs | RequestCame) or now < self.since + after):
            return Phase.WAITING
        return Phase.ACTIVE

    def rail(self, system: str, rail: Rail, now: Instant, *, changed: bool) -> None:
        """Takes in the rail of a host: as it is when the fault is armed, and after each change."""
        after, until = self.armed.after, self.armed.until
        active = self.phase(now) in (Phase.ACTIVE, Phase.SPENT)
        if active and changed and isinstance(until, RailIs) and until.holds(system, rail):
            self.ended = True
        elif isinstance(after, RailIs) and after.holds(system, rail):
            self.begun = True

    def came(self, intent: Intent, seq: int) -> bool:
        """Takes in a request of a client, whatever its seam. Returns whether the fault has begun with it."""
        if self.begun or self.armed.after != RequestCame(intent):
            return False
        self.begun, self.begun_by = True, seq
        return True

    def fires(self, request: ClientRequest, scene: Scene) -> bool:
        """Whether the fault acts on this request. Counts the match and the firing."""
        when = self.armed.when
        if self.phase(scene.now) is not Phase.ACTIVE or not when.matches(request, scene.rail):
            return False
        if self.begun_by is not None and self.begun_by == scene.cause:
            return False
        self.matched += 1
        if self.matched <= when.skip or (self.matched - when.skip) % when.every:
            return False
        if self.armed.probability < 1 and scene.roll() >= self.armed.probability:
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class FaultBoard:
    """All faults of one BMC, in the order of arming."""

    armings: tuple[Arming, ...] = ()

    def arm(self, fault_id: FaultId, armed: Armed, now: Instant, rails: Iterable[tuple[str, Rail]] = ()) -> Arming:
        arming = Arming(fault_id, armed, now)
        for system, rail in rails:
            arming.rail(system, rail, now, changed=False)
        self.armings += (arming,)
        return arming

    def disarm(self, fault_id: FaultId) -> None:
        self.armings = tuple(arming for arming in self.armings if arming.id != fault_id)

    def rail(self, system: str, rail: Rail, now: Instant) -> None:
        """The rail of a host has changed."""
        for arming in self.armings:
            arming.rail(system, rail, now, changed=True)

    def firing(
        self, seam: Seam, request: ClientRequest, scene: Scene, concerns: Callable[[Fault], bool] | None = None
    ) -> tuple[Fired, ...]:
        """Those of a seam that act on this request; with `concerns`, only those that it lets through."""
        if not self.armings:
            return ()
        return tuple(
            Fired(arming.id, arming.armed.fault, arming)
            for arming in self.armings
            if arming.armed.fault.seam is seam
            and (concerns is None or concerns(arming.armed.fault))
            and arming.fires(request, scene)
        )

    def standing(self, seam: Seam, now: Instant) -> tuple[Arming, ...]:
        """Those of a seam that act as long as they are armed and are active now. Asking does not count."""
        return tuple(a for a in self.armings if a.armed.fault.seam is seam and a.phase(now) is Phase.ACTIVE)

    def unfired(self) -> tuple[Armed, ...]:
        """The faults that had to fire and did not."""
        return tuple(a.armed for a in self.armings if a.armed.must_fire and a.fired == 0)
