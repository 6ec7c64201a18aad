"""A virtual machine of the lab: a process that writes to the shared disk while it runs. The node agent starts it.

It appends lines {"vm", "host", "token", "n", "t"} to DISK/VM.jsonl. `token` identifies this run of the machine. `t` is
CLOCK_MONOTONIC in seconds, which is the same for all processes of one kernel, also in containers.

Usage: vm.py DISK VM HOST TOKEN [SECONDS]
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

WRITE_INTERVAL_S = 0.05


def line(vm: str, host: str, token: str, n: int, t: float) -> bytes:
    return (json.dumps({"vm": vm, "host": host, "token": token, "n": n, "t": round(t, 6)}) + "\n").encode()


def main(argv: list[str]) -> None:
    disk, vm, host, token = argv[:4]
    every = float(argv[4]) if len(argv) > 4 else WRITE_INTERVAL_S
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at a terminal must stop the lab, not its machines
    # One write per line with O_APPEND: if two hosts write to one disk, whole lines interleave, like blocks of two kernels.
    descriptor = os.open(Path(disk, f"{vm}.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    n = 0
    while True:
        n += 1
        os.write(descriptor, line(vm, host, token, n, time.monotonic()))
        time.sleep(every)


if __name__ == "__main__":
    main(sys.argv[1:])
