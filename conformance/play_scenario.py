"""One scenario, played once: a rack of its own, the fencer as a stranger, and a journal in which every ask is stamped.

Rules
  1. The fencer sees sockets and its parameters, nothing else. Its password is made for this run and appears nowhere else.
  2. The claim is stamped in the moment in which the answer is final; what was in flight afterwards is watched for a while if the
     claim was not true, so that "too early" and "never" can be told apart. What can wait for an event waits for no clock.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from conformance.adapters.base import Invocation
from conformance.adapters.definition import Definition
from conformance.agents_on_virtual_time import SocketlessAgents
from conformance.givens.given import FaultFacts, Given, PlannedRack
from conformance.leaks import search
from conformance.machine_lag import MachineLag
from conformance.outcome import FencerOutcome
from conformance.read_counter import reads_counted
from conformance.run_directory import run_directory
from conformance.scenario import AskStep, Scenario
from conformance.site import ManagedSite
from conformance.vocabulary import Claim, Protocol
from conformance.watched_site import WatchedSite, watched_site
from conformance.workloads import WATCHED
from emulator import Emulator, Endpoint, Event, EventKind, Place, Rail, reusable
from profiles.model import Profile

LOOPBACK: Final = "127.0.0.1"
GATES_SHARE: Final = 0.5
"""A gate that has been read twice opens after this share of the fencer's deadline at the latest: the other half is left."""
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
    lag_s: float = 0.0  # by how much the machine was late meanwhile
    on_virtual_time: bool = False  # how busy the machine was cannot have changed anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What is to be played. `looks_for_leaks`: files are searched for passwords after each ask; a hunt does not judge that.
    `alone`: an in-process fencer is called in a process of its own, also where its file says that it keeps nothing."""

    scenario: Scenario
    steps: tuple[AskStep, ...]
    profile: Profile
    definition: Definition
    protocol: Protocol
    seed: int = 0
    looks_for_leaks: bool = True
    alone: bool = True


on_sockets: Final[Callable[..., Emulator]] = partial(Emulator, reused=reusable())
"""Makes BMCs; the resource trees of a profile are made once for all runs of this process."""


def play(what: Play, stop: threading.Event, start: Callable[..., Emulator] = on_sockets) -> Played:
    """Plays it; `start` makes the BMCs.

    Raises Interrupted when `stop` is set; OSError and EmulatorError where this machine cannot carry it.
    """
    given = what.scenario.given
    rack = planned(what.scenario, what.profile, _password(what))
    # Without the vendor's latency: it would cost every cell seconds, and time is a scenario's own business.
    places = {unit.name: Place(listen=rack.addresses.get(unit.name, LOOPBACK)) for unit in rack.units}
    with (
        start(rack.units, seed=what.seed, places=places, refuse=rack.silent, latency=False) as emulator,
        watched_site(emulator, rack, LOOPBACK) as watched,
    ):
        for each in (*given, *dict.fromkeys(each for step in what.steps for each in step.told)):
            each.arrange(emulator)
        reached = [through(given, step.bmc) for step in what.steps]
        told = [
            handed((*given, *step.told), emulator.endpoints[way.unit], way.outlets)
            for step, way in zip(what.steps, reached, strict=True)
        ]
        secrets = secrets_of(emulator, told)
        asking = _Asking(emulator, what, told, reached, secrets, stop, watched)
        virtual = what.definition.ways[what.protocol].on_virtual_time
        with MachineLag() if not virtual else nullcontext() as lag:
            outcomes = tuple(outcome for numbers in groups(what.steps) for outcome in asking.together(numbers))
        asked = {way.unit for way in reached}
        return Played(
            steps=what.steps,
            outcomes=outcomes,
            events=emulator.events(),
            secrets=secrets,
            faults=(
                *(fault for each in given for fault in each.faults(emulator) if fault.bmc in asked),
                *_sigterms(what.steps, outcomes),
            ),
            lag_s=lag.seconds if lag is not None else 0.0,
        )


def _sigterms(steps: tuple[AskStep, ...], outcomes: tuple[FencerOutcome, ...]) -> Iterator[FaultFacts]:
    """Whether the signals came that steps ask for: without them nothing was tested."""
    for step, outcome in zip(steps, outcomes, strict=True):
        if step.sigterm_after is not None:
            sentence = f"SIGTERM when it has read the power state {step.sigterm_after} times after its first command"
            yield FaultFacts(sentence=sentence, bmc=step.bmc, must_fire=True, fired=0 if outcome.sigterm_at is None else 1)


def planned(scenario: Scenario, profile: Profile, password: str) -> PlannedRack:
    """The rack that the preconditions ask for."""
    rack = PlannedRack(profile=profile, password=password)
    for given in scenario.given:
        rack = given.shape(rack)
    return rack


def _password(what: Play) -> str:
    """A password that nobody could print by chance, at most 16 bytes as IPMI 1.5 has it."""
    own = f"{os.getpid()}/{what.definition.name}"  # another suite, or another fencer of the same file, may play it at this time
    key = f"{what.seed}/{what.scenario.id}/{what.profile.id}/{what.definition.digest}/{own}"
    return f"Zq7-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def secrets_of(emulator: Emulator, told: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """What must appear nowhere: the passwords of the BMCs, and those that the fencer is told instead. `secret_forms` knows their
    other forms."""
    own = (endpoint.password for endpoint in emulator.endpoints.values())
    return tuple(dict.fromkeys(word for word in (*own, *(values["bmc.password"] for values in told)) if word))


class Reached(NamedTuple):
    """What a fencer is told in an ask: the BMC of the host, or a PDU with the outlets that feed the host."""

    unit: str
    outlets: tuple[str, ...] = ()


def through(given: Iterable[Given], bmc: str) -> Reached:
    """How the host of this BMC is reached."""
    return next((Reached(*way) for each in given if (way := each.reached_through(bmc)) is not None), Reached(bmc))


def handed(given: Iterable[Given], endpoint: Endpoint, outlets: Sequence[str] = ()) -> Mapping[str, str]:
    """What a fencer's placeholders stand for, as the preconditions let the fencer know it."""
    target = endpoint.systems[0]
    values: Mapping[str, str] = {
        "bmc.host": endpoint.host,
        "bmc.port": str(endpoint.redfish_port),
        "bmc.url": endpoint.redfish_url,
        "bmc.user": endpoint.username,
        "bmc.password": endpoint.password,
        "bmc.password_file": "",
        "bmc.password_script": "",
        "bmc.system_uri": target.uri,
        "bmc.system_id": "",
        "bmc.uuid": target.uuid,
        "bmc.ipmi_host": endpoint.ipmi_host,
        "bmc.ipmi_port": str(endpoint.ipmi_port),
        "bmc.ipmi_target": "",
        "bmc.outlets": ",".join(outlets),
        "bmc.kg": "",
        "bmc.insecure": "1",
        "bmc.ca_file": endpoint.ca_file,
        "bmc.verbose": "",
    }
    for each in given:
        values = each.handed(values)
    return {**values, "bmc.system_id": values["bmc.system_uri"].rstrip("/").rpartition("/")[2]}


