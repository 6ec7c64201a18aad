"""A Python function, called in a process of its own so that it can be ended. `python_child` says what the function is handed."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Self

from conformance.adapters import python_child
from conformance.adapters.agent import claim_of
from conformance.adapters.base import Adapter, CannotStart, Invocation
from conformance.adapters.placeholders import Item, fill_map, parts
from conformance.adapters.process import run
from conformance.adapters.programs import StandIns, lack
from conformance.adapters.section import Section, present
from conformance.outcome import FencerOutcome
from conformance.vocabulary import ASKED_OF_FENCERS, Ask, Protocol

CHILD: Final = str(Path(python_child.__file__).resolve())


@dataclass(frozen=True, kw_only=True)
class PythonAdapter(Adapter):
    """Adapter `python`. `function` is `module:callable` for all actions; `functions` go before it, one per action.

    Modules beside the fencer's file are found first. The function is handed all names of the BMC, so nothing in its file shows
    which protocol it speaks: Redfish, unless its capabilities say otherwise. `programs` are those that the function starts.
    """

    name: ClassVar[str] = "python"
    form: ClassVar[str] = "conformance.fencer_forms.python:PYTHON"
    default_protocols: ClassVar[frozenset[Protocol]] = frozenset({Protocol.REDFISH})

    function: str = ""
    functions: Mapping[Ask, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    programs: tuple[str, ...] = ()

    @classmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        functions = {ask: _alone(section.line(node, path)) for ask, node, path in section.per_ask("actions")}
        return cls(
            folder=section.folder,
            built_in=section.built_in,
            function=_alone(section.words("command")) or (base.function if base is not None else ""),
            functions={**(base.functions if base is not None else {}), **functions},
            params=present({**(base.params if base is not None else {}), **section.texts("params")}),
            programs=base.programs if base is not None else tuple(parts(section.words("programs"))),
        )

    @property
    def asks(self) -> frozenset[Ask]:
        return ASKED_OF_FENCERS if self.function else frozenset(self.functions)

    def texts(self) -> Iterator[str]:
        yield from self.params.values()

    def is_told(self, name: str) -> bool:
        return True  # a function is handed the values of all placeholders

    def missing(self) -> str | None:
        for target in (self.function, *self.functions.values()):
            module = target.partition(":")[0]
            if not module:
                continue
            beside = self.folder / Path(*module.split("."))
            if beside.with_suffix(".py").is_file() or (beside / "__init__.py").is_file():
                continue
            if _spec(module) is None:
                return f"the Python module {module} is not installed"
        lacks = (lack(program, self.folder) for program in self.programs)
        return next((sentence for sentence in lacks if sentence is not None), None)

    def run(self, invocation: Invocation) -> FencerOutcome:
        names = {key.removeprefix("bmc."): value for key, value in invocation.bmc.items()}
        message = {
            "path": str(self.folder),
            "action": invocation.ask.value,
            "bmc": {**names, "protocol": invocation.protocol.value},
            "params": fill_map(self.params, invocation.bmc),
        }
        ended = run(
            (sys.executable, "-P", CHILD, self.functions.get(invocation.ask) or self.function),
            invocation,
            StandIns(invocation.watch),
            stdin=json.dumps(message),
            cwd=invocation.scratch,
        )
        if ended.exit == python_child.NO_FUNCTION:
            raise CannotStart(f"nothing to call: {ended.stderr.strip()}")
        return ended.outcome(invocation, claim_of(invocation.ask, ended.exit))


def _alone(line: Sequence[Item]) -> str:
    return next(parts(line), "")


def _spec(module: str) -> object | None:
    try:
        return importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None  # a parent package is missing
