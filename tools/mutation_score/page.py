"""docs/mutation-score.md from what is known of the mutants. Pure.

`unexplained` names survivors and scenarios that have no reason, and reasons that are of no use any more; the page is not right
while there are any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from conformance.scenarios import ALL
from conformance.vocabulary import Verdict
from tools.mutation_score import tables
from tools.mutation_score.hunting import HuntedMutant
from tools.mutation_score.literal_change import Mutant
from tools.mutation_score.matrix import FencerMatrix, MutantResult
from tools.mutation_score.playing import OTHER_PROFILES, PROFILE

Reasons = Mapping[str, Mapping[str, str]]
Hunts = Mapping[str, Mapping[str, HuntedMutant]]
NAMES: Final = {
    "reference": "fence_bmc, the reference",
    "careful": "the careful fencer of `tests/bad_fencers`",
}
PER_BLOCK: Final = 60
"""Columns of one block of a matrix: about as wide as a page."""
MOST_SHOWN: Final = 60


HEAD: Final = """# Mutation score

Written by `python -m tools.mutation_score` (`make nightly-mutants`); do not edit.

How many small defects of a fencer do the scenarios notice? A *mutant* is a fencer with one small change: a comparison, a check
that is missing, one try less. Each is played through every scenario that can be played on virtual time and without a process of
its own, on `{profile}`; the scenarios of the group PROFILE also on {others}.
A scenario *kills* a mutant if its verdict is worse than that of the fencer without the change. No run is left out because another
scenario has killed the mutant already. A run that does not come to the changed text cannot differ and is not repeated.
"""


NO_REASON: Final = "**no reason yet**"


def runs_missing(matrices: Sequence[FencerMatrix]) -> int:
    """How many runs are still to be played."""
    return sum(matrix.missing(name) for matrix in matrices for name in tables.by_id(matrix.fencer))


def idle(matrices: Sequence[FencerMatrix]) -> list[str]:
    """The scenarios that killed nothing, of whichever fencer, in the order of the catalogue; none while runs are missing."""
    if runs_missing(matrices):
        return []
    played = {column.partition("@")[0] for matrix in matrices for column in matrix.columns}
    kill = {scenario for matrix in matrices for scenario in matrix.killers()}
    return [scenario.id for scenario in ALL if scenario.id in played - kill]


def not_played(matrices: Sequence[FencerMatrix]) -> dict[str, list[str]]:
    """The scenarios that could be played to neither fencer, by the reason."""
    found: dict[str, list[str]] = {}
    for name, why in matrices[0].not_played.items():
        if all(name in matrix.not_played for matrix in matrices):
            found.setdefault(why.partition(";")[0].replace(f"{matrices[0].fencer} ", "it "), []).append(name)
    return found


def unexplained(matrices: Sequence[FencerMatrix], survivors: Reasons, idle_scenarios: Mapping[str, str]) -> list[str]:
    """What has no reason, and reasons of what needs none."""
    found = []
    for matrix in matrices:
        given = survivors[matrix.fencer]
        found += [f"{matrix.fencer}: {name} survives, without a reason" for name in matrix.survivors if name not in given]
        found += [f"{matrix.fencer}: {name} has a reason, and is killed" for name in given if name not in matrix.survivors]
    quiet = idle(matrices)
    found += [f"{name} kills nothing, without a reason" for name in quiet if name not in idle_scenarios]
    if runs_missing(matrices):
        return found
    return [*found, *(f"{name} has a reason, and kills something" for name in idle_scenarios if name not in quiet)]


def text(matrices: Sequence[FencerMatrix], hunts: Hunts, survivors: Reasons, idle_scenarios: Mapping[str, str]) -> str:
    """The page."""
    return "\n".join(
        [*_head(matrices), *_survivors(matrices, hunts, survivors), *_idle(matrices, idle_scenarios), *_matrices(matrices)]
    )


def _head(matrices: Sequence[FencerMatrix]) -> Iterator[str]:
    yield HEAD.format(profile=PROFILE, others=", ".join(f"`{name}`" for name in OTHER_PROFILES))
    yield "| fencer | mutants | killed | score | runs | runs that cannot differ | without a verdict | processor time |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for matrix in matrices:
        results = matrix.results.values()
        runs, merged = sum(len(each.played) for each in results), sum(len(each.merged) for each in results)
        void = sum(len(each.void) for each in results)
        minutes = (matrix.seconds + sum(each.seconds for each in results)) / 60
        yield (
            f"| {NAMES[matrix.fencer]} | {len(tables.of(matrix.fencer))} | {len(matrix.killed)} | {score(matrix)} % "
            f"| {runs} | {merged} | {void} | {minutes:.1f} min |"
        )
    yield ""
    if waiting := runs_missing(matrices):
        yield f"The matrix is not complete: {waiting} runs, marked ?, are still to be played."
        yield ""
    yield "*Without a verdict*: a fault of the scenario never came, because the mutant did not get so far; that kills nothing."
    yield ""


def score(matrix: FencerMatrix) -> int:
    """Percent, rounded down."""
    return 100 * len(matrix.killed) // len(tables.of(matrix.fencer))


def _survivors(matrices: Sequence[FencerMatrix], hunts: Hunts, survivors: Reasons) -> Iterator[str]:
    yield "## Mutants that survive"
    yield ""
    yield "No scenario notices them. Each was hunted afterwards (`conformance/hunt`), with one and two deviations of the BMC."
    for matrix in matrices:
        yield ""
        yield f"### {NAMES[matrix.fencer]}"
        yield ""
        if unsettled := [name for name in tables.by_id(matrix.fencer) if not matrix.is_settled(name)]:
            yield f"Not known yet: {', '.join(unsettled)}."
            yield ""
        if not matrix.survivors:
            yield "None." if not unsettled else ""
            continue
        yield "| mutant | why no scenario kills it | the hunt |"
        yield "| --- | --- | --- |"
        for name in matrix.survivors:
            hunted = hunts[matrix.fencer].get(name)
            said = "not hunted yet" if hunted is None else hunted.found or f"{hunted.sentence}, {hunted.runs} runs"
            yield f"| {name} | {_cell(survivors[matrix.fencer].get(name, NO_REASON))} | {_cell(said)} |"
    yield ""


def _idle(matrices: Sequence[FencerMatrix], idle_scenarios: Mapping[str, str]) -> Iterator[str]:
    yield "## Scenarios that kill nothing"
    yield ""
    yield "They were played to the mutants of both fencers, as far as each can be asked, and no verdict was worse than without a"
    yield "change. Each of them is killed by a planted defect of `tests/matrix`."
    yield ""
    if runs_missing(matrices):
        yield "They are listed when the matrix is complete."
    else:
        yield "| scenario | title | why |"
        yield "| --- | --- | --- |"
    titles = {scenario.id: scenario.title for scenario in ALL}
    for name in idle(matrices):
        yield f"| {name} | {_cell(titles[name])} | {_cell(idle_scenarios.get(name, NO_REASON))} |"
    yield ""
    yield "Not played, because they need a process, sockets, a manager or a PDU:"
    yield ""
    for why, names in not_played(matrices).items():
        yield f"- {', '.join(names)}: {why}."
    yield ""


def _matrices(matrices: Sequence[FencerMatrix]) -> Iterator[str]:
    yield "## The mutants, and who kills them"
    for matrix in matrices:
        mutants = tables.by_id(matrix.fencer)
        yield ""
        yield f"### {NAMES[matrix.fencer]}"
        yield ""
        yield "| mutant | file | instead of | there is | a user would see | scenarios that kill it |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for name, mutant in mutants.items():
            yield f"{row_start(mutant)} {_count(matrix, name)} |"
        yield ""
        yield from _blocks(matrix)
    yield ""


def _count(matrix: FencerMatrix, name: str) -> str:
    """How many scenarios kill a mutant, as far as it is known."""
    count = len(matrix.result(name).scenarios)
    return f"{count} or more" if matrix.missing(name) else str(count)


def row_start(mutant: Mutant) -> str:
    """The row of a mutant, without who kills it."""
    old, new = difference(mutant)
    file = mutant.file.removeprefix("fencer/").removeprefix("tests/bad_fencers/")
    return f"| {mutant.id} | {file} | {_code(old)} | {_code(new)} | {_cell(mutant.harm)} |"


def difference(mutant: Mutant) -> tuple[str, str]:
    """What differs, widened to whole words where the whole is longer than a table can show."""
    old, new = mutant.old.strip(), mutant.new.strip()
    if max(len(old), len(new)) <= MOST_SHOWN:
        return _short(old), _short(new)
    start = next((n for n in range(min(len(old), len(new))) if old[n] != new[n]), min(len(old), len(new)))
    start = max(old.rfind(" ", 0, start), 0)
    return _short(old[start:]), _short(new[start:])


def _short(code: str) -> str:
    words = " ".join(code.split())
    return words if len(words) <= MOST_SHOWN else f"{words[: MOST_SHOWN - 1]}…"


def _code(code: str) -> str:
    return f"`{code.replace('|', '/')}`" if code else "nothing"


def _cell(words: str) -> str:
    return words.replace("|", "/").replace("\n", " ")


def _blocks(matrix: FencerMatrix) -> Iterator[str]:
    """The kill matrix, as letters of verdicts: a row for each mutant, a column for each scenario."""
    letters = ", ".join(f"{verdict.letter} {verdict}" for verdict in _kinds(matrix))
    yield f"Columns are scenarios, top to bottom: group and number. {letters}; `.` not killed; blank: cannot differ."
    yield ""
    width = max(map(len, tables.by_id(matrix.fencer)))
    columns = list(dict.fromkeys(column.partition("@")[0] for column in matrix.columns))
    for begin in range(0, len(columns), PER_BLOCK):
        part = columns[begin : begin + PER_BLOCK]
        yield "```text"
        labels = [column.replace("-", "").ljust(10) for column in part]
        for row in range(10):
            if line := "".join(label[row] for label in labels).strip():
                yield " " * (width + 1) + "".join(label[row] for label in labels).rstrip() if line else ""
        for name in tables.by_id(matrix.fencer):
            yield f"{name:<{width}} {''.join(_mark(matrix.result(name), column) for column in part)}".rstrip()
        yield "```"
        yield ""


def _kinds(matrix: FencerMatrix) -> list[Verdict]:
    told = {verdict for result in matrix.results.values() for verdict in result.kills.values()}
    return [verdict for verdict in Verdict if verdict.value in told]


def _mark(result: MutantResult, scenario: str) -> str:
    """The letter of the worst verdict over the profiles."""
    told = [Verdict(verdict) for column, verdict in result.kills.items() if column.partition("@")[0] == scenario]
    if told:
        return min(told, key=lambda verdict: verdict.severity).letter
    if any(column.partition("@")[0] == scenario for column in result.played):
        return "."
    return " " if any(column.partition("@")[0] == scenario for column in result.merged) else "?"
