"""`fence-conformance compare`: what got worse since an earlier run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click

from conformance import comparison, report_file
from conformance.comparison import CellChange, ChangedCell, ComparedCell
from conformance.report_options import OneSentence, warn

SCHEMA: Final = "fencelab.compare/1"
EXAMPLES: Final = """
\b
Examples:
  fence-conformance run --fencer ./my-agent.yaml --json today.json
  fence-conformance compare last-week.json today.json
  fence-conformance compare last-week.json today.json --json | jq '.worse[].scenario'

\b
Exit codes:
  0  nothing got worse    1  something did, a new UNSAFE included    2  a report cannot be read
"""


@click.command(epilog=EXAMPLES)
@click.argument("old", metavar="OLD.json", type=click.Path(path_type=Path))
@click.argument("new", metavar="NEW.json", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(old: Path, new: Path, as_json: bool) -> int:
    """Says which cells of two reports of `run --json` got worse, got better, are new, are gone, or fail in another way."""
    try:
        before, after = report_file.read_report(old), report_file.read_report(new)
    except report_file.ReportUnreadable as error:
        raise OneSentence(str(error)) from None
    warn(
        f"{file} is of a run that was stopped: {len(read.not_run)} of its cells were not run"
        for file, read in ((old, before), (new, after))
        if read.interrupted
    )
    if before.catalogue != after.catalogue:
        warn([f"the catalogues differ ({before.catalogue}, then {after.catalogue}): other scenarios count"])
    changes = comparison.compare(_cells(before), _cells(after))
    code = comparison.exit_code(changes)
    if as_json:
        click.echo(json.dumps(_data(old, new, changes, code), ensure_ascii=False, indent=1))
        return code
    for change in changes:
        if change.change is not CellChange.SAME:
            click.echo(str(change))
    click.echo(", ".join(f"{count} {change}" for change, count in comparison.counted(changes)))
    return code


def _cells(read: report_file.ReadReport) -> list[ComparedCell]:
    return [
        ComparedCell(
            fencer=cell.fencer, profile=cell.profile, scenario=cell.scenario, verdict=cell.verdict, kind=cell.kind, why=cell.why
        )
        for cell in read.results
        if not cell.informational
    ]


def _data(old: Path, new: Path, changes: tuple[ChangedCell, ...], code: int) -> dict[str, object]:
    told = {
        change.value: [_told(each) for each in changes if each.change is change]
        for change in CellChange
        if change is not CellChange.SAME
    }
    same = sum(1 for each in changes if each.change is CellChange.SAME)
    return {"schema": SCHEMA, "old": str(old), "new": str(new), "exit_code": code, **told, "same": same}


def _told(change: ChangedCell) -> dict[str, object]:
    cell = change.new or change.old
    assert cell is not None
    return {
        "fencer": cell.fencer,
        "profile": cell.profile,
        "scenario": cell.scenario,
        "old": _said(change.old),
        "new": _said(change.new),
        "is_worse": change.is_worse,
    }


def _said(cell: ComparedCell | None) -> dict[str, object] | None:
    if cell is None:
        return None
    return {"verdict": cell.verdict.value, "kind": cell.kind.value if cell.kind else None, "why": cell.why}
