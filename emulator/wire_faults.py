"""Lets the armed wire faults of a BMC act on its HTTP exchanges.

The HTTP server calls it for each request, in the emulator's thread, before and after the Redfish service.

Rules
  1. Where no fault is armed it does nothing, and the service classifies the request. Else it classifies the request itself, with
     the service's code, and hands the result on: once per request.
  2. A request that a fault swallows stands in the journal with the same keys as one that was served, and `executed` false.
  3. The `wire` event says what became of the answer (`answer`): `whole`, `cut` after `sent` of `size` bytes, `altered`, `none`.
  4. A client is told a power word only by a whole answer: else there is no look.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Final

from emulator.core.bmc.presence import Being
from emulator.core.bmc.view import BmcView
from emulator.core.faults.fault import Fault, Seam
from emulator.core.journal import EventKind
from emulator.core.rack import Rack
from emulator.faults.wire import WireFault
from emulator.redfish.service.app import EXCHANGE, Services, incoming_of
from emulator.redfish.service.intents import Exchange
from emulator.wire.http import NoHooks
from emulator.wire.ops import Hang, Plan, text_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LATE: Final = "emulator.wire_faults"
"""Key of the environment: the faults that act on the answer."""


class WireFaults(NoHooks):
    """The hooks of the HTTP server; a BMC that is away says nothing."""

    def __init__(self, rack: Rack, services: Services) -> None:
        self._rack = rack
        self._services = services

    def connected(self, listener_name: str, peer: tuple[str, int]) -> Plan | None:
        return (Hang(),) if BmcView(self._rack, listener_name).presence().being is Being.DEAF else None

    def before(self, listener_name: str, environ: WSGIEnvironment) -> Plan | None:
        view = BmcView(self._rack, listener_name)
        if view.presence().being is Being.DEAF:
            return (Hang(),)
        service = self._services.of(listener_name) if view.has_faults else None
        if service is None:
            return None
        body = environ["wsgi.input"]
        assert isinstance(body, BytesIO)
        exchange = environ[EXCHANGE] = service.classify(incoming_of(environ, body.getvalue))
        fired = _wire(view.faults(Seam.WIRE, exchange.request))
        early = [fault for fault in fired if not fault.executed]
        environ[LATE] = [fault for fault in fired if fault.executed]
        if not early:
            return None
        path = environ["PATH_INFO"].encode("latin-1", "replace").decode("utf-8", "replace")
        seq = view.record_request(exchange.request.facts(path, executed=False))
        plan: Plan = ()
        for fault in early:
            plan = fault.rewrite(plan)
            view.record(EventKind.WIRE, seq, fault=fault.name, executed=False, answer="none")
        return plan

    def after(self, listener_name: str, environ: WSGIEnvironment, plan: Plan) -> Plan:
        exchange = environ.get(EXCHANGE)
        if not isinstance(exchange, Exchange):
            return plan
        view = BmcView(self._rack, listener_name)
        whole = text_of(plan)
        for fault in environ[LATE]:
            plan = fault.rewrite(plan)
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


def _wire(faults: Iterable[Fault]) -> list[WireFault]:
    return [fault for fault in faults if isinstance(fault, WireFault)]
