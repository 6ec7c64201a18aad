"""Everything that a driver's author needs about a finding, in a directory: the journal, the report, what the fencer said."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from conformance.report.model import cell
from conformance.report.terminal import plain
from conformance.result import Result


def write(results: Sequence[Result], directory: Path) -> None:
    """One folder per finding. Raises OSError."""
    for result in results:
        if not result.verdict.needs_action:
            continue
        folder = directory / re.sub(r"[^A-Za-z0-9._-]+", "_", f"{result.scenario.id}-{result.fencer}-{result.profile}")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "journal.jsonl").write_text(result.journal, encoding="utf-8")
        (folder / "finding.txt").write_text(plain(result), encoding="utf-8")
        (folder / "said.txt").write_text(result.said + "\n", encoding="utf-8")
        (folder / "result.json").write_text(json.dumps([cell(result)], ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
