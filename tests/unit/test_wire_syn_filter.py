"""Ranges of addresses, and the packet filter that is made of them."""

from __future__ import annotations

import random
import struct
from itertools import pairwise

import pytest

from emulator.wire.syn_filter import MAX_RANGES, AddressRanges, Range, program

LAST = 0xFFFFFFFF


def passes(code: bytes, destination: int) -> bool:
    """Runs a classic BPF program as the kernel would, for a packet to this address."""
    instructions = list(struct.iter_unpack("=HBBI", code))
    at, accumulator = 0, 0
    while True:
        operation, true, false, k = instructions[at]
        at += 1
        match operation:
            case 0x20:
                assert k == 0xFFF00010, "the destination of the IPv4 header"
                accumulator = destination
            case 0x35:
                at += true if accumulator >= k else false
            case 0x25:
                at += true if accumulator > k else false
            case 0x06:
                return k != 0
            case _:
                raise AssertionError(f"unknown instruction {operation:#x}")


@pytest.mark.parametrize("seed", range(20))
def test_ranges_hold_what_a_set_holds_and_neighbours_are_one(seed: int) -> None:
    dice, ranges, model = random.Random(seed), AddressRanges(), set[int]()
    for _ in range(300):
        address = dice.randrange(40)
        if dice.random() < 0.5:
            ranges.add(address)
            model.add(address)
        else:
            ranges.discard(address)
            model.discard(address)
        held = sorted(ranges.widest(100))
        assert {each for first, last in held for each in range(first, last + 1)} == model
        assert all(before[1] + 1 < after[0] for before, after in pairwise(held))


def test_where_there_is_room_for_few_the_widest_ranges_stay() -> None:
    ranges = AddressRanges()
    for address in (1, 5, 6, 7, 11, 12):
        ranges.add(address)
    assert ranges.widest(2) == [(5, 7), (11, 12)]
    assert ranges.widest(0) == []


@pytest.mark.parametrize(
    "ranges", [[(0, 0)], [(LAST, LAST)], [(10, 20), (30, 30)], [(30, 30), (10, 20)], [(0, LAST)], [(5, 9), (3, 4)]]
)
def test_the_program_drops_what_is_in_the_ranges_and_nothing_else(ranges: list[Range]) -> None:
    code = program(ranges)
    for address in (0, 1, 2, 3, 4, 5, 9, 10, 11, 20, 21, 29, 30, 31, LAST - 1, LAST):
        assert passes(code, address) is not any(first <= address <= last for first, last in ranges)


def test_the_longest_program_is_one_that_every_kernel_takes() -> None:
    assert len(program([(2 * n, 2 * n) for n in range(MAX_RANGES)])) // 8 <= 4096
