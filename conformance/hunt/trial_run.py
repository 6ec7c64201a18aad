"""Plays one trace to a fencer and judges the run. `hunting` calls it, in several threads at once."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass, replace
from typing import Final

from conformance.adapters.definition import Definition
from conformance.finding import Judgement
from conformance.hunt import manager_run
from conformance.hunt.detectability import STABLE_FOR_S, is_undetectable
from conformance.hunt.observation import observe, prefix_key, silence_s, was_held_back
from conformance.hunt.scenarios import scenario_for
from conformance.hunt.trace import ManagerStart, Start, Trace, World
from conformance.hunt.verdict import HuntedRun, end_of, worst
from conformance.play_scenario import Play
from conformance.runner import MatrixCell, NotApplicable, RunOptions, fit, judged, play_once
from conformance.scenario import Scenario
from conformance.timeline import AskWindow, Timeline
from conformance.vocabulary import Ask, Protocol, Verdict
from emulator import EmulatorError, HostSpec, SocketlessEmulator, UnitSpec
from profiles.model import Profile

LOOK_S: Final = 30.0
LATE_SHARE: Final = 0.125
"""How late an agent of a watched host is that answers too late, as a part of the manager's deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunted:
    """A fencer on a BMC of one profile. `other_system` is the path of the second system of such a BMC, where it can have one;
    `has_chassis`: its Chassis says the power state."""

    definition: Definition
    profile: Profile
    profile_word: str
    seed: int
    other_system: str
    has_chassis: bool

    def cell(self, trace: Trace, verdict: Verdict = Verdict.PASS) -> MatrixCell:
        return MatrixCell(self.definition, self.profile, self.scenario(trace, verdict), self.profile_word)

    def scenario(self, trace: Trace, verdict: Verdict) -> Scenario:
        return scenario_for(trace, verdict, self.other_system, self.definition.deadline * LATE_SHARE)

    @property
    def is_manager(self) -> bool:
        return Ask.WATCH in self.definition.asks

    def why_not(self, world: World) -> str | None:
        """Why this world cannot be searched, as a sentence; None where it can."""
        if world.start is Start.TWO and (world.protocol is Protocol.IPMI or not self.other_system):
            return "IPMI knows one system for each BMC" if self.other_system else "a BMC of this profile has one system"
        try:
            how = fit(self.cell(Trace(world)))
        except NotApplicable as why:
            return str(why)
        return how.definition.lack(how.protocol)


def hunted(definition: Definition, profile: Profile, profile_word: str, seed: int) -> Hunted:
    """Looks at a BMC of the profile, without sockets."""
    hosts = (HostSpec(power="on"), HostSpec(power="off"), HostSpec(power="off"))
    try:
        emulator = SocketlessEmulator([UnitSpec(name="target", profile=profile, hosts=hosts)])
        with emulator:
            endpoint = emulator.endpoints["target"]
            transport, _ = emulator.client("target", limit_s=LOOK_S)
            word = base64.b64encode(f"{endpoint.username}:{endpoint.password}".encode()).decode()

            def read(path: str) -> dict[str, object]:
                answer = transport.http("GET", f"{endpoint.redfish_url}{path}", {"Authorization": f"Basic {word}"})
                told = json.loads(answer.body) if answer.status == 200 else {}
                return told if isinstance(told, dict) else {}

            links = read(endpoint.systems[0].uri).get("Links")
            chassis = links.get("Chassis") if isinstance(links, dict) else None
            first = chassis[0].get("@odata.id") if isinstance(chassis, list) and chassis else None
            has_chassis = isinstance(first, str) and read(first).get("PowerState") is not None
            other = endpoint.systems[1].uri
    except (EmulatorError, OSError, ValueError):
        other, has_chassis = "", True
    return Hunted(
        definition=definition, profile=profile, profile_word=profile_word, seed=seed, other_system=other, has_chassis=has_chassis
    )


