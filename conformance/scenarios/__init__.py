"""The catalogue of scenarios: every `Scenario` in a module of this package, in the order of groups and ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import fencelab_plugins
from conformance.registry import Registry
from conformance.scenario import Scenario

GROUP_ORDER = (
    "STATE", "TRUTH", "PROFILE", "FAULT", "FLAKY", "ASYNC", "TIME", "AUTH", "TLS", "ID", "IPMI", "AGENT", "CONC", "MAINS", "HA",
)  # fmt: skip


def _place(scenario: Scenario) -> tuple[int, str, str]:
    """Where it stands: groups that the catalogue does not know come last."""
    known = scenario.group in GROUP_ORDER
    return (GROUP_ORDER.index(scenario.group) if known else len(GROUP_ORDER), scenario.group, scenario.id)


def groups_of(scenarios: Iterable[Scenario]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(scenario.group for scenario in scenarios))


REGISTRY: Registry[Scenario] = Registry(
    kind="scenario",
    group="fencelab.scenarios",
    package=__name__,
    find_in=partial(fencelab_plugins.instances, kind=Scenario),
    name_of=lambda scenario: scenario.id,
    sort_key=_place,
)
BY_ID: Mapping[str, Scenario] = REGISTRY.shipped
"""Our own, without those that are plugged in."""
ALL: tuple[Scenario, ...] = tuple(BY_ID.values())
GROUPS: tuple[str, ...] = groups_of(ALL)
