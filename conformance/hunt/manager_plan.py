"""A trace of a manager as a scenario: a cluster, what happens to one of its hosts, deviations of its BMC and of agents. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from conformance import requirement
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.expectation import Expectation
from conformance.expectations.managers import CutsNobody, OneCopy, RestartsWorkloads
from conformance.givens.cluster import Cluster, Fails
from conformance.givens.given import Given
from conformance.givens.inject import Inject
from conformance.givens.manager_deviations import AgentDeviates, AgentsObserved, FaultWhileWatched
from conformance.hunt import agent_deviation
from conformance.hunt.plan import READS, REQUIREMENTS, SOURCE, deviation_of, id_of
from conformance.hunt.trace import ManagerStart, PlacedDeviation, Trace
from conformance.scenario import AskStep, Scenario
from conformance.vocabulary import Ask, Verdict
from emulator import Armed, make_fault

DARK: Final = FaultWhileWatched(
    "then the BMC of target is not reached any more", Armed(fault=make_fault("wire.reset", executed=False), must_fire=False)
)


def scenario_of_watch(trace: Trace, verdict: Verdict, late_s: float) -> Scenario:
    """As `plan.scenario_of`, for a manager. `late_s`: by how much an answer of an agent comes late, in seconds."""
    world = trace.world
    falls = Inject(
        f"after an accepted power command the host moves only when its power has been read {READS} times",
        Armed(fault=make_fault("power.gate", gate=READS), must_fire=False),
    )
    deviations = tuple(_given(trace, placed, late_s) for placed in trace.deviations)
    met = "; ".join(given.sentence for given in deviations)
    return Scenario(
        id=id_of(trace),
        tier=2,
        title=f"{world}: {met or 'nothing deviates'}",
        requirement=REQUIREMENTS.get(verdict, requirement.SAFE_CLAIM),
        source=SOURCE,
        given=(Cluster(), falls, AgentsObserved(), *deviations, *_fails(world.start)),
        steps=(AskStep(Ask.WATCH, tuple(_expected(verdict, world.start))),),
        protocol=world.protocol,
    )


def _given(trace: Trace, placed: PlacedDeviation, late_s: float) -> Given:
    deviation = agent_deviation.BY_WORD.get(placed.word)
    if deviation is None:
        found = deviation_of(trace, placed)
        return FaultWhileWatched(f"then {found.words}", found.armed)
    request, _, host = placed.what.partition("@")
    made = AgentDeviates(host, deviation.how, placed.nth, next(each for each in deviation.requests if each == request))
    return replace(made, seconds=late_s) if deviation.how == "late" else made


def _fails(scene: object) -> Iterator[Given]:
    if scene is ManagerStart.DARK:
        yield DARK
    if scene is not ManagerStart.WELL:
        yield Fails("cut" if scene is ManagerStart.CUT else "silent")


def _expected(verdict: Verdict, scene: object) -> Iterator[Expectation]:
    """What must hold; PASS: whatever may be found."""
    if verdict in (Verdict.STUCK, Verdict.HANG, Verdict.PASS) and scene in (ManagerStart.CUT, ManagerStart.SILENT):
        yield Claims()
        yield RestartsWorkloads()
    if verdict in (Verdict.UNSAFE, Verdict.PASS):
        yield NeverClaims()
        yield OneCopy()
        if scene is ManagerStart.WELL:
            yield CutsNobody()
