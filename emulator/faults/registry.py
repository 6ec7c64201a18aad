"""Faults by the name that users type, and what is known of their parameters.

A fault registers itself with `@fault`; third parties may register theirs. `param` says of a parameter what the type cannot: a
sentence, a unit, bounds. From that and the type come the checks, the JSON Schema and docs/faults.md (`emulator.faults.model`,
`emulator.faults.page`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field
from types import MappingProxyType
from typing import Any, Final, TypeVar

from emulator.core.errors import RackMisconfigured
from emulator.core.faults.fault import Fault
from emulator.faults.plugins import load_plugged_in

F = TypeVar("F")

NO_EXAMPLE: Final[Mapping[str, object]] = MappingProxyType({})

_REGISTRY: dict[str, type] = {}
_EXAMPLES: dict[str, Mapping[str, object]] = {}


def fault(name: str, *, example: Mapping[str, object] = NO_EXAMPLE) -> Callable[[type[F]], type[F]]:
    """Class decorator: gives the fault its name and makes it known.

    `example` is what stands beside `type` in the example of docs/faults.md: `when`, `params` and so on.
    Raises ValueError for a name that is taken.
    """

    def register(cls: type[F]) -> type[F]:
        if name in _REGISTRY:
            raise ValueError(f"two faults are called {name!r}")
        cls.name = name  # type: ignore[attr-defined]
        _REGISTRY[name] = cls
        _EXAMPLES[name] = {"type": name, **example}
        return cls

    return register


def param(
    text: str, default: object = MISSING, *, unit: str = "", low: float | None = None, high: float | None = None
) -> Any:  # what `dataclasses.field` returns: mypy takes it for the field's type
    """A parameter: one sentence without a full stop, its unit, and its bounds, both included. A mapping as default is copied."""
    metadata = {"text": text, "unit": unit, "low": low, "high": high}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: MappingProxyType(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def parameters(name: str) -> tuple[Field[Any], ...]:
    """The dataclass fields of a fault."""
    return dataclasses.fields(_REGISTRY[name])


def example_of(name: str) -> Mapping[str, object]:
    """The example of docs/faults.md: `fault/1` as a mapping."""
    return _EXAMPLES[name]


def fault_names() -> tuple[str, ...]:
    return tuple(sorted(_REGISTRY))


def fault_class(name: str) -> type:
    """Raises KeyError for a name that nobody registered."""
    return _REGISTRY[name]


def wrong_param(name: str, params: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a class says against parameters of which each is right by itself: the parameter and one sentence. A class may have a
    method `wrong_param` for that."""
    made = _REGISTRY[name](**params)
    return made.wrong_param() if hasattr(made, "wrong_param") else None


def make_fault(name: str, **params: object) -> Fault:
    """A fault by the name that users type, e.g. `make_fault("wire.reset", executed=True)`.

    Faults of other distributions are imported only where the name is not ours. Raises RackMisconfigured for a name that nobody
    registered, or parameters that it does not have. Values are taken as they are;
    `emulator.arming_from_mapping` checks them too.
    """
    broken = load_plugged_in() if name not in _REGISTRY else ()
    if name not in _REGISTRY:
        why = "".join(f"; {sentence}" for sentence in broken)
        raise RackMisconfigured(f"no fault is called {name!r}; there are: {', '.join(fault_names())}{why}")
    try:
        made: Fault = _REGISTRY[name](**params)
    except TypeError as error:
        raise RackMisconfigured(f"{name}: {error}") from None
    return made
