"""Which addresses the fleets of all emulators of this user have, so that none takes those of another.

`fleet_sockets` claims the addresses of a fleet before it opens their ports. A claim is a socket that nobody reads.

Theory
  Sockets of several fleets on one device can have the same port only with SO_REUSEPORT, with which the kernel refuses nothing to
  another process of the same user. So each fleet binds a name in the abstract namespace of UNIX sockets. That is as wide as the
  namespace of ports; a name ends with its process, and /proc/net/unix lists them.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

_PREFIX = "fencelab-fleet"
_NAMES = Path("/proc/net/unix")


@dataclass(frozen=True, slots=True)
class PortClaim:
    """Addresses that a fleet has on a port. `protocol` is tcp or udp. `device` is given where one socket has the port at all
    addresses of a device; other fleets may then have sockets for single addresses, and none may have a second one for all."""

    protocol: str
    port: int
    first: str
    last: str
    device: str = ""

    def name(self) -> str:
        return " ".join((_PREFIX, self.protocol, str(self.port), self.first, self.last, self.device or "-"))

    @staticmethod
    def read(name: str) -> PortClaim | None:
        """The claim of that name; None where it is the name of something else."""
        match name.split(" "):
            case [prefix, protocol, port, first, last, device] if prefix == _PREFIX and port.isdecimal():
                return PortClaim(protocol, int(port), first, last, "" if device == "-" else device)
        return None

    def clashes_with(self, other: PortClaim) -> str | None:
        """Why both cannot be, as the end of a sentence; None: they can."""
        if (self.protocol, self.port) != (other.protocol, other.port):
            return None
        there = other.first if other.first == other.last else f"{other.first} to {other.last}"
        if _number(self.first) <= _number(other.last) and _number(other.first) <= _number(self.last):
            return f"the BMCs of another emulator have {there}"
        if self.device and self.device == other.device:
            return (
                f"the BMCs of another emulator, {there}, share one socket on that device, and only one fleet can do that:"
                " give this one other ports, or fewer BMCs"
            )
        return None


class RangeTaken(Exception):
    """Another fleet has these addresses or this device; the text is the end of a sentence."""


def claim(wanted: PortClaim) -> socket.socket:
    """The socket that holds a claim; closing it gives the claim up. Raises RangeTaken."""
    held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        held.bind("\0" + wanted.name())
    except OSError:
        held.close()
        raise RangeTaken(str(wanted.clashes_with(wanted))) from None
    # Bound before it looks: of two fleets that start at the same time, at least one sees the other.
    for name in _bound():
        other = PortClaim.read(name)
        why = wanted.clashes_with(other) if other is not None and other != wanted else None
        if why is not None:
            held.close()
            raise RangeTaken(why)
    return held


def _bound() -> list[str]:
    """Names of the claims of all emulators."""
    try:
        lines = _NAMES.read_text(errors="replace").splitlines()
    except OSError:
        return []
    return [line[line.index(f"@{_PREFIX} ") + 1 :] for line in lines if f"@{_PREFIX} " in line]


def _number(address: str) -> int:
    return int(IPv4Address(address))
