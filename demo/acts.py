"""The four acts of the demonstration: two incidents, each with two policies. Each act writes one journal.

`python -m demo` calls `play` and `read` in its main thread. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo.story import Story, story_of
from emulator import Event, EventKind, event_from_json
from lab.local import LocalSite, SiteSettings

HOST = "node1"
SCALE = 0.1
"""All times of fence-ha and of the BMC are multiplied by this: 1 s here is 10 s in real use."""

BOUND = 26.0 * SCALE
"""A dead host must be Down within 26 s with fence-ha's defaults; here scaled."""

MACHINES = {"node1": ("db1", "web1"), "node2": ("mail1",), "node3": ()}

TUNED = {
    # No reset first: it would only delay the decision whether the machines may start on other hosts.
    "recovery_attempts": 0,
    "activity_samples": 5,
    "activity_interval": 4.0,
    "start_quiet": 0.1,
}

CLOUDSTACK = "cloudstack-4.22"
REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Act:
    """One act. `watch`: seconds that it runs on after the incident, or after the event that `until` accepts."""

    id: str
    title: str
    profile: str
    policy: str
    blow: str
    watch: float
    until: Callable[[Event], bool] | None = None
    patience: float = 20.0


def _says_down(event: Event) -> bool:
    return event.data.get("status") == "Down"


def _machines_run(event: Event) -> bool:
    return event.data.get("alert") == "VM_RESTART_DONE"


ACTS = (
    Act("a", "the host is dead, and the manager wants a power-off", "dell-idrac9", CLOUDSTACK, "power lost", watch=12.0),
    Act("b", "the same dead host, and a manager that reads", "dell-idrac9", REFERENCE, "power lost", 1.0, _machines_run),
    Act("c1", "the host hangs, and the manager trusts a 204", "dell-idrac9", CLOUDSTACK, "hung", 2.5, _says_down),
    Act("c2", "the host hangs, and a manager that wants proof", "dell-idrac9", REFERENCE, "hung", 1.0, _machines_run),
)


def play(act: Act, directory: Path) -> Path:
    """Runs an act on real sockets and processes; returns its journal. Raises SiteFailed if the lab does not work."""
    directory.mkdir(parents=True, exist_ok=True)
    journal = directory / "journal.jsonl"
    settings = SiteSettings(profile=act.profile, policy={"name": act.policy, **TUNED}, scale=SCALE, machines=MACHINES)
    with LocalSite(directory, settings, journal) as site:
        site.emulator.record(
            "", EventKind.FENCER, what="act", title=act.title, profile=act.profile, policy=act.policy, scale=SCALE, bound=BOUND
        )
        site.start_manager()
        site.wait_until_all_hosts_are_owned()
        site.emulator.record(HOST, EventKind.FENCER, what="blow", blow=act.blow)
        (site.cut_power if act.blow == "power lost" else site.hang)(HOST)
        if act.until is not None:
            site.wait_for(act.until, f"act {act.id}", act.patience)
        site.run_for(act.watch)
        site.stop_manager()
        site.journal_writes()
    return journal


def read(journal: Path) -> Story:
    """Reads the journal of an act. Raises ValueError with the line if it is not one."""
    events = []
    for number, line in enumerate(journal.read_text().splitlines(), 1):
        try:
            events.append(event_from_json(line))
        except ValueError as error:
            raise ValueError(f"{journal}:{number}: {error}") from error
    try:
        return story_of(events)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{journal}: {error}") from error
