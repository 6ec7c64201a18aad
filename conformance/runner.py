"""The matrix fencers x profiles x scenarios: what can be tried, tried, judged.

Rules
  1. A cell that cannot be tried says why: N/A is the fencer's or the profile's nature, SKIP is this machine's lack.
  2. A verdict that hangs on the wall clock is repeated, and `repeated_runs` says what comes of it.
  3. Whatever goes wrong in the suite itself is an ERROR of that cell, never a verdict on the fencer.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from conformance import catalogues
from conformance.adapters.base import CannotStart, Interrupted
from conformance.adapters.definition import Definition
from conformance.adapters.placeholders import SPEAKS
from conformance.adapters.registry import following
from conformance.capabilities import DUAL
from conformance.catalogues import Catalogue, is_informational
from conformance.causal_chain import ChainLine, tell_all
from conformance.finding import Judgement
from conformance.givens.given import Given
from conformance.in_process import workers
from conformance.judge import Trial, judge
from conformance.play_scenario import Play, Played, play
from conformance.repeated_runs import JudgedRun, SettledRuns, is_open, settle, settle_repeats
from conformance.result import Result
from conformance.running_order import IN_PROCESS_S, deadlines, default_jobs, longest_first
from conformance.scenario import AskStep, Scenario
from conformance.scrubbing import scrub, scrub_journal
from conformance.secret_forms import SHORTEST, redact
from conformance.vocabulary import Protocol, Verdict
from emulator import EmulatorError
from profiles.model import Profile

POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """`profile_word` is what the user typed for the profile."""

    definition: Definition
    profile: Profile
    scenario: Scenario
    profile_word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What holds for a whole run. With `strict` a broken SHOULD fails the gate. `catalogue` None: as the fencer's file says.

    Each cell is played `repeat` times, whatever comes of it.
    """

    seed: int = 0
    strict: bool = False
    catalogue: Catalogue | None = None
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class Fit:
    """How a scenario is put to a fencer, and the fencer as it is asked there."""

    definition: Definition
    protocol: Protocol
    steps: tuple[AskStep, ...]


class NotApplicable(Exception):
    """The scenario has nothing to try here; the text says why."""


def matrix(
    definitions: Iterable[Definition], profiles: Mapping[str, Profile], scenarios: Sequence[Scenario]
) -> tuple[MatrixCell, ...]:
    """Every cell; `profiles` by the word that the user typed."""
    return tuple(MatrixCell(d, p, s, word) for d in definitions for word, p in profiles.items() for s in scenarios)


def _usual_protocol(profile: Profile, definition: Definition) -> Protocol:
    """Redfish where the fencer speaks it, but IPMI if that is all that the BMC has."""
    speaks = definition.ways
    redfish = Protocol.REDFISH in speaks and (profile.http.served or Protocol.IPMI not in speaks)
    return Protocol.REDFISH if redfish else Protocol.IPMI


