"""IPMI responders on real UDP sockets, one per address, for tests that need a network."""

from __future__ import annotations

import os
from collections.abc import Sequence

from emulator.core.bmc.view import BmcView
from emulator.core.faults.board import Armed
from emulator.core.journal import Event, EventKind, Journal
from emulator.core.rack import Rack, UnitSpec
from emulator.core.truth.host import Host
from emulator.core.truth.virtual_hosts import VirtualHosts
from emulator.ipmi.responder import IpmiResponder
from emulator.wire.reactor import Reactor
from emulator.wire.udp import SocketAddress, UdpEndpoint
from emulator.wire.wallclock import WallClock


class Low:
    """Draws the lower end of every span."""

    def uniform(self, a: float, _b: float) -> float:
        return a


class Lan:
    """BMCs on one port of as many addresses; a context manager."""

    def __init__(self, units: Sequence[UnitSpec], addresses: Sequence[str]) -> None:
        clock = WallClock()
        self.journal = Journal(clock)
        self.rack = Rack(units, clock=clock, journal=self.journal, dice=Low(), make_token=lambda: "")
        self.rack.hold_all(VirtualHosts(self.rack))
        self.reactor = Reactor(clock)
        self.reactor.drive(self.rack.next_due, self.rack.advance)
        self.port = 0
        self.addresses = dict(zip(self.rack.units, addresses, strict=True))
        for name, address in self.addresses.items():
            self.port = self._open(name, address).port

    def _open(self, name: str, address: str) -> UdpEndpoint:
        responder = IpmiResponder(BmcView(self.rack, name), entropy=os.urandom)

        def on_datagram(data: bytes, peer: SocketAddress, local: SocketAddress) -> None:
            for answer, to in responder.receive(data, peer):
                endpoint.send(answer, to, local)

        endpoint = UdpEndpoint(self.reactor, address, self.port, on_datagram)
        return endpoint

    def __enter__(self) -> Lan:
        self.reactor.start()
        return self

    def __exit__(self, *_why: object) -> None:
        self.reactor.stop()

    def host(self, name: str) -> Host:
        return self.rack.unit(name).first().host

    def arm(self, name: str, armed: Armed) -> None:
        self.rack.arm(name, armed)

    def events(self, kind: EventKind) -> list[Event]:
        return [event for event in self.journal if event.kind is kind]
