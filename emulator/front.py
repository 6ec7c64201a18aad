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
from emulator.core.rack import Rack
from emulator.core.view import BmcView
from emulator.faults.wire import WireFault
from emulator.fleet import BLOCK, Fleet, FleetPort, room_for
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.sessions import Peer
from emulator.ipmi.state import Here
from emulator.redfish.app import create_app
from emulator.wire.certs import CertificateSpec, CertificateStore
from emulator.wire.http import HttpServer, NoHooks
from emulator.wire.ops import Plan
from emulator.wire.reactor import Reactor
from emulator.wire.tcp import bind
from emulator.wire.udp import Address, UdpEndpoint
from profiles.model import ABSENT, Profile

TICK_EVERY = 0.5
"""Seconds between two looks at what time alone does to IPMI: sessions run out, consoles repeat what nobody acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a BMC shall listen. Port 0: a free one."""

    listen: str = "127.0.0.1"
    redfish_port: int = 0
    ipmi_port: int = 0


@dataclass(frozen=True, slots=True)
class BmcAddress:
    host: str
    redfish_port: int
    ipmi_port: int
    ca_file: Path


class WireFaults(NoHooks):
    """Lets the armed wire faults of a BMC act on its HTTP exchanges."""

    def __init__(self, views: dict[str, BmcView]) -> None:
        self._views = views
        self._late: dict[str, tuple[WireFault, ...]] = {}

    def before(self, listener_name: str, method: str, path: str) -> Plan | None:
        view = self._views[listener_name]
        view.advance()
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
        fleet: Fleet | None = None,
    ) -> None:
        self.addresses: dict[str, BmcAddress] = {}
        self._reactor = reactor
        self._held: list[socket.socket] = []
        self._endpoints: list[UdpEndpoint] = []
        self._responders: list[IpmiResponder] = []
        self._fleet_port: FleetPort | None = None
        self._certificates = CertificateStore()
        views = {name: BmcView(rack, name) for name in rack.units}
        self._server = HttpServer(reactor, create_app(rack), hooks=WireFaults(views))
        try:
            if fleet is not None and views:
                room_for(len(views))
                port = places[next(iter(views))].ipmi_port
                self._fleet_port = FleetPort(rack, reactor, fleet, port, views)
            for n, (name, view) in enumerate(views.items()):
                place, ca_file = places[name], directory / (f"{name}.pem" if fleet is None else f"{n // BLOCK}.pem")
                named = (place.listen,) if fleet is None else fleet.block(n)
                spec = CertificateSpec(subject=_subject(view.profile), addresses=named, names=("localhost",))
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
        for held in self._held:
            held.close()
        self._server.close()
        self._reactor.call(self._close_endpoints)

    def _close_endpoints(self) -> None:
        for endpoint in self._endpoints:
            endpoint.close()
        if self._fleet_port is not None:
            self._fleet_port.close()

    def _open(self, view: BmcView, place: Place, context: ssl.SSLContext | None, ca_file: Path) -> BmcAddress:
        listen = place.listen
        listener = self._server.listen(view.name, listen, place.redfish_port, tls=context, environ={"emulator.bmc": view.name})
        if self._fleet_port is not None:
            return BmcAddress(listen, listener.port, self._fleet_port.port, ca_file)

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
        return BmcAddress(_reachable(listen), listener.port, endpoint.port, ca_file)

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


def _subject(profile: Profile) -> str:
    vendor = profile.identity.vendor if profile.identity.vendor != ABSENT else "BMC"
    return f"CN={profile.ids.manager},O={vendor.replace(',', ' ')}"


def _reachable(listen: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen, listen)
