"""The scenario of a trace, for fencers and for managers. Pure; `trial_run` plays it, `evidence_files` writes it."""

from __future__ import annotations

from conformance.hunt.manager_plan import scenario_of_watch
from conformance.hunt.plan import scenario_of
from conformance.hunt.trace import ManagerStart, Trace
from conformance.scenario import Scenario
from conformance.vocabulary import Verdict


def scenario_for(trace: Trace, verdict: Verdict, other_system: str, late_s: float) -> Scenario:
    """As `plan.scenario_of` and `manager_plan.scenario_of_watch` say."""
    if isinstance(trace.world.start, ManagerStart):
        return scenario_of_watch(trace, verdict, late_s)
    return scenario_of(trace, verdict, other_system)
