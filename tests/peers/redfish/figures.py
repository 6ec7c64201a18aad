"""The figures of every profile's last runs: every_profile.json, and the section of docs/redfish-validators.md that shows it.

`python -m tools.redfish_validators --all` measures them all, `--profile NAME` those of one profile; the rest of the file stays.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from profiles import load, names
from profiles.model import Tool
from tests.peers.redfish.expected import NOT_TESTED, untested_reason
from tests.peers.redfish.validators import Outcome, Result

FILE: Final = Path(__file__).with_name("every_profile.json")


class MeasuredFile(TypedDict):
    """One run as the file has it."""

    counts: dict[str, int]
    untested: dict[str, int]


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: how many results of each kind, and how many NOT TESTED each reason covers."""

    counts: Mapping[Result, int]
    untested: Mapping[str, int]


Figures = Mapping[str, Mapping[Tool, Measured]]


def judged_profiles() -> tuple[str, ...]:
    """Every profile of a BMC that has a Redfish service. PDUs, enclosures and BMCs with IPMI alone have no System to judge."""
    return tuple(name for name in names() if load(name).http.served)


def measured(run: Outcome) -> Measured:
    reasons = Counter(untested_reason(run.tool, row) or "NO REASON GIVEN" for row in run.of(Result.NOT_TESTED))
    return Measured({result: run.counts[result] for result in Result}, dict(sorted(reasons.items())))


def written_figures(path: Path = FILE) -> Figures:
    if not path.exists():
        return {}
    content: dict[str, dict[str, MeasuredFile]] = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: {
            Tool(tool): Measured({Result(word): count for word, count in run["counts"].items()}, run["untested"])
            for tool, run in runs.items()
        }
        for name, runs in content.items()
    }


def with_runs(old: Figures, outcomes: Mapping[str, Sequence[Outcome]]) -> Figures:
    """The figures after these runs, without profiles that are gone."""
    new = {name: {run.tool: measured(run) for run in runs} for name, runs in outcomes.items()}
    merged = {name: {**old.get(name, {}), **new.get(name, {})} for name in judged_profiles() if name in old or name in new}
    return {name: {tool: runs[tool] for tool in Tool if tool in runs} for name, runs in merged.items()}


def write_figures(figures: Figures, path: Path = FILE) -> None:
    content = {name: {tool.value: _as_written(run) for tool, run in runs.items()} for name, runs in figures.items()}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _as_written(run: Measured) -> MeasuredFile:
    return {"counts": {result.value: count for result, count in run.counts.items()}, "untested": dict(run.untested)}


def every_profile(figures: Figures) -> str:
    """The section: WARN and FAIL of every profile, and why what is left out is left out."""
    lines = [
        "## Every profile",
        "",
        "`make nightly-validators` runs the four on every profile with a Redfish service and fails for each FAIL and WARN that",
        "the profile does not predict. Each cell is PASS / WARN / FAIL / NOT TESTED. What is predicted stands in the profile,",
        "under `deviations`, with the source that says that the real BMC does the same.",
        "",
        f"| profile | {' | '.join(Tool)} |",
        f"| --- | {' | '.join('--:' for _ in Tool)} |",
    ]
    for name, runs in figures.items():
        cells = (" / ".join(f"{runs[tool].counts[result]:,}" for result in Result) if tool in runs else "" for tool in Tool)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "Not tested, over all these profiles:", "", "| validator | results | why |", "| --- | --: | --- |"]
    counts: Counter[tuple[Tool, str]] = Counter()
    for runs in figures.values():
        for tool, run in runs.items():
            counts.update({(tool, reason): count for reason, count in run.untested.items()})
    lines += [f"| {tool} | {count:,} | {reason} |" for (tool, reason), count in sorted(counts.items())]
    return "\n".join([*lines, ""])


def without_reason(figures: Figures) -> list[str]:
    """Reasons in the file that the list of reasons no longer has."""
    known = {(entry.tool, entry.reason) for entry in NOT_TESTED}
    return [
        f"{name}, {tool}: {reason}"
        for name, runs in figures.items()
        for tool, run in runs.items()
        for reason in run.untested
        if (tool, reason) not in known
    ]
