"""Fences each row with fence_bmc and with fence_redfish in a real Pacemaker, and writes docs/pacemaker-table.md.

As root: python -m tests.peers.pacemaker.page
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.peers.pacemaker.rows import ROWS, Row

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "pacemaker-table.md"
AGENTS = ("fence_bmc", "fence_redfish")
ROWS_AT_ONCE = 6
UNSHARE = ("unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--mount-proc", "--kill-child")
HEAD = """# fence_bmc and fence_redfish in a real Pacemaker

Written by `python -m tests.peers.pacemaker.page` (as root, with pacemaker, corosync and fence-agents): one node with configured
peers in a network namespace of its own, one emulated BMC for each peer, `stonith_admin --fence` or `--reboot`. The truth is the
emulator's: *rail down* is read when stonith_admin has returned. *Device* is Started if it still is so after the next monitor.

| situation | asked | """

SeenRow = Mapping[str, object]


def fence_rows(agent: str, rows: Sequence[Row], timeout: float) -> dict[str, SeenRow]:
    """Runs one cluster for every ROWS_AT_ONCE rows and returns what was seen, by row. `timeout` is of one cluster, in seconds.

    Raises RuntimeError with the end of the log if a cluster fails.
    """
    found: dict[str, SeenRow] = {}
    for first in range(0, len(rows), ROWS_AT_ONCE):
        names = [row.id for row in rows[first : first + ROWS_AT_ONCE]]
        command = [*UNSHARE, sys.executable, "-m", "tests.peers.pacemaker.inside", agent, *names]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT)
        if done.returncode:
            raise RuntimeError(f"the cluster ended with {done.returncode}: {done.stderr[-3000:]}")
        found |= {str(seen["row"]): seen for seen in json.loads(done.stdout)}
    return found


def cell(seen: SeenRow, row: Row) -> str:
    """What one agent did in one row."""
    good = seen["rail_down"] if row.action == "off" else seen["restarted"]
    if seen["exit_status"] == 0:
        result = "**says off, power is on**" if not good or seen["early"] else "success"
    else:
        result = "fails, power is off" if seen["rail_down"] else "fails"
        result += f": {reason(seen)}"
    device = "Started" if seen["started_after"] else "stopped" if seen["started_before"] else "not started"
    return f"{result}; {device}"


def reason(seen: SeenRow) -> str:
    """The class of the cause that the agent named in the cluster's log, or what else it said."""
    said = seen["said"]
    assert isinstance(said, list)
    for line in said:
        if match := re.match(r"fence_bmc: ([a-z-]+): ", line):
            return f"`{match[1]}`"
    words = [re.sub(r"^.*?(ERROR|WARNING): ", "", line) for line in said if line.strip()]
    return f"`{words[0][:60].strip()}`" if words else "no reason in the log"


def markdown(seen: Mapping[str, Mapping[str, SeenRow]]) -> str:
    lines = [HEAD + " | ".join(AGENTS) + " |", "| --- | --- | " + " | ".join("---" for _ in AGENTS) + " |"]
    for row in ROWS:
        lines.append(f"| {row.what} | {row.action} | " + " | ".join(cell(seen[agent][row.id], row) for agent in AGENTS) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    with ThreadPoolExecutor(len(AGENTS)) as pool:
        seen = dict(zip(AGENTS, pool.map(lambda agent: fence_rows(agent, ROWS, 900), AGENTS), strict=True))
    PAGE.write_text(markdown(seen), encoding="utf-8")


if __name__ == "__main__":
    main()
