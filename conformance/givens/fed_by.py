"""The host of a BMC hangs on outlets of a PDU, and the fencer is told the PDU and the outlets instead of the BMC."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from conformance.givens.given import TARGET, Given, PlannedRack
from emulator import HostSpec, UnitSpec
from profiles import load

PDU = "pdu"
PROFILE = "pdu-generic"


@dataclass(frozen=True, slots=True)
class FedBy(Given):
    """`outlets` feed the host of `bmc`; those in `off` are off at first. The fencer is told `told`, or all of them where that is
    empty. The PDU has the name `pdu`; several such preconditions may share it. With `listens` false nothing answers there."""

    yaml_word: ClassVar[str] = "fed-by"
    outlets: tuple[str, ...]
    bmc: str = TARGET
    off: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    pdu: str = PDU
    listens: bool = True

    @property
    def sentence(self) -> str:
        cords = ", ".join(f"{outlet} ({'off' if outlet in self.off else 'on'})" for outlet in self.outlets)
        told = f"; the fencer is told {', '.join(self.told)}" if self.told else ""
        silent = "" if self.listens else "; nothing listens at the address of the PDU"
        return f"{self.bmc}: hangs on the outlets {cords} of {self.pdu}{told}{silent}"

    @property
    def told_by(self) -> frozenset[str]:
        return frozenset({"bmc.outlets"})

    def reached_through(self, bmc: str) -> tuple[str, tuple[str, ...]] | None:
        return (self.pdu, self.told or self.outlets) if bmc == self.bmc else None

    def shape(self, rack: PlannedRack) -> PlannedRack:
        rack = rack if any(unit.name == self.pdu for unit in rack.units) else self._with_pdu(rack)
        silent = rack.silent if self.listens else rack.silent | {self.pdu}
        return replace(rack.with_unit(self.pdu, self._connected), silent=silent)

    def _with_pdu(self, rack: PlannedRack) -> PlannedRack:
        profile = load(PROFILE)
        hosts = (HostSpec(),) * len(profile.feeder.outlets if profile.feeder else ())
        unit = UnitSpec(name=self.pdu, profile=profile, hosts=hosts, password=rack.password)
        return replace(rack, units=(*rack.units, unit))

    def _connected(self, unit: UnitSpec) -> UnitSpec:
        names = unit.profile.feeder.outlets if unit.profile.feeder else ()
        hosts = zip(names, unit.hosts, strict=True)
        return replace(
            unit,
            hosts=tuple(replace(host, power="off") if name in self.off else host for name, host in hosts),
            feeds={**unit.feeds, **{outlet: (*unit.feeds.get(outlet, ()), self.bmc) for outlet in self.outlets}},
        )
