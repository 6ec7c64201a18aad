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
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from conformance.adapters import Adapter, Definition, Invocation
from conformance.leaks import search
from conformance.outcome import FencerOutcome
from conformance.run_directory import run_directory
from conformance.scenario import AskStep, Inject, NoSelector, Scenario, WrongPassword
from conformance.vocabulary import Claim, Protocol
from emulator import Emulator, Endpoint, Event, EventKind, Rail, UnitSpec
from profiles.model import Profile

SETTLE_S: Final = 16.0
"""How long a host may still take to fall after a claim that was not true; openbmc-x86 needs up to 15 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What one run brings back. `unfired` are sentences of faults that had to fire and did not."""

    steps: tuple[AskStep, ...]
    outcomes: tuple[FencerOutcome, ...]
    events: tuple[Event, ...]
    secrets: tuple[str, ...]
    unfired: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What is to be played."""

    scenario: Scenario
    steps: tuple[AskStep, ...]
    profile: Profile
    definition: Definition
    adapter: Adapter
    protocol: Protocol
    seed: int = 0


def play(what: Play, stop: threading.Event) -> Played:
    """Plays it. Raises Interrupted when `stop` is set; OSError and EmulatorError where this machine cannot carry it."""
    password = _secret(what, "right")
    handed = _secret(what, "wrong") if _given(what.scenario, WrongPassword) else password
    units = [
        UnitSpec(name=bmc.name, profile=what.profile, hosts=bmc.hosts, password=password, os_shutdown_s=bmc.os_shutdown_s)
        for bmc in what.scenario.bmcs
    ]
    silent = frozenset(bmc.name for bmc in what.scenario.bmcs if not bmc.listens)
    with Emulator(units, seed=what.seed, refuse=silent) as emulator:
        injected = [given for given in what.scenario.given if isinstance(given, Inject)]
        for given in injected:
            emulator.arm(given.bmc, given.armed)
        secrets = (handed,)  # `secret_forms` knows how else it can be written
        outcomes = tuple(_ask(emulator, what, number, step, secrets, stop) for number, step in enumerate(what.steps))
        dead = {id(armed) for bmc in what.scenario.bmcs for armed in emulator.unfired(bmc.name)}
        return Played(
            steps=what.steps,
            outcomes=outcomes,
            events=emulator.events(),
            secrets=secrets,
            unfired=tuple(given.sentence for given in injected if id(given.armed) in dead),
        )


def _given(scenario: Scenario, kind: type) -> bool:
    return any(isinstance(given, kind) for given in scenario.given)


def _secret(what: Play, salt: str) -> str:
    """A password that nobody could print by chance, at most 16 bytes as IPMI 1.5 has it."""
    key = f"{salt}/{what.seed}/{what.scenario.id}/{what.profile.id}/{what.definition.digest}"
    return f"Zq7-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def values(endpoint: Endpoint, password: str, *, selector: bool) -> Mapping[str, str]:
    """What a fencer's placeholders stand for."""
    target = endpoint.systems[0]
    return {
        "bmc.host": endpoint.host,
        "bmc.port": str(endpoint.redfish_port),
        "bmc.url": endpoint.redfish_url,
        "bmc.user": endpoint.username,
        "bmc.password": password,
        "bmc.system_uri": target.uri if selector else "",
        "bmc.uuid": target.uuid if selector else "",
        "bmc.ipmi_host": endpoint.ipmi_host,
        "bmc.ipmi_port": str(endpoint.ipmi_port),
        "bmc.insecure": "1",
        "bmc.ca_file": endpoint.ca_file,
    }


def _ask(
    emulator: Emulator, what: Play, number: int, step: AskStep, secrets: tuple[str, ...], stop: threading.Event
) -> FencerOutcome:
    endpoint = emulator.endpoints[step.bmc]
    system = endpoint.systems[0].id
    emulator.forget_open_gate(step.bmc, system)
    emulator.record(step.bmc, EventKind.FENCER, what="start", ask=number, action=step.ask.value, system=system)

    def stamp() -> None:
        emulator.record(step.bmc, EventKind.FENCER, emulator.last_response(step.bmc), what="claim", ask=number)

    with run_directory() as own:
        since = time.time()
        outcome = what.adapter.run(
            Invocation(
                ask=step.ask,
                protocol=what.protocol,
                bmc=values(endpoint, secrets[0], selector=not _given(what.scenario, NoSelector)),
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
