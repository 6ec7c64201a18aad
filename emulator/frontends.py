"""Redfish and IPMI of a rack's BMCs on a network, of sockets or without any: who listens where."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from wsgiref.types import WSGIApplication

from emulator.core.bmc.view import BmcView
from emulator.core.errors import RackMisconfigured
from emulator.core.rack import Rack
from emulator.datagrams import DatagramPath
from emulator.faults.seams import TlsSettings
from emulator.fleet import BLOCK, PORTS_PER_BMC, Fleet, FleetPort, raise_open_file_limit
from emulator.fleet_sockets import FleetSockets
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.session.sessions import Peer
from emulator.ipmi.state import Here
from emulator.latency import Latency
from emulator.redfish.certificates.keyring import StaticKeyring
from emulator.redfish.service.app import Services, app_of
from emulator.surroundings import Surroundings
from emulator.tls_ports import FLAWS, PortKeeper, TlsKeyring, redirect_to
from emulator.wire.certs import CertificateSpec
from emulator.wire.network import DatagramPort, HttpPort, HttpPorts
from emulator.wire.reactor import Reactor
from emulator.wire.tcp import CannotBind
from emulator.wire.tcp_port import PortState
from emulator.wire.udp import SocketAddress
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
        surroundings: Surroundings,
        *,
        places: Iterable[Place],
        tls: bool,
        refuse: frozenset[str],
        directory: Path,
        event_hosts: frozenset[str] = frozenset(),
        fleet: Fleet | None = None,
        latency: bool = True,
    ) -> None:
        """`places` are those of the rack's BMCs, in their order. Redfish events go to loopback addresses and to `event_hosts`,
        nowhere else."""
        self._rack = rack
        self._loop = reactor = surroundings.loop
        self._network = network = surroundings.network
        self._entropy = surroundings.entropy
        self._tls = tls
        self._directory = directory
        self._fleet = fleet
        self._refused: dict[str, BmcAddress] = {}
        self._endpoints: dict[str, DatagramPort] = {}
        self._responders: dict[str, IpmiResponder] = {}
        self._fleet_port: FleetPort | None = None
        self._fleet_sockets: FleetSockets | None = None
        self._certificates = surroundings.certificates
        self._event_delivery = surroundings.event_delivery(reactor.post, event_hosts)
        self._background = surroundings.background(reactor.post)
        pace = Latency(rack.seed, on=latency)
        self._datagrams = DatagramPath(rack, pace)
        services = Services(
            rack, self._event_delivery, self._keyring if tls else lambda name: StaticKeyring(), surroundings.trees
        )
        app = app_of(services, next(iter(rack.units)) if len(rack.units) == 1 else None)
        self._server = network.http(app, WireFaults(rack, services, pace, self._context))
        self._plain = network.http(app)
        PortKeeper(reactor, rack, self._doors)
        try:
            if fleet is not None:
                assert isinstance(reactor, Reactor), "a fleet is on sockets"
                self._fleet_sockets = FleetSockets(reactor, fleet, len(rack.units))
            elif isinstance(reactor, Reactor):
                raise_open_file_limit(len(rack.units) * PORTS_PER_BMC)
            for n, (name, place) in enumerate(zip(rack.units, places, strict=True)):
                if fleet is not None and self._fleet_sockets is not None and self._fleet_port is None:
                    open_port = partial(self._fleet_sockets.udp, place.ipmi_port)
                    self._fleet_port = FleetPort(rack, fleet, self._datagrams, open_port)
                if fleet is None or n % BLOCK == 0:
                    context = self._certified(name, place.listen)
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
        self._background.close()
        self._network.close()
        self._server.close()
        self._plain.close()
        self._loop.call(self._close_endpoints)

    def _close_endpoints(self) -> None:
        for endpoint in self._endpoints.values():
            endpoint.close()
        if self._fleet_port is not None:
            self._fleet_port.close()
        if self._fleet_sockets is not None:
            self._fleet_sockets.close()

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

    def open(self, name: str, place: Place) -> None:
        """Opens the ports of a BMC that has just been added to the rack; from any thread. Raises CannotBind, and then nothing of
        it is open; RackMisconfigured in a fleet, whose addresses are all given."""
        if self._fleet is not None:
            raise RackMisconfigured("a fleet's BMCs have their addresses from the start: none can be added")

        def open_ports() -> None:
            try:
                self._open(BmcView(self._rack, name), place, self._certified(name, place.listen))
            except CannotBind:
                self.shut(name)
                raise

        self._loop.call(open_ports)

    def shut(self, name: str) -> None:
        """Closes the ports of a BMC and forgets what belongs to it; from any thread."""
        if self._fleet is not None:
            raise RackMisconfigured("a fleet's BMCs have their addresses from the start: none can be removed")

        def close_ports() -> None:
            self._server.shut(name)
            self._plain.shut(name)
            self._refused.pop(name, None)
            self._responders.pop(name, None)
            self._datagrams.forget(name)
            endpoint = self._endpoints.pop(name, None)
            if endpoint is not None:
                endpoint.close()

        self._loop.call(close_ports)

    # -- certificates ----------------------------------------------------------------------------------------------------

    def _ca_file(self, name: str, address: str) -> Path:
        return self._directory / (f"{name}.pem" if self._fleet is None else f"{self._fleet.number(address) // BLOCK}.pem")

    def _certified(self, name: str, listen: str) -> ssl.SSLContext | None:
        """Makes the certificate of a BMC, and its file: of a refused one too, because clients open it first."""
        profile = self._rack.unit(name).profile
        specification = self._specification(profile, listen)
        self._ca_file(name, listen).write_bytes(self._certificates.certificate(specification).ca_pem)
        http = profile.http
        return self._certificates.context(specification, http.tls_min, http.tls_max) if self._tls else None

    def _context(self, name: str, wanted: TlsSettings) -> ssl.SSLContext | None:
        """The TLS context that a fault asks for."""
        if wanted.plain:
            return None
        profile, listener = self._rack.unit(name).profile, self._server.listeners[name]
        specification = self._specification(profile, listener.address)
        if wanted.certificate is not None:
            # Issued by the BMC's own certificate, which its clients trust: the flaw is all that is wrong with it.
            own = specification.subject
            specification = replace(specification, issuer=own, subject=f"OU={wanted.certificate},{own}")
            specification = replace(specification, **FLAWS[wanted.certificate])
        oldest = profile.http.tls_min if wanted.newest is None else "1.0"
        return self._certificates.context(specification, oldest, wanted.newest or profile.http.tls_max)

    def _specification(self, profile: Profile, address: str) -> CertificateSpec:
        addresses = (address,) if self._fleet is None else self._fleet.block(self._fleet.number(address))
        return CertificateSpec(subject=_subject(profile), addresses=addresses, names=("localhost",))

    def _keyring(self, name: str) -> TlsKeyring:
        profile, listener = self._rack.unit(name).profile, self._server.listeners[name]
        certificate = self._certificates.certificate(self._specification(profile, listener.address))
        return TlsKeyring(certificate, (profile.http.tls_min, profile.http.tls_max), listener, self._background)

    # -- ports -----------------------------------------------------------------------------------------------------------

    def _doors(self, name: str) -> list[HttpPort]:
        return [server.listeners[name] for server in (self._server, self._plain) if name in server.listeners]

    def _open(self, view: BmcView, place: Place, context: ssl.SSLContext | None) -> None:
        view.network.found_at(_reachable(place.listen))
        listener = self._listen(self._server, view.name, place.listen, place.redfish_port, tls=context)
        if self._tls and place.http_port is not None and view.profile.http.redirect_http:
            self._listen(self._plain, view.name, place.listen, place.http_port, app=redirect_to(listener.port, view))
        if not view.profile.http.served:
            for door in self._doors(view.name):
                door.set_door(PortState.REFUSED)
        if self._fleet_port is None:
            self._open_ipmi(view, place)

    def _listen(
        self,
        server: HttpPorts,
        name: str,
        address: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        app: WSGIApplication | None = None,
    ) -> HttpPort:
        if self._fleet_sockets is not None:
            return self._fleet_sockets.listen(server, name, address, port, tls=tls, app=app)
        return server.listen(name, address, port, tls=tls, app=app)

    def _refuse(self, name: str, listen: str) -> None:
        self._refused[name] = BmcAddress(_reachable(listen), *self._network.hold(listen), self._ca_file(name, listen))

    def _open_ipmi(self, view: BmcView, place: Place) -> None:
        path, name = self._datagrams, view.name

        def on_datagram(data: bytes, peer: SocketAddress, local: SocketAddress) -> None:
            path.arrives(name, data, lambda data: answer(data, peer, local))

        def answer(data: bytes, peer: SocketAddress, local: SocketAddress) -> None:
            for reply, to in responder.receive(data, peer):
                path.leaves(name, reply, partial(endpoint.send, peer=to, local=local))

        def emit(data: bytes, peer: Peer, here: Here) -> None:
            path.leaves(name, data, partial(endpoint.send, peer=(peer[0], peer[1]), local=(here.address, here.port)))

        endpoint = self._network.udp(place.listen, place.ipmi_port, on_datagram)
        here = Here(_reachable(place.listen), endpoint.port)
        responder = IpmiResponder(view, entropy=self._entropy, here=here, emit=emit)
        self._responders[view.name] = responder
        self._endpoints[view.name] = endpoint

    def _tick(self) -> None:
        for responder in self._responders.values():
            responder.tick(self._loop.now())
        if self._fleet_port is not None:
            self._fleet_port.tick(self._loop.now())
        self._loop.call_later(TICK_EVERY, self._tick)


def _subject(profile: Profile) -> str:
    vendor = profile.identity.vendor if profile.identity.vendor != ABSENT else "BMC"
    return f"CN={profile.ids.manager},O={vendor.replace(',', ' ')}"


def _reachable(listen: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen, listen)
