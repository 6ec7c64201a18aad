"""FRU device 0, the inventory of the system (IPMI 2.0, chapter 34; Platform Management FRU Information Storage 1.0).

The command table calls the handlers, in the emulator's one thread. The inventory shows the profile's identity and the system's
serial number, as Redfish does. Clients cannot write it.
"""

from __future__ import annotations

from emulator.core.bmc.view import BmcView
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.session.rmcp import checksum
from profiles.model import ABSENT

FORMAT = 0x01
RACK_MOUNT = 0x17
ENGLISH = 0x00
EIGHT_BIT_ASCII, END_OF_FIELDS = 0xC0, 0xC1
FIELD_MAX = 63
NO_DATE = bytes(3)
BY_BYTES = 0x00
WRITE_PROTECTED = 0x80
NO_SUCH_DEVICE = 0xCB
MOST_AT_ONCE = 240


def _field(text: str) -> bytes:
    """A type/length byte and the text. A text of one byte gets a blank, because its type/length byte would end the list."""
    data = (b"" if text == ABSENT else text.encode("latin-1", "replace"))[:FIELD_MAX]
    data = data.ljust(2) if len(data) == 1 else data
    return bytes((EIGHT_BIT_ASCII | len(data),)) + data


def _area(head: bytes, fields: tuple[str, ...]) -> bytes:
    """An area of the inventory: padded to a multiple of eight bytes, its length in units of eight in byte 1, a checksum last."""
    body = head + b"".join(_field(text) for text in fields) + bytes((END_OF_FIELDS,))
    length = -(-(len(body) + 3) // 8)  # with format, length and checksum
    area = (bytes((FORMAT, length)) + body).ljust(length * 8 - 1, b"\0")
    return area + bytes((checksum(area),))


def inventory(view: BmcView) -> bytes:
    """The whole FRU data: header, chassis, board and product area."""
    identity, system = view.profile.identity, view.first_system()
    chassis = _area(bytes((RACK_MOUNT,)), (system.sku, system.serial))
    board = _area(bytes((ENGLISH,)) + NO_DATE, (identity.manufacturer, identity.model, system.serial, system.sku, ""))
    tag = view.chassis.asset_tag()
    product = _area(bytes((ENGLISH,)), (identity.manufacturer, identity.model, system.sku, "", system.serial, tag, ""))
    at_chassis, at_board = 1, 1 + len(chassis) // 8
    header = bytes((FORMAT, 0, at_chassis, at_board, at_board + len(board) // 8, 0, 0))
    return header + bytes((checksum(header),)) + chassis + board + product


def _only_device_0(call: IpmiCall) -> None:
    if call.data[0]:
        raise CompletionError(NO_SUCH_DEVICE)


def get_area_info(call: IpmiCall) -> bytes:
    _only_device_0(call)
    return len(inventory(call.view)).to_bytes(2, "little") + bytes((BY_BYTES,))


def read(call: IpmiCall) -> bytes:
    _only_device_0(call)
    offset, count = int.from_bytes(call.data[1:3], "little"), call.data[3]
    data = inventory(call.view)
    if offset >= len(data):
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    part = data[offset : offset + min(count, MOST_AT_ONCE)]
    return bytes((len(part),)) + part


def write(call: IpmiCall) -> bytes:
    _only_device_0(call)
    raise CompletionError(WRITE_PROTECTED)
