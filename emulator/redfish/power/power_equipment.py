"""The Redfish resources of a rack PDU: PowerEquipment, PowerDistribution, its Outlets, its chassis and its manager (DSP0268).

`service.tree` calls `power_equipment` for a profile with a `pdu`. An outlet is a system of the core: a GET asks for its power
word, and Outlet.PowerControl is a power command that the profile's table answers.

The delays that an outlet shows are those of the profile's effects, so they cannot disagree with what happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from emulator.core.bmc.view import SystemName
from emulator.core.faults.trigger import Intent
from emulator.core.power.commands import PowerCommand
from emulator.core.vocab import ResetType
from emulator.redfish.inventory.logs import logs, manager_log
from emulator.redfish.inventory.system_parts import BmcClock, bmc_clock, local_time
from emulator.redfish.power.actions import parameter
from emulator.redfish.power.manager import manager_reset, reset_action
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import ProfileReply, RedfishCall, RegistryError, parse_object, shown
from emulator.redfish.service.paths import CHASSIS, MANAGERS, OUTLETS, POWER_EQUIPMENT, RACK_PDUS, manager_path
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
from profiles.model import ABSENT, Pdu, Profile, View

PARAMETER: Final = "PowerState"
ACTION: Final = "PowerControl"
PDU: Final = f"{RACK_PDUS}/1"
RESET_OF: Final[Mapping[str, ResetType]] = {
    "On": ResetType.ON,
    "Off": ResetType.FORCE_OFF,
    "PowerCycle": ResetType.POWER_CYCLE,
}
"""The PowerState of Outlet.PowerControl (Circuit.PowerState), and the ResetType of the profile's table."""