def fit(cell: MatrixCell) -> Fit:
    """How the scenario is put to this fencer on this profile. Raises NotApplicable."""
    scenario, definition = cell.scenario, cell.definition.meeting(cell.scenario.needs)
    if scenario.convention is not None and scenario.convention not in definition.conventions:
        invoked = ", ".join(following(scenario.convention))
        raise NotApplicable(f"about the {invoked} protocol; {definition.name} is not invoked so")
    for given in scenario.given:
        if (why := given.missing_in(cell.profile)) is not None:
            raise NotApplicable(why)
    if scenario.protocol is not None and scenario.protocol not in definition.ways:
        raise NotApplicable(f"{definition.name} does not speak {scenario.protocol}")
    protocol = scenario.protocol or _usual_protocol(cell.profile, definition)
    asked_over = tuple(Protocol) if DUAL in scenario.needs else (protocol,)
    if Protocol.REDFISH in asked_over and not cell.profile.http.served:
        raise NotApplicable(f"{cell.profile.id} has no Redfish")
    if Protocol.IPMI in asked_over and not cell.profile.ipmi.lan:
        raise NotApplicable(f"{cell.profile.id} has IPMI over LAN switched off")
    if definition.ways[protocol].on_virtual_time and (subject := scenario.needs_sockets) is not None:
        raise NotApplicable(f"about {subject}; {definition.name} runs on virtual time, without sockets or a process of its own")
    lacking = sorted({step.ask.value for step in scenario.steps if step.ask not in definition.asks and not step.optional})
    if lacking:
        raise NotApplicable(f"{definition.name} cannot be asked for {', '.join(lacking)}")
    if why := next(_unfit(definition, asked_over, scenario.needs, scenario.given), None):
        raise NotApplicable(why)
    asked = [step for step in scenario.steps if step.ask in definition.asks]
    reasons = [next(_unfit(definition, asked_over, step.needs, step.told), None) for step in asked]
    if asked and None not in reasons:
        raise NotApplicable("; ".join(dict.fromkeys(why for why in reasons if why is not None)))
    return Fit(definition, protocol, tuple(step for step, why in zip(asked, reasons, strict=True) if why is None))


def _unfit(
    definition: Definition, asked_over: Sequence[Protocol], needs: frozenset[str], given: Iterable[Given]
) -> Iterator[str]:
    """Why a fencer has no part in something that needs these capabilities and tells it of these preconditions."""
    if definition.capabilities is not None and (lacking := needs - definition.capabilities):
        yield f"{definition.name} does not declare {', '.join(sorted(lacking))}"
    way = definition.ways[asked_over[0]]
    for each in given:
        if not each.told_by:
            continue
        names = " or ".join(f"{{{name}}}" for name in sorted(each.told_by))
        said = [name for name in each.told_by if SPEAKS.get(name, asked_over[0]) in asked_over]
        if not said:
            yield f"{definition.name} cannot be told over {asked_over[0]} that {each.sentence}: {names} names nothing there"
        elif not any(way.is_told(name) for name in said):
            yield f"{definition.name} cannot be told that {each.sentence}: its file has no {names}"


def run_cell(cell: MatrixCell, stop: threading.Event, options: RunOptions | None = None) -> Result:
    """One cell, judged. Raises Interrupted when `stop` is set."""
    options = options or RunOptions()
    try:
        how = fit(cell)
    except NotApplicable as why:
        return _result(cell, Verdict.NA, str(why), options)
    if (lack := how.definition.lack(how.protocol)) is not None:
        return _result(cell, Verdict.SKIP, lack, options)
    what = Play(
        scenario=cell.scenario,
        steps=how.steps,
        profile=cell.profile,
        definition=how.definition,
        protocol=how.protocol,
        seed=options.seed,
    )
    started = time.monotonic()
    try:
        repeats = [_settled(cell, what, stop, options) for _ in range(options.repeat)]
    except CannotStart as why:
        return _result(cell, Verdict.SKIP, cell.definition.advised(str(why)), options)
    except (OSError, EmulatorError) as error:
        return _result(cell, Verdict.ERROR, f"the suite could not test it: {error}", options)
    settled = settle_repeats([repeat.settled for repeat in repeats])
    verdict = settled.judgement
    shown = next(each for repeat in repeats for each in repeat.runs if each.judged is settled.shown)
    played = shown.played
    return replace(
        _result(cell, verdict.verdict, verdict.why, options),
        kind=verdict.kind,
        protocol=how.protocol,
        findings=verdict.findings,
        notes=verdict.notes,
        stories=_scrubbed(tell_all(played.events, verdict.findings), played.secrets),
        facts=verdict.facts,
        said=scrub("\n".join(o.text for o in played.outcomes if o.text), played.secrets),
        unprotected=tuple(dict.fromkeys(what for o in played.outcomes for what in o.unprotected)),
        unsearched=tuple(dict.fromkeys(what for o in played.outcomes for what in o.unsearched)),
        seconds=time.monotonic() - started,
        runs=tuple((run.judged.verdict, run.judged.judgement.why) for repeat in repeats for run in repeat.runs),
        remarks=verdict.remarks,
        journal=scrub_journal("".join(f"{event.to_json()}\n" for event in played.events), played.secrets),
        started=shown.began,
    )


