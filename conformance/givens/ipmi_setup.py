"""How a BMC's IPMI is set up, where that is not as its profile has it: cipher suites, and the BMC's own key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from conformance.givens.given import Given, PlannedRack
from profiles.model import Profile

KG = "a key of this BMC"


@dataclass(frozen=True, slots=True, kw_only=True)
class IpmiSetup(Given):
    """`cipher_suites` are all that the BMC speaks; None: those of its profile. With `kg` its key K_g is set.

    It stands behind the BMC in `given`.
    """

    bmc: str
    cipher_suites: tuple[int, ...] | None = None
    kg: bool = False

    @property
    def sentence(self) -> str:
        suites = [] if self.cipher_suites is None else [f"cipher suite {' and '.join(map(str, self.cipher_suites))} and no other"]
        return f"{self.bmc} has {' and '.join([*suites, *(['a key K_g of its own'] if self.kg else [])])}"

    def shape(self, rack: PlannedRack) -> PlannedRack:
        return rack.with_unit(self.bmc, lambda unit: replace(unit, profile=self._changed(unit.profile)))

    def _changed(self, profile: Profile) -> Profile:
        ipmi = profile.ipmi
        suites = ipmi.cipher_suites if self.cipher_suites is None else self.cipher_suites
        return replace(profile, ipmi=replace(ipmi, cipher_suites=suites, kg=KG if self.kg else ipmi.kg))


@dataclass(frozen=True, slots=True)
class KnowsKg(Given):
    """The fencer is told the BMC's key K_g, in hexadecimal."""

    @property
    def sentence(self) -> str:
        return "the fencer is given the BMC's key K_g"

    @property
    def told_by(self) -> frozenset[str]:
        return frozenset({"bmc.kg"})

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {**values, "bmc.kg": KG.encode().hex()}
