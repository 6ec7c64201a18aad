"""docs/scoreboard.md: every fencer in tier 0 on three profiles. `tools.print_scoreboard` writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from conformance.vocabulary import Verdict
from tools.scoreboard_data import UNSETTLED, ScoreCell

TIER: Final = 0
JOBS: Final = 24  # most of them wait
HEAVY: Final = {"ironic-ipmitool": 4, "ironic-redfish": 4, "redfish-command": 4}
"""How many at a time of fencers that need seconds of processor time before their first request: more would hang."""
PROFILES: Final = ("dell-idrac9", "openbmc-x86", "dmtf-generic")
SHOWN: Final = (
    Verdict.PASS, Verdict.UNSAFE, Verdict.HANG, Verdict.STUCK, Verdict.FLAKY, Verdict.MISLEADING, Verdict.HYGIENE, Verdict.ERROR,
    Verdict.NA,
)  # fmt: skip
FOUND: Final = tuple(verdict for verdict in SHOWN if verdict not in (Verdict.PASS, Verdict.NA))
HEAD: Final = """# Scoreboard

How fencers that people use, and our own, do in tier {tier} of the suite. A row is a statement about the fencer as installed on
the day of the run, this profile, this tier and this version of the suite, and about nothing else: a PASS means that a scenario
has found nothing. `fence-conformance explain UNSAFE STUCK HANG MISLEADING HYGIENE` tells what the words mean. The command of a
cell, at the end of the page, tells what the fencer did and when. How vendors differ is on [another page](scoreboard-vendors.md).

`make scoreboard` prints this page from [scoreboard.json](scoreboard.json), which holds the verdict of each scenario. A cell whose
catalogue, fencer file and profile are still those of its run is not run again, unless `FRESH=--fresh` says so.
"""
UNSETTLED_HEAD: Final = """\
ERROR is no verdict on the fencer: nothing was tested. *never met* means that the fencer had ended, or had waited for so long,
that what the scenario is about did not happen to it: one that reads the power state once cannot meet a second read that hangs."""
LATE_HEAD: Final = """\
In each run of these scenarios the machine of the suite was late by more than half a second, so that a verdict that hangs on time
may be its doing. `python -m tools.print_scoreboard --again` runs them again, one at a time."""
ASSUMED_HEAD: Final = """\
In these scenarios a power command met a cell that the profile does not know (`?`): the answer is *assumed*, and nobody has seen
it of this BMC."""


def command_of(fencer: str, profile: str) -> str:
    """How a reader runs the cell again."""
    return f"fence-conformance run --fencer {fencer} --profile {profile} --tier {TIER} --jobs {HEAVY.get(fencer, JOBS)}"


def page(cells: Sequence[ScoreCell], lacking: Mapping[str, str]) -> str:
    """The whole page; `lacking` are fencers that were not run, with the reason."""
    lines = [HEAD.format(tier=TIER)]
    if cells:
        took = sum(cell.seconds for cell in cells)
        lines += [f"{measured(cells)}; {len(cells)} runs took {took / 60:.0f} minutes in all.", "", *outdated(cells)]
    for profile in dict.fromkeys(cell.profile for cell in cells):
        lines += [f"## {profile}", "", *_summary([cell for cell in cells if cell.profile == profile]), ""]
    if lacking:
        lines += ["## Not run here", "", "| fencer | reason |", "| --- | --- |"]
        lines += [f"| {name} | {table_text(reason)} |" for name, reason in lacking.items()] + [""]
    lines += ["## What was found", "", "Scenarios that a fencer did not pass, on any of the profiles above it was run on.", ""]
    lines += ["| fencer | profile | verdict | scenarios |", "| --- | --- | --- | --- |", *_findings(cells), ""]
    lines += [*_unsettled(cells), *_listed("A busy machine", LATE_HEAD, {cell.key: cell.late for cell in cells})]
    lines += _listed("Assumed", ASSUMED_HEAD, {cell.key: cell.assumed for cell in cells})
    commands = (f"{command_of(cell.fencer, cell.profile)}   # {cell.seconds:.0f} s" for cell in cells)
    lines += ["## To run a cell again", "", "```sh", *commands, "```", ""]
    return "\n".join(lines)


def measured(cells: Sequence[ScoreCell]) -> str:
    """Which versions of the suite, and when; `cells` is not empty."""
    told = dict.fromkeys(f"fencelab {cell.version}, catalogue {cell.catalogue}" for cell in cells)
    dates = sorted({cell.date for cell in cells})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return f"Suite: {'; '.join(told)}. Measured {when}"


def outdated(cells: Iterable[ScoreCell]) -> list[str]:
    """A sentence about cells that are not current; nothing where there is none."""
    shown: dict[str, list[str]] = {}
    old: dict[str, list[str]] = {}
    for cell in cells:
        shown.setdefault(cell.profile, []).append(cell.fencer)
        if not cell.current:
            old.setdefault(cell.profile, []).append(cell.fencer)
    if not old:
        return []
    whole = [profile for profile, fencers in old.items() if len(shown[profile]) > 1 and fencers == shown[profile]]
    parts = [f"{profile} ({', '.join(fencers)})" for profile, fencers in old.items() if profile not in whole]
    names = "; ".join((*([", ".join(whole)] if whole else []), *parts))
    return [f"The profile, the fencer's file or the catalogue has changed since these were run: {names}.", ""]


def table_text(text: str) -> str:
    """Text that can stand in a table of Markdown."""
    return text.replace("|", r"\|").replace("\n", " ")


def _summary(cells: Iterable[ScoreCell]) -> Iterable[str]:
    yield "| fencer | " + " | ".join(verdict.value for verdict in SHOWN) + " |"
    yield "| --- |" + " ---: |" * len(SHOWN)
    for cell in cells:
        counted = Counter(cell.verdicts.values())
        yield f"| {cell.fencer} | " + " | ".join(str(counted[verdict] or "") for verdict in SHOWN) + " |"


def _findings(cells: Iterable[ScoreCell]) -> Iterable[str]:
    for cell in cells:
        for verdict in FOUND:
            ids = sorted(scenario for scenario, found in cell.verdicts.items() if found is verdict)
            if ids:
                yield f"| {cell.fencer} | {cell.profile} | {verdict.value} | {', '.join(ids)} |"


def _unsettled(cells: Iterable[ScoreCell]) -> list[str]:
    rows = [
        f"| {cell.fencer} | {cell.profile} | {scenario} | {cell.verdicts[scenario].value} | {table_text(why)} |"
        for cell in cells
        for scenario, why in sorted(cell.why.items())
        if cell.verdicts[scenario] in UNSETTLED
    ]
    if not rows:
        return []
    return [
        "## ERROR and FLAKY",
        "",
        UNSETTLED_HEAD,
        "",
        "| fencer | profile | scenario | verdict | why |",
        f"|{' --- |' * 5}",
        *rows,
        "",
    ]


def _listed(title: str, head: str, scenarios: Mapping[tuple[str, str], Sequence[str]]) -> list[str]:
    rows = [f"| {fencer} | {profile} | {', '.join(sorted(ids))} |" for (fencer, profile), ids in scenarios.items() if ids]
    if not rows:
        return []
    return [f"## {title}", "", head, "", "| fencer | profile | scenarios |", "| --- | --- | --- |", *rows, ""]
