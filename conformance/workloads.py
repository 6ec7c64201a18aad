"""Where workloads run, as the journal tells it: the truth by which managers are judged. Pure.

The agents' stand-ins write MANAGER events with `what`: "runs" (when the site is made), "start", "refuse" and "stop", and with
`vm`; "returns" when a host is reached again, "watched" when the manager has taken up all hosts, and "asked" for a request that is
observed in a hunt. The BMC of the event is the host. A workload ends with the rail of its host,
without a word of the agent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.timeline import text
from emulator import Event, EventKind, Rail

RUNS, START, REFUSE, STOP, RETURNS = "runs", "start", "refuse", "stop", "returns"
WATCHED, ASKED = "watched", "asked"


@dataclass(frozen=True, slots=True)
class DoubleStart:
    """A start of a workload while a copy of it ran on `others`."""

    event: Event
    vm: str
    others: tuple[str, ...]


class Workloads:
    """`running` are the hosts on which a copy of each workload runs after `events`."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.running: dict[str, set[str]] = {}
        self.double_starts: list[DoubleStart] = []
        self.starts: list[Event] = []
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        if event.kind is EventKind.RAIL and text(event, "rail") == Rail.DOWN:
            for hosts in self.running.values():
                hosts.discard(event.bmc)
        elif event.kind is EventKind.MANAGER and text(event, "what") not in (RETURNS, WATCHED, ASKED):
            hosts = self.running.setdefault(text(event, "vm"), set())
            match text(event, "what"):
                case "start":
                    self.starts.append(event)
                    if hosts - {event.bmc}:
                        self.double_starts.append(DoubleStart(event, text(event, "vm"), tuple(sorted(hosts - {event.bmc}))))
                    hosts.add(event.bmc)
                case "runs":
                    hosts.add(event.bmc)
                case "stop":
                    hosts.discard(event.bmc)
                case _:
                    pass
