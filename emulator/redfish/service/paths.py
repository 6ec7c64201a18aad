"""The paths of the Systems, Chassis and Managers collections, and of the BMC's Manager. All resource families use them."""

from __future__ import annotations

from typing import Final

from emulator.redfish.service.resource import ROOT
from profiles.model import Profile

SYSTEMS: Final = f"{ROOT}/Systems"
CHASSIS: Final = f"{ROOT}/Chassis"
MANAGERS: Final = f"{ROOT}/Managers"


def manager_path(profile: Profile) -> str:
    return f"{MANAGERS}/{profile.ids.manager}"