def try_trace(hunted: Hunted, trace: Trace, stop: threading.Event, *, alone: bool = True) -> HuntedRun:
    """One run, `alone` in its process or perhaps behind others. Raises Interrupted when `stop` is set, CannotStart where the
    fencer cannot be run here."""
    cell = hunted.cell(trace)
    how = fit(cell)
    what = Play(
        scenario=cell.scenario, steps=how.steps, profile=cell.profile, definition=how.definition, protocol=how.protocol,
        seed=hunted.seed, looks_for_leaks=False, alone=alone,
    )  # fmt: skip
    try:
        played = play_once(what, stop)
    except (OSError, EmulatorError) as error:
        return HuntedRun(trace=trace, steps=(), end="", key="", verdict=Verdict.ERROR, why=str(error))
    complete = all(fault.fired for fault in played.faults if fault.must_fire)
    judgement = judged(cell, played, RunOptions()).judgement
    if not judgement.facts:
        return HuntedRun(trace=trace, steps=(), end="", key="", verdict=Verdict.ERROR, why=judgement.why)
    window = Timeline(played.events).window(0)
    if isinstance(trace.world.start, ManagerStart):
        return _run_of_watch(hunted, trace, judgement, window, complete=complete)
    steps = observe(window)
    end = end_of(judgement.facts[0].claim)
    run = HuntedRun(
        trace=trace, steps=steps, end=end, key=prefix_key(steps, end), verdict=Verdict.PASS, complete=complete,
        assumed=_assumed(judgement),
    )  # fmt: skip
    if not complete:
        return run
    silent_share = silence_s(window) / hunted.definition.deadline
    verdict, kind, why = worst(judgement, trace, steps, silent_share, held_back=was_held_back(window))
    stable_for_s = hunted.definition.limits.get("stable_for", STABLE_FOR_S)
    undetectable = verdict is Verdict.UNSAFE and is_undetectable(
        window, trace.world.protocol, stable_for_s, has_chassis=hunted.has_chassis
    )
    return replace(run, verdict=verdict, kind=kind, why=why, undetectable=undetectable)


def _run_of_watch(hunted: Hunted, trace: Trace, judgement: Judgement, window: AskWindow, *, complete: bool) -> HuntedRun:
    if not manager_run.is_ready(window):
        why = "the manager was never ready: it has not taken up all hosts"
        return HuntedRun(trace=trace, steps=(), end="", key="", verdict=Verdict.ERROR, why=why)
    steps = manager_run.observe_watch(window)
    end = manager_run.ended(end_of(judgement.facts[0].claim), steps)
    key = prefix_key(steps, end)
    run = HuntedRun(
        trace=trace, steps=steps, end=end, key=key, verdict=Verdict.PASS, complete=complete, assumed=_assumed(judgement)
    )  # fmt: skip
    if not complete:
        return run
    verdict, kind, why = manager_run.worst_of_watch(judgement, trace, window, hunted.definition.deadline)
    stable_for_s = hunted.definition.limits.get("stable_for", STABLE_FOR_S)
    hidden = verdict is Verdict.UNSAFE and manager_run.is_hidden(window, trace, stable_for_s, has_chassis=hunted.has_chassis)
    return replace(run, verdict=verdict, kind=kind, why=why, undetectable=hidden)


def _assumed(judgement: Judgement) -> int:
    return sum(facts.assumed for facts in judgement.facts)


def worlds_of(
    hunted: Hunted, asks: tuple[Ask, ...], starts: tuple[Start | ManagerStart, ...]
) -> tuple[tuple[World, ...], dict[World, str]]:
    """The worlds that can be searched, and why the others cannot."""
    every = [World(protocol, ask, start) for protocol in hunted.definition.ways for ask in asks for start in starts]
    left_out = {world: why for world in every if (why := hunted.why_not(world)) is not None}
    return tuple(world for world in every if world not in left_out), left_out
