"""What a front end may read and change of its BMC besides power and accounts: log, boot, sensors, chassis, watchdog.

The Redfish and IPMI front ends call it, in the emulator's one thread. `system` is a system id; None means the BMC's first system,
on which IPMI commands act. A method with a `system` may raise NoSuchSystem. Times are in seconds on the rack's clock, `wall` in
seconds of Unix time. `cause` is the journal event of the request.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from emulator.core.bmc import sensors
from emulator.core.bmc.boot import BootOverride, LastBoot, RestartCause
from emulator.core.bmc.eventlog import LogEntry, LogKind, Overflow, SelFields, Severity
from emulator.core.bmc.machine import IDENTIFY_SECONDS, Led, RestorePolicy
from emulator.core.bmc.sensor_setup import SensorSetup, crossed_thresholds, default_setup
from emulator.core.bmc.unit import Unit
from emulator.core.bmc.watchdog import TimerUse, WatchdogSetup, WatchdogState
from emulator.core.clock import Instant
from emulator.core.errors import SettingRefused
from emulator.core.journal import Datum, EventKind
from emulator.core.power.system import SystemState
from emulator.core.rack import Rack

TAG_MAX = 63
HOST_NAME_MAX = 255


class BmcViewPart:
    """Base class of the views below: one subject of one BMC."""

    __slots__ = ("_rack", "_unit")

    def __init__(self, rack: Rack, unit: Unit) -> None:
        self._rack = rack
        self._unit = unit

    def _system(self, system: str | None) -> SystemState:
        self._rack.advance()
        return self._unit.first() if system is None else self._unit.system(system)

    def _setting(self, what: str, system: SystemState | None, cause: int | None, **data: Datum) -> int:
        return self._rack.journal.record(
            self._unit.name, EventKind.SETTING, cause, what=what, system=system.id if system is not None else None, **data
        )


class LogView(BmcViewPart):
    """The event log: IPMI's SEL and Redfish's LogService entries."""

    __slots__ = ()

    def entries(self) -> tuple[LogEntry, ...]:
        """Oldest first."""
        self._rack.advance()
        return self._unit.log.entries()

    def entry(self, record: int) -> LogEntry | None:
        """The entry with that record id; None where there is none."""
        return self._unit.log.entry(record)

    def __len__(self) -> int:
        return len(self._unit.log)

    @property
    def limit(self) -> int:
        return self._unit.log.limit

    @property
    def overflow(self) -> Overflow:
        return self._unit.log.overflow

    @property
    def lost(self) -> int:
        """How many entries the log has dropped or refused since it was last cleared."""
        return self._unit.log.lost

    @property
    def last_added(self) -> float:
        """When an entry was last added: Unix time in seconds, 0 for never."""
        return self._unit.log.last_added

    @property
    def last_erased(self) -> float:
        """When the log was last cleared or an entry deleted: Unix time in seconds, 0 for never."""
        return self._unit.log.last_erased

    def wall(self) -> float:
        """Unix time now: the BMC's clock (IPMI Get SEL Time, Redfish Manager.DateTime)."""
        self._rack.advance()
        return self._rack.log_writer.wall(self._unit)

    def set_wall(self, unix: float, cause: int | None = None) -> None:
        """Sets the BMC's clock (IPMI Set SEL Time). Existing entries keep their times."""
        self._rack.advance()
        self._unit.clock_offset += unix - self._rack.log_writer.wall(self._unit)
        self._setting("clock", None, cause)

    @property
    def enabled(self) -> bool:
        """Whether the BMC logs its own events. Entries that a client adds are logged in any case."""
        return self._unit.logging

    def enable(self, on: bool, cause: int | None = None) -> None:
        self._unit.logging = on
        self._setting("event logging", None, cause, on=on)

    def utc_offset(self) -> int | None:
        """Minutes that local time is ahead of UTC; None: unspecified."""
        return self._unit.utc_offset

    def set_utc_offset(self, minutes: int | None, cause: int | None = None) -> None:
        self._unit.utc_offset = minutes
        self._setting("offset from UTC", None, cause, minutes=minutes)

    def add(
        self,
        text: str,
        sel: SelFields,
        *,
        severity: Severity = Severity.OK,
        system: str | None = None,
        cause: int | None = None,
    ) -> LogEntry | None:
        """Adds an entry for a client (IPMI Add SEL Entry). None where the log is full and refuses."""
        state = self._system(system)
        return self._rack.log_writer.add(self._unit, LogKind.ADDED, severity, text, sel, system=state.id, cause=cause)

    def clear(self, cause: int | None = None) -> None:
        """Clears the log. One entry is in it afterwards: that it was cleared."""
        self._rack.advance()
        seq = self._setting("log cleared", None, cause, entries=len(self._unit.log))
        self._unit.log.clear(self._rack.log_writer.wall(self._unit))
        self._rack.log_writer.log(self._unit, LogKind.LOG_CLEARED, cause=seq)

    def delete(self, record: int, cause: int | None = None) -> bool:
        """Deletes one entry. Returns whether it existed."""
        self._rack.advance()
        gone = self._unit.log.delete(record, self._rack.log_writer.wall(self._unit))
        if gone:
            self._setting("log entry deleted", None, cause, record=record)
        return gone


