"""OpenIPMI's shell, command after command: `python -m tools.ipmi_client_ipmish AUTH HOST USER PASSWORD COMMAND...`.

The shell takes commands before its domain is there and then knows none of its objects. So each is typed when the one before has
been answered, and the first when the domain is fully up.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time

UP = b"Operation: Domain fully up"
PATIENCE_S = 20.0
QUIET_S = 0.4
"""How long it says nothing when it has answered: it has no prompt that stands for the end of an answer."""

auth, host, user, password, *commands = sys.argv[1:]
shell = subprocess.Popen(["ipmish"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
assert shell.stdin is not None
assert shell.stdout is not None


def hear(until: bytes = b"") -> bytes:
    said, end, quiet = b"", time.monotonic() + PATIENCE_S, time.monotonic() + QUIET_S
    while time.monotonic() < end and (until not in said if until else time.monotonic() < quiet):
        if select.select([shell.stdout], [], [], 0.05)[0]:
            got = os.read(shell.stdout.fileno(), 65536)
            if not got:
                break
            said, quiet = said + got, time.monotonic() + QUIET_S
    return said


def type_in(line: str, until: bytes = b"") -> None:
    shell.stdin.write(line.encode() + b"\n")
    shell.stdin.flush()
    print(hear(until).decode(errors="replace"), flush=True)


type_in("redisp_cmd off")
type_in(f"domain open d -wait_til_up lan -A {auth} -U {user} -P {password} {host}", UP)
hear()
for command in commands:
    type_in(command)
shell.kill()
