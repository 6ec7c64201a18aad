"""Plays every mutant of a fencer to every scenario that can notice it, and keeps what came of it in a file.

A mutant is *killed* by a scenario whose verdict is worse than for the fencer without a change. ERROR is no verdict on a fencer
and kills nothing. Runs that cannot differ are not played twice (`probes`).

What is kept is of use to go on after an interruption, and where scenarios were added: it does not notice that a scenario, a
profile or the emulator has changed.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from conformance.runner import MatrixCell
from conformance.vocabulary import Verdict
from emulator import Reusable, reusable
from tools.mutation_score import changed_fencers, tables
from tools.mutation_score.changed_copy import Originals
from tools.mutation_score.playing import MatrixColumn, columns, definition_of, play, play_column, prepared
from tools.mutation_score.probes import always_used, probes_of

ORIGINALS: Final[Mapping[str, Originals]] = {"reference": changed_fencers.REFERENCE, "careful": changed_fencers.CAREFUL}
NONE: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantResult:
    """`kills` gives the verdict for each column that kills it. The columns of `played` were played; those of `merged` could not
    differ and were not. `void` are those with ERROR, such as a fault that never came."""

    mutant: str
    digest: str
    kills: Mapping[str, str] = field(default_factory=dict)
    played: Sequence[str] = ()
    merged: Sequence[str] = ()
    void: Sequence[str] = ()
    seconds: float = 0.0

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios that kill it, on whatever profile."""
        return tuple(dict.fromkeys(column.partition("@")[0] for column in self.kills))


@dataclass(slots=True)
class FencerMatrix:
    """What is known of the mutants of one fencer. `unchanged` gives the verdict of the fencer itself for each column that it does
    not pass, `columns` are all, and `passed` gives the mutants whose places the run of a column passes."""

    fencer: str
    digest: str
    columns: list[str] = field(default_factory=list)
    not_played: dict[str, str] = field(default_factory=dict)
    unchanged: dict[str, str] = field(default_factory=dict)
    passed: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0
    results: dict[str, MutantResult] = field(default_factory=dict)

    @property
    def is_settled_whole(self) -> bool:
        """Whether it is known of every mutant if it survives."""
        return all(map(self.is_settled, tables.by_id(self.fencer)))

    def result(self, name: str) -> MutantResult:
        """What is known of a mutant, nothing perhaps."""
        return self.results.get(name) or MutantResult(mutant=name, digest="")

    def missing(self, name: str) -> int:
        """How many columns this mutant was not played through yet."""
        known = self.results.get(name)
        return len(self.columns) - (0 if known is None else len({*known.played, *known.merged} & {*self.columns}))

    def is_settled(self, name: str) -> bool:
        """Whether it is known if the mutant survives."""
        return name in self.results and (bool(self.results[name].kills) or not self.missing(name))

    @property
    def killed(self) -> list[MutantResult]:
        return [self.results[name] for name in tables.by_id(self.fencer) if name in self.results and self.results[name].kills]

    @property
    def survivors(self) -> list[str]:
        return [name for name in tables.by_id(self.fencer) if self.is_settled(name) and not self.results[name].kills]

    def killers(self) -> dict[str, list[str]]:
        """For each scenario that kills something, the mutants."""
        found: dict[str, list[str]] = {}
        for result in self.results.values():
            for scenario in result.scenarios:
                found.setdefault(scenario, []).append(result.mutant)
        return found


def sources(originals: Originals) -> list[str]:
    """All modules of which copies are made, relative to the source tree; without fencer.ha, which fence_bmc does not load."""
    root = originals.root
    found: list[str] = []
    for place in originals.places.values():
        files = [root / place] if place.endswith(".py") else sorted((root / place).rglob("*.py"))
        found += [file.relative_to(root).as_posix() for file in files if "ha" not in file.relative_to(root).parts]
    return found


def digest_of(fencer: str) -> str:
    """Of the fencer's sources and the places of its mutants: what was kept of other ones is of no use."""
    whole = sha256()
    for name in sources(ORIGINALS[fencer]):
        whole.update((changed_fencers.ROOT / name).read_bytes())
    whole.update(repr([(mutant.id, mutant.file, mutant.old) for mutant in tables.of(fencer)]).encode())
    return whole.hexdigest()[:16]


def own_digest(matrix: FencerMatrix, mutant: str) -> str:
    """Changes with the mutant and the fencer."""
    change = tables.by_id(matrix.fencer)[mutant]
    return sha256(f"{matrix.digest} {change.file} {change.old} {change.new}".encode()).hexdigest()[:16]


