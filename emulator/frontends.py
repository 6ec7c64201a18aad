"""Redfish and IPMI of a rack's BMCs on sockets: who listens where."""

from __future__ import annotations

import secrets
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from emulator.core.bmc.view import BmcView
from emulator.core.rack import Rack
from emulator.fleet import BLOCK, Fleet, FleetPort, raise_open_file_limit
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.session.sessions import Peer
from emulator.ipmi.state import Here
from emulator.redfish.certificates.keyring import StaticKeyring
from emulator.redfish.events.event_delivery import ThreadedEventDelivery
from emulator.redfish.service.app import Services, app_of
from emulator.tls_ports import PortKeeper, TlsKeyring, redirect_to
from emulator.wire.certs import CertificateSpec, CertificateStore
from emulator.wire.http import HttpServer
from emulator.wire.reactor import Reactor
from emulator.wire.tcp import Listener, bind
from emulator.wire.udp import SocketAddress, UdpEndpoint
from emulator.wire_faults import WireFaults
from profiles.model import ABSENT, Profile

TICK_EVERY = 0.5
"""Seconds between two looks at what time alone does to IPMI: sessions run out, consoles repeat what nobody acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a BMC shall listen. Port 0: a free one. `http_port` None: nowhere; else plain HTTP there leads to HTTPS, if the
    vendor does so."""

    listen: str = "127.0.0.1"
    redfish_port: int = 0
    ipmi_port: int = 0
    http_port: int | None = None


@dataclass(frozen=True, slots=True)
class BmcAddress:
    host: str
    redfish_port: int
    ipmi_port: int
    ca_file: Path
    http_port: int | None = None  # sends clients to HTTPS


