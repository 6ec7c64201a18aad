"""PATCH operations that only remember: what is written is what is shown from then on. The journal hears of names only."""

from __future__ import annotations

from typing import Final

from emulator.core.journal import Kind
from emulator.redfish.service.call import Call
from emulator.redfish.service.resource import Operation, Privilege
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import Fields, Flag, Text, Write, patch

LOCATION: Final[Fields] = {"LocationIndicatorActive": Flag()}
ASSET: Final[Fields] = {"AssetTag": Text(high=63)}


def keeps(path: str, fields: Fields, needs: Privilege = Privilege.CONFIGURE_COMPONENTS) -> dict[str, Operation]:
    """A PATCH that only remembers: what is written is what is shown from then on."""
    return {"PATCH": patch(needs, fields, keeper(path))}


def keeper(path: str) -> Write:
    def write(call: Call, taken: Json) -> None:
        call.view.settings.put(path, taken)
        call.view.record(Kind.SETTING, call.seq, what="property", path=path, names=", ".join(sorted(taken)))

    return write
