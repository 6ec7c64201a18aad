"""Reads serial numbers out of FRU data (IPMI Platform Management FRU Information Storage Definition 1.0).

`IpmiTransport` calls it with what the BMC sent. Pure: data of any shape give the serial numbers that could be found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

END_OF_FIELDS = 0xC1
TEXT = 3  # the type code of 8-bit text, the only form in which serial numbers are looked for
# Name, place of the area's offset in the common header, length of the area's head, and number of the serial number's field.
AREAS = (("SerialNumber", 4, 3, 4), ("ChassisSerialNumber", 2, 3, 1), ("BoardSerialNumber", 3, 6, 2))


def serial_numbers(data: bytes) -> Mapping[str, str]:
    """Returns the serial numbers of product, chassis and board, as far as they are there."""
    found = {}
    for name, place, head, number in AREAS:
        if len(data) < 8 or not data[place]:
            continue
        fields = list(_fields(data[data[place] * 8 + head :]))
        if len(fields) > number and fields[number].strip():
            found[name] = fields[number].strip()
    return found


def _fields(area: bytes) -> Iterator[str]:
    """Returns the fields of one area; a field that is no 8-bit text is empty."""
    while area and area[0] != END_OF_FIELDS:
        kind, size = area[0] >> 6, area[0] & 0x3F
        yield area[1 : 1 + size].decode("latin-1").rstrip("\0") if kind == TEXT else ""
        area = area[1 + size :]