def power_equipment(profile: Profile, pdu: Pdu, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    """`names` are the outlets."""
    paths = tuple(f"{OUTLETS}/{name.id}" for name in names)
    found = [
        _equipment(pdu),
        collection(RACK_PDUS, "PowerDistributionCollection", "Rack PDU Collection", lambda view: (PDU,), power_below=3),
        _distribution(profile, pdu),
        collection(OUTLETS, "OutletCollection", "Outlet Collection", lambda view: paths, power_below=1),
    ]
    for name in names:
        operation = Operation(RedfishPrivilege.CONFIGURE_COMPONENTS, _control_of(name.id), Intent.POWER_COMMAND, wanted_state)
        found += [_outlet(profile, pdu, name.id), Resource(path=_target(name.id), operations={"POST": operation}, system=name.id)]
    return (*found, *_chassis(profile), *equipment_manager(profile, _chassis_path(profile)), *logs(manager_log(profile)))


def _equipment(pdu: Pdu) -> Resource:
    def body(view: RedfishBmc) -> Json:
        equipment = head_of(POWER_EQUIPMENT, pdu.equipment_type, "PowerEquipment", "Power Equipment")
        return equipment | {"Status": {"State": "Enabled", "HealthRollup": "OK"}, "RackPDUs": link(RACK_PDUS)}

    return Resource(path=POWER_EQUIPMENT, type=pdu.equipment_type, content=fixed_content(body), power_below=4)


def _distribution(profile: Profile, pdu: Pdu) -> Resource:
    def body(view: RedfishBmc) -> Json:
        distribution = head_of(PDU, pdu.distribution_type, "1", view.name) | {"EquipmentType": "RackPDU"}
        return distribution | {
            **names_of(profile, view),
            "FirmwareVersion": profile.identity.bmc_firmware,
            "UUID": view.first_system().uuid,
            "Status": {"State": "Enabled", "Health": "OK"},
            "Outlets": link(OUTLETS),
            "Links": {"Chassis": [link(_chassis_path(profile))], "ManagedBy": [link(manager_path(profile))]},
        }

    return Resource(path=PDU, type=pdu.distribution_type, content=fixed_content(body), power_below=2)


def names_of(profile: Profile, view: RedfishBmc) -> Json:
    identity = profile.identity
    names = {"Manufacturer": identity.manufacturer, "Model": identity.model, "SerialNumber": view.first_system().serial}
    return {key: value for key, value in names.items() if value != ABSENT}


# -- outlets ---------------------------------------------------------------------------------------------------------------


def _outlet(profile: Profile, pdu: Pdu, outlet: str) -> Resource:
    path, delays = f"{OUTLETS}/{outlet}", delays_of(profile)
    action: Json = {"target": _target(outlet)}
    if profile.power.advertise in ("inline", "both"):
        action["PowerState@Redfish.AllowableValues"] = [
            word for word, reset in RESET_OF.items() if reset in profile.power.reset_types
        ]

    def state(call: RedfishCall) -> str | None:
        return call.power(outlet, View.SYSTEM)

    def body(view: RedfishBmc, power: str | None) -> Json:
        properties = head_of(path, pdu.outlet_type, outlet, f"Outlet {outlet}") | {
            "Status": {"State": "Enabled", "Health": "OK"},
            "PhaseWiringType": "OnePhase3Wire",
            "VoltageType": "AC",
            "OutletType": "NEMA_5_20R",
            "RatedCurrentAmps": 20,
            "NominalVoltage": "AC120V",
            "PowerEnabled": True,
            "PowerRestorePolicy": "LastState",
        }
        if power != ABSENT:
            properties["PowerState"] = power
        return properties | delays | {"Actions": {"#Outlet.PowerControl": action}}

    return Resource(path=path, type=pdu.outlet_type, content=content_of(state, body), system=outlet, tells=View.SYSTEM)


def delays_of(profile: Profile) -> Json:
    """The delays of an outlet in seconds, from the effects of the profile's cells for On, Off and PowerCycle."""

    def at(row: str, reset: str, real: str) -> float | None:
        cell = profile.power.table[row].get(reset)
        effect = profile.power.outcomes[cell.outcome].effect if cell is not None else ""
        return next((step.at.low for step in profile.power.effects.get(effect, ()) if step.real == real), None)

    cycle_off, cycle_on = at("On", ResetType.POWER_CYCLE, "Off"), at("On", ResetType.POWER_CYCLE, "On")
    found = {
        "PowerOnDelaySeconds": at("Off", ResetType.ON, "On"),
        "PowerOffDelaySeconds": at("On", ResetType.FORCE_OFF, "Off"),
        "PowerCycleDelaySeconds": None if cycle_off is None or cycle_on is None else cycle_on - cycle_off,
    }
    return {name: seconds for name, seconds in found.items() if seconds is not None}


def _target(outlet: str) -> str:
    return f"{OUTLETS}/{outlet}/Actions/Outlet.PowerControl"


def wanted_state(read_body: Callable[[], bytes]) -> ResetType | None:
    """What the PowerState in the body of an Outlet.PowerControl amounts to; the request is not checked yet."""
    try:
        word = parse_object(read_body()).get(PARAMETER)
    except RegistryError:
        return None
    return RESET_OF.get(word) if isinstance(word, str) else None


def _control_of(outlet: str) -> Callable[[RedfishCall], ProfileReply]:
    """Outlet.PowerControl of one outlet. Raises RegistryError (400, 415); the power table gives all other answers."""

    def control(call: RedfishCall) -> ProfileReply:
        wanted = parameter(call.json_object(), PARAMETER, ACTION)
        reset = RESET_OF.get(wanted)
        # A ResetType that is no Circuit.PowerState, such as ForceOff, is none of this action.
        command = PowerCommand("redfish", f"PowerState={shown(wanted)}" if reset is None else reset.value, reset)
        answer = call.view.command(outlet, command, call.seq)
        return ProfileReply(answer.reply, {"reset_type": shown(wanted)})

    return control


# -- what is around them ---------------------------------------------------------------------------------------------------


def _chassis_path(profile: Profile) -> str:
    return f"{CHASSIS}/{profile.ids.chassis}"


def _chassis(profile: Profile) -> tuple[Resource, ...]:
    path, odata_type = _chassis_path(profile), profile.identity.chassis_type

    def body(view: RedfishBmc) -> Json:
        chassis = head_of(path, odata_type, profile.ids.chassis, "Rack PDU Chassis") | {"ChassisType": "RackMount"}
        return (
            chassis
            | names_of(profile, view)
            | {
                "Status": {"State": "Enabled", "Health": "OK"},
                "Links": {
                    "PowerDistribution": link(PDU),
                    "ManagedBy": [link(manager_path(profile))],
                    "ManagersInChassis": [link(manager_path(profile))],
                },
            }
        )

    listing = collection(CHASSIS, "ChassisCollection", "Chassis Collection", lambda view: (path,))
    return (listing, Resource(path=path, type=odata_type, content=fixed_content(body)))


def equipment_manager(profile: Profile, chassis: str) -> tuple[Resource, ...]:
    """The manager of a PDU or an enclosure; `chassis` is the URI of the chassis that it is in and manages."""
    path, odata_type, identity = manager_path(profile), profile.identity.manager_type, profile.identity

    def body(view: RedfishBmc, clock: BmcClock) -> Json:
        properties = {
            "Model": identity.bmc_model,
            "FirmwareVersion": identity.bmc_firmware,
            "ServiceEntryPointUUID": view.root_uuid(),
        }
        manager: Json = head_of(path, odata_type, profile.ids.manager, "Manager") | {
            "ManagerType": "BMC",
            **{key: value for key, value in properties.items() if value != ABSENT},
            "PowerState": "On",
            **local_time(clock),
            "Status": {"State": "Enabled", "Health": "OK"},
            "LogServices": link(f"{path}/LogServices"),
            "Links": {"ManagerForChassis": links((chassis,)), "ManagerInChassis": link(chassis)},
        }
        if profile.bmc_reset.reset_types:
            manager["Actions"] = {"#Manager.Reset": reset_action(profile)}
        return manager

    listing = collection(MANAGERS, "ManagerCollection", "Manager Collection", lambda view: (path,))
    resets = manager_reset(profile) if profile.bmc_reset.reset_types else ()
    return (listing, Resource(path=path, type=odata_type, content=content_of(bmc_clock, body)), *resets)
