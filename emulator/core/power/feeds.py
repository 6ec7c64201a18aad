"""Which outlets of PDUs feed which BMCs, and what follows when an outlet goes off or comes back.

The rack calls it after each change of an outlet, and when somebody pulls or plugs a cord, in the emulator's one thread.

Rules
  1. A BMC and its hosts have input power as long as one of their outlets is on and their cords are plugged in. A BMC that no
     outlet feeds always has. In a slot of an enclosure they have it only while the slot is on as well.
  2. The truth of the outlets counts, never what the PDU says about them.
  3. Loss and return are those of `BmcLife`: the rails fall and the BMC is dark at once; later it starts and its hosts follow
     their restore policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from emulator.core.bmc.bmc_life import BmcLife
from emulator.core.bmc.unit import Unit
from emulator.core.errors import ActionRefused, RackMisconfigured
from emulator.core.power.system import SystemState
from emulator.core.vocab import Rail
from profiles.model import Enclosure

NO_FEEDS: Final[Mapping[str, Sequence[str]]] = MappingProxyType({})
"""What a BMC feeds that is no PDU: one value for thousands."""


class Feeds:
    """The cords of a rack. `units` is the rack's own table, in which BMCs come and go."""

    def __init__(self, life: BmcLife, units: Mapping[str, Unit]) -> None:
        self._life = life
        self._units = units
        self._outlets: dict[str, tuple[tuple[str, str], ...]] = {}  # of each BMC that is fed: (PDU, outlet)
        self._pulled: set[str] = set()

    def connect(self, pdu: str, feeds: Mapping[str, Sequence[str]]) -> None:
        """Plugs the cords of BMCs into the outlets of a PDU: the names of BMCs by outlet.

        Raises RackMisconfigured for a BMC that has no outlets, and for an outlet or a BMC that is not there.
        """
        unit = self._units[pdu]
        if unit.profile.feeder is None:
            raise RackMisconfigured(
                f"{pdu} has the profile {unit.profile.id}, which is no PDU and no enclosure: it feeds nothing"
            )
        for outlet, fed in feeds.items():
            if unit.find(outlet) is None:
                has = ", ".join(unit.profile.feeder.outlets)
                raise RackMisconfigured(f"{pdu} has no {unit.profile.feeder.part} {outlet!r}; it has {has}")
            for bmc in fed:
                if bmc not in self._units:
                    raise RackMisconfigured(f"{pdu} feeds {bmc!r}, which is not in the rack")
                if (other := self._units[bmc].profile.feeder) is not None:
                    part = unit.profile.feeder.part
                    raise RackMisconfigured(
                        f"{pdu} feeds {bmc}, which is {other.called}: {part}s feed BMCs with their hosts only"
                    )
                self._outlets[bmc] = tuple(dict.fromkeys((*self._outlets.get(bmc, ()), (pdu, outlet))))

    def settle(self) -> None:
        """Takes the input power from BMCs whose outlets are all off when the rack starts."""
        for bmc in self._outlets:
            if not self.has_power(bmc):
                self._life.mains_lost(self._units[bmc])

    def forget(self, name: str) -> None:
        """A BMC or PDU has left the rack. What a PDU fed keeps the state that it has."""
        self._pulled.discard(name)
        self._outlets.pop(name, None)
        for bmc, outlets in tuple(self._outlets.items()):
            left = tuple(each for each in outlets if each[0] != name)
            if left:
                self._outlets[bmc] = left
            else:
                del self._outlets[bmc]

    def fed_by(self, pdu: str, outlet: str) -> tuple[str, ...]:
        """The BMCs that have a cord in this outlet."""
        return tuple(bmc for bmc, outlets in self._outlets.items() if (pdu, outlet) in outlets)

    def has_power(self, bmc: str) -> bool:
        """Whether power comes to the cords of a BMC."""
        known = self._outlets.get(bmc, ())
        slots = [each for each in known if self._is_slot(each[0])]
        outlets = [each for each in known if not self._is_slot(each[0])]
        return all(self._is_on(*slot) for slot in slots) and (not outlets or any(self._is_on(*outlet) for outlet in outlets))

    def _is_slot(self, unit: str) -> bool:
        return isinstance(self._units[unit].profile.feeder, Enclosure)

    def _is_on(self, pdu: str, outlet: str) -> bool:
        return self._units[pdu].system(outlet).host.rail is not Rail.DOWN

    def outlet_changed(self, pdu: Unit, outlet: SystemState, cause: int | None) -> None:
        """An outlet went on or off; `cause` is that event."""
        for bmc in self.fed_by(pdu.name, outlet.id):
            if not self.has_power(bmc):
                self._life.mains_lost(self._units[bmc], cause)
            elif bmc not in self._pulled:
                self._life.mains_back(self._units[bmc], cause=cause)

    def pull(self, unit: Unit) -> None:
        """Somebody pulls the cords of a BMC: its outlets do not matter until they are plugged in again."""
        self._pulled.add(unit.name)
        self._life.mains_lost(unit)

    def _what_is_off(self, bmc: str) -> str:
        """Why no power comes to a BMC: its slot, or all of its outlets."""
        known = self._outlets[bmc]
        off = [each for each in known if self._is_slot(each[0]) and not self._is_on(*each)]
        if off:
            return f"its slot ({names(off)}) is off"
        return f"of the outlets that feed it ({names(each for each in known if not self._is_slot(each[0]))}) none is on"

    def plug(self, unit: Unit) -> None:
        """Somebody plugs the cords in. Raises ActionRefused where its slot is off, or every outlet of them."""
        if not self.has_power(unit.name):
            raise ActionRefused(f"{unit.name} has no input power: {self._what_is_off(unit.name)}")
        self._pulled.discard(unit.name)


def names(outlets: Iterable[tuple[str, str]]) -> str:
    """ "pdu1/A1, pdu1/B1"."""
    return ", ".join(f"{pdu}/{outlet}" for pdu, outlet in outlets)
