"""A Python function, called in a process of its own so that it can be ended. `python_child` says what the function is handed."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

from conformance.adapters import python_child
from conformance.adapters.agent import claim_of
from conformance.adapters.base import CannotStart, Invocation
from conformance.adapters.definition import Definition, fill_map
from conformance.adapters.process import run
from conformance.adapters.programs import StandIns
from conformance.outcome import FencerOutcome

CHILD = str(Path(python_child.__file__).resolve())


class PythonAdapter:
    """Adapter `python`: `command: module:callable`, or one per action. Modules beside the fencer's file are found first."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition

    def missing(self) -> str | None:
        for way in self._definition.ways.values():
            for target in (*way.command, *way.functions.values()):
                module = str(target).partition(":")[0]
                beside = self._definition.folder / Path(*module.split("."))
                if beside.with_suffix(".py").is_file() or (beside / "__init__.py").is_file():
                    continue
                if _spec(module) is None:
                    return f"the Python module {module} is not installed"
        return None

    def run(self, invocation: Invocation) -> FencerOutcome:
        way = self._definition.ways[invocation.protocol]
        names = {key.removeprefix("bmc."): value for key, value in invocation.bmc.items()}
        message = {
            "path": str(self._definition.folder),
            "action": invocation.ask.value,
            "bmc": {**names, "protocol": invocation.protocol.value},
            "params": fill_map(way.params, invocation.bmc),
        }
        ended = run(
            (sys.executable, "-P", CHILD, way.functions.get(invocation.ask) or str(way.command[0])),
            invocation,
            StandIns(invocation.watch),
            stdin=json.dumps(message),
            cwd=invocation.scratch,
        )
        if ended.exit == python_child.NO_FUNCTION:
            raise CannotStart(f"nothing to call: {ended.stderr.strip()}")
        return ended.outcome(invocation, claim_of(invocation.ask, ended.exit))


def _spec(module: str) -> object | None:
    try:
        return importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None  # a parent package is missing
