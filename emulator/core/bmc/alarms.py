"""Compares readings with the thresholds that clients have set, and writes an event log entry when a reading crosses one.

`SensorsView` calls it when a client sets a sensor, the rack after each change of a host, both in the emulator's one thread. While
a reading still changes, a timer of the rack calls it every SCAN_S seconds.

Rules
  1. No reading ever crosses a default threshold, so only sensors that a client has set are checked. Most systems have none.
  2. A BMC that is away writes no entry. A BMC that starts again has default sensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from emulator.core.bmc import sensors
from emulator.core.bmc.bmc_log_writer import BmcLogWriter
from emulator.core.bmc.sensor_setup import BY_NUMBER, NO_SETUPS, SensorSetup, crossed_thresholds, crossings, default_setup
from emulator.core.bmc.sensors import SensorNumber
from emulator.core.bmc.unit import Unit
from emulator.core.power.system import SystemState
from emulator.core.rack_services import RackServices
from emulator.core.timers import Timer

SCAN_S = 5.0
"""Seconds between two checks while a reading still changes."""
Setups: TypeAlias = Mapping[SensorNumber, SensorSetup]


class Alarms:
    """The threshold checks of all BMCs of a rack."""

    def __init__(self, services: RackServices, log_writer: BmcLogWriter) -> None:
        self._services = services
        self._log_writer = log_writer
        self._next_checks: dict[tuple[str, str], Timer] = {}

    def set(self, unit: Unit, system: SystemState, number: SensorNumber, setup: SensorSetup, cause: int | None) -> None:
        """Changes how a sensor is set, and checks all sensors of the system."""
        system.setups = _changed(system.setups, number, setup)
        self.check(unit, system, cause)

    def reset(self, unit: Unit) -> None:
        """Gives every sensor of a BMC its default settings."""
        for system in unit.systems:
            system.setups = NO_SETUPS

    def check(self, unit: Unit, system: SystemState, cause: int | None = None) -> None:
        """Checks every sensor of a system that a client has set, now and every SCAN_S seconds while a reading changes."""
        if not system.setups:
            return
        for number, setup in tuple(system.setups.items()):
            if number in BY_NUMBER and setup.scanning:
                self._check_sensor(unit, system, number, setup, cause)
        key = (unit.name, system.id)
        if (pending := self._next_checks.pop(key, None)) is not None:
            pending.cancel()
        if not sensors.settled(system.meter, system.host, self._services.now):
            self._next_checks[key] = self._services.after(SCAN_S, lambda: self.check(unit, system))

    def _check_sensor(self, unit: Unit, system: SystemState, number: SensorNumber, setup: SensorSetup, cause: int | None) -> None:
        sensor = BY_NUMBER[number]
        value = sensors.measure(sensor, system.meter, system.host, self._services.now)
        if value is None:
            return  # the host cannot be measured: the last result stays
        found = crossed_thresholds(sensor, setup, value) if sensors.thresholds_apply(sensor, system.host) else 0
        if found == setup.beyond:
            return
        system.setups = _changed(system.setups, number, replace(setup, beyond=found))
        for crossing in crossings(sensor, setup, value, found):
            self._log_writer.add(
                unit, crossing.kind, crossing.severity, crossing.text(), crossing.fields(), system=system.id, cause=cause
            )


def _changed(setups: Setups, number: SensorNumber, setup: SensorSetup) -> Setups:
    """The settings with one sensor changed. Default settings are not stored."""
    kept = {known: other for known, other in setups.items() if known is not number}
    if setup != default_setup(number):
        kept[number] = setup
    return MappingProxyType(kept) if kept else NO_SETUPS
