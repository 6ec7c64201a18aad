"""Redfish and IPMI of a rack's BMCs on sockets: who listens where, and where wire faults take hold."""

from __future__ import annotations

import secrets
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from emulator.core.fault import Fault, Request, Seam
from emulator.core.journal import Kind
from emulator.core.presence import Being
from emulator.core.rack import Rack
from emulator.core.view import BmcView
from emulator.doors import Doorkeeper, TlsKeyring, redirect_to
from emulator.faults.wire import WireFault
from emulator.fleet import BLOCK, Fleet, FleetPort, room_for
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.sessions import Peer
from emulator.ipmi.state import Here
from emulator.redfish.app import create_app
from emulator.redfish.courier import ThreadedCourier
from emulator.wire.certs import CertificateSpec, CertificateStore
from emulator.wire.http import HttpServer, NoHooks
from emulator.wire.ops import Hang, Plan
from emulator.wire.reactor import Reactor
from emulator.wire.tcp import bind
from emulator.wire.udp import Address, UdpEndpoint
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


class WireFaults(NoHooks):
    """Lets the armed wire faults of a BMC act on its HTTP exchanges; a BMC that is away says nothing."""

    def __init__(self, views: dict[str, BmcView]) -> None:
        self._views = views
        self._late: dict[str, tuple[WireFault, ...]] = {}

    def connected(self, listener_name: str, peer: tuple[str, int]) -> Plan | None:
        return (Hang(),) if self._views[listener_name].presence().being is Being.DEAF else None

    def before(self, listener_name: str, method: str, path: str) -> Plan | None:
        view = self._views[listener_name]
        if view.presence().being is Being.DEAF:
            return (Hang(),)
        fired = _wire(
            view.faults(Seam.WIRE, Request(protocol="redfish", method=method, path=path, system=_system_in(view, path)))
        )
        early = [fault for fault in fired if not fault.executed]
        self._late[listener_name] = tuple(fault for fault in fired if fault.executed)
        if not early:
            return None
        seq = view.record(Kind.REQUEST, protocol="redfish", method=method, path=path, executed=False)
        plan: Plan = ()
        for fault in early:
            plan = fault.rewrite(plan)
            view.record(Kind.WIRE, seq, fault=fault.name, answer="none")
        return plan

    def after(self, listener_name: str, method: str, path: str, plan: Plan) -> Plan:
        for fault in self._late.pop(listener_name, ()):
            plan = fault.rewrite(plan)
            view = self._views[listener_name]
            view.record(Kind.WIRE, view.last_request(), fault=fault.name, method=method, path=path, executed=True)
        return plan


def _wire(faults: Iterable[Fault]) -> list[WireFault]:
    return [fault for fault in faults if isinstance(fault, WireFault)]


def _system_in(view: BmcView, path: str) -> str | None:
    return next((s.id for s in view.systems() if f"/Systems/{s.id}/" in f"{path}/"), None)