@dataclass(slots=True)
class MatrixRun:
    """Fills the matrix of one fencer; `keep` is called when something is known that should not be lost."""

    matrix: FencerMatrix
    keep: Callable[[], None]
    is_over: Callable[[], bool]
    reused: Reusable = field(default_factory=reusable)

    def unchanged(self) -> None:
        """Plays the fencer itself, in this process: its verdicts, and the mutants whose places each run passes."""
        matrix = self.matrix
        began = time.process_time()
        cells, matrix.not_played = columns(matrix.fencer)
        matrix.columns = [str(column) for column in cells]
        originals, mutants = ORIGINALS[matrix.fencer], tables.of(matrix.fencer)
        probes = probes_of(originals.root, mutants, sources(originals))
        always = always_used(probes)
        finder = changed_fencers.prepare(matrix.fencer, probes=probes)
        for column, cell in cells.items():
            if str(column) in matrix.passed:
                continue
            if self.is_over():
                break
            finder.reached.clear()
            verdict, _, _ = play_column(cell, self.reused)
            matrix.passed[str(column)] = [mutants[number].id for number in sorted(finder.reached | always)]
            if verdict is not Verdict.PASS:
                matrix.unchanged[str(column)] = verdict.value
            self.keep()
        matrix.seconds += time.process_time() - began
        self.keep()

    def mutants(self, jobs: int, *, only_settle: bool) -> Iterator[MutantResult]:
        """Plays what is not known yet, `jobs` mutants at a time, until the time is over; yields a result as often as it grows.

        First each mutant is played until a scenario kills it, those that have killed most in front; then, unless `only_settle`,
        through what is left.
        """
        cells, _ = columns(self.matrix.fencer)
        changed_fencers.prepare(self.matrix.fencer)  # compiles everything once, and makes what every run needs, for all children
        for protocol in definition_of(self.matrix.fencer).ways:
            play_column(next(cell for cell in cells.values() if cell.scenario.protocol == protocol), self.reused)
        yield from self._phase(jobs, cells, until_killed=True)
        if not only_settle:
            yield from self._phase(jobs, cells, until_killed=False)

    def _phase(self, jobs: int, cells: Mapping[MatrixColumn, MatrixCell], *, until_killed: bool) -> Iterator[MutantResult]:
        def grown(name: str) -> MutantResult | None:
            known = self._known(name)
            if self.is_over() or (until_killed and known.kills):
                return None
            missing = {column: cell for column, cell in cells.items() if str(column) not in {*known.played, *known.merged}}
            return self._played(name, known, missing, until_killed=until_killed) if missing else None

        with ThreadPoolExecutor(jobs) as pool:
            for result in pool.map(grown, tables.by_id(self.matrix.fencer)):
                if result is not None:
                    self.matrix.results[result.mutant] = result
                    self.keep()
                    yield result

    def _known(self, name: str) -> MutantResult:
        digest = own_digest(self.matrix, name)
        known = self.matrix.results.get(name)
        return known if known is not None and known.digest == digest else MutantResult(mutant=name, digest=digest)

    def _played(
        self, name: str, known: MutantResult, cells: Mapping[MatrixColumn, MatrixCell], *, until_killed: bool
    ) -> MutantResult:
        """What is known of a mutant, and what these cells come to."""
        matrix = self.matrix
        lethal = Counter(column for result in [*matrix.results.values()] for column in result.kills)
        used = {column: cells[column] for column in cells if name in matrix.passed[str(column)]}
        used = dict(sorted(used.items(), key=lambda each: (-lethal[str(each[0])], each[1].scenario.tier)))
        kills: dict[str, str] = {}
        played: list[str] = []
        void: list[str] = []
        seconds = 0.0
        for run in play(matrix.fencer, name, used, self.reused, partial(prepared, matrix.fencer, name)):
            played.append(str(run.column))
            seconds += run.seconds
            before = Verdict(matrix.unchanged.get(str(run.column), Verdict.PASS.value))
            if run.verdict is Verdict.ERROR:
                void.append(str(run.column))
            elif run.verdict.severity < before.severity:
                kills[str(run.column)] = run.verdict.value
                if until_killed:
                    break
        return replace(
            known,
            kills={**known.kills, **kills},
            played=(*known.played, *played),
            merged=(*known.merged, *(str(column) for column in cells if column not in used)),
            void=(*known.void, *void),
            seconds=known.seconds + seconds,
        )


def save(matrix: FencerMatrix, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(asdict(matrix), indent=1), encoding="utf-8")


def read(file: Path) -> FencerMatrix:
    told = json.loads(file.read_text(encoding="utf-8"))
    results = {name: MutantResult(**result) for name, result in told.pop("results").items()}
    return FencerMatrix(**told, results=results)


def carry_out(
    fencer: str, file: Path, say: Callable[[str], None], is_over: Callable[[], bool], jobs: int, *, only_settle: bool = False
) -> FencerMatrix:
    """Plays what is not known yet, and saves after each mutant."""
    matrix = FencerMatrix(fencer, digest_of(fencer))
    if file.exists() and (known := read(file)).digest == matrix.digest:
        matrix = known
        matrix.results = {name: result for name, result in known.results.items() if name in tables.by_id(fencer)}
    run = MatrixRun(matrix, lambda: save(matrix, file), is_over)
    run.unchanged()
    done = f"{len(matrix.passed)} of {len(matrix.columns)} runs without a change"
    say(f"{fencer}: {done}, {matrix.seconds:.0f} s of processor time")
    if not set(matrix.columns) <= set(matrix.passed):
        return matrix
    for result in run.mutants(jobs, only_settle=only_settle):
        killed = f"killed by {len(result.scenarios)} scenarios" if result.kills else "SURVIVES"
        counted = f"{len(result.played)} runs, {len(result.merged)} merged, {len(result.void)} void, {result.seconds:.1f} s"
        say(f"{fencer}: {result.mutant}: {killed}; {counted}")
    return matrix
