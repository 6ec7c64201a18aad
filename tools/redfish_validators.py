"""Writes docs/redfish-validators.md and raises the floor: `python -m tools.redfish_validators`, some minutes.

Every validator runs against every profile that a run usually takes; with `--all` against every profile that has a Redfish
service, and with `--profile NAME` against those alone. Exit code 1 if one finds what the profile does not predict, leaves
something untested without a reason, or does not end; the page is written all the same, with what is known of the others.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

from conformance.selection import USUAL_PROFILES
from profiles import load
from profiles.model import Tool
from tests.peers.redfish.expected import FLOOR_FILE, floors, raised, surprises, unexplained
from tests.peers.redfish.figures import every_profile, judged_profiles, with_runs, write_figures, written_figures
from tests.peers.redfish.page import PAGE, page, with_section, written
from tests.peers.redfish.validators import Outcome, Result, judge_fresh, versions

AT_ONCE = 4


def main(arguments: Sequence[str] | None = None) -> int:
    known = judged_profiles()
    parser = argparse.ArgumentParser(prog="python -m tools.redfish_validators", description=(__doc__ or "").partition("\n")[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every profile that has a Redfish service")
    which.add_argument("--profile", action="append", choices=known, metavar="NAME", help="this profile; may be repeated")
    given = parser.parse_args(arguments)
    names = known if given.all else tuple(given.profile or USUAL_PROFILES)
    outcomes, endless = judged(names)
    write_figures(with_runs(written_figures(), outcomes))
    usual = {name: outcomes[name] for name in USUAL_PROFILES if name in outcomes}
    whole = page(usual, versions()) if len(usual) == len(USUAL_PROFILES) else written()
    PAGE.write_text(with_section(whole, every_profile(written_figures())), encoding="utf-8")
    measured = [(name, run.tool, run.counts[Result.PASS]) for name, runs in outcomes.items() for run in runs]
    FLOOR_FILE.write_text(json.dumps(raised(floors(), measured), indent=1) + "\n", encoding="utf-8")
    for line in endless:
        print(line)
    return 1 if print_findings(outcomes) or endless else 0


def judged(names: Sequence[str]) -> tuple[dict[str, list[Outcome]], list[str]]:
    """Every validator against every one of these profiles, some at once. And a line for each that did not end; of its profile
    nothing is known then."""
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(AT_ONCE) as pool:
        started: dict[tuple[str, Tool], Future[Outcome]] = {}
        # The use-case checkers first: they mostly wait.
        for tool in sorted(Tool, key=lambda tool: tool is not Tool.USE_CASE):
            for name in names:
                out = Path(place) / f"{name}-{tool}"
                out.mkdir()
                started[name, tool] = pool.submit(judge_fresh, tool, name, out)
        which = {future: key for key, future in started.items()}
        endless: dict[str, str] = {}
        for number, future in enumerate(as_completed(which), start=1):
            name, tool = which[future]
            if isinstance(error := future.exception(), subprocess.TimeoutExpired):
                endless[name] = f"{name:18} {tool:9} did not end in {error.timeout:.0f} s"
            print(f"{number} of {len(which)}: {name} {tool}", file=sys.stderr, flush=True)
        done = (name for name in names if name not in endless)
        return {name: [started[name, tool].result() for tool in Tool] for name in done}, [*endless.values()]


def print_findings(outcomes: Mapping[str, Sequence[Outcome]]) -> int:
    """Prints a line for every run and what nobody predicted below it. Returns how many findings there are."""
    wrong = 0
    for name, runs in outcomes.items():
        for run in runs:
            print(f"{name:18} {run.tool:9} " + "  ".join(f"{result} {run.counts[result]}" for result in Result))
            for told in (*surprises(run, load(name)), *(f"no reason: {row}" for row in unexplained(run))):
                wrong += 1
                print(f"  {told}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
