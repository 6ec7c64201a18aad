"""DCMI temperature commands (DCMI 1.5, 6.5.2 and 6.7): sensor info, readings in °C, and the limit at the air inlet.

The command table calls the handlers, in the emulator's one thread. DCMI has its own entity ids beside those of IPMI; both are
accepted. The limit is stored and shown without effect.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.bmc.sensors import SENSORS, Sensor, SensorType
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.management.dcmi import GROUP, body
from emulator.ipmi.management.parameters import Family, store_value, stored_value
from emulator.ipmi.management.sdr import FULL, records

TEMPERATURE = 0x01
ENTITY: Mapping[int, int] = {0x40: 0x37, 0x41: 0x03, 0x42: 0x07, 0x37: 0x37, 0x03: 0x03, 0x07: 0x07}
"""Air inlet, processor, system board: the entity id of DCMI (table 6-13) or IPMI, and the one of IPMI."""
INLET = 0x37
ALL = 0x00
AT_ONCE = 8
MINUS, MOST_DEGREES = 0x80, 0x7F
THERMAL_LIMIT = 0x102
"""Key of the stored limits, above the numbers of DCMI's own parameters."""
NO_LIMIT = bytes(4)  # exception action, degrees, seconds


def _sensors(call: IpmiCall) -> list[Sensor]:
    request = body(call)
    if len(request) != 4:
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    kind, entity, instance, start = request
    if kind != TEMPERATURE or entity not in ENTITY:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    found = [s for s in SENSORS if s.type is SensorType.TEMPERATURE and s.entity == ENTITY[entity]]
    if instance != ALL:
        return [sensor for sensor in found if sensor.instance == instance]
    return [sensor for sensor in found if sensor.instance >= start]


def _record_id(sensor: Sensor) -> bytes:
    return next(record[:2] for record in records() if record[3] == FULL and record[7] == sensor.number)


def get_sensor_info(call: IpmiCall) -> bytes:
    """How many sensors there are, and the record ids of their SDRs, at most eight."""
    found = _sensors(call)
    return bytes((GROUP, len(found), len(found[:AT_ONCE]))) + b"".join(_record_id(sensor) for sensor in found[:AT_ONCE])


def get_temperatures(call: IpmiCall) -> bytes:
    """Readings in whole degrees with a sign, each with its instance. A host whose rail is unknown has none."""
    found = _sensors(call)
    told = [(sensor.instance, value) for sensor in found if (value := call.view.sensors.read(sensor).value) is not None]
    sets = [bytes((min(abs(round(value)), MOST_DEGREES) | (MINUS if value < 0 else 0), at)) for at, value in told[:AT_ONCE]]
    return bytes((GROUP, len(told), len(sets))) + b"".join(sets)


def _inlet(request: bytes) -> int:
    """The instance of the air inlet sensor that a request names. Raises CompletionError for any other sensor."""
    if ENTITY.get(request[0]) != INLET or not any(s.entity == INLET and s.instance == request[1] for s in SENSORS):
        raise CompletionError(CompletionCode.INVALID_FIELD)
    return request[1]


def get_thermal_limit(call: IpmiCall) -> bytes:
    request = body(call)
    if len(request) != 2:
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    return bytes((GROUP,)) + stored_value(call.state, Family.DCMI, THERMAL_LIMIT, NO_LIMIT, _inlet(request))


def set_thermal_limit(call: IpmiCall) -> bytes:
    request = body(call)
    if len(request) != 6:
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    store_value(call.state, Family.DCMI, THERMAL_LIMIT, request[2:], _inlet(request))
    return bytes((GROUP,))
