"""Act (d): runs the conformance suite with several fencers, as a user would, and reads its JSON report.

`python -m demo` starts it before the other acts and reads the report at the end. Times are seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROFILE = "dell-idrac9"
FENCERS = ("fence_bmc", "fence_redfish", "fence_ipmilan", "ipmitool", "cloudstack-redfish", "conflict-is-off")

# The scenarios that show most in a short time. TIME-001 is not among them: a fencer that hangs needs a minute there.
SCENARIOS = (
    "STATE-001", "STATE-002", "STATE-003", "STATE-004", "STATE-007", "STATE-016", "TRUTH-006", "FAULT-008", "AUTH-001", "ID-001",
    "ID-002", "IPMI-002",
)  # fmt: skip

KEY = (
    ("P", "pass"),
    ("U", "unsafe: claimed off while the host was not"),
    ("S", "stuck: off, and no success"),
    ("H", "hang: no end in time"),
    ("m", "misleading or unclean"),
    ("·", "does not apply"),
)
LETTER = {"PASS": "P", "UNSAFE": "U", "STUCK": "S", "HANG": "H", "MISLEADING": "m", "HYGIENE": "m", "ERROR": "E"}


@dataclass(frozen=True, slots=True)
class DemoCell:
    word: str
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """One fencer. `missing`: why nothing was run, or None."""

    fencer: str
    cells: tuple[DemoCell, ...]
    missing: str | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        return {kind: sum(1 for cell in self.cells if cell.kind == kind) for kind in ("PASS", "UNSAFE", "STUCK", "HANG")}


@dataclass(frozen=True, slots=True)
class Column:
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class DemoFinding:
    head: str
    text: str


@dataclass(frozen=True, slots=True)
class Matrix:
    profile: str
    scenarios: tuple[Column, ...]
    rows: tuple[Row, ...]
    findings: tuple[DemoFinding, ...]


class MatrixFailed(Exception):
    """The suite itself failed."""


def start(directory: Path, jobs: int = 8) -> tuple[subprocess.Popen[bytes], Path]:
    """Starts the suite as a process with low priority; returns it and the path of its report."""
    directory.mkdir(parents=True, exist_ok=True)
    report = directory / "matrix.json"
    command = [
        sys.executable, "-m", "conformance.cli", "run", "--fencer", ",".join(FENCERS), "--profile", PROFILE,
        "--scenario", ",".join(SCENARIOS), "--jobs", str(jobs), "--json", str(report),
    ]  # fmt: skip
    with open(directory / "matrix.log", "wb") as log:
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).resolve().parent.parent,
            env={**os.environ, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.nice(5) and None,
        )
    return process, report


def read(report: Path) -> Matrix:
    """Reads the report. Raises MatrixFailed if it is missing or incomplete."""
    try:
        raw = json.loads(report.read_text())
        results = raw["results"]
        columns = {r["scenario"]: Column(r["scenario"], r["title"]) for r in results}
        fencers = list(dict.fromkeys(r["fencer"] for r in results))
        by_cell = {(r["fencer"], r["scenario"]): r for r in results}
        rows = tuple(_row(fencer, tuple(columns), by_cell) for fencer in fencers)
        worst = {verdict: n for n, verdict in enumerate(LETTER)}
        found = [(worst.get(f["verdict"], 0), n, _found(r, f)) for n, r in enumerate(results) for f in r["findings"]]
        findings = tuple(item for _, _, item in sorted(found, key=lambda entry: entry[:2]))
        return Matrix(results[0]["profile"], tuple(columns.values()), rows, findings)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise MatrixFailed(f"the suite left no report to read at {report}: {error!r}; see matrix.log beside it") from error


def _row(fencer: str, scenarios: tuple[str, ...], by_cell: Mapping[tuple[str, str], Mapping[str, Any]]) -> Row:
    results = [by_cell[fencer, scenario] for scenario in scenarios if (fencer, scenario) in by_cell]
    if results and all(r["verdict"] in ("SKIP", "N/A") for r in results) and any(r["verdict"] == "SKIP" for r in results):
        return Row(fencer, (), next(r["why"] for r in results if r["verdict"] == "SKIP"))
    return Row(fencer, tuple(_cell(r) for r in results))


def _cell(result: Mapping[str, Any]) -> DemoCell:
    verdict = result["verdict"]
    if verdict in ("N/A", "SKIP"):
        return DemoCell("·", "NONE", result["why"])
    return DemoCell(LETTER.get(verdict, verdict), verdict, result["why"] or verdict)


def _found(result: Mapping[str, Any], finding: Mapping[str, Any]) -> DemoFinding:
    head = f"{result['fencer']} · {result['scenario']} · {finding['verdict']}: {finding['actual']}"
    chain = "\n".join(f"  {link['at']:8.3f} s  {link['actor']:<8} {link['text']}" for link in finding["chain"])
    text = (
        f"requirement  {finding['requirement']}\nexpected     {finding['expected']}\nactual       {finding['actual']}\n"
        f"\n{chain}\n\nrepeat       {result['repeat']}"
    )
    return DemoFinding(head, text)
