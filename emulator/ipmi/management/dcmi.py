"""DCMI 1.5 commands (IPMI group extension DCh): capabilities, asset tag, management controller id, DHCP configuration.

The command table calls the handlers, in the emulator's one thread. Power and temperatures are in `dcmi_power` and `dcmi_thermal`.
The management controller id is the host name of the BMC's network interface, which Redfish shows as HostName.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from emulator.core.bmc.eventlog import Overflow
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.management.parameters import NO_SUCH_PARAMETER, WRITE_ONLY, Family, store_value, stored_value

GROUP = 0xDC
DCMI_1_5 = bytes((0x01, 0x05))
CAPABILITIES_REVISION, CONFIGURATION_REVISION = b"\x02", b"\x01"
OTHER_GROUP = CompletionCode.INVALID_COMMAND  # the groups of PICMG and VITA are not supported

POWER_MANAGEMENT = bytes((0x00, 0x01, 0x01))
"""Power management is the only optional feature; access is by KCS and the primary LAN channel (table 6-3, parameter 1)."""
ROLLS_OVER = 0x8000
EVERY_5_SECONDS = 0x05
IDENTIFICATION = 0x07  # asset tag, DHCP host name, GUID
POWER_DEVICE = bytes((0x20, 0x00))
MANAGEABILITY = bytes((0x01, 0xFF, 0xFF))
NO_ROLLING_AVERAGES = b"\x00"
TAG_CHUNK, NAME_CHUNK = 16, 16
NAME_MAX, WHOLE_MAX = 63, 64


def body(call: IpmiCall) -> bytes:
    """The request data after the group byte. Raises CompletionError for another group than DCMI."""
    if call.data[0] != GROUP:
        raise CompletionError(OTHER_GROUP)
    return call.data[1:]


# -- capabilities ------------------------------------------------------------------------------------------------------


def get_capabilities(call: IpmiCall) -> bytes:
    request = body(call)
    known = {1: POWER_MANAGEMENT, 2: _platform(call), 3: POWER_DEVICE, 4: MANAGEABILITY, 5: NO_ROLLING_AVERAGES}
    if len(request) != 1 or request[0] not in known:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    return bytes((GROUP,)) + DCMI_1_5 + CAPABILITIES_REVISION + known[request[0]]


def _platform(call: IpmiCall) -> bytes:
    """Parameter 2: SEL attributes, identification, and the sampling interval of temperatures."""
    log = call.view.log
    rolls = ROLLS_OVER if log.overflow is Overflow.DROP_OLDEST else 0
    return (rolls | min(log.limit, 0x0FFF)).to_bytes(2, "little") + bytes((IDENTIFICATION, 0, EVERY_5_SECONDS))


# -- names -------------------------------------------------------------------------------------------------------------


def get_asset_tag(call: IpmiCall) -> bytes:
    return _chunk(call, call.view.chassis.asset_tag().encode(), TAG_CHUNK)


def set_asset_tag(call: IpmiCall) -> bytes:
    """Answers the length written so far, with padding (6.4.2): a client that pads continues from there."""
    tag = _changed(call, call.view.chassis.asset_tag().encode(), TAG_CHUNK)
    call.view.chassis.set_asset_tag(tag, cause=call.cause)
    return bytes((GROUP, min(_end(call), 0xFF)))


def get_controller_name(call: IpmiCall) -> bytes:
    """The management controller identifier string with its terminating zero (6.4.6.1)."""
    return _chunk(call, call.view.network.interface().host_name.encode()[:NAME_MAX] + b"\0", NAME_CHUNK)


def set_controller_name(call: IpmiCall) -> bytes:
    """Clients send it in pieces; the last one ends with a zero byte (6.4.6.2)."""
    network = call.view.network
    name = _changed(call, network.interface().host_name.encode(), NAME_CHUNK)
    network.configure(replace(network.configured, host_name=name), call.cause)
    return bytes((GROUP, min(_end(call), 0xFF)))


def _end(call: IpmiCall) -> int:
    offset, count = body(call)[:2]
    return offset + count


def _chunk(call: IpmiCall, whole: bytes, most: int) -> bytes:
    request = body(call)
    if len(request) != 2 or request[1] > most:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    offset, count = request
    if offset > len(whole):
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    return bytes((GROUP, len(whole))) + whole[offset : offset + count]


def _changed(call: IpmiCall, old: bytes, most: int) -> str:
    request = body(call)
    if len(request) < 2 or len(request) != 2 + request[1] or request[1] > most:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    offset, new = request[0], request[2:]
    if offset + len(new) > WHOLE_MAX:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    whole = old[:offset].ljust(offset, b"\0") + new  # some clients write the whole field, with trailing zeros
    try:
        return whole.partition(b"\0")[0].decode()
    except UnicodeDecodeError:
        raise CompletionError(CompletionCode.INVALID_FIELD) from None


# -- DHCP --------------------------------------------------------------------------------------------------------------

ACTIVATE_DHCP = 1
CONFIGURATION: Mapping[int, bytes] = {
    2: b"\x01",  # discovery: option 12 without option 60
    3: b"\x04",  # seconds before the first try again
    4: (120).to_bytes(2, "little"),  # seconds until it gives up
    5: (64).to_bytes(2, "little"),  # seconds between two rounds
}
"""Parameters of table 6-6 and their defaults. They are stored and shown without effect: nothing here uses DHCP."""


def get_configuration(call: IpmiCall) -> bytes:
    request = body(call)
    if len(request) != 2:
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    if request[0] == ACTIVATE_DHCP:
        raise CompletionError(WRITE_ONLY)
    if request[0] not in CONFIGURATION:
        raise CompletionError(NO_SUCH_PARAMETER)
    value = stored_value(call.state, Family.DCMI, request[0], CONFIGURATION[request[0]])
    return bytes((GROUP,)) + DCMI_1_5 + CONFIGURATION_REVISION + value


def set_configuration(call: IpmiCall) -> bytes:
    request = body(call)
    if len(request) < 3:
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    number, value = request[0], request[2:]
    if number == ACTIVATE_DHCP:
        return bytes((GROUP,))
    if number not in CONFIGURATION:
        raise CompletionError(NO_SUCH_PARAMETER)
    size = len(CONFIGURATION[number])
    if len(value) < size or any(value[size:]):  # one client always sends two bytes
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    store_value(call.state, Family.DCMI, number, value[:size])
    return bytes((GROUP,))
