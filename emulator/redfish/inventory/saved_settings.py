"""PATCH operations that only store: a GET shows from then on what the client wrote.

The inventory modules use them for properties that change nothing in the machine (AssetTag, LocationIndicatorActive ...). The
values go to `RedfishBmc.settings`; the journal gets the property names only.
"""

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
    """The operations of a resource whose `fields` a client may write and which only stores them."""
    return {"PATCH": patch(needs, fields, save_to(path))}


def save_to(path: str) -> WriteOperation:
    """Stores the checked values of a PATCH under `path` and journals their names."""

    def write(call: RedfishCall, taken: Json) -> None:
        call.view.settings.put(path, taken)
        call.view.record(EventKind.SETTING, call.seq, what="property", path=path, names=", ".join(sorted(taken)))

    return write
