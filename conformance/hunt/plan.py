"""A trace as a scenario: the host of its start, a fault for each deviation, one ask. Pure.

The same scenario is played in the search and written as a file of the form `scenario/1`, so what was found can be played again
with `fence-conformance run --scenario-file`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from conformance import requirement
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.expectation import Expectation
from conformance.givens.bmc import HUNG, OFF, ON, host
from conformance.givens.given import Given
from conformance.givens.inject import Inject
from conformance.hunt.deviation import BY_WORD, Counted, FaultForm
from conformance.hunt.observation import HANDSHAKE
from conformance.hunt.trace import ManagerStart, PlacedDeviation, Start, Trace
from conformance.requirement import Requirement
from conformance.scenario import AskStep, Scenario
from conformance.vocabulary import Ask, Protocol, Verdict
from emulator import Armed, HostSpec, Intent, When, make_fault
from profiles.model import View

READS: Final = 3
"""After an accepted command the host moves when its power has been read so often."""
HOSTS: Final[Mapping[Start | ManagerStart, tuple[HostSpec, ...]]] = {
    Start.ON: (ON,),
    Start.HUNG: (HUNG,),
    Start.OFF: (OFF,),
    Start.TWO: (ON, OFF, OFF),
}
SYSTEMS: Final = "/redfish/v1/Systems"
SOURCE: Final = "found by fence-conformance hunt"
NUMBERS: Final = 900_000
REQUIREMENTS: Final[Mapping[Verdict, Requirement]] = {
    Verdict.UNSAFE: requirement.SAFE_CLAIM,
    Verdict.HANG: requirement.ENDS,
    Verdict.STUCK: requirement.DOES_IT,
}
COUNTS: Final = ("first", "second", "third", "4th", "5th", "6th", "7th", "8th", "9th")
WHATS: Final[Mapping[str, str]] = {
    Intent.POWER_READ: "read of the power",
    Intent.POWER_COMMAND: "power command",
    Intent.LOGIN: "log-in",
    Intent.LOGOUT: "log-out",
    Intent.READ: "other read",
    Intent.WRITE: "write",
    Intent.BMC_RESET: "reset of the BMC",
    Intent.OTHER: "other request",
    HANDSHAKE: "log-in",
}


def scenario_of(trace: Trace, verdict: Verdict, other_system: str = "") -> Scenario:
    """The scenario; `verdict` is what is looked for in it, and decides what must hold: PASS stands for anything.

    `other_system` is the path of the second system, which differs from profile to profile.
    """
    world = trace.world
    met = " and ".join(f"at the {_which(d)} the BMC {BY_WORD[d.word].sentence_over(world.protocol)}" for d in trace.deviations)
    falls = Inject(
        f"after an accepted power command the host moves only when its power has been read {READS} times",
        Armed(fault=make_fault("power.gate", gate=READS), must_fire=False),
    )
    given: tuple[Given, ...] = (
        host(*HOSTS[world.start]), falls, *listed_between(world.start),
        *(deviation_of(trace, placed, other_system) for placed in trace.deviations),
    )  # fmt: skip
    return Scenario(
        id=id_of(trace),
        tier=2,
        title=f"{world}: {met or 'the BMC does as its profile says'}",
        requirement=REQUIREMENTS.get(verdict, requirement.SAFE_CLAIM),
        source=SOURCE,
        given=given,
        steps=(AskStep(world.ask, _expected(verdict, world.ask)),),
        protocol=world.protocol,
    )


def listed_between(start: Start | ManagerStart) -> tuple[Given, ...]:
    """The system that is meant is listed between two others: no order is promised, and fencers take the first one or the last."""
    if start is not Start.TWO:
        return ()
    fault = make_fault("redfish.members", what="rotated")
    armed = Armed(fault=fault, when=When(method="GET", path=SYSTEMS), must_fire=False)
    return (Inject("the collection of systems lists the target between the others", armed),)


def id_of(trace: Trace) -> str:
    """The same trace has the same id in every hunt, so files of several hunts can be run together."""
    digest = int.from_bytes(hashlib.sha256(str((trace.world, trace.deviations)).encode()).digest()[:8])
    return f"HUNT-{NUMBERS // 9 + digest % NUMBERS}"


def _expected(verdict: Verdict, ask: Ask) -> tuple[Expectation, ...]:
    return (NeverClaims(),) if verdict is Verdict.UNSAFE else (Claims(),)


def deviation_of(trace: Trace, placed: PlacedDeviation, other_system: str = "") -> Inject:
    """One deviation of a BMC as a fault."""
    deviation = BY_WORD[placed.word]
    form = deviation.form(trace.world.protocol)
    assert form is not None  # `choices` has seen to it
    params = dict(form.params)
    if placed.view:
        params["views"] = (View(placed.view),)
    if form.fault == "redfish.body-of":
        params = {"path": other_system}
    return Inject(
        f"at the {_which(placed)} the BMC {deviation.sentence_over(trace.world.protocol)}",
        Armed(fault=make_fault(form.fault, **params), when=_when(placed, form, trace.world.protocol), count=form.count),
    )


def _when(placed: PlacedDeviation, form: FaultForm, protocol: Protocol) -> When:
    skip = placed.nth - 1
    if form.counted is Counted.VIEWED:
        return When(skip=skip)  # the fault is asked for words of its view only
    if form.fault == "auth.locked":
        return When(protocol=protocol, skip=skip)
    if protocol is Protocol.IPMI and form.counted is Counted.SERVED:
        return When(protocol=protocol, path=placed.what, skip=skip)
    intent = Intent.POWER_COMMAND if form.counted is Counted.EFFECTIVE else Intent(placed.what)
    return When(protocol=protocol, intent=intent, skip=skip)


def _which(placed: PlacedDeviation) -> str:
    count = COUNTS[placed.nth - 1] if placed.nth <= len(COUNTS) else f"{placed.nth}th"
    form = BY_WORD[placed.word].redfish
    if form is not None and form.counted is Counted.EFFECTIVE:
        return f"{count} power command that has an effect"
    if placed.view:
        return f"{count} read of its power ({placed.view})" if placed.word != "other-body" else f"{count} read of the power"
    return f"{count} {WHATS.get(placed.what, placed.what.replace('-', ' '))}"
