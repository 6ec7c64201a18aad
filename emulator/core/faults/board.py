"""The faults that are armed on one BMC, and how often each has fired.

`Rack.arm` adds faults; views and `power.commands` ask for those that act on a request, in the emulator's one thread.

Rules
  1. A reply table of a profile is not a fault (ruling 6). A fault that must fire and did not makes a scenario invalid.
  2. `firing` counts, so it is called exactly once per request and seam.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.core.faults.fault import Fault, Seam
from emulator.core.faults.trigger import ALWAYS, ClientRequest, When
from emulator.core.vocab import Rail
from profiles.model import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """A fault on a BMC: when it acts, how often (None: without limit), and whether a scenario is invalid if it never fires."""

    fault: Fault
    when: When = ALWAYS
    count: int | None = None
    must_fire: bool = True


@dataclass(slots=True)
class Arming:
    """How often one armed fault has matched and fired."""

    armed: Armed
    seen: int = 0
    fired: int = 0

    def fires(self, request: ClientRequest, rail: Rail | None) -> bool:
        """Whether the fault acts on this request. Counts the match and the firing."""
        if not self.armed.when.matches(request, rail):
            return False
        self.seen += 1
        if self.seen <= self.armed.when.skip or (self.armed.count is not None and self.fired >= self.armed.count):
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class FaultBoard:
    """All faults of one BMC, in the order of arming."""

    armings: tuple[Arming, ...] = ()

    def arm(self, armed: Armed) -> None:
        self.armings += (Arming(armed),)

    def clear(self) -> None:
        self.armings = ()

    def firing(self, seam: Seam, request: ClientRequest, rail: Rail | None, view: View | None = None) -> tuple[Fault, ...]:
        """The faults of a seam that act on this request; with a `view`, only those that change that view."""
        if not self.armings:
            return ()
        return tuple(
            a.armed.fault
            for a in self.armings
            if a.armed.fault.seam is seam
            and (view is None or view in getattr(a.armed.fault, "views", (view,)))
            and a.fires(request, rail)
        )

    def unfired(self) -> tuple[Armed, ...]:
        """The faults that had to fire and did not."""
        return tuple(a.armed for a in self.armings if a.armed.must_fire and a.fired == 0)