class BootView(BmcViewPart):
    """Boot override, boot order and last boot: Redfish Boot and IPMI boot options."""

    __slots__ = ()

    def override(self, system: str | None = None) -> BootOverride:
        return self._system(system).machine.boot.override

    def set(self, override: BootOverride, system: str | None = None, cause: int | None = None) -> None:
        """Sets the boot override. Raises SettingRefused, and changes nothing, for a target that lacks its path or option."""
        override.check()
        state = self._system(system)
        state.machine.boot.override = override
        mode = override.mode.value if override.mode is not None else None
        self._setting("boot override", state, cause, target=override.target.value, enabled=override.enabled.value, mode=mode)

    def last(self, system: str | None = None) -> LastBoot | None:
        """The last boot; None where the system has not booted since the rack was made."""
        return self._system(system).machine.boot.last

    def count(self, system: str | None = None) -> int:
        return self._system(system).machine.boot.count

    def order(self, system: str | None = None) -> tuple[str, ...]:
        """Redfish BootOrder; empty where no client has set one."""
        return self._system(system).machine.boot.order

    def set_order(self, order: tuple[str, ...], system: str | None = None, cause: int | None = None) -> None:
        state = self._system(system)
        state.machine.boot.order = order
        self._setting("boot order", state, cause, order=list(order))


class SensorsView(BmcViewPart):
    """Sensor readings, sensor settings and power statistics."""

    __slots__ = ()

    def read(self, sensor: sensors.Sensor, system: str | None = None) -> sensors.SensorReading:
        """A reading, None where scanning is off or the host cannot be measured, with the thresholds that it has crossed."""
        state = self._system(system)
        setup = self._setup(state, sensor.number)
        if not setup.scanning:
            return sensors.SensorReading(sensor, None)
        value = sensors.measure(sensor, state.meter, state.host, self._rack.now)
        compares = value is not None and sensors.thresholds_apply(sensor, state.host)
        beyond = crossed_thresholds(sensor, setup, value) if value is not None and compares else 0
        return sensors.SensorReading(sensor, value, beyond)

    def measured(self, sensor: sensors.Sensor, system: str | None = None) -> float | None:
        """What the sensor measures, whether its scanning is on or off: for other parts of the BMC."""
        state = self._system(system)
        return sensors.measure(sensor, state.meter, state.host, self._rack.now)

    def energised(self, system: str | None = None) -> bool:
        """Whether the BMC measures an output voltage; True if the state of the host is unknown."""
        return sensors.energised(self._system(system).host)

    def all(self, system: str | None = None) -> tuple[sensors.SensorReading, ...]:
        """One reading of each of `sensors.SENSORS`, in that order."""
        return tuple(self.read(sensor, system) for sensor in sensors.SENSORS)

    def setup(self, number: sensors.SensorNumber, system: str | None = None) -> SensorSetup:
        return self._setup(self._system(system), number)

    def _setup(self, state: SystemState, number: sensors.SensorNumber) -> SensorSetup:
        return state.setups.get(number) or default_setup(number)

    def set(self, number: sensors.SensorNumber, setup: SensorSetup, system: str | None = None, cause: int | None = None) -> None:
        """Changes the settings of a sensor. A reading that is beyond a new threshold is logged at once."""
        state = self._system(system)
        seq = self._setting("sensor", state, cause, sensor=number.name)
        self._rack.alarms.set(self._unit, state, number, setup, seq)

    def restore(self, cause: int | None = None) -> None:
        """Gives all sensors the settings of their SDRs (IPMI Run Initialization Agent)."""
        self._rack.advance()
        self._setting("sensors as they came", None, cause)
        self._rack.alarms.reset(self._unit)

    def power(self, system: str | None = None) -> sensors.PowerStatistics:
        """Present, minimum, average and maximum power since the count began."""
        state = self._system(system)
        return sensors.statistics(state.meter, state.host, self._rack.now)

    def restart_statistics(self, system: str | None = None, cause: int | None = None) -> None:
        state = self._system(system)
        meter = state.meter
        warm = sensors.cpu_celsius(meter, state.host, self._rack.now)
        meter.begin(state.host, self._rack.now)
        meter.cpu_c = warm
        self._setting("power statistics restarted", state, cause)


class MachineFacts(NamedTuple):
    """What clients may set of one system, whether it is on, and why and when it last started; all at one instant."""

    energised: bool  # as `SensorsView.energised`
    override: BootOverride
    order: tuple[str, ...]
    led: Led
    asset_tag: str
    host_name: str
    policy: RestorePolicy
    cause: RestartCause
    booted: Instant | None  # None: not since the rack was made


