"""Thousands of BMCs, each at an address of its own, all on the standard ports (ruling 15).

Rules
  1. BMC n has the n-th address of a network. IPMI of all of them is one socket, bound to a device; Redfish listens per address.
  2. An idle BMC costs no IPMI state: a responder is made when somebody first speaks to its address.
  3. Addresses without a BMC are silent, as in a rack with free slots.
"""

from __future__ import annotations

import ipaddress
import resource
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from emulator.core.clock import Instant
from emulator.core.errors import RackMisconfigured
from emulator.core.rack import Rack
from emulator.core.view import BmcView
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.sessions import Peer
from emulator.ipmi.state import Here
from emulator.wire.reactor import Reactor
from emulator.wire.udp import Address, UdpFleet

OTHER_DESCRIPTORS = 512
"""Connections, journal, and what a Python has open anyway."""

BLOCK = 256
"""So many neighbours share a certificate, which names them all."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Where a fleet lives. The network's addresses must be the device's own; all of 127.0.0.0/8 is that of `lo`."""

    network: ipaddress.IPv4Network
    device: str = "lo"

    def __len__(self) -> int:
        """How many BMCs have room. The network's own and its broadcast address are nobody's."""
        return self.network.num_addresses - (2 if self.network.prefixlen < 31 else 0)

    def address(self, n: int) -> str:
        """Of the n-th BMC, counted from 0. Raises IndexError."""
        if not 0 <= n < len(self):
            raise IndexError(f"{self.network} has no room for BMC {n + 1}")
        return str(self.network[n + (1 if self.network.prefixlen < 31 else 0)])

    def block(self, n: int) -> tuple[str, ...]:
        """The addresses that share a certificate with the n-th BMC."""
        first = n - n % BLOCK
        return tuple(self.address(k) for k in range(first, min(first + BLOCK, len(self))))


def room_for(count: int) -> None:
    """Lets this process open a socket per BMC. Raises RackMisconfigured where it may not."""
    wanted = count + OTHER_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise RackMisconfigured(f"{count} BMCs need {wanted} open sockets, and this process may have {hard}: see ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class FleetPort:
    """IPMI of a whole fleet on one socket. Raises CannotBind."""

    def __init__(self, rack: Rack, reactor: Reactor, fleet: Fleet, port: int, names: Iterable[str]) -> None:
        """`names` are the rack's BMCs in the order of their addresses."""
        self._rack = rack
        self._names = {fleet.address(n): name for n, name in enumerate(names)}
        self._responders: dict[str, IpmiResponder] = {}
        self._busy: dict[str, IpmiResponder] = {}
        self._socket = UdpFleet(reactor, port, self._on_datagram, network=str(fleet.network), device=fleet.device)
        self.port = self._socket.port
        self.close = self._socket.close

    def tick(self, now: Instant) -> None:
        for address, responder in tuple(self._busy.items()):
            responder.tick(now)
            if responder.idle:
                del self._busy[address]

    def _on_datagram(self, data: bytes, peer: Address, local: Address) -> None:
        responder = self._responders.get(local[0]) or self._awaken(local[0])
        if responder is not None:
            self._busy[local[0]] = responder
            for answer, to in responder.receive(data, peer):
                self._socket.send(answer, to, local)

    def _awaken(self, address: str) -> IpmiResponder | None:
        name = self._names.get(address)
        if name is None:
            return None
        here = Here(address, self.port)

        def emit(data: bytes, peer: Peer) -> None:
            self._socket.send(data, (peer[0], peer[1]), (here.address, here.port))

        view = BmcView(self._rack, name)
        responder = self._responders[address] = IpmiResponder(view, entropy=secrets.token_bytes, here=here, emit=emit)
        return responder
