"""Whether a fencer could have known better when it made a false claim. Pure; made from the journal.

A false claim is *undetectable* where every view of the protocol that the fencer speaks lied for longer than `limits.stable_for`
of the fencer's file: no fencer that asks over this protocol for so long can tell. Such runs are listed and never counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conformance.timeline import AskWindow, text
from conformance.vocabulary import Ask, Protocol
from emulator import EventKind, Rail

STABLE_FOR_S: Final = 4.0
"""Where the fencer's file has no `limits.stable_for`."""
MOMENT_S: Final = 1.0
"""A host that comes back by itself between the last look and the claim, if these are so close together, surprises everybody."""
VIEWS: Final[Mapping[Protocol, tuple[str, ...]]] = {Protocol.REDFISH: ("system", "chassis"), Protocol.IPMI: ("ipmi",)}


@dataclass(slots=True)
class _View:
    """What one view has said: since when it lies without a break, when it lied last, and the longest lie so far, in seconds."""

    since: float | None = None
    last: float = 0.0
    longest: float = 0.0
    stands: bool = False  # it says so to everybody, not in one answer only

    def lies(self, t: float, *, stands: bool) -> None:
        self.since = t if self.since is None else self.since
        self.last, self.stands = t, stands
        self.longest = max(self.longest, t - self.since)

    def ends(self, t: float) -> None:
        if self.since is not None and self.stands:
            self.longest = max(self.longest, t - self.since)
        self.since, self.stands = None, False

    def length(self, t: float) -> float:
        """How long it has been lying at `t`."""
        if self.since is None:
            return 0.0
        return (t if self.stands else self.last) - self.since


def is_undetectable(window: AskWindow, protocol: Protocol, stable_for_s: float, *, has_chassis: bool) -> bool:
    """`window` is that of an ask with a false claim. With `has_chassis` the profile's Chassis has a PowerState."""
    views = {name: _View() for name in VIEWS[protocol] if name != "chassis" or has_chassis}
    rail, last_look, rose_at = Rail.UP, 0.0, 0.0
    for event in window.during:
        if not window.is_host(event):
            continue
        match event.kind:
            case EventKind.RAIL:
                rail = Rail(text(event, "rail"))
                rose_at = event.t if rail is Rail.UP else rose_at
                if rail is Rail.DOWN:
                    for view in views.values():
                        view.ends(event.t)
            case EventKind.REPORT:
                says = event.data.get("says")
                for name, word in says.items() if isinstance(says, Mapping) else ():
                    if name in views and rail is Rail.UP:
                        views[name].lies(event.t, stands=True) if word == "Off" else views[name].ends(event.t)
            case EventKind.LOOK if text(event, "view") in views:
                last_look = event.t
                view = views[text(event, "view")]
                if rail is Rail.UP and event.data.get("word") == "Off":
                    view.lies(event.t, stands=view.stands)
                else:
                    view.ends(event.t)
    end = window.claim.t
    if window.ask is Ask.OFF and rose_at > last_look > 0.0:
        return end - last_look <= MOMENT_S
    lengths = [view.longest if window.ask is Ask.REBOOT else view.length(end) for view in views.values()]
    return bool(lengths) and min(lengths) >= stable_for_s
