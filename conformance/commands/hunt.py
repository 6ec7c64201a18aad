"""`fence-conformance hunt`: searches for the fewest deviations of a BMC that break a fencer."""

from __future__ import annotations

import math
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from conformance import cluster, cluster_option, report_options, running_order, selection
from conformance.adapters.base import CannotStart, Interrupted
from conformance.adapters.reading import FencerFileError
from conformance.completion import FENCERS, PROFILES, NamesType
from conformance.report_options import OneSentence
from conformance.reported_run import Lacking
from conformance.versions import our_version
from conformance.vocabulary import Ask, Verdict

if TYPE_CHECKING:
    from conformance.hunt.hunting import TryTrace
    from conformance.hunt.result_file import ConfirmedFind, HuntResult
    from conformance.hunt.search import Search
    from conformance.hunt.trial_run import Hunted
    from conformance.hunt.verdict import HuntedRun

ASKS: Final = ("off", "reboot")
STARTS: Final = ("on", "hung", "off", "two")
SCENES: Final = ("cut", "silent", "dark", "well")
DEPTH, MANAGERS_DEPTH = 12, 40
MOST_BUDGET: Final = 3
MOST_DEPTH: Final = 100
INTERRUPTED: Final = 130
FAILED: Final = 5
SAVE_EVERY_S, SAVE_SHARE = 2.0, 0.05
"""A state is kept so often, and so seldom that no more than this share of the time goes into it."""
EXAMPLES = """
\b
Examples:
  fence-conformance hunt --fencer fence_redfish --profile dell-idrac9 --budget 1 --out found
  fence-conformance hunt --fencer ./my-agent.yaml --profile openbmc-x86 --time 600 --state hunt.state
  fence-conformance hunt --fencer fence-ha --profile dell-idrac9 --budget 1 --start cut,silent --out found
  fence-conformance hunt --fencer ./my-agent.yaml --profile dell-idrac9 --cluster tcp://scheduler:8786
  fence-conformance hunt --diff old/hunt.json new/hunt.json

\b
Exit codes:
  0  nothing was found, or the time was over before anything was
  1  HANG or STUCK was found, or --diff shows a new find
  2  usage or configuration
  3  UNSAFE was found
  4  this machine lacks what was asked for
  5  the suite itself failed
  130  Ctrl-C; what was found is kept
"""


class SuiteFailed(OneSentence):
    """No run could be played."""

    exit_code = FAILED


def _words(known: tuple[str, ...], text: str, option: str) -> tuple[str, ...]:
    words = selection.split([text])
    for word in words:
        if word not in known:
            raise OneSentence(f"{option}: there is no {word!r}; there are: {', '.join(known)}")
    if not words:
        raise OneSentence(f"{option}: nothing is named; there are: {', '.join(known)}")
    return words


