"""How fencers are invoked: `of(definition)` gives the adapter that a fencer's file asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from conformance.adapters.agent import AgentAdapter
from conformance.adapters.base import Adapter, CannotStart, Interrupted, Invocation
from conformance.adapters.command import CommandAdapter
from conformance.adapters.definition import Definition
from conformance.adapters.python import PythonAdapter

BY_NAME: Final[Mapping[str, Callable[[Definition], Adapter]]] = {
    "fence-agent": AgentAdapter,
    "exec": CommandAdapter,
    "python": PythonAdapter,
}

__all__ = ["BY_NAME", "Adapter", "CannotStart", "Definition", "Interrupted", "Invocation", "of"]


def of(definition: Definition) -> Adapter:
    return BY_NAME[definition.adapter](definition)
