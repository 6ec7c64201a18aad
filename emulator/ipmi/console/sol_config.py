"""The configuration parameters of serial over LAN (IPMI 2.0, 26.2, 26.3, table 26-5).

The command table calls the handlers, in the emulator's one thread. `payloads` reads `sol_setup` at each activation: whether SOL
is enabled, the privilege that it needs, and its retries. Bit rates are stored and shown without effect. Encryption is always
required, whatever is set here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emulator.ipmi.call import IpmiCall
from emulator.ipmi.management.channel import LAN_CHANNEL, lan_channel
from emulator.ipmi.management.parameters import (
    REVISION,
    REVISION_ONLY,
    ConfigParameter,
    Family,
    ParameterTable,
    constant,
    in_progress,
    read,
    read_only,
    stored_parameter,
    stored_value,
    write,
)
from emulator.ipmi.session.sessions import IpmiPrivilege
from emulator.ipmi.state import IpmiState

ENABLE, AUTHENTICATION, ACCUMULATION, RETRY, BIT_RATE, VOLATILE_BIT_RATE = 1, 2, 3, 4, 5, 6
ENABLED = b"\x01"
FORCED_AND_OPERATOR = bytes((0xC0 | IpmiPrivilege.OPERATOR,))  # encryption and authentication
FIVE_MS_OR_255 = bytes((0x01, 0xFF))
SEVEN_TIMES_500_MS = bytes((0x07, 0x32))
BITRATE_115200 = b"\x0a"
BIT_RATES = frozenset({0x00, 0x06, 0x07, 0x08, 0x09, 0x0A})
"""0: as the serial port has it. 6 to 10: 9.6 to 115.2 kbit/s."""
RETRY_UNIT_S = 0.01  # seconds
LEVELS = range(IpmiPrivilege.USER, 6)


@dataclass(frozen=True, slots=True)
class SolSetup:
    """The settings for an activation. `privilege` is the lowest that may activate; OEM counts as administrator."""

    enabled: bool
    privilege: int
    retries: int
    retry_every_s: float


def sol_setup(state: IpmiState) -> SolSetup:
    count, interval = stored_value(state, Family.SOL, RETRY, SEVEN_TIMES_500_MS)
    level = stored_value(state, Family.SOL, AUTHENTICATION, FORCED_AND_OPERATOR)[0] & 0x0F
    return SolSetup(
        enabled=bool(stored_value(state, Family.SOL, ENABLE, ENABLED)[0] & 0x01),
        privilege=min(level, IpmiPrivilege.ADMINISTRATOR),
        retries=count & 0x07,
        retry_every_s=interval * RETRY_UNIT_S,
    )


def _bit_rate(number: int) -> ConfigParameter:
    stored = stored_parameter(Family.SOL, number, BITRATE_115200, lambda value: value[0] & 0x0F in BIT_RATES)

    def get(call: IpmiCall) -> bytes:
        lasting = stored_value(call.state, Family.SOL, BIT_RATE, BITRATE_115200)
        return stored_value(call.state, Family.SOL, number, lasting)

    return ConfigParameter(get, stored.put)


PARAMETERS: Final[ParameterTable] = {
    0: in_progress(Family.SOL),
    ENABLE: stored_parameter(Family.SOL, ENABLE, ENABLED, lambda value: value[0] < 2),
    AUTHENTICATION: stored_parameter(Family.SOL, AUTHENTICATION, FORCED_AND_OPERATOR, lambda value: value[0] & 0x0F in LEVELS),
    ACCUMULATION: stored_parameter(Family.SOL, ACCUMULATION, FIVE_MS_OR_255, lambda value: value[0] > 0),
    RETRY: stored_parameter(Family.SOL, RETRY, SEVEN_TIMES_500_MS, lambda value: value[0] < 8),
    BIT_RATE: _bit_rate(BIT_RATE),
    VOLATILE_BIT_RATE: _bit_rate(VOLATILE_BIT_RATE),
    7: constant(bytes((LAN_CHANNEL,))),
    8: read_only(lambda call: call.bmc.here.port.to_bytes(2, "little")),
}


def get_configuration(call: IpmiCall) -> bytes:
    lan_channel(call.data[0] & 0x0F)
    if call.data[0] & REVISION_ONLY:
        return bytes((REVISION,))
    return bytes((REVISION,)) + read(PARAMETERS, call, call.data[1])


def set_configuration(call: IpmiCall) -> bytes:
    lan_channel(call.data[0] & 0x0F)
    write(PARAMETERS, call, call.data[1], call.data[2:])
    return b""
