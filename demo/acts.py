"""The four acts of the demonstration: two blows, each against two managers. Every act leaves one journal behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo.story import Story, tell
from emulator import Event, EventKind, event_from_json
from lab.local import LocalSite, SiteSettings

HOST = "node1"
SCALE = 0.1
"""One second here is ten seconds of a real lab: fence-ha's and the BMC's times alike."""

BOUND = 26.0 * SCALE
"""A dead host is Down within 26 s of fence-ha's defaults, at this scale."""

MACHINES = {"node1": ("db1", "web1"), "node2": ("mail1",), "node3": ()}

TUNED = {
    # A reset first would only delay the question of this demonstration: may the machines be started elsewhere?
    "recovery_attempts": 0,
    "activity_samples": 5,
    "activity_interval": 4.0,
    "start_quiet": 0.1,
}

CLOUDSTACK = "cloudstack-4.22"
REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Act:
    """`watch` is how many seconds the curtain stays up after the blow, or after `until` has been said."""

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
    """Plays an act on real sockets and processes; returns its journal. Raises SiteFailed where the stage itself breaks."""
    directory.mkdir(parents=True, exist_ok=True)
    journal = directory / "journal.jsonl"
    settings = SiteSettings(profile=act.profile, policy={"name": act.policy, **TUNED}, scale=SCALE, machines=MACHINES)
    with LocalSite(directory, settings, journal) as site:
        site.emulator.record(
            "", EventKind.FENCER, what="act", title=act.title, profile=act.profile, policy=act.policy, scale=SCALE, bound=BOUND
        )
        site.start_manager()
        site.wait_until_it_reigns()
        site.emulator.record(HOST, EventKind.FENCER, what="blow", blow=act.blow)
        (site.cut if act.blow == "power lost" else site.hang)(HOST)
        if act.until is not None:
            site.wait_for(act.until, f"act {act.id}", act.patience)
        site.look_on(act.watch)
        site.stop_manager()
        site.journal_writes()
    return journal


def read(journal: Path) -> Story:
    """Raises ValueError, with the line, where a journal is not an act's."""
    events = []
    for number, line in enumerate(journal.read_text().splitlines(), 1):
        try:
            events.append(event_from_json(line))
        except ValueError as error:
            raise ValueError(f"{journal}:{number}: {error}") from error
    try:
        return tell(events)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{journal}: {error}") from error
