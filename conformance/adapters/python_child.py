"""The process in which a Python fencer runs. Standard library only: nothing of ours is in the fencer's way.

The function is called as `function(action, bmc, **params)`: `action` is "off", "on", "reboot", "status", "monitor", "metadata",
"validate-all", "list" or "list-status"; `bmc` maps host, port, url, user, password, password_file, password_script, system_uri,
system_id, uuid, ipmi_host, ipmi_port, ipmi_target, kg, insecure, ca_file, verbose and protocol to text, empty where there is
none. It may be `async`. What it returns is its claim:

    None or True     done (everything but status)
    "on", "off"      the answer to status; to off and on: the state that was reached
    False            failed
    an exception     failed; its class and text are what it said
    sys.exit(n)      what a fence agent would say with that exit code
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from typing import cast

DONE, FAILED, OFF = 0, 1, 2
NO_FUNCTION = 119
"""There is nothing to call: the module or the name is missing."""


def exit_of(action: str, answer: object) -> int:
    """The exit code of a fence agent that would claim the same."""
    if action == "status":
        if answer in ("on", "off"):
            return OFF if answer == "off" else DONE
        print(f"status must be answered with 'on' or 'off', not with {answer!r}", file=sys.stderr)
        return FAILED
    if answer is None or answer is True or (action in ("on", "off") and answer == action):
        return DONE
    if answer is not False:
        print(f"{action} was answered with {answer!r}: that is neither True nor None, so it counts as failed", file=sys.stderr)
    return FAILED


def function_of(target: str) -> Callable[..., object]:
    """`module:name` or `module:name.name`. Raises ImportError or AttributeError."""
    module, _, name = target.partition(":")
    return cast("Callable[..., object]", functools.reduce(getattr, name.split("."), importlib.import_module(module)))


def call(target: str, message: Mapping[str, object]) -> int:
    """Calls the function and returns its claim as an exit code."""
    if sys.path[:1] != [path := str(message["path"])]:
        sys.path.insert(0, path)
    action, params = str(message["action"]), message["params"]
    assert isinstance(params, dict)
    try:
        function = function_of(target)
    except (ImportError, AttributeError) as error:
        print(f"{target}: {error}", file=sys.stderr)
        return NO_FUNCTION
    try:
        answer = function(action, message["bmc"], **params)
        if inspect.iscoroutine(answer):
            import asyncio  # only here: it would slow down everybody's start

            answer = asyncio.run(answer)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's function raises is its failure
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return FAILED
    return exit_of(action, answer)


if __name__ == "__main__":
    sys.exit(call(sys.argv[1], json.loads(sys.stdin.read())))
