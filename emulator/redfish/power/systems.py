"""ComputerSystem, its Reset action and ResetActionInfo.

`service.tree` calls `systems` when a tree is built. A GET of a System asks the core for the power word, which counts as a read of
the power state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from emulator.core.bmc.view import SystemName
from emulator.core.faults.trigger import Intent
from emulator.redfish.inventory import host
from emulator.redfish.inventory.system_parts import SystemParts
from emulator.redfish.power.actions import reset_of, reset_type
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.paths import CHASSIS, above_systems, manager_path, system_path
from emulator.redfish.service.resource import (
    Operation,
    RedfishPrivilege,
    Resource,
    collection,
    content_of,
    fixed_content,
    head_of,
    link,
)
from emulator.redfish.service.shapes import Json
from emulator.redfish.vendor.oem_actions import with_oem_actions
from profiles.model import ABSENT, Profile, View

ACTION_INFO_TYPE: Final = "#ActionInfo.v1_1_0.ActionInfo"

STATE_OF_POWER: Final[Mapping[str, str]] = {
    "Off": "StandbyOffline",
    "PoweringOff": "StandbyOffline",
    "PoweringOn": "Starting",
    "Paused": "Quiesced",
}
"""Status.State for each PowerState; Enabled for all others."""


class ComputerSystemState(NamedTuple):
    """Everything changeable that a ComputerSystem shows."""

    power: str | None  # a PowerState word, None for null, or ABSENT
    facts: host.SystemFacts


def systems(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    above, members = above_systems(profile), tuple(system_path(profile, name.id) for name in names)
    resources = [collection(above, "ComputerSystemCollection", "Computer System Collection", lambda view: members, power_below=1)]
    for name in names:
        resources.append(_system(SystemParts(profile, name.id, name.chassis_id)))
        resources.append(
            Resource(
                path=reset_path(profile, name.id),
                operations={"POST": reset_operation(name.id)},
                system=name.id,
            )
        )
        if profile.power.advertise in ("action_info", "both"):
            resources.append(reset_info(system_path(profile, name.id), profile.power.reset_types))
    return tuple(resources)


def _system(parts: SystemParts) -> Resource:
    profile, system_id, path = parts.profile, parts.system_id, parts.system
    identity = profile.identity
    actions = with_oem_actions(profile, system_id, {"#ComputerSystem.Reset": _reset_action(profile, system_id)})

    def state(call: RedfishCall) -> ComputerSystemState:
        return ComputerSystemState(call.power(system_id, View.SYSTEM), host.facts(call.view, system_id))

    def body(view: RedfishBmc, state: ComputerSystemState) -> Json:
        name = view.system(system_id)
        system = head_of(path, identity.system_type, system_id, name.host_name)
        system["SystemType"] = "Physical"
        properties = {
            "Manufacturer": identity.manufacturer,
            "Model": identity.model,
            "SKU": name.sku,
            "SerialNumber": name.serial,
            "UUID": name.uuid,
            "BiosVersion": identity.bios_version,
        }
        system |= {key: value for key, value in properties.items() if value != ABSENT}
        system |= power_and_status(state.power) | host.properties_of(view, parts, state.facts)
        system["Links"] = {"Chassis": [link(f"{CHASSIS}/{name.chassis_id}")], "ManagedBy": [link(manager_path(profile))]}
        system |= actions
        return system

    operations = {"PATCH": host.writes(parts)}
    return Resource(
        path=path,
        type=identity.system_type,
        content=content_of(state, body),
        operations=operations,
        system=system_id,
        tells=View.SYSTEM,
        power_in_links=True,
    )


def reset_operation(system_id: str, only: tuple[str, ...] | None = None) -> Operation:
    """A Reset action that gives the system a power command. `only`: the ResetTypes that it takes; None: those of the table."""
    return Operation(RedfishPrivilege.CONFIGURE_COMPONENTS, reset_of(system_id, only), Intent.POWER_COMMAND, reset_type)


def power_and_status(power: str | None) -> Json:
    """PowerState and the Status that belongs to it. `power` is a PowerState word, None for null, or ABSENT for no PowerState."""
    properties: Json = {} if power == ABSENT else {"PowerState": power}
    return properties | {"Status": {"State": STATE_OF_POWER.get(str(power), "Enabled"), "Health": "OK"}}


def reset_path(profile: Profile, system_id: str) -> str:
    """The target of ComputerSystem.Reset, without a slash at its end."""
    named = profile.power.target
    usual = f"{system_path(profile, system_id)}/Actions/ComputerSystem.Reset"
    return usual if named is None else named.replace("{system}", system_id).rstrip("/")


def reset_info_path(above: str) -> str:
    """Where the ResetTypes of the Reset action of `above` are listed."""
    return f"{above}/ResetActionInfo"


def _reset_action(profile: Profile, system_id: str) -> Json:
    shown = profile.power.target
    action: Json = {"target": reset_path(profile, system_id) if shown is None else shown.replace("{system}", system_id)}
    if profile.power.advertise in ("inline", "both"):
        action["ResetType@Redfish.AllowableValues"] = list(profile.power.reset_types)
    if profile.power.advertise in ("action_info", "both"):
        action["@Redfish.ActionInfo"] = reset_info_path(system_path(profile, system_id))
    if profile.power.apply_times:
        action["@Redfish.OperationApplyTimeSupport"] = {
            "@odata.type": "#Settings.v1_3_5.OperationApplyTimeSupport",
            "SupportedValues": list(profile.power.apply_times),
        }
    return action


def reset_info(above: str, types: tuple[str, ...]) -> Resource:
    """The ActionInfo of the Reset action of `above`."""
    path = reset_info_path(above)

    def body(view: RedfishBmc) -> Json:
        parameter: Json = {"Name": "ResetType", "Required": True, "DataType": "String", "AllowableValues": list(types)}
        return head_of(path, ACTION_INFO_TYPE, "ResetActionInfo", "Reset Action Info") | {"Parameters": [parameter]}

    return Resource(path=path, type=ACTION_INFO_TYPE, content=fixed_content(body))