def groups(steps: Sequence[AskStep]) -> Iterator[tuple[int, ...]]:
    """The numbers of the steps that are asked at the same time, in order."""
    for _, members in groupby(enumerate(steps), key=lambda member: member[1].together or -1 - member[0]):
        yield tuple(number for number, _ in members)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks the fencer, step by step. `told` are the values of its placeholders for each step, `reached` whom they name."""

    emulator: Emulator
    what: Play
    told: Sequence[Mapping[str, str]]
    reached: Sequence[Reached]
    secrets: tuple[str, ...]
    stop: threading.Event
    watched: WatchedSite | None = None

    def together(self, numbers: Sequence[int]) -> tuple[FencerOutcome, ...]:
        """Asks these steps at the same time, each in a thread of its own; one alone in the caller's."""
        for number in numbers:
            self._begin(number)
        if len(numbers) == 1:
            outcomes = tuple(self._ask(number) for number in numbers)
        else:
            with ThreadPoolExecutor(len(numbers), thread_name_prefix="ask") as pool:
                running = [pool.submit(self._ask, number) for number in numbers]
                try:
                    wait(running)
                except KeyboardInterrupt:  # where the caller is the main thread, as under pytest
                    self.stop.set()
                    raise
            outcomes = tuple(future.result() for future in running)
        for number, outcome in zip(numbers, outcomes, strict=True):
            self._watch_on(number, outcome)
        return outcomes

    def _target(self, number: int) -> tuple[str, str]:
        """BMC and system of a step."""
        bmc = self.what.steps[number].bmc
        return bmc, self.emulator.endpoints[bmc].systems[0].id

    def _switched(self, number: int) -> Iterator[str]:
        """What a fencer of this step switches: the host's system, or those of its outlets that the PDU has."""
        unit, outlets = self.reached[number]
        there = (system.id for system in self.emulator.endpoints[unit].systems)
        wanted = outlets or (self._target(number)[1],)
        return (system for system in there if system in wanted)

    def _begin(self, number: int) -> None:
        bmc, system = self._target(number)
        unit, outlets = self.reached[number]
        if (before := self.what.steps[number].before) is not None:
            before.happen(self.emulator, bmc)
        for each in self._switched(number):
            self.emulator.forget_open_gate(unit, each)
        self.emulator.limit_gates(GATES_SHARE * self.what.definition.deadline)
        action = self.what.steps[number].ask.value
        of_pdu: dict[str, str] = {"outlets": " ".join(f"{unit}/{each}" for each in outlets)} if outlets else {}
        self.emulator.record(bmc, EventKind.FENCER, None, what="start", ask=number, action=action, system=system, **of_pdu)

    def _ask(self, number: int) -> FencerOutcome:
        emulator, what, step = self.emulator, self.what, self.what.steps[number]

        def stamp() -> None:
            answered = emulator.last_response(self.reached[number].unit)
            emulator.record(step.bmc, EventKind.FENCER, answered, what="claim", ask=number)
            for each in what.scenario.given:
                each.claimed(emulator, step.ask, step.bmc)

        def watching() -> None:
            assert self.watched is not None
            emulator.record(step.bmc, EventKind.MANAGER, what=WATCHED)
            for each in what.scenario.given:
                each.watched(emulator, self.watched.agents)

        def down() -> None:
            for each in what.scenario.given:
                each.claimed_down(emulator, step.bmc)

        _, system = self._target(number)
        agents = None if self.watched is None else self.watched.agents
        with run_directory() as own, reads_counted(emulator, step.bmc, system, step.sigterm_after) as enough:
            since = time.time()
            outcome = what.definition.ways[what.protocol].run(
                Invocation(
                    ask=step.ask,
                    protocol=what.protocol,
                    bmc=self.told[number],
                    cap=what.definition.cap,
                    scratch=own.home,
                    watch=own.watch,
                    stop=self.stop,
                    on_end=stamp,
                    input=step.input,
                    sigterm=enough,
                    site=self._site(step),
                    on_watching=watching,
                    on_down=down,
                    agents=agents if isinstance(agents, SocketlessAgents) else None,
                )
            )
            # What it could not tidy up because it was killed is not held against it.
            if what.looks_for_leaks and not outcome.timed_out:
                ours = Path(emulator.endpoints[step.bmc].ca_file).parent
                found = search(self.secrets, own, what.definition.folder, since, ours=ours)
                conduct = (*outcome.conduct, *found.conduct)
                files = (*found.files, *self._kept_secrets(since))
                outcome = replace(outcome, files=files, unsearched=found.unsearched, conduct=conduct)
        emulator.record(step.bmc, EventKind.FENCER, what="end", ask=number, claim=outcome.claim.value, exit=outcome.exit)
        return outcome

    def _site(self, step: AskStep) -> ManagedSite | None:
        if self.watched is None:
            return None
        told = {
            name: handed((*self.what.scenario.given, *step.told), self.emulator.endpoints[name])
            for name in self.watched.workloads
        }
        given = (*self.what.scenario.given, *step.told)
        return self.watched.site(given, told, step.bmc, self.what.definition.deadline)

    def _kept_secrets(self, since: float) -> tuple[str, ...]:
        """Files in a manager's own folder that hold a password."""
        if self.watched is None:
            return ()
        return search(self.secrets, self.watched.kept, self.what.definition.folder, since).files

    def _watch_on(self, number: int, outcome: FencerOutcome) -> None:
        """What is in flight after a false claim of off is waited for, so that "too early" and "never" can be told apart."""
        bmc, system = self._target(number)
        if outcome.claim is Claim.OFF and self.emulator.host(bmc, system).rail is Rail.UP:
            for each in self._switched(number):
                self.emulator.let_fall(self.reached[number].unit, each, timeout_s=SETTLE_S)
