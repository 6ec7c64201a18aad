"""The properties that clients wrote into resources and that nothing else stores, by path.

`RedfishBmc.settings` is the one instance of a BMC. `inventory.saved_settings` and other modules write checked values; bodies
merge them in.

Rules
  1. It corresponds to flash memory: it survives a reset of the BMC. Modules call `forget` for values that do not.
  2. Secrets are never stored here.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.redfish.service.shapes import Json


class SavedSettings:
    """The stored properties of one BMC. `of` returns a copy, so that callers cannot change what is stored."""

    __slots__ = ("_by_path",)

    def __init__(self) -> None:
        self._by_path: dict[str, Json] = {}

    def of(self, path: str) -> Json:
        return merged({}, self._by_path.get(path, {}))

    def put(self, path: str, taken: Mapping[str, object]) -> None:
        """Stores values. Objects are merged into stored objects; all other values replace."""
        self._by_path[path] = merged(self._by_path.get(path, {}), taken)

    def forget(self, path: str) -> None:
        self._by_path.pop(path, None)


def merged(base: Mapping[str, object], over: Mapping[str, object]) -> Json:
    """`base` with the values of `over`, objects merged recursively. The result shares nothing with either."""
    result: Json = {name: merged({}, value) if isinstance(value, Mapping) else value for name, value in base.items()}
    for name, value in over.items():
        below = result.get(name)
        if isinstance(value, Mapping):
            result[name] = merged(below if isinstance(below, dict) else {}, value)
        else:
            result[name] = value
    return result
