"""The systems of a BMC have a UUID."""

from __future__ import annotations

from dataclasses import dataclass, replace

from conformance.givens.given import TARGET, Given, PlannedRack
from emulator import UnitSpec
from profiles.model import ABSENT


@dataclass(frozen=True, slots=True)
class HasUuid(Given):
    """A random one on a profile whose systems have none."""

    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return f"{self.bmc}: the system shows a UUID"

    def shape(self, rack: PlannedRack) -> PlannedRack:
        return rack.with_unit(self.bmc, _with_uuid)


def _with_uuid(unit: UnitSpec) -> UnitSpec:
    profile = unit.profile
    if profile.identity.system_uuid != ABSENT:
        return unit
    return replace(unit, profile=replace(profile, identity=replace(profile.identity, system_uuid="random")))
