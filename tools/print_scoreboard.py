"""Runs fencers through the gate and prints docs/scoreboard.md: `python -m tools.print_scoreboard [--fresh] [FENCER...]`.

Every cell is one run of `fence-conformance`, one after the other; its JSON report stays in the folder `.scoreboard`. A cell whose
report is of this catalogue, fencer file and profile is not run again, unless `--fresh` is given. Without names every fencer that
comes with the suite is run; what is not installed here is listed with what it needs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance import catalogues, fencers
from conformance.vocabulary import Ask, Verdict
from profiles import load

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "scoreboard.md"
FOLDER: Final = ROOT / ".scoreboard"
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
cell, at the end of the page, tells what the fencer did and when.

`make scoreboard` prints this page and runs the cells that have no report yet; with `FRESH=--fresh` it runs every one again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCell:
    """One fencer on one profile. `verdicts` are the scenarios that count, by id; `seconds` is wall clock of the run."""

    fencer: str
    profile: str
    version: str
    catalogue: str
    verdicts: Mapping[str, Verdict]
    seconds: float
    date: str

    @property
    def command(self) -> str:
        return command_of(self.fencer, self.profile)


def command_of(fencer: str, profile: str) -> str:
    """How a reader runs the cell again."""
    return f"fence-conformance run --fencer {fencer} --profile {profile} --tier {TIER} --jobs {HEAVY.get(fencer, JOBS)}"


def page(cells: Sequence[ScoreCell], lacking: Mapping[str, str]) -> str:
    """The whole page; `lacking` are fencers that were not run, with the reason."""
    lines = [HEAD.format(tier=TIER)]
    told = dict.fromkeys(f"fencelab {cell.version}, catalogue {cell.catalogue}" for cell in cells)
    dates = sorted({cell.date for cell in cells})
    if cells:
        when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
        took = sum(cell.seconds for cell in cells)
        lines += [f"Suite: {'; '.join(told)}. Measured {when}; {len(cells)} runs took {took / 60:.0f} minutes in all.", ""]
    for profile in dict.fromkeys(cell.profile for cell in cells):
        lines += [f"## {profile}", "", *_summary([cell for cell in cells if cell.profile == profile]), ""]
    if lacking:
        lines += ["## Not run here", "", "| fencer | reason |", "| --- | --- |"]
        lines += [f"| {name} | {_cell(reason)} |" for name, reason in lacking.items()] + [""]
    lines += ["## What was found", "", "Scenarios that a fencer did not pass, on any of the profiles above it was run on.", ""]
    lines += ["| fencer | profile | verdict | scenarios |", "| --- | --- | --- | --- |", *_findings(cells), ""]
    lines += ["## To run a cell again", "", "```sh", *(f"{cell.command}   # {cell.seconds:.0f} s" for cell in cells), "```", ""]
    return "\n".join(lines)


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


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def read_report(file: Path) -> ScoreCell | None:
    """The cell of a JSON report of one fencer on one profile; None where there is none, or it is of other files or catalogue."""
    try:
        report = json.loads(file.read_text())
    except (OSError, json.JSONDecodeError):
        return None
    results, run = report["results"], report.get("scoreboard")
    if not results or run is None or report["interrupted"]:
        return None
    fencer, profile = results[0]["fencer"], results[0]["profile"]
    digests = {"fencer": fencers.load(fencer).digest, "profile": load(profile).digest}
    if any(result["digests"] != digests for result in results) or report["catalogue"] != catalogues.NEWEST.name:
        return None
    verdicts = {result["scenario"]: Verdict(result["verdict"]) for result in results if not result["informational"]}
    return ScoreCell(
        fencer=fencer, profile=profile, version=report["version"], catalogue=report["catalogue"], verdicts=verdicts,
        seconds=run["seconds"], date=run["date"],
    )  # fmt: skip


def lack_of(name: str) -> str | None:
    """Why a fencer is not run: it is a manager, with scenarios of its own, or something is not installed. None: it can be run."""
    definition = fencers.load(name)
    if Ask.OFF not in definition.asks:
        return "an HA manager: the group HA, outside of this table"
    return next(filter(None, (definition.lack(protocol) for protocol in definition.ways)), None)


def measure(fencer: str, profile: str, file: Path) -> None:
    """Runs one cell and leaves its report."""
    started = time.monotonic()
    words = (*command_of(fencer, profile).split()[1:], "--json", str(file))
    subprocess.run((sys.executable, "-m", "conformance.cli", *words), stdout=subprocess.DEVNULL, check=False, cwd=ROOT)
    report = json.loads(file.read_text())
    report["scoreboard"] = {"seconds": round(time.monotonic() - started, 1), "date": time.strftime("%Y-%m-%d")}
    file.write_text(json.dumps(report))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("fencer", nargs="*", help="all that come with the suite without names")
    arguments.add_argument("--profile", action="append", choices=PROFILES, help="all three without it")
    arguments.add_argument("--fresh", action="store_true", help="run cells again that have a report")
    arguments.add_argument("--page-only", action="store_true", help="run nothing, print the page from the reports that are there")
    wanted = arguments.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for profile in (wanted.profile or PROFILES) if not wanted.page_only else ():
        for name in wanted.fencer or fencers.names():
            file = FOLDER / f"{name}--{profile}.json"
            if lack_of(name) is None and (wanted.fresh or read_report(file) is None):
                print(command_of(name, profile), flush=True)
                measure(name, profile, file)
    found = tuple(read_report(FOLDER / f"{name}--{profile}.json") for profile in PROFILES for name in fencers.names())
    done = {cell.fencer for cell in found if cell is not None}
    lacks = {name: lack_of(name) or "installed, and not measured yet" for name in fencers.names() if name not in done}
    PAGE.write_text(page([cell for cell in found if cell is not None], lacks), encoding="utf-8")


if __name__ == "__main__":
    main()
