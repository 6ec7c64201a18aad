"""Watches the sensors that somebody has set: a reading that crosses a limit is an entry of the event log.

Rules
  1. Sensors as the BMC comes cross nothing, whatever a host does, so only set ones are watched; most machines have none.
  2. Looked at when a sensor is set, when something happens to the host, and every SCAN_S as long as a reading still moves.
  3. A BMC that is away sees nothing; one that starts again has its sensors as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from emulator.core.bmc import sensors
from emulator.core.bmc.bmc_log_writer import BmcLogWriter
from emulator.core.bmc.sensor_setup import BY_NUMBER, NO_SETUPS, SensorSetup, beyond, crossings, default_setup
from emulator.core.bmc.sensors import SensorNumber
from emulator.core.bmc.unit import Unit
from emulator.core.power.system import SystemState
from emulator.core.rack_services import RackServices
from emulator.core.timers import Timer

SCAN_S = 5.0
Setups: TypeAlias = Mapping[SensorNumber, SensorSetup]


class Alarms:
    def __init__(self, room: RackServices, witness: BmcLogWriter) -> None:
        self._room = room
        self._witness = witness
        self._scans: dict[tuple[str, str], Timer] = {}

    def set(self, unit: Unit, system: SystemState, number: SensorNumber, setup: SensorSetup, cause: int | None) -> None:
        system.setups = _with(system.setups, number, setup)
        self.look(unit, system, cause)

    def forget(self, unit: Unit) -> None:
        """Every sensor is as it came."""
        for system in unit.systems:
            system.setups = NO_SETUPS

    def look(self, unit: Unit, system: SystemState, cause: int | None = None) -> None:
        """Looks at every sensor that somebody has set, and again while readings move."""
        if not system.setups:
            return
        for number, setup in tuple(system.setups.items()):
            if number in BY_NUMBER and setup.scanning:
                self._scan(unit, system, number, setup, cause)
        key = (unit.name, system.id)
        if (pending := self._scans.pop(key, None)) is not None:
            pending.cancel()
        if not sensors.settled(system.meter, system.host, self._room.now):
            self._scans[key] = self._room.after(SCAN_S, lambda: self.look(unit, system))

    def _scan(self, unit: Unit, system: SystemState, number: SensorNumber, setup: SensorSetup, cause: int | None) -> None:
        sensor = BY_NUMBER[number]
        value = sensors.measure(sensor, system.meter, system.host, self._room.now)
        if value is None:
            return  # out of sight: what was known stays
        found = beyond(sensor, setup, value) if sensors.alarming(sensor, system.host) else 0
        if found == setup.beyond:
            return
        system.setups = _with(system.setups, number, replace(setup, beyond=found))
        for crossing in crossings(sensor, setup, value, found):
            self._witness.add(
                unit, crossing.kind, crossing.severity, crossing.text(), crossing.fields(), system=system.id, cause=cause
            )


def _with(setups: Setups, number: SensorNumber, setup: SensorSetup) -> Setups:
    """What is as it came needs no place of its own."""
    kept = {known: other for known, other in setups.items() if known is not number}
    if setup != default_setup(number):
        kept[number] = setup
    return MappingProxyType(kept) if kept else NO_SETUPS