class ChassisView(BmcViewPart):
    """Identify LED, tags, restore policy, and why and how long the host has been on."""

    __slots__ = ()

    def facts(self, system: str | None = None) -> MachineFacts:
        """What the methods below and those of `BootView` say one by one, for an answer that shows it all."""
        state = self._system(system)
        machine = state.machine
        boot = machine.boot
        return MachineFacts(
            sensors.energised(state.host),
            boot.override,
            boot.order,
            machine.led_now(self._rack.now),
            machine.asset_tag,
            state.host_name if machine.host_name is None else machine.host_name,
            machine.restore,
            machine.restart_cause,
            None if boot.last is None else boot.last.t,
        )

    def led(self, system: str | None = None) -> Led:
        return self._system(system).machine.led_now(self._rack.now)

    def led_left(self, system: str | None = None) -> float:
        """Seconds until a timed LED goes out: inf for one that stays, 0 for one that is off."""
        machine = self._system(system).machine
        return machine.led_until - self._rack.now if machine.led_now(self._rack.now) is not Led.OFF else 0.0

    def set_led(self, led: Led, system: str | None = None, *, seconds: float | None = None, cause: int | None = None) -> None:
        """Sets the LED for so many seconds; None: until the next change."""
        state = self._system(system)
        state.machine.led = led
        state.machine.led_until = math.inf if seconds is None else self._rack.now + seconds
        self._setting("identify led", state, cause, led=led.value, seconds=seconds)

    def identify(self, system: str | None = None, *, seconds: float = IDENTIFY_SECONDS, cause: int | None = None) -> None:
        """IPMI Chassis Identify: the LED blinks for so many seconds; 0 switches it off."""
        self.set_led(Led.BLINKING if seconds > 0 else Led.OFF, system, seconds=seconds or None, cause=cause)

    def asset_tag(self, system: str | None = None) -> str:
        return self._system(system).machine.asset_tag

    def set_asset_tag(self, tag: str, system: str | None = None, cause: int | None = None) -> None:
        """Raises SettingRefused for more than 63 bytes (DCMI 1.5, 6.4.2)."""
        if len(tag.encode()) > TAG_MAX:
            raise SettingRefused(f"an asset tag has at most {TAG_MAX} bytes")
        state = self._system(system)
        state.machine.asset_tag = tag
        self._setting("asset tag", state, cause, tag=tag)

    def host_name(self, system: str | None = None) -> str:
        """The host name that a client has set; before that the host's name in the rack."""
        state = self._system(system)
        return state.host_name if state.machine.host_name is None else state.machine.host_name

    def set_host_name(self, name: str, system: str | None = None, cause: int | None = None) -> None:
        """Sets the host name. The journal keeps the name from the rack. Raises SettingRefused for more than 255 bytes."""
        if len(name.encode()) > HOST_NAME_MAX:
            raise SettingRefused(f"a host name has at most {HOST_NAME_MAX} bytes")
        state = self._system(system)
        state.machine.host_name = name
        self._setting("host name", state, cause, name=name)

    def restore_policy(self, system: str | None = None) -> RestorePolicy:
        return self._system(system).machine.restore

    def set_restore_policy(self, policy: RestorePolicy, system: str | None = None, cause: int | None = None) -> None:
        state = self._system(system)
        state.machine.restore = policy
        self._setting("restore policy", state, cause, policy=policy.value)

    def restart_cause(self, system: str | None = None) -> RestartCause:
        """Why the host last started (IPMI 2.0, 28.11)."""
        return self._system(system).machine.restart_cause

    def powered_by(self, system: str | None = None) -> RestartCause:
        """Why the rail last rose."""
        return self._system(system).machine.powered_by

    def mains_failed(self, system: str | None = None) -> bool:
        """Whether the rail last fell because input power was lost (IPMI 2.0, 28.2: last power event, bit 0)."""
        return self._system(system).machine.mains_failed

    def on_seconds(self, system: str | None = None) -> float:
        """How many seconds the host has been powered since the rack was made (IPMI 2.0, 28.14 counts in minutes)."""
        return self._system(system).machine.on_seconds(self._rack.now)

    def boot_started(self, system: str | None = None) -> Instant | None:
        """When the host last booted; None: not since the rack was made."""
        last = self._system(system).machine.boot.last
        return None if last is None else last.t


class WatchdogView(BmcViewPart):
    """The watchdog timer (IPMI 2.0, chapter 27), which acts on the BMC's first system."""

    __slots__ = ()

    def set(self, setup: WatchdogSetup, *, clear: frozenset[TimerUse] = frozenset(), cause: int | None = None) -> None:
        """Set Watchdog Timer: stops the timer unless `dont_stop`. `clear` names the expiration flags to be cleared."""
        self._rack.advance()
        self._rack.watchdogs.set(self._unit, setup, clear, cause)

    def reset(self, cause: int | None = None) -> None:
        """Reset Watchdog Timer: starts the countdown from its beginning. Raises WatchdogNotSet (80h)."""
        self._rack.advance()
        self._rack.watchdogs.reset(self._unit, cause)

    @property
    def was_set(self) -> bool:
        """Whether a client has ever set the timer."""
        return self._unit.watchdog.setup is not None

    def state(self) -> WatchdogState:
        self._rack.advance()
        return self._rack.watchdogs.state(self._unit)
