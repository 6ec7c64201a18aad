"""The process between the suite and a fencer, so that nothing which the fencer starts can get away. Standard library only.

It is the reaper of everything below it: a child that leaves the session, empties its environment and outlives its parent is
still a descendant of this process. It ends when nothing is left below it, and that is how the suite knows.

On the descriptor that it is given it says one line: `exit CODE` (negative: the signal) as soon as the fencer has ended, or
`errno NUMBER` if the fencer could not be started.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import NoReturn

PR_SET_CHILD_SUBREAPER = 36
PYTHON_IGNORES = (signal.SIGPIPE, signal.SIGXFSZ)


def become(argv: list[str], report: int) -> NoReturn:
    """Becomes the fencer: a session of its own, and the signals as any program expects them."""
    os.set_inheritable(report, False)
    os.setsid()
    for number in PYTHON_IGNORES:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        os.write(report, f"errno {error.errno}\n".encode())
        os._exit(127)


def watch(fencer: int, report: int) -> None:
    """Reaps until nothing is left; the pipes of the fencer are not held open meanwhile."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return
        if pid == fencer:
            os.write(report, f"exit {os.waitstatus_to_exitcode(status)}\n".encode())


def main(report: int, argv: list[str]) -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    fencer = os.fork()
    if fencer == 0:
        become(argv, report)
    watch(fencer, report)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
