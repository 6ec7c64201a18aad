"""Bios, its pending settings and ResetBios. What is written waits for the next boot, whatever causes that.

Rules
  1. Nothing is applied by a clock or a listener: who looks after a boot finds the settings applied (`settled`).
  2. Only attributes that may be written are ever pending, each checked by its own rule.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

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


def bios(box: SystemParts) -> tuple[Resource, ...]:
    path = bios_path(box)
    return (_current(box), _pending(box), Resource(path=f"{path}/Actions/Bios.ResetBios", operations={"POST": _reset(box)}))


def bios_path(box: SystemParts) -> str:
    return f"{box.system}/Bios"


def settled(view: RedfishBmc, box: SystemParts) -> tuple[Json, Json, bool]:
    """The attributes in force, those that wait for a boot, and whether a reset to defaults waits."""
    path = bios_path(box)
    kept = view.settings.of(path)
    current = DEFAULTS | _part(kept, "current")
    pending, reset = _part(kept, "pending"), bool(kept.get("reset"))
    if (pending or reset) and view.boot.count(box.system_id) != kept.get("boots"):
        current = (dict(DEFAULTS) if reset else current) | pending
        view.settings.forget(path)
        view.settings.put(path, {"current": current})
        return current, {}, False
    return current, pending, reset


def _part(kept: Json, name: str) -> Json:
    value = kept.get(name)
    return value if isinstance(value, dict) else {}


def _wait(call: RedfishCall, box: SystemParts, change: Json) -> None:
    settled(call.view, box)
    call.view.settings.put(bios_path(box), {**change, "boots": call.view.boot.count(box.system_id)})


def _current(box: SystemParts) -> Resource:
    path = bios_path(box)

    def state(call: RedfishCall) -> Hashable:
        current, _, reset = settled(call.view, box)
        return (tuple(current.items()), reset)

    def body(view: RedfishBmc, state: Hashable) -> Json:
        assert isinstance(state, tuple)
        return {
            "AttributeRegistry": ID,
            "Attributes": dict(state[0]),
            "ResetBiosToDefaultsPending": state[1],
            "@Redfish.Settings": {
                "@odata.type": SETTINGS_TYPE,
                "SettingsObject": link(f"{path}/Settings"),
                "SupportedApplyTimes": ["OnReset"],
            },
            "Actions": {"#Bios.ResetBios": {"target": f"{path}/Actions/Bios.ResetBios"}},
        }

    return part(path, BIOS_TYPE, "BIOS Configuration", body, state=state)


def _pending(box: SystemParts) -> Resource:
    """What the next boot will bring: the attributes in force with those laid over them that wait."""
    path = f"{bios_path(box)}/Settings"

    def state(call: RedfishCall) -> Hashable:
        current, pending, reset = settled(call.view, box)
        return tuple(((dict(DEFAULTS) if reset else current) | pending).items())

    def body(view: RedfishBmc, state: Hashable) -> Json:
        assert isinstance(state, tuple)
        return {"AttributeRegistry": ID, "Attributes": dict(state)}

    def write(call: RedfishCall, taken: Json) -> None:
        _wait(call, box, {"pending": taken["Attributes"]})
        call.view.record(
            EventKind.SETTING, call.seq, what="bios", system=box.system_id, names=", ".join(sorted(_part(taken, "Attributes")))
        )

    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, FIELDS, write)}
    return part(path, BIOS_TYPE, "BIOS Configuration Pending Settings", body, state=state, operations=operations)


def _reset(box: SystemParts) -> Operation:
    def reset(call: RedfishCall) -> HttpAnswer:
        parameters(call.json_object(), {}, (), "ResetBios")
        _wait(call, box, {"reset": True})
        call.view.record(EventKind.SETTING, call.seq, what="bios defaults", system=box.system_id)
        return HttpAnswer(204)

    return Operation(RedfishPrivilege.CONFIGURE_COMPONENTS, reset)
