"""What clients have written into resources that have no other memory: properties by path, as they were sent and checked.

Rules
  1. It holds what a real BMC keeps in flash: it survives a reset of the BMC. What does not is forgotten by `forget`.
  2. Secrets never come here.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.redfish.service.shapes import Json


class SavedSettings:
    """The writable memory of one BMC. What comes out is never what is stored: nobody can change it from outside."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[str, Json] = {}

    def of(self, path: str) -> Json:
        return merged({}, self._kept.get(path, {}))

    def put(self, path: str, taken: Mapping[str, object]) -> None:
        """Objects merge, everything else replaces."""
        self._kept[path] = merged(self._kept.get(path, {}), taken)

    def forget(self, path: str) -> None:
        self._kept.pop(path, None)


def merged(base: Mapping[str, object], over: Mapping[str, object]) -> Json:
    """`over` laid on `base`, objects inside objects; neither is changed or shared."""
    result: Json = {name: merged({}, value) if isinstance(value, Mapping) else value for name, value in base.items()}
    for name, value in over.items():
        below = result.get(name)
        if isinstance(value, Mapping):
            result[name] = merged(below if isinstance(below, dict) else {}, value)
        else:
            result[name] = value
    return result
