"""A packet filter for one listening socket that serves many addresses: new connections to some of them are dropped unseen.

`SharedListener` uses it for the BMCs that are away or muted. It uses no socket until `attach` is called.

Theory
  A classic BPF program on a listening socket (SO_ATTACH_FILTER, which needs no privilege) sees each SYN before the kernel answers
  it. A dropped SYN is what a host that is away looks like: the client repeats it, and runs into its own connect time-out. The
  program compares the destination address with ranges one after the other, so it has at most `MAX_RANGES` of them.
"""

from __future__ import annotations

import heapq
import math
import socket
import struct
from array import array
from bisect import bisect_right

MAX_RANGES = 256
"""Older kernels keep at most 20 KB of programs for one socket, the old one and the new one together."""

_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27  # <asm-generic/socket.h>; Python does not name them
_INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter: code, jump if true, jump if false, k
_PROGRAM = struct.Struct("HP")  # struct sock_fprog: number of instructions, their address
_LOAD_WORD, _AT_LEAST, _MORE_THAN, _RETURN = 0x20, 0x35, 0x25, 0x06
_DESTINATION = (-0x100000 + 16) & 0xFFFFFFFF  # SKF_NET_OFF: counted from the IPv4 header
_KEEP_ALL = 0xFFFFFFFF

Range = tuple[int, int]
"""First and last IPv4 address, as numbers."""


class AddressRanges:
    """A set of IPv4 addresses, kept as ranges in order; neighbours are one range."""

    def __init__(self) -> None:
        self._ranges: list[Range] = []

    def add(self, address: int) -> None:
        at = bisect_right(self._ranges, (address, math.inf))
        first = last = address
        begin, end = at, at
        if at and self._ranges[at - 1][1] >= address - 1:
            begin, first = at - 1, self._ranges[at - 1][0]
            last = max(last, self._ranges[at - 1][1])
        if at < len(self._ranges) and self._ranges[at][0] == last + 1:
            end, last = at + 1, self._ranges[at][1]
        self._ranges[begin:end] = [(first, last)]

    def discard(self, address: int) -> None:
        at = bisect_right(self._ranges, (address, math.inf)) - 1
        if at < 0 or self._ranges[at][1] < address:
            return
        first, last = self._ranges[at]
        rest = [(first, address - 1), (address + 1, last)]
        self._ranges[at : at + 1] = [each for each in rest if each[0] <= each[1]]

    def widest(self, most: int) -> list[Range]:
        """At most so many ranges, those that hold the most addresses."""
        return heapq.nlargest(most, self._ranges, key=lambda each: each[1] - each[0])


def program(ranges: list[Range]) -> bytes:
    """The BPF program that drops what goes to these addresses and lets everything else pass."""
    made = [(_LOAD_WORD, 0, 0, _DESTINATION)]
    for first, last in ranges:
        made += [(_AT_LEAST, 0, 2, first), (_MORE_THAN, 1, 0, last), (_RETURN, 0, 0, 0)]
    made.append((_RETURN, 0, 0, _KEEP_ALL))
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in made)


def attach(sock: socket.socket, ranges: list[Range]) -> bool:
    """Drops from now on what comes to `sock` for these addresses, and nothing else. False: the kernel has no room for it, and
    drops what it did before."""
    try:
        if not ranges:
            sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
            return True
        code = array("B", program(ranges))
        where, size = code.buffer_info()
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _PROGRAM.pack(size // _INSTRUCTION.size, where))
    except OSError:
        return False
    return True
