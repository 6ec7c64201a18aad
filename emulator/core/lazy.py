"""Members that are made when somebody first asks for them: of ten thousand idle BMCs hardly any needs its log.

    @dataclass(slots=True)
    class Unit:
        _log: EventLog = field(init=False, repr=False, compare=False)

        @lazy
        def log(self) -> EventLog:
            return EventLog()

What many only read has another cure: one immutable default for all, replaced as a whole by whoever changes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801  a decorator, like `property`
    """Like `functools.cached_property`, for classes with slots: `log` is kept in the slot `_log`. Assigning replaces it."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._slot = f"_{name}"

    def __get__(self, holder: object, owner: type | None = None) -> T:
        try:
            made: T = getattr(holder, self._slot)
        except AttributeError:
            made = self._make(holder)
            setattr(holder, self._slot, made)
        return made

    def __set__(self, holder: object, value: T) -> None:
        setattr(holder, self._slot, value)
