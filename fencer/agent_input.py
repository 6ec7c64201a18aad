"""Reads the parameters of fence_bmc from standard input (FenceAgentAPI). `fencer.agent` calls it if there are no options."""

from __future__ import annotations

import os
import select
import sys
import time

from fencer.agent_output import write_line
from fencer.given import AGENT, BadSettings, GivenValues
from fencer.parameters import BY_NAME, READ_ALL_THE_SAME, WITHOUT_EFFECT

STDIN_WAIT_S = 15.0  # for the end of standard input, unless a person types it
MAX_STDIN_BYTES = 1024 * 1024
MAX_UNKNOWN_NAMES = 10  # unknown parameters that are named in warnings; a wrong input file may have thousands


def read_stdin() -> bytes:
    """Reads standard input to its end. Raises BadSettings if it cannot be read, is too long or does not end."""
    if sys.stdin is None:
        raise BadSettings("standard input is closed, and there are no options")
    number, raw = sys.stdin.fileno(), b""
    ends_at = None if os.isatty(number) else time.monotonic() + STDIN_WAIT_S
    try:
        while len(raw) <= MAX_STDIN_BYTES:
            left = None if ends_at is None else max(ends_at - time.monotonic(), 0.0)
            if not select.select([number], [], [], left)[0]:
                raise BadSettings(f"standard input did not end within {STDIN_WAIT_S:g} s, and there are no options")
            block = os.read(number, 65536)
            if not block:
                return raw
            raw += block
    except OSError as error:
        raise BadSettings(f"standard input cannot be read ({error.strerror})") from error
    raise BadSettings(f"standard input has more than {MAX_STDIN_BYTES} bytes")


def parameters_from_lines(raw: bytes, program: str = AGENT) -> GivenValues:
    """Parses name=value lines from standard input (FenceAgentAPI).

    Skips comments and blank lines, warns of unknown names, and removes one pair of double quotes around a value. If a name
    is given twice, the last value counts.
    """
    values, names = dict[str, str](), dict[str, str]()
    unknown: dict[str, None] = {}
    for line in raw.decode("utf-8", "surrogateescape").split("\n"):
        line = line.removesuffix("\r").lstrip()
        if not line.strip() or line.startswith("#"):
            continue
        name, _, value = line.partition("=")
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        name = name.strip()
        parameter = BY_NAME.get(name.replace("-", "_"))
        if parameter is not None:
            values[parameter.name], names[parameter.name] = value, name
        elif name in READ_ALL_THE_SAME:
            values[name] = value
        elif name.replace("-", "_") not in WITHOUT_EFFECT:
            unknown[name[:60]] = None
    for name in tuple(unknown)[:MAX_UNKNOWN_NAMES]:
        write_line(sys.stderr, f"fence_bmc: unknown parameter {name!r} ignored")
    if len(unknown) > MAX_UNKNOWN_NAMES:
        write_line(sys.stderr, f"fence_bmc: {len(unknown) - MAX_UNKNOWN_NAMES} more unknown parameters ignored")
    return GivenValues(values, names, program)
