"""Faults by the name that users type. A fault registers itself; third parties may register theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from emulator.core.errors import RackMisconfigured
from emulator.core.faults.fault import Fault
from emulator.faults.plugins import load_plugged_in

F = TypeVar("F")

_REGISTRY: dict[str, type] = {}


def fault(name: str) -> Callable[[type[F]], type[F]]:
    """Class decorator: gives the fault its name and makes it known."""

    def register(cls: type[F]) -> type[F]:
        if name in _REGISTRY:
            raise ValueError(f"two faults are called {name!r}")
        cls.name = name  # type: ignore[attr-defined]
        _REGISTRY[name] = cls
        return cls

    return register


def fault_names() -> tuple[str, ...]:
    return tuple(sorted(_REGISTRY))


def fault_class(name: str) -> type:
    """Raises KeyError for a name that nobody registered."""
    return _REGISTRY[name]


def make_fault(name: str, **params: object) -> Fault:
    """A fault by the name that users type, e.g. `make_fault("wire.reset", executed=True)`.

    Faults of other distributions are imported only where the name is not ours. Raises RackMisconfigured for a name that nobody
    registered, or parameters that it does not have.
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
