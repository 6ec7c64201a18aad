"""`python -m tools.mutation_score`: how many small defects of a fencer the scenarios notice. Writes docs/mutation-score.md.

What is known is kept in .mutation-score, so an interrupted run goes on where it was; `--fresh` plays everything again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from tools.mutation_score import changed_fencers, hunting, matrix, page, reasons, tables

KEPT: Final = changed_fencers.ROOT / ".mutation-score"
PAGE: Final = changed_fencers.ROOT / "docs" / "mutation-score.md"


def kept(fencer: str) -> Path:
    return KEPT / f"{fencer}.json"


def kept_hunts(fencer: str) -> Path:
    return KEPT / f"{fencer}-hunts.json"


@click.command()
@click.option("--fencer", "fencers", type=click.Choice(tables.FENCERS), multiple=True, help="Play the mutants of this one only.")
@click.option("--time", "time_s", type=float, default=float("inf"), help="Begin nothing new after so many seconds.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Mutants at a time.")
@click.option("--only-settle", is_flag=True, help="Leave out what only completes the matrix of mutants that are killed already.")
@click.option("--fresh", is_flag=True, help="Play everything again.")
def command(fencers: tuple[str, ...], time_s: float, jobs: int, only_settle: bool, fresh: bool) -> None:
    """Plays all mutants, hunts those that survive, and writes the page."""
    until = time.monotonic() + time_s
    for fencer in fencers or tables.FENCERS:
        if fresh:
            kept(fencer).unlink(missing_ok=True)
            kept_hunts(fencer).unlink(missing_ok=True)
        found = matrix.carry_out(fencer, kept(fencer), say, lambda: time.monotonic() > until, jobs, only_settle=only_settle)
        if found.is_settled_whole:
            _hunt(found, lambda: time.monotonic() > until)
    if not all(kept(fencer).exists() for fencer in tables.FENCERS):
        return
    matrices = [matrix.read(kept(fencer)) for fencer in tables.FENCERS]
    hunts = {fencer: hunting.read(kept_hunts(fencer), fencer) for fencer in tables.FENCERS}
    PAGE.write_text(page.text(matrices, hunts, reasons.SURVIVORS, reasons.IDLE_SCENARIOS), encoding="utf-8")
    if wrong := page.unexplained(matrices, reasons.SURVIVORS, reasons.IDLE_SCENARIOS):
        say("\n".join(("tools/mutation_score/reasons.py does not fit:", *wrong)))
        sys.exit(1)


def _hunt(found: matrix.FencerMatrix, is_over: Callable[[], bool]) -> None:
    file = kept_hunts(found.fencer)
    known = hunting.read(file, found.fencer)
    for each in hunting.hunts(found, known, is_over):
        known[each.mutant] = each
        hunting.save(known, file)
        say(f"{found.fencer}: hunted {each.mutant}: {each.found or each.sentence}; {each.runs} runs")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    command()
