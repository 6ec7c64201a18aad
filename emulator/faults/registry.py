"""Faults by the name that users type. A fault registers itself; third parties may register theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

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