class FrontEnds:
    """Opens the ports of every BMC of a rack. Raises CannotBind."""

    def __init__(
        self,
        rack: Rack,
        reactor: Reactor,
        *,
        places: Iterable[Place],
        tls: bool,
        refuse: frozenset[str],
        directory: Path,
        event_hosts: frozenset[str] = frozenset(),
        fleet: Fleet | None = None,
    ) -> None:
        """`places` are those of the rack's BMCs, in their order. Redfish events go to loopback addresses and to `event_hosts`,
        nowhere else."""
        self._rack = rack
        self._reactor = reactor
        self._tls = tls
        self._directory = directory
        self._fleet = fleet
        self._held: list[socket.socket] = []
        self._refused: dict[str, BmcAddress] = {}
        self._endpoints: dict[str, UdpEndpoint] = {}
        self._responders: list[IpmiResponder] = []
        self._fleet_port: FleetPort | None = None
        self._certificates = CertificateStore()
        self._event_delivery = ThreadedEventDelivery(reactor.post, event_hosts)
        services = Services(rack, self._event_delivery, self._keyring if tls else lambda name: StaticKeyring())
        app = app_of(services, next(iter(rack.units)) if len(rack.units) == 1 else None)
        self._server = HttpServer(reactor, app, hooks=WireFaults(rack, services))
        self._plain = HttpServer(reactor, app)
        PortKeeper(reactor, rack, self._doors)
        try:
            if fleet is not None:
                raise_open_file_limit(len(rack.units))
            for n, (name, place) in enumerate(zip(rack.units, places, strict=True)):
                if fleet is not None and self._fleet_port is None:
                    self._fleet_port = FleetPort(rack, reactor, fleet, place.ipmi_port)
                if fleet is None or n % BLOCK == 0:
                    profile = rack.unit(name).profile
                    specification = self._specification(profile, place.listen)
                    context = self._certificates.context(specification, profile.http.tls_min) if tls else None
                    # Of a refused one too: clients open it first.
                    self._ca_file(name, place.listen).write_bytes(self._certificates.certificate(specification).ca_pem)
                if name in refuse:
                    self._refuse(name, place.listen)
                else:
                    self._open(BmcView(rack, name), place, context)
        except BaseException:
            self.close()
            raise
        self._tick()

    def close(self) -> None:
        self._event_delivery.close()
        for held in self._held:
            held.close()
        self._server.close()
        self._plain.close()
        self._reactor.call(self._close_endpoints)

    def _close_endpoints(self) -> None:
        for endpoint in self._endpoints.values():
            endpoint.close()
        if self._fleet_port is not None:
            self._fleet_port.close()

    def address(self, name: str) -> BmcAddress:
        """Where a BMC is."""
        if name in self._refused:
            return self._refused[name]
        listener, plain = self._server.listeners[name], self._plain.listeners.get(name)
        return BmcAddress(
            host=_reachable(listener.address),
            redfish_port=listener.port,
            ipmi_port=self._endpoints[name].port if self._fleet_port is None else self._fleet_port.port,
            ca_file=self._ca_file(name, listener.address),
            http_port=plain.port if plain is not None else None,
        )

    # -- certificates ----------------------------------------------------------------------------------------------------

    def _ca_file(self, name: str, address: str) -> Path:
        return self._directory / (f"{name}.pem" if self._fleet is None else f"{self._fleet.number(address) // BLOCK}.pem")

    def _specification(self, profile: Profile, address: str) -> CertificateSpec:
        addresses = (address,) if self._fleet is None else self._fleet.block(self._fleet.number(address))
        return CertificateSpec(subject=_subject(profile), addresses=addresses, names=("localhost",))

    def _keyring(self, name: str) -> TlsKeyring:
        profile, listener = self._rack.unit(name).profile, self._server.listeners[name]
        certificate = self._certificates.certificate(self._specification(profile, listener.address))
        return TlsKeyring(certificate, profile.http.tls_min, listener)

    # -- ports -----------------------------------------------------------------------------------------------------------

    def _doors(self, name: str) -> list[Listener]:
        return [server.listeners[name] for server in (self._server, self._plain) if name in server.listeners]

    def _open(self, view: BmcView, place: Place, context: ssl.SSLContext | None) -> None:
        view.network.found_at(_reachable(place.listen))
        listener = self._server.listen(view.name, place.listen, place.redfish_port, tls=context)
        if self._tls and place.http_port is not None and view.profile.http.redirect_http:
            self._plain.listen(view.name, place.listen, place.http_port, app=redirect_to(listener.port))
        if self._fleet_port is None:
            self._open_ipmi(view, place)

    def _refuse(self, name: str, listen: str) -> None:
        # Bound and never listening: connects are refused, and nobody else can be given the port meanwhile.
        tcp, udp = bind(socket.SOCK_STREAM, listen, 0), bind(socket.SOCK_DGRAM, listen, 0)
        self._held += [tcp, udp]
        ports = tcp.getsockname()[1], udp.getsockname()[1]
        self._refused[name] = BmcAddress(_reachable(listen), *ports, self._ca_file(name, listen))

    def _open_ipmi(self, view: BmcView, place: Place) -> None:
        def on_datagram(data: bytes, peer: SocketAddress, local: SocketAddress) -> None:
            for answer, to in responder.receive(data, peer):
                endpoint.send(answer, to, local)

        def emit(data: bytes, peer: Peer, here: Here) -> None:
            endpoint.send(data, (peer[0], peer[1]), (here.address, here.port))

        endpoint = UdpEndpoint(self._reactor, place.listen, place.ipmi_port, on_datagram)
        here = Here(_reachable(place.listen), endpoint.port)
        responder = IpmiResponder(view, entropy=secrets.token_bytes, here=here, emit=emit)
        self._responders.append(responder)
        self._endpoints[view.name] = endpoint

    def _tick(self) -> None:
        for responder in self._responders:
            responder.tick(self._reactor.now())
        if self._fleet_port is not None:
            self._fleet_port.tick(self._reactor.now())
        self._reactor.call_later(TICK_EVERY, self._tick)


def _subject(profile: Profile) -> str:
    vendor = profile.identity.vendor if profile.identity.vendor != ABSENT else "BMC"
    return f"CN={profile.ids.manager},O={vendor.replace(',', ' ')}"


def _reachable(listen: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen, listen)