class _Run(NamedTuple):
    """One run of a cell; `began` is in Unix time."""

    judged: JudgedRun
    played: Played
    began: float


class _Repeat(NamedTuple):
    """One repeat of a cell: its runs, and what they come to."""

    settled: SettledRuns
    runs: Sequence[_Run]


def _settled(cell: MatrixCell, what: Play, stop: threading.Event, options: RunOptions) -> _Repeat:
    """Plays a cell as often as its verdict needs. Raises what playing it raises."""
    runs: list[_Run] = []
    while not runs or is_open([run.judged for run in runs]):
        began = time.time()
        played = play_once(what, stop)
        runs.append(_Run(judged(cell, played, options), played, began))
    return _Repeat(settle([run.judged for run in runs]), runs)


def play_once(what: Play, stop: threading.Event) -> Played:
    """Plays it where fencers of this kind are played: here, or in a worker process on virtual time. Raises as `play` does."""
    return workers.play(what, stop) if what.definition.ways[what.protocol].on_virtual_time else play(what, stop)


def judged(cell: MatrixCell, played: Played, options: RunOptions) -> JudgedRun:
    """One run of a cell with its verdict."""
    trial = Trial(
        requirement=cell.scenario.requirement,
        steps=played.steps,
        outcomes=played.outcomes,
        events=played.events,
        deadline=cell.definition.deadline,
        secrets=played.secrets,
        causes=cell.definition.causes,
        faults=played.faults,
        certificate_fails=any(given.certificate_fails for given in cell.scenario.given),
        lag_s=played.lag_s,
        strict=options.strict,
    )
    return JudgedRun(
        judgement=_without_secrets(judge(trial), played.secrets),
        outcomes=played.outcomes,
        events=played.events,
        deadline=cell.definition.deadline,
        cap=cell.definition.cap,
        lag_s=played.lag_s,
        on_virtual_time=played.on_virtual_time,
    )


def _without_secrets(judgement: Judgement, secrets: Sequence[str]) -> Judgement:
    """Findings quote what the fencer said, and it may have said its password. Ones that G3 does not judge stay."""
    longer = [secret for secret in secrets if len(secret) >= SHORTEST]
    return replace(
        judgement,
        why=scrub(judgement.why, longer),
        findings=tuple(replace(finding, actual=scrub(finding.actual, longer)) for finding in judgement.findings),
        notes=tuple(replace(note, actual=scrub(note.actual, longer)) for note in judgement.notes),
    )


def _scrubbed(chains: Sequence[Sequence[ChainLine]], secrets: Sequence[str]) -> tuple[tuple[ChainLine, ...], ...]:
    """The causal chains without passwords: a client may have put one into a path."""
    longer = [secret for secret in secrets if len(secret) >= SHORTEST]
    return tuple(tuple(replace(line, text=redact(line.text, longer)) for line in chain) for chain in chains)


def catalogue_of(definition: Definition, options: RunOptions) -> Catalogue:
    """What counts for this fencer: as the command line says, else as its file says, else the newest catalogue."""
    return options.catalogue or definition.catalogue or catalogues.NEWEST


def repeat_line(cell: MatrixCell, options: RunOptions) -> str:
    """The one command that does it again."""
    line = [
        "fence-conformance",
        "run",
        "--fencer",
        cell.definition.label,
        "--profile",
        cell.profile_word or cell.profile.id,
        *(["--scenario", cell.scenario.id] if cell.scenario.file is None else ["--scenario-file", cell.scenario.file]),
    ]
    if options.seed:
        line += ["--seed", str(options.seed)]
    if options.strict:
        line.append("--strict")
    if options.repeat > 1:
        line += ["--repeat", str(options.repeat)]
    if options.catalogue is not None:
        line += ["--catalogue", options.catalogue.name]
    return shlex.join(line)


