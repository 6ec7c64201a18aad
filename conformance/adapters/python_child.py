"""The process in which a Python fencer runs. Standard library only: nothing of ours is in the fencer's way.

The function is called as `function(action, bmc, **params)`: `action` is "off", "on", "reboot", "status", "monitor" or "metadata";
`bmc` maps host, port, url, user, password, system_uri, uuid, ipmi_host, ipmi_port, insecure, ca_file and protocol to text, empty
where there is none. What it returns is its claim:

    None or True     done (off, on, reboot, monitor, metadata)
    "on", "off"      the answer to status
    False            failed
    an exception     failed; its class and text are what it said
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping

DONE, FAILED, OFF = 0, 1, 2


def exit_of(action: str, answer: object) -> int:
    """The exit code of a fence agent that would claim the same."""
    if action == "status":
        if answer in ("on", "off"):
            return OFF if answer == "off" else DONE
        print(f"status must be answered with 'on' or 'off', not with {answer!r}", file=sys.stderr)
        return FAILED
    return DONE if answer is None or answer is True else FAILED


def call(target: str, message: Mapping[str, object]) -> int:
    """Calls the function and returns its claim as an exit code."""
    sys.path.insert(0, str(message["path"]))
    module, _, name = target.partition(":")
    action, params = str(message["action"]), message["params"]
    assert isinstance(params, dict)
    try:
        function: Callable[..., object] = getattr(importlib.import_module(module), name)
        answer = function(action, message["bmc"], **params)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's function raises is its failure
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return FAILED
    return exit_of(action, answer)


if __name__ == "__main__":
    sys.exit(call(sys.argv[1], json.loads(sys.stdin.read())))
