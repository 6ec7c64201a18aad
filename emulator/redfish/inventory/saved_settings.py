"""PATCH operations that only remember: what is written is what is shown from then on. The journal hears of names only."""

from __future__ import annotations

from typing import Final

from emulator.core.journal import EventKind
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Operation, RedfishPrivilege
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import BooleanRule, TextRule, WritableFields, WriteOperation, patch

LOCATION: Final[WritableFields] = {"LocationIndicatorActive": BooleanRule()}
ASSET: Final[WritableFields] = {"AssetTag": TextRule(high=63)}


def save_patch(
    path: str, fields: WritableFields, needs: RedfishPrivilege = RedfishPrivilege.CONFIGURE_COMPONENTS
) -> dict[str, Operation]:
    """A PATCH that only remembers: what is written is what is shown from then on."""
    return {"PATCH": patch(needs, fields, save_to(path))}


def save_to(path: str) -> WriteOperation:
    def write(call: RedfishCall, taken: Json) -> None:
        call.view.settings.put(path, taken)
        call.view.record(EventKind.SETTING, call.seq, what="property", path=path, names=", ".join(sorted(taken)))

    return write
