"""One scenario, played once: a rack of its own, the fencer as a stranger, and a journal in which every ask is stamped.

Rules
  1. The fencer sees sockets and its parameters, nothing else. Its password is made for this run and appears nowhere else.
  2. The claim is stamped in the moment in which the answer is final; what was in flight afterwards is watched for a while if the
     claim was not true, so that "too early" and "never" can be told apart. What can wait for an event waits for no clock.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from conformance.adapters.base import Invocation
from conformance.adapters.definition import Definition
from conformance.givens.given import FaultFacts, PlannedRack
from conformance.leaks import search
from conformance.outcome import FencerOutcome
from conformance.run_directory import run_directory
from conformance.scenario import AskStep, Scenario
from conformance.vocabulary import Claim, Protocol
from emulator import Emulator, Endpoint, Event, EventKind, Rail
from profiles.model import Profile

SETTLE_S: Final = 16.0
"""How long a host may still take to fall after a claim that was not true; openbmc-x86 needs up to 15 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What one run brings back: `steps` and `outcomes` belong together, `secrets` must appear nowhere."""

    steps: tuple[AskStep, ...]
    outcomes: tuple[FencerOutcome, ...]
    events: tuple[Event, ...]
    secrets: tuple[str, ...]
    faults: tuple[FaultFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What is to be played."""

    scenario: Scenario
    steps: tuple[AskStep, ...]
    profile: Profile
    definition: Definition
    protocol: Protocol
    seed: int = 0


def play(what: Play, stop: threading.Event, start: Callable[..., Emulator] = Emulator) -> Played:
    """Plays it; `start` makes the BMCs.

    Raises Interrupted when `stop` is set; OSError and EmulatorError where this machine cannot carry it.
    """
    given = what.scenario.given
    rack = planned(what.scenario, what.profile, _password(what))
    # Without the vendor's latency: it would cost every cell seconds, and time is a scenario's own business.
    with start(rack.units, seed=what.seed, refuse=rack.silent, latency=False) as emulator:
        for each in given:
            each.arrange(emulator)
        told = {name: handed(what.scenario, endpoint, rack.password) for name, endpoint in emulator.endpoints.items()}
        secrets = tuple(dict.fromkeys(values["bmc.password"] for values in told.values()))  # `secret_forms` knows its other forms
        outcomes = tuple(_ask(emulator, what, n, step, told[step.bmc], secrets, stop) for n, step in enumerate(what.steps))
        return Played(
            steps=what.steps,
            outcomes=outcomes,
            events=emulator.events(),
            secrets=secrets,
            faults=tuple(fault for each in given for fault in each.faults(emulator)),
        )


def planned(scenario: Scenario, profile: Profile, password: str) -> PlannedRack:
    """The rack that the preconditions ask for."""
    rack = PlannedRack(profile=profile, password=password)
    for given in scenario.given:
        rack = given.shape(rack)
    return rack


def _password(what: Play) -> str:
    """A password that nobody could print by chance, at most 16 bytes as IPMI 1.5 has it."""
    key = f"{what.seed}/{what.scenario.id}/{what.profile.id}/{what.definition.digest}"
    return f"Zq7-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def handed(scenario: Scenario, endpoint: Endpoint, password: str) -> Mapping[str, str]:
    """What a fencer's placeholders stand for, as the preconditions let the fencer know it."""
    target = endpoint.systems[0]
    values: Mapping[str, str] = {
        "bmc.host": endpoint.host,
        "bmc.port": str(endpoint.redfish_port),
        "bmc.url": endpoint.redfish_url,
        "bmc.user": endpoint.username,
        "bmc.password": password,
        "bmc.system_uri": target.uri,
        "bmc.uuid": target.uuid,
        "bmc.ipmi_host": endpoint.ipmi_host,
        "bmc.ipmi_port": str(endpoint.ipmi_port),
        "bmc.insecure": "1",
        "bmc.ca_file": endpoint.ca_file,
    }
    for given in scenario.given:
        values = given.handed(values)
    return values


def _ask(
    emulator: Emulator,
    what: Play,
    number: int,
    step: AskStep,
    values: Mapping[str, str],
    secrets: tuple[str, ...],
    stop: threading.Event,
) -> FencerOutcome:
    system = emulator.endpoints[step.bmc].systems[0].id
    emulator.forget_open_gate(step.bmc, system)
    emulator.record(step.bmc, EventKind.FENCER, what="start", ask=number, action=step.ask.value, system=system)

    def stamp() -> None:
        emulator.record(step.bmc, EventKind.FENCER, emulator.last_response(step.bmc), what="claim", ask=number)

    with run_directory() as own:
        since = time.time()
        outcome = what.definition.ways[what.protocol].run(
            Invocation(
                ask=step.ask,
                protocol=what.protocol,
                bmc=values,
                cap=what.definition.cap,
                scratch=own.home,
                watch=own.watch,
                stop=stop,
                on_end=stamp,
            )
        )
        if not outcome.timed_out:  # what it could not tidy up because it was killed is not held against it
            found = search(secrets, own, what.definition.folder, since)
            conduct = (*outcome.conduct, *found.conduct)
            outcome = replace(outcome, files=found.files, unsearched=found.unsearched, conduct=conduct)
    emulator.record(step.bmc, EventKind.FENCER, what="end", ask=number, claim=outcome.claim.value, exit=outcome.exit)
    if outcome.claim is Claim.OFF and emulator.host(step.bmc, system).rail is Rail.UP:
        emulator.let_fall(step.bmc, system, timeout_s=SETTLE_S)
    return outcome
