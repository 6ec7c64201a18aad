"""A fleet: thousands of BMCs, each at an IP address of its own, all on the standard ports.

`frontends` uses it if a rack has a fleet; all of it runs in the emulator's thread.

Rules
  1. BMC n has the n-th address of a network. `fleet_sockets` says which sockets serve it.
  2. An idle BMC costs no IPMI state: the first packet to its address makes a responder, and an idle responder is dropped, unless
     it holds state that only IPMI has.
  3. An address without a BMC does not answer.
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
from emulator.wire.network import DatagramPort
from emulator.wire.udp import OnDatagram, SocketAddress

OTHER_DESCRIPTORS = 512
"""File descriptors for connections, the journal and the Python interpreter."""

LINGER_S = 30.0
"""How long an idle responder is kept, so that a client that polls does not make a new one each time."""

BLOCK = 256
"""So many BMCs with consecutive addresses share one certificate, which names all their addresses."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The network and device of a fleet. The device must own the addresses of the network; `lo` owns 127.0.0.0/8."""

    network: ipaddress.IPv4Network
    device: str = "lo"

    def __len__(self) -> int:
        """How many BMCs the network can hold. The network address and the broadcast address are not used."""
        return self.network.num_addresses - (2 if self.network.prefixlen < 31 else 0)

    def address(self, n: int) -> str:
        """The address of the n-th BMC; n counts from 0. Raises IndexError."""
        if not 0 <= n < len(self):
            raise IndexError(f"{self.network} has no room for BMC {n + 1}")
        return _text(int(self.network.network_address) + self._unused + n)

    def number(self, address: str) -> int:
        """The number of the BMC at an address, the inverse of `address`. Out of range if no BMC has the address."""
        return int(ipaddress.IPv4Address(address)) - int(self.network.network_address) - self._unused

    def block(self, n: int) -> tuple[str, ...]:
        """The addresses that share a certificate with the n-th BMC."""
        first = n - n % BLOCK
        return tuple(self.address(k) for k in range(first, min(first + BLOCK, len(self))))

    @property
    def _unused(self) -> int:
        """How many addresses at the start of the network are not used."""
        return 1 if self.network.prefixlen < 31 else 0


@lru_cache(maxsize=2 * BLOCK)
def _text(address: int) -> str:
    """The address as text. Cached, so that a listener and its certificate share one string."""
    return str(ipaddress.IPv4Address(address))


PORTS_PER_BMC = 3
"""HTTPS, HTTP and IPMI, outside a fleet."""


def raise_open_file_limit(sockets: int) -> None:
    """Raises the limit of open files of this process to that many listening sockets and what else it needs.

    Raises RackMisconfigured if that is not allowed.
    """
    wanted = sockets + OTHER_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise RackMisconfigured(f"the BMCs need {wanted} open sockets, and this process may have {hard}: see ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Responders:
    """The IPMI responders of the BMCs that clients have addressed lately. It uses no socket."""

    def __init__(self, make: Callable[[str], IpmiResponder | None]) -> None:
        """`make(address)` makes the responder of the BMC at an address; None if no BMC has it."""
        self._make = make
        self._held: dict[str, IpmiResponder] = {}
        self._busy: dict[str, IpmiResponder] = {}
        self._idle_since: dict[str, Instant] = {}  # responders that may be dropped, the longest idle first

    def receive(self, data: bytes, peer: SocketAddress, address: str) -> list[tuple[bytes, SocketAddress]]:
        """The answers to a datagram for `address`, each with its destination."""
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
        while self._idle_since and now - self._idle_since[address := next(iter(self._idle_since))] >= LINGER_S:
            del self._idle_since[address]
            if address not in self._busy:
                del self._held[address]


class FleetPort:
    """IPMI of a whole fleet."""

    def __init__(self, rack: Rack, fleet: Fleet, path: DatagramPath, open_port: Callable[[OnDatagram], DatagramPort]) -> None:
        """`open_port` opens the UDP port that all BMCs have. Raises what that raises."""
        self._rack = rack
        self._fleet = fleet
        self._path = path
        self._names = tuple(rack.units)  # in the order of their addresses
        self._responders = Responders(self._make_responder)
        self._socket = open_port(self._on_datagram)
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

    def _make_responder(self, address: str) -> IpmiResponder | None:
        name = self._name_at(address)
        if name is None:
            return None
        view, here = BmcView(self._rack, name), Here(address, self.port)
        return IpmiResponder(view, entropy=secrets.token_bytes, here=here, emit=self._emit)
