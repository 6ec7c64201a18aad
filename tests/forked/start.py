"""Asks the server of `tests.forked.server` for a command, and stands for it: `python -I -S start.py SOCKET COMMAND ARGUMENT...`

The command gets the arguments, environment, working directory and standard streams of this process. SIGINT and SIGTERM are passed
on to it, and this process ends as it did. The imports are few, because they are paid for with each start.
"""

from __future__ import annotations

import os
import signal
import socket
import sys


def main() -> None:
    where, *words = sys.argv[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(where)
        variables = [name + b"=" + value for name, value in os.environb.items()]
        order = [os.getcwdb(), str(len(words)).encode(), *map(os.fsencode, words), *variables]
        socket.send_fds(server, [b"\0".join(order)], [0, 1, 2])
        pid = int(server.recv(32))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: os.kill(pid, received))
        code = os.waitstatus_to_exitcode(int(server.recv(32)))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


main()
