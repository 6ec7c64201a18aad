"""In which order cells are begun: the longest first, so that none of them is left alone at the end. And how long they take.

The runner calls it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from conformance.expectations.claims import Answers, Claims
from conformance.scenario import AskStep, Scenario

PER_CORE: Final = 8
"""Scenarios at a time for each core: fencers wait most of their time."""
MOST_JOBS: Final = 256
ENDS_EARLY: Final = 0.1
"""The share of its deadline that a fencer takes on average where it can succeed."""


IN_PROCESS_S: Final = 0.1
"""A scenario on virtual time: processor time, and what it waits for its turn."""


def default_jobs() -> int:
    return min(MOST_JOBS, PER_CORE * len(os.sched_getaffinity(0)))


def longest_first(scenarios: Sequence[Scenario]) -> tuple[int, ...]:
    """Their numbers; those of one length stay in their order."""
    lengths = [deadlines(scenario) for scenario in scenarios]
    return tuple(sorted(range(len(scenarios)), key=lambda number: -lengths[number]))


def deadlines(scenario: Scenario) -> float:
    """How long a scenario takes, about, in deadlines of the fencer."""
    alone = sum(_deadline_share(step) for step in scenario.steps if not step.together)
    at_once: dict[int, float] = {}
    for step in scenario.steps:
        if step.together:
            at_once[step.together] = max(at_once.get(step.together, 0.0), _deadline_share(step))
    return alone + sum(at_once.values())


def _deadline_share(step: AskStep) -> float:
    return ENDS_EARLY if any(isinstance(word, Claims | Answers) for word in step.expect) else 1.0
