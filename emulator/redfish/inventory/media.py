"""VirtualMedia: a client can insert and eject an image, and a GET shows it. The emulator never fetches an image.

`all_resources` calls it when a tree is built, for the system or the manager as the profile says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emulator.core.journal import EventKind
from emulator.redfish.inventory.system_parts import part
from emulator.redfish.power.actions import parameters
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import HttpAnswer, RedfishCall, RegistryError, shown
from emulator.redfish.service.resource import Operation, RedfishPrivilege, Resource, collection
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import BooleanRule, OneOfRule, OrNullRule, TextRule, WritableFields, patch

TYPE: Final = "#VirtualMedia.v1_6_5.VirtualMedia"
PROTOCOLS: Final = ("CIFS", "HTTP", "HTTPS", "NFS")
METHODS: Final = ("Stream", "Upload")
IMAGE: Final = TextRule(low=1, high=1024)
PARAMETERS: Final[WritableFields] = {
    "Image": IMAGE,
    "Inserted": BooleanRule(),
    "WriteProtected": BooleanRule(),
    "UserName": OrNullRule(TextRule(high=128)),
    "Password": OrNullRule(TextRule(high=128, secret=True)),
    "TransferMethod": OrNullRule(OneOfRule(METHODS)),
    "TransferProtocolType": OrNullRule(OneOfRule(PROTOCOLS)),
}
FIELDS: Final[WritableFields] = {"Image": OrNullRule(IMAGE), "Inserted": BooleanRule(), "WriteProtected": BooleanRule()}


@dataclass(frozen=True, slots=True)
class MediaSlot:
    id: str
    name: str
    types: tuple[str, ...]


SLOTS: Final = (
    MediaSlot("CD1", "Virtual CD", ("CD", "DVD")),
    MediaSlot("USB1", "Virtual Removable Media", ("USBStick", "Floppy")),
)
EMPTY: Final[Json] = {
    "Image": None,
    "ImageName": None,
    "Inserted": False,
    "ConnectedVia": "NotConnected",
    "WriteProtected": True,
    "UserName": None,
    "TransferMethod": None,
    "TransferProtocolType": None,
}


def media(owner: str) -> tuple[Resource, ...]:
    """The VirtualMedia collection and slots below the path `owner` (a system or manager)."""
    paths = tuple(f"{owner}/VirtualMedia/{slot.id}" for slot in SLOTS)
    listing = collection(f"{owner}/VirtualMedia", "VirtualMediaCollection", "Virtual Media", lambda view: paths)
    found = [listing]
    for path, slot in zip(paths, SLOTS, strict=True):
        found += _slot(path, slot)
    return tuple(found)


def _inserted(view: RedfishBmc, path: str) -> Json:
    """The properties of the inserted image; empty if there is none. A reset of the BMC ejects it."""
    saved = view.settings.of(path)
    return saved if saved.pop("generation", None) == view.generation else {}


def _slot(path: str, slot: MediaSlot) -> list[Resource]:
    insert, eject = f"{path}/Actions/VirtualMedia.InsertMedia", f"{path}/Actions/VirtualMedia.EjectMedia"

    def body(view: RedfishBmc, inserted: tuple[tuple[str, object], ...]) -> Json:
        properties = {
            "MediaTypes": list(slot.types),
            **EMPTY,
            **dict(inserted),
            "Status": {"State": "Enabled", "Health": "OK"},
            "Actions": {
                "#VirtualMedia.InsertMedia": {"target": insert},
                "#VirtualMedia.EjectMedia": {"target": eject},
            },
        }
        return properties | {"Password": None}

    def state(call: RedfishCall) -> tuple[tuple[str, object], ...]:
        return tuple(_inserted(call.view, path).items())

    def put(call: RedfishCall, change: Json, what: str) -> None:
        call.view.settings.forget(path)
        if change:
            call.view.settings.put(path, {**change, "generation": call.view.generation})
        call.view.record(EventKind.SETTING, call.seq, what=what, path=path)

    def do_insert(call: RedfishCall) -> HttpAnswer:
        taken = parameters(call.json_object(), PARAMETERS, ("Image",), "InsertMedia")
        if _inserted(call.view, path):
            raise RegistryError(409, "ResourceInUse")
        put(call, slot_content(taken), "media inserted")
        return HttpAnswer(204)

    def do_eject(call: RedfishCall) -> HttpAnswer:
        parameters(call.json_object(), {}, (), "EjectMedia")
        put(call, {}, "media ejected")
        return HttpAnswer(204)

    def write(call: RedfishCall, taken: Json) -> None:
        before = _inserted(call.view, path)
        if taken.get("Image", "") is None or taken.get("Inserted") is False:
            put(call, {}, "media ejected")
        elif before or "Image" in taken:
            put(call, slot_content({**before, **taken}), "media inserted")
        else:
            raise RegistryError(400, "PropertyValueConflict", next(iter(taken)), "Image", related=(f"#/{next(iter(taken))}",))

    needs = RedfishPrivilege.CONFIGURE_MANAGER
    return [
        part(path, TYPE, slot.name, body, state=state, operations={"PATCH": patch(needs, FIELDS, write)}),
        Resource(path=insert, operations={"POST": Operation(needs, do_insert)}),
        Resource(path=eject, operations={"POST": Operation(needs, do_eject)}),
    ]


def slot_content(taken: Json) -> Json:
    """The properties of a slot with this image, without the password. Raises RegistryError (400) for an unknown protocol."""
    image = str(taken["Image"])
    scheme, separator, _ = image.partition("://")
    guessed = scheme.upper() if separator else "CIFS" if image.startswith(("//", "\\\\")) else "NFS" if ":/" in image else ""
    protocol = taken.get("TransferProtocolType") or guessed
    if protocol not in PROTOCOLS:
        raise RegistryError(400, "PropertyValueFormatError", shown(image), "Image", related=("#/Image",))
    return {
        "Image": image,
        "ImageName": image.replace("\\", "/").rstrip("/").rpartition("/")[2] or image,
        "Inserted": bool(taken.get("Inserted", True)),
        "ConnectedVia": "URI",
        "WriteProtected": bool(taken.get("WriteProtected", True)),
        "UserName": taken.get("UserName"),
        "TransferMethod": taken.get("TransferMethod") or "Stream",
        "TransferProtocolType": protocol,
    }
