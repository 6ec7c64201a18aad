"""Writes docs/redfish-validators.md and raises the floor: `python -m tools.redfish_validators`, some minutes.

Every validator runs against every profile that a run usually takes. Exit code 1 if one finds what the profile
does not predict, or leaves something untested without a reason; the page is written all the same.
"""

from __future__ import annotations

import json
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from conformance.selection import USUAL_PROFILES
from profiles import load
from profiles.model import Tool
from tests.peers.redfish.expected import FLOOR_FILE, floors, raised, surprises, unexplained
from tests.peers.redfish.page import PAGE, page
from tests.peers.redfish.validators import Outcome, Result, judge_fresh, versions

AT_ONCE = 4


def main() -> int:
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(AT_ONCE) as pool:
        started: dict[tuple[str, Tool], Future[Outcome]] = {}
        # The use-case checkers first: they mostly wait.
        for tool in sorted(Tool, key=lambda tool: tool is not Tool.USE_CASE):
            for name in USUAL_PROFILES:
                out = Path(place) / f"{name}-{tool}"
                out.mkdir()
                started[name, tool] = pool.submit(judge_fresh, tool, name, out)
        outcomes = {name: [started[name, tool].result() for tool in Tool] for name in USUAL_PROFILES}
    PAGE.write_text(page(outcomes, versions()), encoding="utf-8")
    measured = [(name, run.tool, run.counts[Result.PASS]) for name, runs in outcomes.items() for run in runs]
    FLOOR_FILE.write_text(json.dumps(raised(floors(), measured), indent=1) + "\n", encoding="utf-8")
    wrong = 0
    for name, runs in outcomes.items():
        for run in runs:
            print(f"{name:16} {run.tool:9} " + "  ".join(f"{result} {run.counts[result]}" for result in Result))
            for told in (*surprises(run, load(name)), *(f"no reason: {row}" for row in unexplained(run))):
                wrong += 1
                print(f"  {told}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
