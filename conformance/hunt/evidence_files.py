"""Writes what a hunt has found into a folder: each find as a scenario file with its evidence, the picture, and the result.

HUNT-123456.yaml     form scenario/1, for `fence-conformance run --scenario-file`
HUNT-123456.svg      swimlane
HUNT-123456-.../     journal, HAR, report and causal chain, as `run --evidence` writes them
picture.svg, picture.mmd, hunt.json
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from conformance.hunt.picture import picture_of
from conformance.hunt.picture_mermaid import to_mermaid
from conformance.hunt.picture_svg import to_svg
from conformance.hunt.result_file import ConfirmedFind, HuntResult, write
from conformance.hunt.trial_run import Hunted
from conformance.report import evidence
from conformance.report.swimlane import swimlane
from conformance.result import Result
from conformance.runner import MatrixCell, RunOptions, run_cell
from conformance.scenario_files.reading import read_file
from conformance.scenario_files.writing import text_of
from conformance.vocabulary import Protocol

LANE_STYLE: Final = (
    "svg{font:11px system-ui,sans-serif;fill:#222;background:#fff}.n{text-anchor:end;fill:#666}.a{text-anchor:middle;fill:#666}"
    ".g{stroke:#ddd}.q{stroke:#666}.o{stroke:#b94e00;stroke-width:3}.w{stroke:#0072b2;stroke-width:2}.u{fill:#9ed5be}"
    ".d{fill:none;stroke:#666}.k{fill:none;stroke:#666;stroke-dasharray:2 3}.c{stroke:#222;stroke-width:2}.b{font-weight:bold}"
    ".e{fill:#666;font-style:italic}"
)


def write_find(hunted: Hunted, find: ConfirmedFind, out: Path, version: str, stop: threading.Event | None = None) -> Result:
    """Writes one find and plays its file once, as `run --scenario-file` does. Raises OSError, NotPureData.

    Raises Interrupted where `stop` is set before that run has ended: there is the scenario file then, and no evidence.
    """
    file = out / f"{find.scenario}.yaml"
    file.write_text(text_of(hunted.scenario(find.run.trace, find.run.verdict)), encoding="utf-8")
    cell = MatrixCell(hunted.definition, hunted.profile, read_file(str(file)), hunted.profile_word)
    result = run_cell(cell, stop or threading.Event(), RunOptions(seed=hunted.seed))
    evidence.write([result], out, version)
    if lane := swimlane(evidence.events_of(result), 0):
        styled = lane.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(
            ">", f"><style>{LANE_STYLE}</style>", 1
        )
        (out / f"{find.scenario}.svg").write_text(styled + "\n", encoding="utf-8")
    return result


def write_whole(result: HuntResult, out: Path) -> None:
    """Writes the picture and the result. Raises OSError."""
    for protocol in Protocol:
        runs = [run for run in result.runs if run.trace.world.protocol is protocol]
        if runs:
            picture = picture_of(runs)
            title = (
                f"{result.fencer} over {protocol} on {result.profile}: what it does after what it was told, from {len(runs)} runs"
            )
            (out / f"picture-{protocol}.svg").write_text(to_svg(picture, title), encoding="utf-8")
            (out / f"picture-{protocol}.mmd").write_text(to_mermaid(picture), encoding="utf-8")
    write(result, out / "hunt.json")
