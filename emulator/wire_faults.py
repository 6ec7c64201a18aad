"""Lets the armed faults of a BMC act on its HTTP connections and exchanges.

The HTTP server calls it for each request, in the emulator's thread, before and after the Redfish service.

Rules
  1. Where no fault is armed it does nothing, and the service classifies the request. Else it classifies the request itself, with
     the service's code, and hands the result on: once per request.
  2. A request that a fault swallows stands in the journal with the same keys as one that was served, and `executed` false.
  3. The `wire` event says what became of the answer (`answer`): `whole`, `cut` after `sent` of `size` bytes, `altered`, `none`.
  4. What a fault makes wait or hang is held by its arming, so that disarming lets it go.
  5. A client is told a power word only by a whole answer: else there is no look.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Final

from emulator.core.bmc.presence import Being
from emulator.core.bmc.view import BmcView
from emulator.core.faults.board import Fired
from emulator.core.faults.fault import Fault, Seam
from emulator.core.faults.trigger import ClientRequest
from emulator.core.journal import EventKind
from emulator.core.rack import Rack
from emulator.faults.plans import ConnectFault, WireFault
from emulator.faults.seams import HandshakeFault, TlsSettings
from emulator.latency import Latency
from emulator.redfish.service.app import EXCHANGE, LATE_S, PRESENCE, Services, incoming_of
from emulator.redfish.service.intents import Exchange
from emulator.wire.http import NoHooks
from emulator.wire.ops import Hang, Plan, Wait, held_by, text_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LATE: Final = "emulator.wire_faults"
"""Key of the environment: the faults that act on the answer."""


class WireFaults(NoHooks):
    """The hooks of the HTTP server; a BMC that is away says nothing."""

    def __init__(
        self, rack: Rack, services: Services, latency: Latency, context_of: Callable[[str, TlsSettings], ssl.SSLContext | None]
    ) -> None:
        """`context_of(name, handshake)` is the TLS context that a fault wants for a BMC."""
        self._rack = rack
        self._services = services
        self._latency = latency
        self._context_of = context_of

    def connected(self, listener_name: str, peer: tuple[str, int]) -> Plan | None:
        view = BmcView(self._rack, listener_name)
        if view.presence().being is Being.DEAF:
            return (Hang(),)
        plan: Plan = ()
        for fault_id, fault, _ in view.fired(Seam.CONNECT, CONNECT, concerns=lambda fault: isinstance(fault, ConnectFault)):
            assert isinstance(fault, ConnectFault)
            plan = (*plan, *held_by(fault_id, fault.greeting()))
        return plan or None

    def handshake(self, listener_name: str, usual: ssl.SSLContext | None) -> ssl.SSLContext | None:
        view, wanted = BmcView(self._rack, listener_name), TlsSettings()
        if usual is None:
            return None
        for _, fault, _ in view.fired(Seam.CONNECT, CONNECT, concerns=lambda fault: isinstance(fault, HandshakeFault)):
            assert isinstance(fault, HandshakeFault)
            wanted = fault.handshake(wanted)
        return usual if wanted == TlsSettings() else self._context_of(listener_name, wanted)

    def before(self, listener_name: str, environ: WSGIEnvironment) -> Plan | None:
        view = BmcView(self._rack, listener_name)
        presence = environ[PRESENCE] = view.presence()
        if presence.being is Being.DEAF:
            return (Hang(),)
        service = self._services.of(listener_name) if view.has_faults else None
        if service is None:
            return None
        body = environ["wsgi.input"]
        assert isinstance(body, BytesIO)
        exchange = environ[EXCHANGE] = service.classify(incoming_of(environ, body.getvalue))
        fired = view.fired(Seam.WIRE, exchange.request)
        early = [each for each in fired if not _executed(each.fault)]
        environ[LATE] = [each for each in fired if _executed(each.fault)]
        if not early:
            return None
        path = environ["PATH_INFO"].encode("latin-1", "replace").decode("utf-8", "replace")
        seq = view.record_request(exchange.request, path, executed=False)
        plan: Plan = ()
        for fault_id, fault, _ in early:
            plan = _rewritten(fault_id, fault, plan)
            view.record(EventKind.WIRE, seq, fault=fault.name, executed=False, answer="none")
        return plan

    def after(self, listener_name: str, environ: WSGIEnvironment, plan: Plan) -> Plan:
        view = BmcView(self._rack, listener_name)
        exchange = environ.get(EXCHANGE)
        if isinstance(exchange, Exchange):
            plan = self._spoiled(view, exchange, environ[LATE], plan)
        late_s = self._latency.of(view.profile) + environ.get(LATE_S, 0.0)
        return (Wait(late_s), *plan) if late_s else plan

    def _spoiled(self, view: BmcView, exchange: Exchange, late: list[Fired], plan: Plan) -> Plan:
        whole = text_of(plan)
        for fault_id, fault, _ in late:
            plan = _rewritten(fault_id, fault, plan)
            sent = text_of(plan)
            view.record(
                EventKind.WIRE, exchange.seq, fault=fault.name, executed=True, answer=_became(whole, sent), sent=len(sent),
                size=len(whole),
            )  # fmt: skip
        if text_of(plan) == whole:
            view.told(exchange.looks, exchange.seq)
        return plan


def _became(whole: bytes, sent: bytes) -> str:
    if sent == whole:
        return "whole"
    if not sent:
        return "none"
    return "cut" if whole.startswith(sent) else "altered"


CONNECT: Final = ClientRequest(protocol="redfish", method="CONNECT", path="")
"""What triggers see of a new TCP connection."""


def _executed(fault: Fault) -> bool:
    return isinstance(fault, WireFault) and fault.executed


def _rewritten(fault_id: str, fault: Fault, plan: Plan) -> Plan:
    return held_by(fault_id, fault.rewrite(plan)) if isinstance(fault, WireFault) else plan