def _result(cell: MatrixCell, verdict: Verdict, why: str, options: RunOptions) -> Result:
    return Result(
        fencer=cell.definition.name,
        fencer_digest=cell.definition.digest,
        fencer_file=str(cell.definition.file.absolute()),
        profile=cell.profile.id,
        profile_digest=cell.profile.digest,
        profile_version=cell.profile.firmware.get("modelled_on", ""),
        identity_only=cell.profile.identity_only,
        scenario=cell.scenario,
        verdict=verdict,
        why=why,
        deadline=cell.definition.deadline,
        repeat=repeat_line(cell, options),
        informational=is_informational(cell.scenario, catalogue_of(cell.definition, options)),
    )


def run(
    cells: Sequence[MatrixCell],
    *,
    jobs: int | None = None,
    options: RunOptions | None = None,
    on_result: Callable[[Result], None] = lambda result: None,
    on_tick: Callable[[], None] = lambda: None,
) -> tuple[Result, ...]:
    """Every cell, `jobs` at a time (None: 8 for each core), the longest first; results in the order of the cells.

    `on_result` gets each result as it comes, and `on_tick` is called a few times a second, both in the caller's thread.
    On KeyboardInterrupt all fencers are ended, and RunInterrupted is raised with the results up to then.
    """
    stop = threading.Event()
    chosen = options or RunOptions()
    done: dict[int, Result] = {}
    with ThreadPoolExecutor(max_workers=jobs or default_jobs(), thread_name_prefix="cell") as pool:
        order = longest_first([cell.scenario for cell in cells])
        waiting: dict[Future[Result], int] = {pool.submit(run_cell, cells[n], stop, chosen): n for n in order}
        try:
            while waiting:
                finished, _ = wait(waiting, timeout=POLL_S, return_when=FIRST_COMPLETED)
                for future in finished:
                    number = waiting.pop(future)
                    done[number] = outcome_of(future, cells[number], chosen)
                    on_result(done[number])
                on_tick()
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise RunInterrupted(
                tuple(done[n] for n in sorted(done)), tuple(cell for n, cell in enumerate(cells) if n not in done)
            ) from None
    return tuple(done[number] for number in sorted(done))


class RunInterrupted(Exception):
    """The user wanted out; every fencer has been ended. `results` are those up to then, `not_run` the other cells."""

    def __init__(self, results: tuple[Result, ...], not_run: tuple[MatrixCell, ...]) -> None:
        super().__init__(results, not_run)
        self.results = results
        self.not_run = not_run


def outcome_of(future: Future[Result], cell: MatrixCell, options: RunOptions) -> Result:
    """The result that a future holds; where it holds an error, that is an ERROR of the cell."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, Interrupted):
        raise KeyboardInterrupt
    return failed(cell, error, options)


def failed(cell: MatrixCell, error: BaseException, options: RunOptions) -> Result:
    """The suite itself failed in a cell."""
    return _result(cell, Verdict.ERROR, f"the suite failed: {type(error).__name__}: {error}", options)


def estimated_s(cells: Sequence[MatrixCell], at_a_time: int, options: RunOptions) -> float:
    """How long a run will take, about, in seconds, if the fencers keep their deadlines and the machine is not late."""
    lengths = [options.repeat * _expected_s(cell) for cell in cells]
    return max([sum(lengths) / at_a_time, *lengths])


def _expected_s(cell: MatrixCell) -> float:
    try:
        way = (how := fit(cell)).definition.ways[how.protocol]
    except NotApplicable:
        return 0.0
    if way.on_virtual_time:
        return IN_PROCESS_S
    return 0.0 if way.missing() is not None else deadlines(cell.scenario) * cell.definition.deadline
