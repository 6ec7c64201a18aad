"""Carries out incidents: a host that loses or gets power, and a BMC that restarts, without any command of the client.

`BmcView.told` calls it when a fault of the seam incident has fired, `Rack.cut` for what a human does, in the
emulator's thread. Times are in seconds on the rack's clock.

Rules
  1. Nobody commanded it: steps of an earlier command that are still to come are dropped where the host loses its power.
  2. What the BMC says follows the truth at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emulator.core.bmc.bmc_life import BmcLife
from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.unit import Unit
from emulator.core.faults.fault import Fault, IncidentFault, IncidentKind, IncidentStep
from emulator.core.journal import EventKind
from emulator.core.power.system import SystemState
from emulator.core.rack_services import RackServices
from emulator.core.truth.host import Order


class Incidents:
    """Incidents of all BMCs of a rack."""

    def __init__(self, services: RackServices, life: BmcLife) -> None:
        self._services = services
        self._life = life

    def begin(self, unit: Unit, system: SystemState, fault: Fault, cause: int | None) -> None:
        """Carries out what a fault of the seam incident brings, at once or when it is due. `cause` is the request."""
        assert isinstance(fault, IncidentFault)
        for incident in fault.incidents():
            if incident.after_s <= 0:
                HAPPENS[incident.kind](self, unit, system, incident, cause)
            else:
                self._services.after(incident.after_s, self._later(unit, system, incident, cause))

    def _later(self, unit: Unit, system: SystemState, incident: IncidentStep, cause: int | None) -> Callable[[], None]:
        return lambda: HAPPENS[incident.kind](self, unit, system, incident, cause)

    def power_lost(self, unit: Unit, system: SystemState, incident: IncidentStep | None = None, cause: int | None = None) -> None:
        """The host loses its power, as when its power supply fails or somebody else cuts it."""
        system.drop_timers()
        system.machine.uncommanded()
        self._services.order(unit, system, Order.CUT, self._note(unit, system, IncidentKind.POWER_LOST, cause))

    def power_restored(
        self, unit: Unit, system: SystemState, incident: IncidentStep | None = None, cause: int | None = None
    ) -> None:
        """The host gets power, by its button or another client."""
        system.machine.uncommanded()
        system.machine.pending = RestartCause.POWER_BUTTON
        self._services.order(unit, system, Order.ENERGISE, self._note(unit, system, IncidentKind.POWER_RESTORED, cause))

    def os_crashed(self, unit: Unit, system: SystemState, incident: IncidentStep, cause: int | None) -> None:
        """The operating system stops by itself; the rail stays. The driver ignores it where none runs."""
        self._services.order(unit, system, Order.CRASH, self._note(unit, system, incident.kind, cause))

    def bmc_restart(self, unit: Unit, system: SystemState, incident: IncidentStep, cause: int | None) -> None:
        self._life.restart_by_itself(unit, incident.for_s, cause)

    def _note(self, unit: Unit, system: SystemState, kind: IncidentKind, cause: int | None) -> int:
        return self._services.journal.record(
            unit.name, EventKind.INCIDENT, cause, system=system.id, host=system.host_name, what=kind
        )


HAPPENS: Mapping[IncidentKind, Callable[[Incidents, Unit, SystemState, IncidentStep, int | None], None]] = {
    IncidentKind.POWER_LOST: Incidents.power_lost,
    IncidentKind.POWER_RESTORED: Incidents.power_restored,
    IncidentKind.OS_CRASHED: Incidents.os_crashed,
    IncidentKind.BMC_RESTART: Incidents.bmc_restart,
}
