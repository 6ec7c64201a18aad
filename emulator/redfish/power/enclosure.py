"""The Redfish resources of an enclosure: its chassis, one chassis per slot, and its manager (DSP0268: Chassis).

`service.tree` calls `enclosure` for a profile with an `enclosure`. A slot is a system of the core: a GET asks for its power word,
and its Chassis.Reset is a power command that the profile's table answers. Chassis.Reset of the whole is one command per slot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from emulator.core.bmc.view import SystemName
from emulator.core.faults.trigger import Intent
from emulator.core.power.commands import PowerCommand
from emulator.redfish.inventory.logs import logs, manager_log
from emulator.redfish.power.actions import ACTION, PARAMETER, parameter, reset_of, reset_type
from emulator.redfish.power.power_equipment import equipment_manager, names_of
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import ProfileReply, RedfishCall, shown
from emulator.redfish.service.paths import CHASSIS, manager_path
from emulator.redfish.service.resource import (
    Operation,
    RedfishPrivilege,
    Resource,
    collection,
    content_of,
    fixed_content,
    head_of,
    link,
    links,
)
from emulator.redfish.service.shapes import Json
from profiles.model import ABSENT, Enclosure, Profile, View

HEALTHY: Final = {"Status": {"State": "Enabled", "Health": "OK"}}


def enclosure(profile: Profile, form: Enclosure, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    """`names` are the slots."""
    whole = f"{CHASSIS}/{profile.ids.chassis}"
    slots = tuple(f"{CHASSIS}/{name.id}" for name in names)
    found = [
        collection(CHASSIS, "ChassisCollection", "Chassis Collection", lambda view: (whole, *slots), power_below=1),
        _whole(profile, form, whole, slots),
        _reset(f"{whole}/Actions/Chassis.Reset", _reset_each(tuple(name.id for name in names)), None),
    ]
    for name, path in zip(names, slots, strict=True):
        found += [_slot(profile, form, path, name.id, whole), _reset(f"{path}/Actions/Chassis.Reset", reset_of(name.id), name.id)]
    return (*found, *equipment_manager(profile, whole), *logs(manager_log(profile)))


def _whole(profile: Profile, form: Enclosure, path: str, slots: tuple[str, ...]) -> Resource:
    def body(view: RedfishBmc) -> Json:
        chassis = head_of(path, profile.identity.chassis_type, profile.ids.chassis, "Enclosure")
        return (
            chassis
            | {"ChassisType": form.enclosure_type}
            | names_of(profile, view)
            | HEALTHY
            | {"Links": {"Contains": links(slots), "ManagedBy": [link(manager_path(profile))]}}
            | _actions(profile, path)
        )

    return Resource(path=path, type=profile.identity.chassis_type, content=fixed_content(body))


def _slot(profile: Profile, form: Enclosure, path: str, slot: str, whole: str) -> Resource:
    def state(call: RedfishCall) -> str | None:
        return call.power(slot, View.CHASSIS)

    def body(view: RedfishBmc, power: str | None) -> Json:
        chassis = (
            head_of(path, profile.identity.chassis_type, slot, f"Sled in {slot}") | {"ChassisType": form.slot_type} | HEALTHY
        )
        if power != ABSENT:
            chassis["PowerState"] = power
        return (
            chassis
            | {"Links": {"ContainedBy": link(whole), "ManagedBy": [link(manager_path(profile))]}}
            | _actions(profile, path)
        )

    return Resource(
        path=path, type=profile.identity.chassis_type, content=content_of(state, body), system=slot, tells=View.CHASSIS
    )


def _actions(profile: Profile, path: str) -> Json:
    action: Json = {"target": f"{path}/Actions/Chassis.Reset"}
    if profile.power.advertise in ("inline", "both"):
        action["ResetType@Redfish.AllowableValues"] = list(profile.power.reset_types)
    return {"Actions": {"#Chassis.Reset": action}}


def _reset(path: str, act: Callable[[RedfishCall], ProfileReply], slot: str | None) -> Resource:
    operation = Operation(RedfishPrivilege.CONFIGURE_COMPONENTS, act, Intent.POWER_COMMAND, reset_type)
    return Resource(path=path, operations={"POST": operation}, system=slot)


def _reset_each(slots: tuple[str, ...]) -> Callable[[RedfishCall], ProfileReply]:
    """Chassis.Reset of the whole: every slot gets the command. The answer is the first one that is no success, else the last."""

    def reset(call: RedfishCall) -> ProfileReply:
        wanted = parameter(call.json_object(), PARAMETER, ACTION)
        answers = [call.view.command(slot, PowerCommand.redfish(wanted), call.seq) for slot in slots]
        said = next((answer for answer in answers if answer.code >= 300), answers[-1])
        return ProfileReply(said.reply, {"reset_type": shown(wanted)})

    return reset
