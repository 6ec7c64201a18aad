"""Plays a scenario of an in-process fencer in this process and thread, and tells every event as it happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.adapters.base import Invocation
from conformance.adapters.python_transport import PythonTransportAdapter
from conformance.in_process.messages import outcome_line
from conformance.outcome import FencerOutcome
from conformance.play_scenario import LOOPBACK, Play, Played, play
from emulator import Emulator, Event, Place, Reusable, SocketlessEmulator, UnitSpec, virtual_address

Tell = Callable[[str], object]
"""Takes one line of `messages`."""


def play_here(what: Play, reused: Reusable, tell: Tell) -> Played:
    """Plays a scenario in this process and thread; `tell` gets the lines `E` and `O` meanwhile."""
    way = what.definition.ways[what.protocol]
    assert isinstance(way, PythonTransportAdapter)
    started: list[_ToldEmulator] = []

    def start(
        units: Sequence[UnitSpec], *, seed: int, places: Mapping[str, Place], refuse: frozenset[str], latency: bool
    ) -> Emulator:
        own = {  # ports of their own tell BMCs apart that are called by one name
            unit.name: Place(listen=virtual_address(n)) if places[unit.name].listen == LOOPBACK else places[unit.name]
            for n, unit in enumerate(units)
        }
        started.append(_ToldEmulator(units, seed=seed, places=own, refuse=refuse, latency=latency, reused=reused))
        started[-1].tell = tell
        return started[-1]

    telling = _TellingAdapter(
        folder=way.folder, built_in=way.built_in, function=way.function, functions=way.functions, params=way.params,
        stage=lambda: started[-1], tell=tell,
    )  # fmt: skip
    ways = {**what.definition.ways, what.protocol: telling}
    steps = tuple(replace(step, together=0) for step in what.steps)  # one thread: one after the other
    return play(replace(what, steps=steps, definition=replace(what.definition, ways=ways)), threading.Event(), start)


class _ToldEmulator(SocketlessEmulator):
    """Tells every event, so that the journal is not lost with this process."""

    tell: Tell

    def __enter__(self) -> SocketlessEmulator:
        super().__enter__()
        for event in self.journal:
            self._tell(event)
        self.journal.subscribe(self._tell)
        return self

    def _tell(self, event: Event) -> None:
        self.tell(f"E {event.to_json()}")


@dataclass(frozen=True, kw_only=True)
class _TellingAdapter(PythonTransportAdapter):
    tell: Tell

    def run(self, invocation: Invocation) -> FencerOutcome:
        outcome = super().run(invocation)
        self.tell(outcome_line(outcome))
        return outcome
