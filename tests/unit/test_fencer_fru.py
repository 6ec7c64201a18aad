"""Serial numbers in FRU data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencer.transport.fru import serial_numbers


def field(text: str) -> bytes:
    return bytes([0xC0 | len(text)]) + text.encode("latin-1")


def area(head: bytes, *texts: str) -> bytes:
    body = head + b"".join(map(field, texts)) + b"\xc1"
    return body + bytes(-len(body) % 8)


CHASSIS = area(b"\x01\x03\x17", "part", "CHAS-1")
BOARD = area(b"\x01\x04\x19\0\0\0", "maker", "name", "BOARD-1", "part")
PRODUCT = area(b"\x01\x05\x19", "maker", "name", "part", "1.0", "PROD-1 ", "tag")
HEADER = bytes([1, 0, 1, 1 + len(CHASSIS) // 8, 1 + (len(CHASSIS) + len(BOARD)) // 8, 0, 0, 0])
DATA = HEADER + CHASSIS + BOARD + PRODUCT


def test_product_chassis_and_board_have_serial_numbers() -> None:
    expected = {"SerialNumber": "PROD-1", "ChassisSerialNumber": "CHAS-1", "BoardSerialNumber": "BOARD-1"}
    assert serial_numbers(DATA) == expected


@pytest.mark.parametrize("data", [b"", b"\x01", bytes(8), DATA[:8], DATA[:12], HEADER + b"\x01\x03\x17\x05abcde\x06abcdef\xc1"])
def test_what_is_cut_or_no_text_shows_no_serial_number(data: bytes) -> None:
    assert serial_numbers(data) == {}


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    serial_numbers(data)
