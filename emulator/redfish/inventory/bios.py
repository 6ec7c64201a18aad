"""Bios, its pending settings and the ResetBios action. Written attributes wait for the next boot, whatever causes that boot.

`all_resources` calls it when a tree is built.

Rules
  1. No timer and no listener applies pending settings: the first access after a boot applies them (`apply_pending`).
  2. Only writable attributes can be pending, and each is checked by its own rule.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from emulator.core.journal import EventKind
from emulator.redfish.inventory.bios_attributes import ATTRIBUTES, DEFAULTS, ID
from emulator.redfish.inventory.system_parts import SystemParts, part
from emulator.redfish.power.actions import parameters
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import HttpAnswer, RedfishCall
from emulator.redfish.service.resource import Operation, RedfishPrivilege, Resource, link
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import ObjectRule, WritableFields, patch

BIOS_TYPE: Final = "#Bios.v1_2_3.Bios"
SETTINGS_TYPE: Final = "#Settings.v1_3_5.Settings"
FIELDS: Final[WritableFields] = {
    "Attributes": ObjectRule({attribute.name: attribute.rule for attribute in ATTRIBUTES if not attribute.read_only})
}


def bios(parts: SystemParts) -> tuple[Resource, ...]:
    path = bios_path(parts)
    return (_current(parts), _pending(parts), Resource(path=f"{path}/Actions/Bios.ResetBios", operations={"POST": _reset(parts)}))


def bios_path(parts: SystemParts) -> str:
    return f"{parts.system}/Bios"


class BiosState(NamedTuple):
    """What a Bios resource shows: attribute names with their values, and ResetBiosToDefaultsPending."""

    attributes: tuple[tuple[str, object], ...]
    reset_pending: bool


class BiosSettings(NamedTuple):
    """The attributes in force, the attributes that wait for the next boot, and whether a reset to defaults waits for it."""

    current: Json
    pending: Json
    reset_pending: bool


def apply_pending(view: RedfishBmc, parts: SystemParts) -> BiosSettings:
    """The settings now. If the system has booted since a client wrote them, pending settings are applied first."""
    path = bios_path(parts)
    kept = view.settings.of(path)
    current = DEFAULTS | _part(kept, "current")
    pending, reset = _part(kept, "pending"), bool(kept.get("reset"))
    if (pending or reset) and view.boot.count(parts.system_id) != kept.get("boots"):
        current = (dict(DEFAULTS) if reset else current) | pending
        view.settings.forget(path)
        view.settings.put(path, {"current": current})
        return BiosSettings(current, {}, reset_pending=False)
    return BiosSettings(current, pending, reset)


def _part(kept: Json, name: str) -> Json:
    value = kept.get(name)
    return value if isinstance(value, dict) else {}


def _wait(call: RedfishCall, parts: SystemParts, change: Json) -> None:
    apply_pending(call.view, parts)
    call.view.settings.put(bios_path(parts), {**change, "boots": call.view.boot.count(parts.system_id)})


def _current(parts: SystemParts) -> Resource:
    path = bios_path(parts)

    def state(call: RedfishCall) -> BiosState:
        settings = apply_pending(call.view, parts)
        return BiosState(tuple(settings.current.items()), settings.reset_pending)

    def body(view: RedfishBmc, state: BiosState) -> Json:
        return {
            "AttributeRegistry": ID,
            "Attributes": dict(state.attributes),
            "ResetBiosToDefaultsPending": state.reset_pending,
            "@Redfish.Settings": {
                "@odata.type": SETTINGS_TYPE,
                "SettingsObject": link(f"{path}/Settings"),
                "SupportedApplyTimes": ["OnReset"],
            },
            "Actions": {"#Bios.ResetBios": {"target": f"{path}/Actions/Bios.ResetBios"}},
        }

    return part(path, BIOS_TYPE, "BIOS Configuration", body, state=state)


def _pending(parts: SystemParts) -> Resource:
    """The Settings resource: the attributes that will be in force after the next boot."""
    path = f"{bios_path(parts)}/Settings"

    def state(call: RedfishCall) -> tuple[tuple[str, object], ...]:
        settings = apply_pending(call.view, parts)
        return tuple(((dict(DEFAULTS) if settings.reset_pending else settings.current) | settings.pending).items())

    def body(view: RedfishBmc, attributes: tuple[tuple[str, object], ...]) -> Json:
        return {"AttributeRegistry": ID, "Attributes": dict(attributes)}

    def write(call: RedfishCall, taken: Json) -> None:
        _wait(call, parts, {"pending": taken["Attributes"]})
        call.view.record(
            EventKind.SETTING, call.seq, what="bios", system=parts.system_id, names=", ".join(sorted(_part(taken, "Attributes")))
        )

    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, FIELDS, write)}
    return part(path, BIOS_TYPE, "BIOS Configuration Pending Settings", body, state=state, operations=operations)


def _reset(parts: SystemParts) -> Operation:
    def reset(call: RedfishCall) -> HttpAnswer:
        parameters(call.json_object(), {}, (), "ResetBios")
        _wait(call, parts, {"reset": True})
        call.view.record(EventKind.SETTING, call.seq, what="bios defaults", system=parts.system_id)
        return HttpAnswer(204)

    return Operation(RedfishPrivilege.CONFIGURE_COMPONENTS, reset)
