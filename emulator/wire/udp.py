"""UDP sockets: one per address, or one for all BMCs of a large fleet.

The emulator's composition root makes them; they receive and send in the loop's thread.

Rules
  1. An answer is sent from the address and port to which the request came (ruling 15): clients drop any other.
  2. One turn of the loop reads at most 64 datagrams of a socket, so a flood on one port cannot block the others.
  3. A datagram that cannot be sent is dropped and counted, as in a network.

Theory
  On a wildcard socket the kernel tells the address to which a datagram was sent (IP_PKTINFO), and takes the address to answer
  from in the same structure. The large fleet's socket is bound to a device, so it receives nothing from other devices. Datagrams
  for addresses outside of the fleet's network get no answer.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Callable, Iterable

from emulator.wire.reactor import Reactor
from emulator.wire.tcp import CannotBind, bind, bind_shared

SocketAddress = tuple[str, int]
OnDatagram = Callable[[bytes, SocketAddress, SocketAddress], object]
"""Called with the data, the sender's address, and our address to which the datagram was sent."""

_IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)  # Python 3.11 does not name it; Linux's <bits/in.h> does
_PKTINFO = struct.Struct("=i4s4s")  # struct in_pktinfo: interface, address to answer from, address that was asked
_ANCILLARY = socket.CMSG_SPACE(_PKTINFO.size)
_MAX_DATAGRAM = 65535
_DATAGRAMS_PER_TURN = 64
_ANY = ("0.0.0.0", "::")
_TRIES = 16  # a port that is free at the first address may be taken at another


class UdpEndpoint:
    """A UDP port of one BMC. Call `send` and `close` in the loop's thread only."""

    def __init__(
        self,
        reactor: Reactor,
        address: str,
        port: int,
        on_datagram: OnDatagram,
        *,
        device: str | None = None,
        shares: bool = False,
    ) -> None:
        """Port 0 takes a free one. With `device` and `shares` see `bind`. Raises CannotBind."""
        if address == "::":
            raise CannotBind(address, port, "UDP on all IPv6 addresses is not supported; name one address")
        self._open(reactor, bind(socket.SOCK_DGRAM, address, port, device, shares=shares), address, on_datagram)

    def _open(self, reactor: Reactor, sock: socket.socket, address: str, on_datagram: OnDatagram) -> None:
        self.address = address
        self.port: int = sock.getsockname()[1]
        self.dropped = 0
        self._on_datagram = on_datagram
        self._reactor = reactor
        self._wildcard = address in _ANY
        if self._wildcard:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._sock = sock
        self._watch = reactor.add(sock, self._readable)
        self.closed = False

    def send(self, data: bytes, peer: SocketAddress, local: SocketAddress | None = None) -> None:
        """Sends a datagram. `local` is our address, as `on_datagram` got it."""
        try:
            if self._wildcard and local is not None:
                source = _PKTINFO.pack(0, socket.inet_aton(local[0]), bytes(4))
                self._sock.sendmsg([data], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, peer)
            else:
                self._sock.sendto(data, peer)
        except OSError:
            self.dropped += 1

    def close(self) -> None:
        """Closes the port. May be called more than once."""
        if not self.closed:
            self.closed = True
            self._watch.close()

    def _readable(self) -> None:
        for _ in range(_DATAGRAMS_PER_TURN):
            if self.closed:
                return
            try:
                data, ancillary, _flags, peer = self._sock.recvmsg(_MAX_DATAGRAM, _ANCILLARY if self._wildcard else 0)
            except (BlockingIOError, InterruptedError):
                return
            local = self._asked(ancillary) if self._wildcard else self.address
            if local is None:
                self.dropped += 1
                continue
            self._deliver(data, (peer[0], peer[1]), (local, self.port))

    def _deliver(self, data: bytes, peer: SocketAddress, local: SocketAddress) -> None:
        try:
            self._on_datagram(data, peer, local)
        except Exception as error:  # noqa: BLE001  one datagram must not block the others
            self._reactor.complain(error)

    def _asked(self, ancillary: list[tuple[int, int, bytes]]) -> str | None:
        for level, kind, value in ancillary:
            if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO) and len(value) >= _PKTINFO.size:
                return socket.inet_ntoa(_PKTINFO.unpack_from(value)[2])
        return None


class UdpFleet(UdpEndpoint):
    """One socket for all BMCs of an IPv4 network that share a port."""

    def __init__(
        self, reactor: Reactor, port: int, on_datagram: OnDatagram, *, network: str, device: str = "lo", shares: bool = False
    ) -> None:
        """`network` is a CIDR. With `shares` see `bind`. Raises CannotBind, ValueError for a bad CIDR."""
        known = ipaddress.IPv4Network(network)
        self._first, self._last = int(known[0]), int(known[-1])
        sock = bind_shared(socket.SOCK_DGRAM, network, device, port, shares=shares)
        self._open(reactor, sock, "0.0.0.0", on_datagram)

    def _deliver(self, data: bytes, peer: SocketAddress, local: SocketAddress) -> None:
        if not self._first <= int.from_bytes(socket.inet_aton(local[0])) <= self._last:
            self.dropped += 1
            return
        super()._deliver(data, peer, local)


class UdpAddresses:
    """A socket for each address of a small fleet, all on one port."""

    def __init__(
        self, reactor: Reactor, addresses: Iterable[str], port: int, on_datagram: OnDatagram, *, shares: bool = False
    ) -> None:
        """Port 0 takes one that is free at all addresses. With `shares` see `bind`. Raises CannotBind."""
        addresses = tuple(addresses)
        self._endpoints: dict[str, UdpEndpoint] = {}
        self.port = port
        for left in reversed(range(1 if port else _TRIES)):
            try:
                for address in addresses:
                    endpoint = UdpEndpoint(reactor, address, self.port, on_datagram, shares=shares)
                    self._endpoints[address] = endpoint
                    self.port = endpoint.port
                return
            except CannotBind:
                self.close()
                self.port = port
                if not left:
                    raise

    def send(self, data: bytes, peer: SocketAddress, local: SocketAddress | None = None) -> None:
        """Sends a datagram from the address `local`, as `on_datagram` got it; None or no address of ours: it is lost."""
        endpoint = self._endpoints.get(local[0]) if local is not None else None
        if endpoint is not None:
            endpoint.send(data, peer)

    def close(self) -> None:
        """Closes all sockets. May be called more than once."""
        for endpoint in self._endpoints.values():
            endpoint.close()
        self._endpoints.clear()
