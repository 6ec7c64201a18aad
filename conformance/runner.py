"""The matrix fencers x profiles x scenarios: what can be tried, tried, judged.

Rules
  1. A cell that cannot be tried says why: N/A is the fencer's or the profile's nature, SKIP is this machine's lack.
  2. A verdict that hangs on the wall clock is tried a second time (catalogue 8.4); UNSAFE in either run wins, else the worse one.
  3. Whatever goes wrong in the suite itself is an ERROR of that cell, never a verdict on the fencer.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

from conformance.adapters.base import CannotStart, Interrupted
from conformance.adapters.definition import Definition
from conformance.adapters.registry import following
from conformance.causal_chain import tell
from conformance.finding import Judgement
from conformance.in_process import workers
from conformance.judge import Trial, judge
from conformance.play_scenario import Play, Played, play
from conformance.result import Result
from conformance.scenario import AskStep, Scenario
from conformance.secret_forms import redact
from conformance.vocabulary import Protocol, Verdict
from emulator import EmulatorError, EventKind
from profiles.model import Profile

NEAR_DEADLINE: Final = 0.8
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """`profile_word` is what the user typed for the profile."""

    definition: Definition
    profile: Profile
    scenario: Scenario
    profile_word: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a scenario is put to a fencer."""

    protocol: Protocol
    steps: tuple[AskStep, ...]


class NotApplicable(Exception):
    """The scenario has nothing to try here; the text says why."""


def matrix(
    definitions: Iterable[Definition], profiles: Mapping[str, Profile], scenarios: Sequence[Scenario]
) -> tuple[MatrixCell, ...]:
    """Every cell; `profiles` by the word that the user typed."""
    return tuple(MatrixCell(d, p, s, word) for d in definitions for word, p in profiles.items() for s in scenarios)


def fit(cell: MatrixCell) -> Fit:
    """How the scenario is put to this fencer on this profile. Raises NotApplicable."""
    definition, scenario = cell.definition, cell.scenario
    if scenario.convention is not None and scenario.convention not in definition.conventions:
        invoked = ", ".join(following(scenario.convention))
        raise NotApplicable(f"about the {invoked} protocol; {definition.name} is not invoked so")
    for given in scenario.given:
        if (why := given.missing_in(cell.profile)) is not None:
            raise NotApplicable(why)
    if scenario.protocol is not None and scenario.protocol not in definition.ways:
        raise NotApplicable(f"{definition.name} does not speak {scenario.protocol}")
    protocol = scenario.protocol or (Protocol.REDFISH if Protocol.REDFISH in definition.ways else Protocol.IPMI)
    if protocol is Protocol.IPMI and not cell.profile.ipmi.lan:
        raise NotApplicable(f"{cell.profile.id} has IPMI over LAN switched off")
    if definition.ways[protocol].on_virtual_time and (subject := scenario.needs_sockets) is not None:
        raise NotApplicable(f"about {subject}; {definition.name} runs on virtual time, without sockets or a process of its own")
    lacking = sorted({step.ask.value for step in scenario.steps if step.ask not in definition.asks and not step.optional})
    if lacking:
        raise NotApplicable(f"{definition.name} cannot be asked for {', '.join(lacking)}")
    if definition.capabilities is not None and (needed := scenario.needs - definition.capabilities):
        raise NotApplicable(f"{definition.name} does not declare {', '.join(sorted(needed))}")
    return Fit(protocol, tuple(step for step in scenario.steps if step.ask in definition.asks))


