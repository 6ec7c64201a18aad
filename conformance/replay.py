"""What a folder of `run --evidence` lets one play again: the cells in it, each with the line that repeats it.

The line is the `repeat` of a result: a command line of `fence-conformance run`. Only what says which cell it is and how it is
drawn is taken from it; a folder that came from somebody else cannot make this machine write files.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from conformance import report_file, selection
from conformance.adapters.definition import Definition
from conformance.report_file import ReportedCell
from conformance.runner import MatrixCell, RunOptions
from conformance.vocabulary import Verdict
from profiles.model import Profile

RESULT: Final = "result.json"
PROGRAM: Final = ("fence-conformance", "run")


class NoReplay(Exception):
    """Something in the folder cannot be played again; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A cell as it came out, and as it is played again. `changed` are sentences about what is not as it was."""

    old: ReportedCell
    cell: MatrixCell
    options: RunOptions
    changed: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """That of the run itself: a waiver does not change what happened."""
        if self.old.verdict is Verdict.XPASS:
            return Verdict.PASS
        return self.old.waived_from or self.old.verdict


def recorded_in(folder: Path, fencer: str | None = None) -> tuple[Recorded, ...]:
    """Every cell in a folder and below it, in the order of its folders; `fencer` is tested instead of those that are recorded.

    Raises NoReplay.
    """
    if not folder.is_dir():
        raise NoReplay(f"{folder} is no folder: name the one of run --evidence, or one in it")
    files = sorted(folder.rglob(RESULT))
    if not files:
        raise NoReplay(f"{folder} holds no evidence: there is no {RESULT} in it or below it")
    try:
        return tuple(_recorded(file, old, fencer) for file in files for old in report_file.read_cells(file))
    except report_file.ReportUnreadable as error:
        raise NoReplay(str(error)) from None


def together(every: Sequence[Recorded]) -> Mapping[RunOptions, tuple[Recorded, ...]]:
    """By what holds for a whole run: cells of one seed are played in one run."""
    found: dict[RunOptions, list[Recorded]] = {}
    for each in every:
        found.setdefault(each.options, []).append(each)
    return {options: tuple(cells) for options, cells in found.items()}


def _recorded(file: Path, old: ReportedCell, fencer: str | None) -> Recorded:
    words = _words(file, old.repeat)
    try:
        fencers = selection.pick_fencers([fencer or str(words["fencer"])])
        profiles = selection.pick_profiles([str(words["profile"])])
        scenario, own = words["scenario"], words["scenario_file"]
        named = (() if scenario is None else (str(scenario),)), (() if own is None else (str(own),))
        found = selection.pick_every_scenario(*named)
        catalogue = selection.pick_catalogue(None if words["catalogue"] is None else str(words["catalogue"]))
    except selection.BadSelection as error:
        raise NoReplay(f"{file}: {error}") from None
    if len(fencers) != 1 or len(profiles) != 1:
        raise NoReplay(f"{file}: a cell is of one fencer and one profile, not of {len(fencers)} and {len(profiles)}")
    (definition,), ((word, profile),) = fencers, profiles.items()
    chosen = [each for each in found if each.id == old.scenario]
    if not chosen:
        raise NoReplay(f"{file}: there is no scenario {old.scenario} in {own or 'this suite'}")
    seed, repeat = words["seed"], words["repeat"]
    assert isinstance(seed, int)
    assert isinstance(repeat, int)
    return Recorded(
        old=old,
        cell=MatrixCell(definition, profile, chosen[0], word),
        options=RunOptions(seed=seed, strict=words["strict"] is True, catalogue=catalogue, repeat=repeat),
        changed=tuple(_changed(old, definition, profile, other=fencer is not None)),
    )


def _changed(old: ReportedCell, definition: Definition, profile: Profile, *, other: bool) -> Iterator[str]:
    if not other and old.digests.fencer != definition.digest:
        yield f"the fencer's file has changed since: {definition.label}"
    if old.digests.profile != profile.digest:
        yield f"the profile has changed since: {profile.id}"


_LINE: Final = click.Command(
    "run",
    add_help_option=False,
    params=[
        click.Option(["--fencer"], required=True),
        click.Option(["--profile"], required=True),
        click.Option(["--scenario"]),
        click.Option(["--scenario-file"]),
        click.Option(["--seed"], type=int, default=0),
        click.Option(["--strict"], is_flag=True),
        click.Option(["--repeat"], type=click.IntRange(1), default=1),
        click.Option(["--catalogue"]),
    ],
)
"""The options of `runner.repeat_line`."""


def _words(file: Path, line: str) -> Mapping[str, object]:
    try:
        words = shlex.split(line)
        if tuple(words[:2]) != PROGRAM:
            raise NoReplay(f"{file}: its repeat line is no line of {' '.join(PROGRAM)}: {line[:80]!r}")
        params = _LINE.make_context("run", words[2:]).params
    except (ValueError, click.ClickException) as error:
        why = error.format_message() if isinstance(error, click.ClickException) else str(error)
        raise NoReplay(f"{file}: its repeat line cannot be used: {why}") from None
    if (params["scenario"] is None) == (params["scenario_file"] is None):
        raise NoReplay(f"{file}: its repeat line names no scenario")
    return params
