"""Judges an incident: takes the facts, returns green, red or void with reasons, and prints a timeline.

`python -m lab` calls it after an incident. Times are seconds of CLOCK_MONOTONIC.

Rules
  1. Pure. The truth is the shared disk and the BMC's journal; the manager's lines show only what the manager believed.
  2. Green needs every condition. Red names each broken condition. If the incident did not happen as planned (the host was
     never off, or the hung host did not keep writing), the verdict is void.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from emulator import EventKind
from lab.oracle import DiskWrite, split_brains
from lab.site import BmcJournalEvent, ManagerLine

RESTART_LIMIT_S = 10.0
"""Within this time after the power loss, the machines of the dead node must write on another node."""


class Incident(StrEnum):
    POWER_LOSS = "409"
    HUNG = "hung"


class Colour(StrEnum):
    GREEN = "GREEN"
    RED = "RED"
    VOID = "VOID"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFacts:
    """What happened. `began`: time of the power loss or the hang. `own_commands`: power commands sent by the incident itself."""

    incident: Incident
    policy: str
    node: str
    machines: Sequence[str]
    began: float
    bmc_events: Sequence[BmcJournalEvent]
    manager_lines: Sequence[ManagerLine]
    writes: Mapping[str, Sequence[DiskWrite]]
    own_commands: int = 0
    refused: int | None = None  # HTTP status of the BMC's answer to a second ForceOff
    back: float | None = None  # when the node was powered on again
    back_machines: Sequence[str] = field(default_factory=tuple)

    def elsewhere(self, vm: str) -> float | None:
        """When the machine first wrote on another node; None if never."""
        return next((write.t for write in self.writes.get(vm, ()) if write.host != self.node and write.t >= self.began), None)

    def last_at_home(self, vm: str) -> float | None:
        before = self.back if self.back is not None else float("inf")
        return max((write.t for write in self.writes.get(vm, ()) if write.host == self.node and write.t < before), default=None)

    @property
    def down_at(self) -> float | None:
        """When the manager said that the node is Down."""
        lines = (line for line in self.manager_lines if line.host == self.node and line.t >= self.began)
        return next((line.t for line in lines if line.data.get("kind") == "state" and line.data.get("status") == "Down"), None)

    @property
    def rail_down_at(self) -> float | None:
        events = (event for event in self.bmc_events if event.kind is EventKind.RAIL and event.t >= self.began)
        return next((event.t for event in events if event.data.get("rail") == "down"), None)

    @property
    def commands(self) -> Sequence[BmcJournalEvent]:
        """The power commands that the manager sent."""
        after = [event for event in self.bmc_events if event.kind is EventKind.COMMAND and event.t >= self.began - 1.0]
        return (
            after[self.own_commands :]
            if self.back is None
            else [event for event in after[self.own_commands :] if event.t < self.back]
        )


@dataclass(frozen=True, slots=True)
class IncidentVerdict:
    colour: Colour
    reasons: tuple[str, ...]

    def line(self, facts: IncidentFacts) -> str:
        return f"{self.colour} incident {facts.incident}, policy {facts.policy}: {'; '.join(self.reasons)}"


def judge(facts: IncidentFacts) -> IncidentVerdict:
    void = _void(facts)
    if void:
        return IncidentVerdict(Colour.VOID, (void,))
    wrong = tuple(_wrong(facts))
    return IncidentVerdict(Colour.RED, wrong) if wrong else IncidentVerdict(Colour.GREEN, tuple(_right(facts)))


def _void(facts: IncidentFacts) -> str | None:
    if not facts.machines:
        return f"no machine ran on {facts.node}"
    if facts.incident is Incident.POWER_LOSS:
        if facts.rail_down_at is None:
            return f"{facts.node} never lost its power"
    elif all((facts.last_at_home(vm) or 0) <= facts.began + 0.2 for vm in facts.machines):
        return f"nothing on {facts.node} went on writing after the hang"
    return None


def _wrong(facts: IncidentFacts) -> list[str]:
    found = [
        f"SPLIT BRAIN: {brain.vm} was written by {brain.old_host} {brain.writes} times after {brain.new_host} had begun"
        for brain in split_brains(facts.writes)
    ]
    if facts.down_at is None:
        answers = [f"{event.data.get('reset')} -> {event.data.get('status')}" for event in facts.commands]
        tried = f" ({len(answers)} x {answers[-1]})" if answers else ""
        found.append(f"NOT DOWN: the manager never said that {facts.node} is Down{tried}")
    for vm in facts.machines:
        found += _of_machine(facts, vm)
    if facts.incident is Incident.HUNG:
        found += _of_return(facts)
    elif facts.commands:
        found.append(f"{len(facts.commands)} power commands went to a host that was off")
    return found


def _of_machine(facts: IncidentFacts, vm: str) -> list[str]:
    start, rail = facts.elsewhere(vm), facts.rail_down_at
    if start is None:
        return [f"{vm} runs nowhere else"]
    if rail is None or start < rail:
        return [f"{vm} was started elsewhere before {facts.node} was off"]
    if facts.incident is Incident.POWER_LOSS and start - facts.began > RESTART_LIMIT_S:
        return [f"{vm} wrote elsewhere only {start - facts.began:.1f} s after the power loss"]
    return []


def _of_return(facts: IncidentFacts) -> list[str]:
    if not any(event.data.get("reset") == "ForceOff" and int(str(event.data.get("status"))) < 300 for event in facts.commands):
        return [f"no ForceOff of {facts.node} was accepted"]
    if facts.back is None:
        return [f"{facts.node} was not started again"]
    late = [
        write for vm in facts.machines for write in facts.writes.get(vm, ()) if write.host == facts.node and write.t >= facts.back
    ]
    found = [f"{late[0].vm} was written by {facts.node} again after it was started again"] if late else []
    if facts.back_machines:
        found.append(f"{facts.node} runs {', '.join(facts.back_machines)} after it was started again")
    return found


def _right(facts: IncidentFacts) -> list[str]:
    starts = [start for vm in facts.machines if (start := facts.elsewhere(vm)) is not None]
    rail, last = facts.rail_down_at, max(facts.last_at_home(vm) or 0.0 for vm in facts.machines)
    assert rail is not None
    lines = [f"{' and '.join(facts.machines)} write elsewhere {max(starts) - facts.began:.1f} s after the blow"]
    lines.append(f"{min(starts) - last:.1f} s after the last write on {facts.node}")
    lines.append("zero split brain")
    if facts.incident is Incident.HUNG:
        lines.append(
            f"ForceOff first (power gone at +{rail - facts.began:.1f} s); {facts.node} is back and its old machines write nothing"
        )
    else:
        lines.append("0 power commands")
    return lines


def timeline(facts: IncidentFacts) -> list[str]:
    """Returns one line per event, oldest first, in seconds since `began`."""
    rows: list[tuple[float, str, str]] = [(facts.began, "incident", _blow(facts))]
    rows += [(event.t, "bmc", text) for event in facts.bmc_events if (text := _of_bmc(event))]
    rows += [
        (line.t, "fence-ha", text) for line in facts.manager_lines if line.host == facts.node and (text := _of_manager(line))
    ]
    for vm in facts.machines:
        for token_writes in _runs(facts.writes.get(vm, ())):
            first, last = token_writes[0], token_writes[-1]
            rows.append((first.t, "disk", f"{vm} writes on {first.host}"))
            rows.append((last.t, "disk", f"{vm} last written on {last.host}"))
    if facts.back is not None:
        rows.append((facts.back, "incident", f"{facts.node} is switched on again"))
    end = max((write.t for writes in facts.writes.values() for write in writes), default=facts.began)
    still_written = [row for row in rows if " last written " in row[2] and row[0] > end - 0.5]
    shown = [row for row in rows if row[0] >= facts.began - 1.0 and row not in still_written]
    return list(_folded(sorted(shown, key=lambda row: row[0]), facts.began))


def _folded(rows: Sequence[tuple[float, str, str]], began: float) -> Iterator[str]:
    """Shows a repeated line twice, and then only the number of further repetitions."""
    every = Counter((who, text) for _, who, text in rows)
    so_far: Counter[tuple[str, str]] = Counter()
    for t, who, text in rows:
        so_far[who, text] += 1
        more = every[who, text] - 2
        if so_far[who, text] <= 2 or more == 1:
            again = f"  (and {more} times more)" if so_far[who, text] == 2 and more > 1 else ""
            yield f"{t - began:+9.3f} s  {who:<9} {text}{again}"


def _blow(facts: IncidentFacts) -> str:
    if facts.incident is Incident.HUNG:
        return f"{facts.node} hangs: no answers, no polite shutdown, its machines go on"
    again = f"; asked again, the BMC answers {facts.refused}" if facts.refused is not None else ""
    return f"{facts.node} is switched off hard at its BMC, and nobody tells the manager{again}"


def _runs(writes: Sequence[DiskWrite]) -> list[list[DiskWrite]]:
    runs: dict[str, list[DiskWrite]] = {}
    for write in writes:
        runs.setdefault(write.token, []).append(write)
    return list(runs.values())


def _of_bmc(event: BmcJournalEvent) -> str | None:
    data = event.data
    match event.kind:
        case EventKind.COMMAND:
            return f"{data.get('reset', data.get('control'))} -> {data.get('status', data.get('completion_code'))}"
        case EventKind.RAIL | EventKind.OS:
            return f"the host's rail is {data['rail']} ({data.get('was')})" if "rail" in data else f"{data.get('was')}"
        case EventKind.REPORT:
            return None
    return None


def _of_manager(line: ManagerLine) -> str | None:
    data = line.data
    match data.get("kind"):
        case "state":
            return f"{data['from']} -> {data['to']} ({data['event']}): {data['status']}"
        case "alert":
            return f"ALERT {data['alert']}: {data['text']}"
        case "vm":
            return f"{data['vm']} {data['step']} on {data['target']}"
        case "power-command":
            return f"{data['command']} {data['step']} {data.get('result', '')}".rstrip()
    return None
