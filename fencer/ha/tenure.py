"""What a manager holds in memory between two rounds: its tenure, and what a round has decided and not written yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from fencer.ha.effects import HaEffect
from fencer.ha.observations import Observation
from fencer.ha.record import HostRecord


@dataclass(slots=True)
class Tenure:
    """From the lease that a manager got until it lost it. Every tenure has an owner name of its own in the store.

    `epochs`: the hosts that are owned, with their epochs. `until`: the end of the lease; 0: there is none yet.
    """

    owner: str
    until: float = 0.0
    epochs: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Decided:
    """What this turn has decided about one host and not written yet. `base` is the record in the store."""

    base: HostRecord
    new: HostRecord
    effects: list[HaEffect] = field(default_factory=list)
    answers: list[Observation] = field(default_factory=list)  # not of a Tick