def run_cell(cell: MatrixCell, stop: threading.Event, seed: int = 0) -> Result:
    """One cell, judged. Raises Interrupted when `stop` is set."""
    try:
        how = fit(cell)
    except NotApplicable as why:
        return _result(cell, Verdict.NA, str(why), seed)
    if (lack := cell.definition.ways[how.protocol].missing()) is not None:
        return _result(cell, Verdict.SKIP, lack, seed)
    what = Play(
        scenario=cell.scenario,
        steps=how.steps,
        profile=cell.profile,
        definition=cell.definition,
        protocol=how.protocol,
        seed=seed,
    )
    started = time.monotonic()
    first: Verdict | None = None
    try:
        played = _play(what, stop)
        verdict = _judge(cell, played)
        if hangs_on_the_clock(verdict, played, cell.definition):
            again = _play(what, stop)
            second = _judge(cell, again)
            if second.verdict is not verdict.verdict:
                first = verdict.verdict
            if second.verdict.severity <= verdict.verdict.severity:
                played, verdict = again, second
    except CannotStart as why:
        return _result(cell, Verdict.SKIP, str(why), seed)
    except (OSError, EmulatorError) as error:
        return _result(cell, Verdict.ERROR, f"the suite could not test it: {error}", seed)
    return Result(
        fencer=cell.definition.name,
        fencer_digest=cell.definition.digest,
        profile=cell.profile.id,
        profile_digest=cell.profile.digest,
        scenario=cell.scenario,
        verdict=verdict.verdict,
        kind=verdict.kind,
        why=verdict.why,
        protocol=how.protocol,
        findings=verdict.findings,
        notes=verdict.notes,
        stories=tuple(tell(played.events, finding.anchors, finding.ask) for finding in verdict.findings),
        facts=verdict.facts,
        said=redact("\n".join(o.text for o in played.outcomes if o.text), played.secrets),
        unprotected=tuple(dict.fromkeys(what for o in played.outcomes for what in o.unprotected)),
        unsearched=tuple(dict.fromkeys(what for o in played.outcomes for what in o.unsearched)),
        seconds=time.monotonic() - started,
        deadline=cell.definition.deadline,
        repeat=repeat_line(cell, seed),
        first_verdict=first,
        journal="".join(f"{event.to_json()}\n" for event in played.events),
    )


def _play(what: Play, stop: threading.Event) -> Played:
    return workers.play(what, stop) if what.definition.ways[what.protocol].on_virtual_time else play(what, stop)


def _judge(cell: MatrixCell, played: Played) -> Judgement:
    return judge(
        Trial(
            requirement=cell.scenario.requirement,
            steps=played.steps,
            outcomes=played.outcomes,
            events=played.events,
            deadline=cell.definition.deadline,
            secrets=played.secrets,
            causes=cell.definition.causes,
            faults=played.faults,
        )
    )


def hangs_on_the_clock(judgement: Judgement, played: Played, definition: Definition) -> bool:
    """Whether a slow machine could have made this verdict.

    A fencer that has been silent for half of its time hangs by itself; one that gave up early did so for another reason.
    """
    if any(way.on_virtual_time for way in definition.ways.values()):
        return False  # its clock is not the machine's
    if judgement.verdict is Verdict.HANG:
        quiet_since = max((e.t for e in played.events if e.kind is EventKind.REQUEST), default=0.0)
        ended = max(e.t for e in played.events if e.kind is EventKind.FENCER)
        return ended - quiet_since < definition.cap / 2
    return judgement.verdict is Verdict.STUCK and any(o.duration >= NEAR_DEADLINE * definition.deadline for o in played.outcomes)


def repeat_line(cell: MatrixCell, seed: int) -> str:
    """The one command that does it again."""
    line = [
        "fence-conformance",
        "run",
        "--fencer",
        cell.definition.label,
        "--profile",
        cell.profile_word or cell.profile.id,
        "--scenario",
        cell.scenario.id,
    ]
    return shlex.join([*line, "--seed", str(seed)] if seed else line)


def _result(cell: MatrixCell, verdict: Verdict, why: str, seed: int) -> Result:
    return Result(
        fencer=cell.definition.name,
        fencer_digest=cell.definition.digest,
        profile=cell.profile.id,
        profile_digest=cell.profile.digest,
        scenario=cell.scenario,
        verdict=verdict,
        why=why,
        deadline=cell.definition.deadline,
        repeat=repeat_line(cell, seed),
    )


def run(
    cells: Sequence[MatrixCell], *, jobs: int, seed: int = 0, on_result: Callable[[Result], None] = lambda result: None
) -> tuple[Result, ...]:
    """Every cell, `jobs` at a time; results in the order of the cells. On KeyboardInterrupt all fencers are ended first."""
    stop = threading.Event()
    done: dict[int, Result] = {}
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="cell") as pool:
        waiting: dict[Future[Result], int] = {pool.submit(run_cell, cell, stop, seed): n for n, cell in enumerate(cells)}
        try:
            while waiting:
                finished, _ = wait(waiting, timeout=POLL_S, return_when=FIRST_COMPLETED)
                for future in finished:
                    number = waiting.pop(future)
                    done[number] = _outcome_of(future, cells[number], seed)
                    on_result(done[number])
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return tuple(done[number] for number in sorted(done))


def _outcome_of(future: Future[Result], cell: MatrixCell, seed: int) -> Result:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, Interrupted):
        raise KeyboardInterrupt
    return _result(cell, Verdict.ERROR, f"the suite failed: {type(error).__name__}: {error}", seed)
