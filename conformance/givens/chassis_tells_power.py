"""The Chassis of a BMC has a PowerState."""

from __future__ import annotations

from dataclasses import dataclass, replace

from conformance.givens.given import Given, PlannedRack
from profiles.model import Profile


@dataclass(frozen=True, slots=True)
class ChassisTellsPower(Given):
    """On a vendor whose Chassis has none it gets one: else nobody contradicts the System. It stands before the BMCs."""

    @property
    def sentence(self) -> str:
        return "each Chassis has a PowerState"

    def shape(self, rack: PlannedRack) -> PlannedRack:
        return replace(rack, profile=_telling(rack.profile))


def _telling(profile: Profile) -> Profile:
    if profile.power.chassis.power_state:
        return profile
    return replace(profile, power=replace(profile.power, chassis=replace(profile.power.chassis, power_state=True)))
