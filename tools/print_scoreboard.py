"""Prints docs/scoreboard.md and docs/scoreboard-vendors.md: `python -m tools.print_scoreboard [FENCER...] [options]`.

First cells that are not current are run, each a run of `fence-conformance`, one run after the other; what they find is kept in
docs/scoreboard.json and docs/scoreboard-vendors.json after each run. Fencers that are named, `--profile` and `--board` say which
cells; cells that are not named stay in the files as they are. `--fresh` runs current cells as well. `--again` runs only the
scenarios that ended in ERROR or FLAKY, and those in which the machine was late, one at a time: their verdict may be due to a busy
machine. `--report` merges reports that `fence-conformance run --json` has written, whole or of shards, and runs nothing; nor does
`--page-only`. What is not installed here is listed on the page with what it needs. Exit code 1 if a run could not be used, 2 for
files that cannot be read.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance import catalogues, fencers
from conformance.scenarios import REGISTRY
from conformance.vocabulary import Ask
from tools import scoreboard_page, scoreboard_vendors
from tools.scoreboard_data import UNSETTLED, NotMerged, ScoreCell, joined, merged, read_cells, read_report, write_cells

ROOT: Final = Path(__file__).resolve().parent.parent
Cells = Mapping[tuple[str, str], ScoreCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One page with its file. `at_once`: one run of a fencer has all its profiles; else each has a run of its own.

    `detailed`: the cells of power tables and the reasons of findings are kept. `print` makes the page of cells in their order.
    """

    name: str
    data: Path
    page: Path
    scenarios: tuple[str, ...]
    words: tuple[str, ...]
    fencers: tuple[str, ...]
    profiles: tuple[str, ...]
    at_once: bool
    detailed: bool
    jobs: Callable[[str], int]
    print: Callable[[Sequence[ScoreCell]], str]


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run of `fence-conformance`; `scenarios` empty: those of the board."""

    fencer: str
    profiles: tuple[str, ...]
    scenarios: tuple[str, ...] = ()


def lack_of(name: str) -> str | None:
    """Why a fencer is not run: it is a manager, with scenarios of its own, or something is not installed. None: it can be run."""
    definition = fencers.load(name)
    if Ask.OFF not in definition.asks:
        return "an HA manager: the group HA, outside of this table"
    return next(filter(None, (definition.lack(protocol) for protocol in definition.ways)), None)


def _tier_scenarios() -> tuple[str, ...]:
    shipped = (scenario for scenario in REGISTRY.shipped.values() if scenario.tier <= scoreboard_page.TIER)
    return tuple(scenario.id for scenario in shipped if not catalogues.is_informational(scenario, catalogues.NEWEST))


def _tier_page(cells: Sequence[ScoreCell]) -> str:
    done = {cell.fencer for cell in cells}
    lacks = {name: lack_of(name) or "installed, and not measured yet" for name in fencers.names() if name not in done}
    return scoreboard_page.page(cells, lacks)


def boards(folder: Path = ROOT / "docs") -> tuple[Board, ...]:
    return (
        Board(
            name="tier-0",
            data=folder / "scoreboard.json",
            page=folder / "scoreboard.md",
            scenarios=_tier_scenarios(),
            words=("--tier", str(scoreboard_page.TIER)),
            fencers=fencers.names(),
            profiles=scoreboard_page.PROFILES,
            at_once=False,
            detailed=False,
            jobs=lambda fencer: scoreboard_page.HEAVY.get(fencer, scoreboard_page.JOBS),
            print=_tier_page,
        ),
        Board(
            name="vendors",
            data=folder / "scoreboard-vendors.json",
            page=folder / "scoreboard-vendors.md",
            scenarios=tuple(scoreboard_vendors.SCENARIOS),
            words=("--scenario", ",".join(scoreboard_vendors.SCENARIOS)),
            fencers=scoreboard_vendors.FENCERS,
            profiles=scoreboard_vendors.profiles(),
            at_once=True,
            detailed=True,
            jobs=lambda fencer: scoreboard_vendors.JOBS,
            print=scoreboard_vendors.page,
        ),
    )


def words_of(board: Board, run: PlannedRun) -> tuple[str, ...]:
    """The arguments of `fence-conformance`."""
    which = ("--scenario", ",".join(run.scenarios)) if run.scenarios else board.words
    jobs = 1 if run.scenarios else board.jobs(run.fencer)
    return ("run", "--fencer", run.fencer, "--profile", ",".join(run.profiles), *which, "--jobs", str(jobs))


def planned(
    board: Board, cells: Cells, names: Sequence[str], profiles: Sequence[str], *, fresh: bool = False
) -> Iterator[PlannedRun]:
    """The runs of cells that are not current, or of all with `fresh`."""
    for name in names:
        old = tuple(profile for profile in profiles if fresh or not is_whole(board, cells.get((name, profile))))
        if board.at_once and old:
            yield PlannedRun(name, old)
        else:
            yield from (PlannedRun(name, (profile,)) for profile in old)


def is_whole(board: Board, cell: ScoreCell | None) -> bool:
    """Whether nothing of the cell has to be run."""
    return cell is not None and cell.current and cell.has(board.scenarios)


def doubtful(board: Board, cells: Cells, names: Sequence[str], profiles: Sequence[str]) -> Iterator[PlannedRun]:
    """The runs of scenarios whose verdict may be due to a busy machine, of cells that are current."""
    for (name, profile), cell in cells.items():
        found = tuple(sorted({*cell.late, *(scenario for scenario, verdict in cell.verdicts.items() if verdict in UNSETTLED)}))
        if found and name in names and profile in profiles and is_whole(board, cell):
            yield PlannedRun(name, (profile,), found)


def measure(board: Board, run: PlannedRun) -> tuple[ScoreCell, ...]:
    """Runs the suite. Raises NotMerged where it has left no report that can be used."""
    words = words_of(board, run)
    print("fence-conformance", *words, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        command = (sys.executable, "-m", "conformance.cli", *words, "--json", str(file))
        ended = subprocess.run(command, stdout=subprocess.DEVNULL, check=False, cwd=ROOT)
        if not file.exists():
            raise NotMerged(f"{run.fencer}: the run has ended with exit code {ended.returncode} and left no report")
        return read_report(file, detailed=board.detailed)


def ordered(board: Board, cells: Cells) -> list[ScoreCell]:
    """Those that the page shows, in its order."""
    keys = ((name, profile) for profile in board.profiles for name in board.fencers)
    return [cells[key] for key in keys if key in cells]


def keep(board: Board, found: Sequence[ScoreCell]) -> Cells:
    """Merges cells into the file of the board; what another run has written meanwhile stays. Raises NotMerged."""
    cells: Cells = read_cells(board.data)
    for cell in found:
        cells = merged(cells, cell, board.scenarios)
    write_cells(board.data, cells.values())
    return cells


def update(board: Board, wanted: argparse.Namespace) -> int:
    """Runs what has to be run and writes the page. Returns how many runs could not be used. Raises NotMerged."""
    cells: Cells = read_cells(board.data)
    names = [name for name in wanted.fencer or board.fencers if name in board.fencers and lack_of(name) is None]
    profiles = [profile for profile in wanted.profile or board.profiles if profile in board.profiles]
    runs: Iterator[PlannedRun] = iter(())
    if wanted.again:
        runs = doubtful(board, cells, names, profiles)
    elif not wanted.page_only:
        runs = planned(board, cells, names, profiles, fresh=wanted.fresh)
    failed = 0
    for run in runs:
        try:
            keep(board, measure(board, run))
        except NotMerged as error:
            print(error, file=sys.stderr, flush=True)
            failed += 1
    board.page.write_text(board.print(ordered(board, read_cells(board.data))), encoding="utf-8")
    return failed


def main(line: Sequence[str]) -> int:
    options = argparse.ArgumentParser(prog="python -m tools.print_scoreboard", description="Prints the scoreboards from runs.")
    options.add_argument("fencer", nargs="*", choices=[[], *fencers.names()], default=[], metavar="FENCER", help="all without it")
    options.add_argument("--profile", action="append", choices=scoreboard_vendors.profiles(), metavar="P", help="all without it")
    options.add_argument("--board", choices=[board.name for board in boards()], help="both without it")
    options.add_argument("--fresh", action="store_true", help="run cells again that are current")
    options.add_argument("--again", action="store_true", help="run again, one at a time, what a busy machine may have spoilt")
    options.add_argument("--page-only", action="store_true", help="run nothing, print the pages")
    options.add_argument("--report", action="append", type=Path, metavar="FILE", help="merge a report; needs --board")
    wanted = options.parse_args(line)
    if wanted.report and wanted.board is None:
        options.error("--report needs --board: the board whose scenarios the report holds")
    failed = 0
    try:
        for board in boards():
            if wanted.board in (None, board.name):
                if wanted.report:
                    keep(board, joined(cell for file in wanted.report for cell in read_report(file, detailed=board.detailed)))
                wanted.page_only |= bool(wanted.report)
                failed += update(board, wanted)
    except NotMerged as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
