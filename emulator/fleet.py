"""Thousands of BMCs, each at an address of its own, all on the standard ports (ruling 15).

Rules
  1. BMC n has the n-th address of a network. IPMI of all of them is one socket, bound to a device; Redfish listens per address.
  2. An idle BMC costs no IPMI state: a responder is made when somebody speaks to its address, and forgotten when it has been left
     alone, unless it remembers what only IPMI knows.
  3. Addresses without a BMC are silent, as in a rack with free slots.
"""

from __future__ import annotations

import ipaddress
import resource
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from emulator.core.bmc.view import BmcView
from emulator.core.clock import Instant
from emulator.core.errors import RackMisconfigured
from emulator.core.rack import Rack
from emulator.datagrams import DatagramPath
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.session.sessions import Peer
from emulator.ipmi.state import Here
from emulator.wire.reactor import Reactor
from emulator.wire.udp import SocketAddress, UdpFleet

OTHER_DESCRIPTORS = 512
"""Connections, journal, and what a Python has open anyway."""

LINGER = 30.0
"""Seconds for which a responder with nothing left to do is kept: whoever asks often meets the same one."""

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
        return _text(int(self.network.network_address) + self._unused + n)

    def number(self, address: str) -> int:
        """Which BMC has an address: the inverse of `address`. Less than 0, or more than there are, where none has."""
        return int(ipaddress.IPv4Address(address)) - int(self.network.network_address) - self._unused

    def block(self, n: int) -> tuple[str, ...]:
        """The addresses that share a certificate with the n-th BMC."""
        first = n - n % BLOCK
        return tuple(self.address(k) for k in range(first, min(first + BLOCK, len(self))))

    @property
    def _unused(self) -> int:
        """Of the network's first addresses."""
        return 1 if self.network.prefixlen < 31 else 0


@lru_cache(maxsize=2 * BLOCK)
def _text(address: int) -> str:
    """The same string for a listener and for the certificate that names it."""
    return str(ipaddress.IPv4Address(address))


def room_for(count: int) -> None:
    """Lets this process open a socket per BMC. Raises RackMisconfigured where it may not."""
    wanted = count + OTHER_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise RackMisconfigured(f"{count} BMCs need {wanted} open sockets, and this process may have {hard}: see ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Responders:
    """IPMI of many BMCs: what is awake of it. Knows no socket."""

    def __init__(self, make: Callable[[str], IpmiResponder | None]) -> None:
        """`make(address)` is the responder of the BMC at an address, None where there is none."""
        self._make = make
        self._held: dict[str, IpmiResponder] = {}
        self._busy: dict[str, IpmiResponder] = {}
        self._idle_since: dict[str, Instant] = {}  # of those that may be forgotten; longest first

    def receive(self, data: bytes, peer: SocketAddress, address: str) -> list[tuple[bytes, SocketAddress]]:
        """The answers to a datagram for `address`, with where each goes."""
        responder = self._held.get(address)
        if responder is None:
            responder = self._make(address)
            if responder is None:
                return []
            self._held[address] = responder
        self._busy[address] = responder
        return responder.receive(data, peer)

    def tick(self, now: Instant) -> None:
        for address, responder in tuple(self._busy.items()):
            responder.tick(now)
            if responder.idle:
                del self._busy[address]
                self._idle_since.pop(address, None)
                if responder.forgettable:
                    self._idle_since[address] = now
        while self._idle_since and now - self._idle_since[address := next(iter(self._idle_since))] >= LINGER:
            del self._idle_since[address]
            if address not in self._busy:
                del self._held[address]


class FleetPort:
    """IPMI of a whole fleet on one socket. Raises CannotBind."""

    def __init__(self, rack: Rack, reactor: Reactor, fleet: Fleet, port: int, path: DatagramPath) -> None:
        self._rack = rack
        self._fleet = fleet
        self._path = path
        self._names = tuple(rack.units)  # in the order of their addresses
        self._responders = Responders(self._awaken)
        self._socket = UdpFleet(reactor, port, self._on_datagram, network=str(fleet.network), device=fleet.device)
        self.port = self._socket.port
        self.close = self._socket.close
        self.tick = self._responders.tick

    def _on_datagram(self, data: bytes, peer: SocketAddress, local: SocketAddress) -> None:
        name = self._name_at(local[0])
        if name is not None:
            self._path.arrives(name, data, lambda data: self._answer(name, data, peer, local))

    def _answer(self, name: str, data: bytes, peer: SocketAddress, local: SocketAddress) -> None:
        for answer, to in self._responders.receive(data, peer, local[0]):
            self._path.leaves(name, answer, partial(self._socket.send, peer=to, local=local))

    def _emit(self, data: bytes, peer: Peer, here: Here) -> None:
        name = self._name_at(here.address)
        if name is not None:
            to, local = (peer[0], peer[1]), (here.address, here.port)
            self._path.leaves(name, data, partial(self._socket.send, peer=to, local=local))

    def _name_at(self, address: str) -> str | None:
        n = self._fleet.number(address)
        return self._names[n] if 0 <= n < len(self._names) else None

    def _awaken(self, address: str) -> IpmiResponder | None:
        name = self._name_at(address)
        if name is None:
            return None
        view, here = BmcView(self._rack, name), Here(address, self.port)
        return IpmiResponder(view, entropy=secrets.token_bytes, here=here, emit=self._emit)
