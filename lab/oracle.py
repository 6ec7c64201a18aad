"""The split-brain oracle: reads the shared disk and reports virtual machines that two hosts have run at the same time.

`lab.verdict` and the tests call it. Pure, except `read_disk`. Times are seconds of CLOCK_MONOTONIC. If a machine moves, all
lines of its old run come before all lines of its new run. If a line of a run follows a line of a later run, both were
running: split brain.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DiskWrite:
    vm: str
    host: str
    token: str
    n: int
    t: float


@dataclass(frozen=True, slots=True)
class SplitBrain:
    """Writes of an old run after a new run had started: `began` is the time of the first, `writes` their number."""

    vm: str
    old_host: str
    new_host: str
    began: float
    writes: int
    last: float


def parse(line: str) -> DiskWrite:
    """Parses one line. Raises ValueError if no machine of the lab wrote it."""
    try:
        raw = json.loads(line)
        return DiskWrite(str(raw["vm"]), str(raw["host"]), str(raw["token"]), int(raw["n"]), float(raw["t"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a write of a lab machine: {line[:80]!r}") from error


def read_disk(disk: Path) -> dict[str, list[DiskWrite]]:
    """Reads all complete lines of each machine, in the order in which they were written."""
    return parse_disk({path.stem: path.read_text() for path in sorted(disk.glob("*.jsonl"))})


def parse_disk(files: Mapping[str, str]) -> dict[str, list[DiskWrite]]:
    """Parses the text of each machine's file. An incomplete last line is ignored."""
    whole = {vm: text[: text.rfind("\n") + 1] for vm, text in files.items()}
    return {vm: [parse(line) for line in text.splitlines()] for vm, text in whole.items()}


def split_brains(disk: Mapping[str, Iterable[DiskWrite]]) -> list[SplitBrain]:
    found = []
    for vm, writes in disk.items():
        runs: list[str] = []
        hosts: dict[str, str] = {}
        late: list[DiskWrite] = []
        for write in writes:
            if write.token not in hosts:
                runs.append(write.token)
                hosts[write.token] = write.host
            elif write.token != runs[-1]:
                late.append(write)
        if late:
            old = late[0]
            found.append(SplitBrain(vm, old.host, hosts[runs[-1]], old.t, len(late), late[-1].t))
    return found
