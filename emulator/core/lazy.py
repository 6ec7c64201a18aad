"""Attributes that are made on first use. They keep an idle BMC small: of ten thousand BMCs only a few ever need their log.

    @dataclass(slots=True)
    class Unit:
        _log: EventLog = field(init=False, repr=False, compare=False)

        @lazy
        def log(self) -> EventLog:
            return EventLog()

Use a shared immutable default instead where most instances only read the value, and replace it on the first write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Owner = TypeVar("Owner")
T = TypeVar("T")


class lazy(Generic[Owner, T]):  # noqa: N801  a decorator, like `property`
    """Like `functools.cached_property`, for classes with slots: `log` is kept in the slot `_log`. Assigning replaces it."""

    def __init__(self, make: Callable[[Owner], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._slot = f"_{name}"

    def __get__(self, instance: Owner, owner: type[Owner] | None = None) -> T:
        try:
            made: T = getattr(instance, self._slot)
        except AttributeError:
            made = self._make(instance)
            setattr(instance, self._slot, made)
        return made

    def __set__(self, instance: Owner, value: T) -> None:
        setattr(instance, self._slot, value)
