"""The paths of the Systems, Chassis, Managers and outlets, and of the BMC's Manager. All resource families use them."""

from __future__ import annotations

from typing import Final

from profiles.model import Enclosure, Pdu, Profile

ROOT: Final = "/redfish/v1"
CHASSIS: Final = f"{ROOT}/Chassis"
MANAGERS: Final = f"{ROOT}/Managers"
POWER_EQUIPMENT: Final = f"{ROOT}/PowerEquipment"
RACK_PDUS: Final = f"{POWER_EQUIPMENT}/RackPDUs"
OUTLETS: Final = f"{RACK_PDUS}/1/Outlets"


_ABOVE: Final = {Pdu.kind: OUTLETS, Enclosure.kind: CHASSIS}


def system_path(profile: Profile, system_id: str) -> str:
    """The resource that shows the power of one system of a BMC, of one outlet of a PDU, or of one slot of an enclosure."""
    return f"{above_systems(profile)}/{system_id}"


def above_systems(profile: Profile) -> str:
    """The collection that holds them."""
    return profile.resources.systems if profile.feeder is None else _ABOVE[profile.feeder.kind]


def manager_path(profile: Profile) -> str:
    return f"{MANAGERS}/{profile.ids.manager}"