def _asked(asks: str | None, starts: str | None, *, is_manager: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to ask for and where to begin, as named or as usual. Raises OneSentence."""
    if not is_manager:
        return (
            _words(ASKS, "off" if asks is None else asks, "--ask"),
            _words(STARTS, ",".join(STARTS) if starts is None else starts, "--start"),
        )
    if asks is not None:
        raise OneSentence("--ask: an HA manager is asked to watch and nothing else")
    return (Ask.WATCH.value,), _words(SCENES, ",".join(SCENES) if starts is None else starts, "--start")


@click.command(epilog=EXAMPLES)
@click.option("--fencer", "fencer_word", type=FENCERS, metavar="NAME|FILE.yaml", help="Whom to hunt: a built-in name or a file.")
@click.option("--profile", "profile_word", type=PROFILES, metavar="P", help="On which BMC: the name or the file of a profile.")
@click.option(
    "--budget",
    type=click.IntRange(0, MOST_BUDGET),
    default=2,
    show_default=True,
    help="The most that the deviations of a run may cost; most cost one.",
)
@click.option(
    "--depth",
    type=click.IntRange(1, MOST_DEPTH),
    default=None,
    help=f"Deviations come at the first so many requests; else {DEPTH}, of a manager {MANAGERS_DEPTH}.",
)
@click.option("--time", "time_s", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Take no longer in all.")
@click.option(
    "--ask",
    "ask_words",
    type=NamesType("ask", lambda: ASKS),
    metavar="off,reboot",
    help="What to ask for; else off. Managers are asked to watch.",
)
@click.option(
    "--start",
    "start_words",
    type=NamesType("start", lambda: (*STARTS, *SCENES)),
    metavar="WORD[,...]",
    help="How the host is before: on,hung,off,two. What happens to a manager's: cut,silent,dark,well. Else all.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For the order from two deviations on.")
@click.option(
    "--jobs", type=click.IntRange(1, running_order.MOST_JOBS), default=None, help="Runs at a time; else 8 for each core."
)
@click.option("--cluster", "scheduler", metavar=cluster_option.METAVAR, help="Hand the runs to a scheduler of dask.distributed.")
@click.option("--out", type=click.Path(file_okay=False), metavar="DIR", help="Write each find, its evidence and a picture there.")
@click.option(
    "--state", "state_file", type=click.Path(dir_okay=False), metavar="FILE", help="Go on from there, and keep it there."
)
@click.option(
    "--diff", "compared", nargs=2, type=click.Path(dir_okay=False), metavar="OLD.json NEW.json", help="Compare two hunts instead."
)
def command(
    fencer_word: str | None,
    profile_word: str | None,
    budget: int,
    depth: int | None,
    time_s: float | None,
    ask_words: str | None,
    start_words: str | None,
    seed: int,
    jobs: int | None,
    scheduler: str | None,
    out: str | None,
    state_file: str | None,
    compared: tuple[str, str] | None,
) -> int:
    """Searches for the fewest deviations of a BMC that break a fencer, with the truth about the host as the only judge."""
    if compared is not None:
        return _compare(*compared)
    if fencer_word is None or profile_word is None:
        raise OneSentence("--fencer and --profile say whom to hunt and on which BMC; or --diff compares two hunts")
    for option, name in (("--out", out), ("--state", state_file)):
        if name == "":
            raise OneSentence(f"{option}: nothing is named")
    if time_s is not None and math.isnan(time_s):
        raise OneSentence("--time: nan is no number of seconds")
    cluster_option.check(scheduler, jobs)
    try:
        definitions, profiles = selection.pick_fencers((fencer_word,)), selection.pick_profiles((profile_word,))
    except (selection.BadSelection, FencerFileError) as error:
        raise OneSentence(str(error)) from None
    if len(definitions) != 1 or len(profiles) != 1:
        raise OneSentence("a hunt is about one fencer and one profile: name one of each")
    from conformance.hunt.search import SearchBounds

    asks, starts = _asked(ask_words, start_words, is_manager=Ask.WATCH in definitions[0].asks)
    from conformance.hunt.trace import start_of
    from conformance.hunt.trial_run import hunted, worlds_of

    (word, profile), *_ = profiles.items()
    target = hunted(definitions[0], profile, word, seed)
    worlds, left_out = worlds_of(target, tuple(Ask(ask) for ask in asks), tuple(start_of(start) for start in starts))
    for world, why in left_out.items():
        _say(f"not searched: {world}: {why}")
    if not worlds:
        raise Lacking("nothing to search: no start and ask that were named can be tried")
    from conformance.hunt.search import Search

    depth = depth or (MANAGERS_DEPTH if target.is_manager else DEPTH)
    bounds = SearchBounds(budget=budget, depth=depth, seed=seed)
    known = _known(Path(state_file), target) if state_file is not None else ()
    hunt = _Hunt(target, Search(worlds, bounds, known), {str(world): why for world, why in left_out.items()})
    for file in filter(None, (state_file, out and str(Path(out) / "hunt.json"))):
        report_options.check_writable(Path(file))
    play: TryTrace | None = None
    if scheduler is not None:
        from conformance.hunt.on_cluster import play_on

        try:
            reached = cluster.reach(scheduler)
        except cluster.NoCluster as error:
            raise Lacking(str(error)) from None
        jobs, play = reached.threads, play_on(reached, target)
    return hunt.carry_out(
        jobs=jobs or running_order.default_jobs(),
        play=play,
        time_s=math.inf if time_s is None else time_s,
        out=None if out is None else Path(out),
        state=None if state_file is None else Path(state_file),
    )


class _Hunt:
    """One hunt as the command carries it out."""

    def __init__(self, target: Hunted, search: Search, left_out: dict[str, str]) -> None:
        self._target = target
        self._search = search
        self._left_out = left_out
        self._save_at = time.monotonic() + SAVE_EVERY_S

    def carry_out(self, *, jobs: int, play: TryTrace | None, time_s: float, out: Path | None, state: Path | None) -> int:
        """Searches, confirms, writes and tells; the exit code. Runs are played by `play`; None: here. Raises OneSentence."""
        from conformance.hunt import hunting, told

        search = self._search
        progress = told.HuntProgress(search, _say, time.monotonic)
        end = time.monotonic() + time_s

        def tick() -> None:
            progress.tick()
            if state is not None and time.monotonic() > self._save_at:
                self._save(self._result((), progress.seconds, finished=False), state)

        try:
            ending = hunting.search_through(
                self._target,
                search,
                jobs=jobs,
                until=end,
                on_run=progress.add,
                on_tick=tick,
                play=play,
                end=end,
            )
        except CannotStart as why:
            raise Lacking(self._target.definition.advised(str(why))) from None
        except cluster.NoCluster as error:
            self._lose_cluster(error, progress.seconds, state)
        self._check_played()
        try:
            if ending is hunting.Ending.STOPPED:
                finds = hunting.unconfirmed(search)
            else:
                finds = hunting.confirm(self._target, search, jobs=jobs, play=play, end=end)
        except KeyboardInterrupt:
            ending, finds = hunting.Ending.STOPPED, hunting.unconfirmed(search)
        except cluster.NoCluster as error:
            self._lose_cluster(error, progress.seconds, state)
        result = self._result(finds, progress.seconds, finished=ending is hunting.Ending.COMPLETE)
        if state is not None:
            self._save(result, state)
        if ending is hunting.Ending.STOPPED:
            end = 0.0
        if self._tell(result, out, jobs, end):
            ending = hunting.Ending.STOPPED
        found = Counter(find.run.verdict for find in finds if find.replays == find.of)
        click.echo(result.radius)
        click.echo(told.last_line(search, ending, progress.seconds, found))
        if ending is hunting.Ending.STOPPED:
            return INTERRUPTED
        return 3 if found[Verdict.UNSAFE] else 1 if found else 0

    def _lose_cluster(self, error: cluster.NoCluster, seconds: float, state: Path | None) -> NoReturn:
        """Keeps what was played, where a state file was named. Raises Lacking."""
        if state is not None:
            self._save(self._result((), seconds, finished=False), state)
        raise Lacking(str(error)) from None

    def _check_played(self) -> None:
        """Says what could not be played. Raises SuiteFailed where nothing could."""
        errors = [run for run in self._search.runs if run.verdict is Verdict.ERROR]
        if errors and len(errors) == len(self._search.runs):
            raise SuiteFailed(f"the suite could not play any run: {errors[0].why}")
        if errors:
            _say(f"{len(errors)} runs could not be played, such as {errors[0].trace}: {errors[0].why}")

    def _result(self, finds: tuple[ConfirmedFind, ...], seconds: float, *, finished: bool) -> HuntResult:
        from conformance.hunt.radius import radius_sentence
        from conformance.hunt.result_file import HuntResult

        target, search = self._target, self._search
        counted = [find.run for find in finds if find.replays == find.of]
        shaky = sum(find.run.verdict is Verdict.UNSAFE and find.replays != find.of for find in finds)
        return HuntResult(
            fencer=target.definition.name,
            fencer_digest=target.definition.digest,
            profile=target.profile.id,
            profile_digest=target.profile.digest,
            seed=search.bounds.seed,
            budget=search.bounds.budget,
            depth=search.bounds.depth,
            seconds=seconds,
            radius=radius_sentence(counted, search.levels, search.bounds, shaky),
            runs=tuple(search.runs),
            finds=finds,
            version=our_version(),
            finished=finished,
            left_out=self._left_out,
        )

    def _save(self, result: HuntResult, file: Path) -> None:
        from conformance.hunt import result_file

        began = time.monotonic()
        try:
            result_file.write(result, file)
        except OSError as error:
            raise OneSentence(f"cannot write {file}: {error.strerror}") from None
        ended = time.monotonic()
        self._save_at = ended + max(SAVE_EVERY_S, (ended - began) / SAVE_SHARE)

    def _tell(self, result: HuntResult, out: Path | None, jobs: int, end: float) -> bool:
        """Prints the finds, and writes them where a folder is named; what is played for their evidence ends at `end`, or at
        Ctrl-C. Whether it was that."""
        from conformance.hunt import evidence_files, told

        stopped = False
        if out is not None:
            try:
                self._write_finds(result.finds, out, jobs, end)
            except KeyboardInterrupt:
                stopped = True
                _say("stopped; some finds have no evidence")
        label = self._target.definition.label
        for find in result.finds:
            file = None if out is None else out / f"{find.scenario}.yaml"
            repeat = "" if file is None else told.repeat_command(label, self._target.profile_word, file, self._target.seed)
            for line in told.find_lines(find, repeat):
                click.echo(line)
        if (line_of := told.undetectable_line(self._search)) is not None:
            click.echo(line_of)
        for line in told.reservation_lines(self._search, self._target.profile):
            click.echo(line)
        if out is not None:
            try:
                evidence_files.write_whole(result, out)
            except OSError as error:
                raise OneSentence(f"cannot write into {out}: {error.strerror}") from None
        elif result.finds:
            _say("--out DIR writes each find as a scenario file, with its evidence")
        return stopped

    def _write_finds(self, finds: tuple[ConfirmedFind, ...], out: Path, jobs: int, end: float) -> None:
        from conformance.hunt import evidence_files, hunting

        with ThreadPoolExecutor(jobs, thread_name_prefix="evidence") as pool, hunting.ended_at(end) as stop:
            futures = [pool.submit(evidence_files.write_find, self._target, find, out, our_version(), stop) for find in finds]
            for find, future in zip(finds, futures, strict=True):
                try:
                    result = future.result()
                except Interrupted:
                    _say(f"{find.scenario}: there was no time for its evidence; its scenario file is written")
                    continue
                except OSError as error:
                    raise OneSentence(f"cannot write into {out}: {error.strerror}") from None
                if result.verdict is not find.run.verdict:
                    _say(f"{find.scenario}: the written scenario came out as {result.verdict}, not as {find.run.verdict}")


def _known(file: Path, target: Hunted) -> tuple[HuntedRun, ...]:
    """The runs of a state file; none where there is no file yet. Raises OneSentence where it is of another hunt."""
    from conformance.hunt import result_file

    if not file.exists():
        return ()
    try:
        found = result_file.read(file)
    except result_file.HuntFileUnreadable as error:
        raise OneSentence(f"--state: {error}") from None
    for what, there, here in (
        ("fencer", found.fencer_digest, target.definition.digest),
        ("profile", found.profile_digest, target.profile.digest),
        ("seed", found.seed, target.seed),
    ):
        if there != here:
            raise OneSentence(f"--state: {file} is of another {what}: its runs say nothing here")
    return tuple(result_file.known_runs(found).values())


def _compare(old: str, new: str) -> int:
    from conformance.hunt import result_file
    from conformance.hunt.diff import diff

    try:
        found = diff(result_file.read(Path(old)), result_file.read(Path(new)))
    except result_file.HuntFileUnreadable as error:
        raise OneSentence(str(error)) from None
    for line in found.lines:
        click.echo(line)
    return 1 if found.worse else 0


def _say(sentence: str) -> None:
    click.echo(f"fence-conformance: {sentence}", err=True)
