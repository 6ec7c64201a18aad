"""The sockets of a fleet: one per BMC and protocol for a small fleet, one per protocol for a large one.

`frontends` makes it and opens the ports of all BMCs with it, in the emulator's thread or before that runs.

Rules
  1. Up to `SEPARATE_AT_MOST` BMCs have sockets of their own, if this process may open so many: their ports can be refused, and
     fleets on different networks of one device do not meet.
  2. A larger fleet has one TCP and one UDP socket, bound to the device, so that nothing on other devices is shadowed. What that
     changes for port faults is in `wire.shared_tcp`. A small fleet can have the same ports beside it, another large one cannot.
  3. The addresses of a fleet are claimed first: see `wire.claims`. With port 0 nothing is shared, and nothing has to be claimed.
"""

from __future__ import annotations

import socket
import ssl
from typing import Final
from wsgiref.types import WSGIApplication

from emulator.core.errors import RackMisconfigured
from emulator.fleet import PORTS_PER_BMC, Fleet, raise_open_file_limit
from emulator.wire.claims import PortClaim, RangeTaken, claim
from emulator.wire.http import HttpServer
from emulator.wire.network import DatagramPort, HttpPort, HttpPorts
from emulator.wire.reactor import Reactor
from emulator.wire.shared_tcp import SharedListener
from emulator.wire.tcp import CannotBind
from emulator.wire.udp import OnDatagram, UdpAddresses, UdpFleet

SEPARATE_AT_MOST: Final = 1024
"""With HTTPS, HTTP and IPMI these need 3,600 descriptors: common limits are 4,096."""


class FleetSockets:
    def __init__(self, reactor: Reactor, fleet: Fleet, count: int) -> None:
        self._reactor = reactor
        self._fleet = fleet
        self._count = count
        self.separate = count <= SEPARATE_AT_MOST and _may_open(count)
        if not self.separate:
            _may_open(SEPARATE_AT_MOST)  # for the connections of many clients, as far as this process may
        self._listeners: dict[HttpPorts, SharedListener] = {}
        self._claims: dict[tuple[str, int], socket.socket] = {}

    def listen(
        self,
        server: HttpPorts,
        name: str,
        address: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        app: WSGIApplication | None = None,
    ) -> HttpPort:
        """Opens a TCP port of the BMC at an address. Raises CannotBind."""
        assert isinstance(server, HttpServer), "a fleet is on sockets"
        shares = self._claim("tcp", port)
        if self.separate:
            return server.listen(name, address, port, tls=tls, app=app, shares=shares)
        listener = self._listeners.get(server)
        if listener is None:
            network, device = str(self._fleet.network), self._fleet.device
            listener = self._listeners[server] = SharedListener(self._reactor, network, device, port, shares=shares)
        return server.join(name, address, listener, tls=tls, app=app)

    def udp(self, port: int, on_datagram: OnDatagram) -> DatagramPort:
        """Opens the UDP port of all BMCs. Raises CannotBind."""
        shares = self._claim("udp", port)
        if self.separate:
            addresses = (self._fleet.address(n) for n in range(self._count))
            return UdpAddresses(self._reactor, addresses, port, on_datagram, shares=shares)
        network, device = str(self._fleet.network), self._fleet.device
        return UdpFleet(self._reactor, port, on_datagram, network=network, device=device, shares=shares)

    def close(self) -> None:
        """Closes the sockets that several BMCs share; their ports are closed before. May be called more than once."""
        for listener in self._listeners.values():
            listener.close()
        for held in self._claims.values():
            held.close()
        self._listeners.clear()
        self._claims.clear()

    def _claim(self, protocol: str, port: int) -> bool:
        """Whether the socket may share the port with those of other fleets, because our addresses on it are claimed."""
        if not port:
            return False
        if (protocol, port) not in self._claims:
            fleet = self._fleet
            device = "" if self.separate else fleet.device
            wanted = PortClaim(protocol, port, fleet.address(0), fleet.address(self._count - 1), device)
            try:
                self._claims[protocol, port] = claim(wanted)
            except RangeTaken as error:
                raise CannotBind(f"{fleet.network} (device {fleet.device})", port, str(error)) from error
        return True


def _may_open(bmcs: int) -> bool:
    """Whether this process may open the sockets of so many BMCs; then its limit is raised to that."""
    try:
        raise_open_file_limit(bmcs * PORTS_PER_BMC)
    except RackMisconfigured:
        return False
    return True
