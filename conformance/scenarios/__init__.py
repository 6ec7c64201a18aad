"""The catalogue of scenarios, by id."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from conformance.scenario import Scenario
from conformance.scenarios import agent, asynchronous, auth, fault, identity, ipmi, state, timing, truth

ALL: tuple[Scenario, ...] = (
    *state.SCENARIOS,
    *truth.SCENARIOS,
    *fault.SCENARIOS,
    *asynchronous.SCENARIOS,
    *timing.SCENARIOS,
    *auth.SCENARIOS,
    *identity.SCENARIOS,
    *ipmi.SCENARIOS,
    *agent.SCENARIOS,
)
BY_ID: Mapping[str, Scenario] = MappingProxyType({scenario.id: scenario for scenario in ALL})
GROUPS: tuple[str, ...] = tuple(dict.fromkeys(scenario.group for scenario in ALL))

if len(BY_ID) != len(ALL):
    raise ValueError("two scenarios have one id")