class FrontEnds:
    """Opens the ports of every BMC of a rack. Raises CannotBind."""

    def __init__(
        self,
        rack: Rack,
        reactor: Reactor,
        *,
        places: Mapping[str, Place],
        tls: bool,
        refuse: frozenset[str],
        directory: Path,
        event_hosts: frozenset[str] = frozenset(),
        fleet: Fleet | None = None,
    ) -> None:
        """Redfish events go to loopback addresses and to `event_hosts`, nowhere else."""
        self.addresses: dict[str, BmcAddress] = {}
        self._reactor = reactor
        self._held: list[socket.socket] = []
        self._endpoints: list[UdpEndpoint] = []
        self._responders: list[IpmiResponder] = []
        self._fleet_port: FleetPort | None = None
        self._certificates = CertificateStore()
        self._courier = ThreadedCourier(reactor.post, event_hosts)
        views = {name: BmcView(rack, name) for name in rack.units}
        specs = {
            name: _specification(view.profile, fleet.block(n) if fleet is not None else (places[name].listen,))
            for n, (name, view) in enumerate(views.items())
        }
        self._keyrings = {name: self._keyring(view.profile, specs[name]) for name, view in views.items()} if tls else {}
        app = create_app(rack, courier=self._courier, keyrings=self._keyrings)
        self._server = HttpServer(reactor, app, hooks=WireFaults(views))
        self._plain = HttpServer(reactor, app)
        try:
            if fleet is not None and views:
                room_for(len(views))
                self._fleet_port = FleetPort(rack, reactor, fleet, places[next(iter(views))].ipmi_port, views)
            for n, (name, view) in enumerate(views.items()):
                place, spec = places[name], specs[name]
                ca_file = directory / (f"{name}.pem" if fleet is None else f"{n // BLOCK}.pem")
                if fleet is None or n % BLOCK == 0:
                    # Of a refused one too: clients open it first.
                    ca_file.write_bytes(self._certificates.certificate(spec).ca_pem)
                if name in refuse:
                    self.addresses[name] = self._refuse(place.listen, ca_file)
                else:
                    context = self._certificates.context(spec, view.profile.http.tls_min) if tls else None
                    self.addresses[name] = self._open(view, place, context, ca_file)
        except BaseException:
            self.close()
            raise
        self._tick()

    def close(self) -> None:
        self._courier.close()
        for held in self._held:
            held.close()
        self._server.close()
        self._plain.close()
        self._reactor.call(self._close_endpoints)

    def _close_endpoints(self) -> None:
        for endpoint in self._endpoints:
            endpoint.close()
        if self._fleet_port is not None:
            self._fleet_port.close()

    def _keyring(self, profile: Profile, spec: CertificateSpec) -> TlsKeyring:
        return TlsKeyring(self._certificates.certificate(spec), profile.http.tls_min)

    def _open(self, view: BmcView, place: Place, context: ssl.SSLContext | None, ca_file: Path) -> BmcAddress:
        listen = place.listen
        view.network.found_at(_reachable(listen))
        listener = self._server.listen(view.name, listen, place.redfish_port, tls=context, environ={"emulator.bmc": view.name})
        doors, http_port = [listener], None
        if (keyring := self._keyrings.get(view.name)) is not None:
            keyring.listener = listener
            if place.http_port is not None and view.profile.http.redirect_http:
                doors.append(self._plain.listen(view.name, listen, place.http_port, app=redirect_to(listener.port)))
                http_port = doors[-1].port
        Doorkeeper(self._reactor, view, doors)
        if self._fleet_port is not None:
            return BmcAddress(listen, listener.port, self._fleet_port.port, ca_file, http_port)

        def on_datagram(data: bytes, peer: Address, local: Address) -> None:
            for answer, to in responder.receive(data, peer):
                endpoint.send(answer, to, local)

        endpoint = UdpEndpoint(self._reactor, listen, place.ipmi_port, on_datagram)
        here = Here(_reachable(listen), endpoint.port)

        def emit(data: bytes, peer: Peer) -> None:
            endpoint.send(data, (peer[0], peer[1]), (here.address, here.port))

        responder = IpmiResponder(view, entropy=secrets.token_bytes, here=here, emit=emit)
        self._responders.append(responder)
        self._endpoints.append(endpoint)
        return BmcAddress(_reachable(listen), listener.port, endpoint.port, ca_file, http_port)

    def _refuse(self, listen: str, ca_file: Path) -> BmcAddress:
        # Bound and never listening: connects are refused, and nobody else can be given the port meanwhile.
        tcp, udp = bind(socket.SOCK_STREAM, listen, 0), bind(socket.SOCK_DGRAM, listen, 0)
        self._held += [tcp, udp]
        return BmcAddress(_reachable(listen), tcp.getsockname()[1], udp.getsockname()[1], ca_file)

    def _tick(self) -> None:
        for responder in self._responders:
            responder.tick(self._reactor.now())
        if self._fleet_port is not None:
            self._fleet_port.tick(self._reactor.now())
        self._reactor.call_later(TICK_EVERY, self._tick)


def _specification(profile: Profile, addresses: tuple[str, ...]) -> CertificateSpec:
    return CertificateSpec(subject=_subject(profile), addresses=addresses, names=("localhost",))


def _subject(profile: Profile) -> str:
    vendor = profile.identity.vendor if profile.identity.vendor != ABSENT else "BMC"
    return f"CN={profile.ids.manager},O={vendor.replace(',', ' ')}"


def _reachable(listen: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen, listen)
