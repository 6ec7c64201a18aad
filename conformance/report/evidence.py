"""What a fencer's author needs about a finding, in a folder: the journal, the traffic, the report, what the fencer said.

No file holds a secret: the journal and the output of a result are without them (`conformance.scrubbing`), and the rest is made
from these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.report.har import to_har, to_ipmi_lines
from conformance.report.model import cell
from conformance.report.terminal import plain
from conformance.result import Result
from emulator import Event, event_from_json


def write(results: Sequence[Result], directory: Path, version: str = "") -> None:
    """One folder per finding. `version` is the suite's. Raises OSError."""
    for result in results:
        if not result.verdict.needs_action:
            continue
        folder = directory / re.sub(r"[^A-Za-z0-9._-]+", "_", f"{result.scenario.id}-{result.fencer}-{result.profile}")
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in _files(result, version):
            (folder / name).write_text(content, encoding="utf-8", errors="replace")


def events_of(result: Result) -> tuple[Event, ...]:
    """The journal of a result; empty where nothing was run."""
    return tuple(event_from_json(line) for line in result.journal.split("\n") if line)


def _files(result: Result, version: str) -> Iterator[tuple[str, str]]:
    """The names and contents of one folder. Traffic has a file for each protocol that was spoken."""
    events = events_of(result)
    protocols = {event.data.get("protocol") for event in events}
    yield "journal.jsonl", result.journal
    yield "finding.txt", plain(result)
    yield "said.txt", result.said + "\n"
    yield "result.json", json.dumps([cell(result)], ensure_ascii=False, indent=1) + "\n"
    if "redfish" in protocols:
        yield "redfish.har", to_har(events, result.started, version)
    if "ipmi" in protocols:
        yield "ipmi.jsonl", to_ipmi_lines(events, result.started)
