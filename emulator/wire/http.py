"""The HTTP server: one WSGI application on any number of ports.

The emulator's composition root opens ports from any thread; connections are served in the loop's thread.
"""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass, replace
from wsgiref.types import WSGIApplication

from emulator.wire.connection import Connection
from emulator.wire.limits import ClientLimits, RequestMemory
from emulator.wire.ops import Plan
from emulator.wire.reactor import Reactor, ReactorStopped
from emulator.wire.session import HttpSession
from emulator.wire.shared_tcp import SharedListener, SharedPort
from emulator.wire.site import HttpHooks, NoHooks, ProtocolError, Site, redfish_error
from emulator.wire.tcp import Listener
from emulator.wire.tcp_port import TcpPort

__all__ = ["HttpHooks", "HttpServer", "NoHooks", "ProtocolError", "redfish_error"]


@dataclass(frozen=True, slots=True)
class _Reception:
    """Makes the HTTP session of each new connection. Ports with the same application and limits share it."""

    reactor: Reactor
    app: WSGIApplication
    hooks: HttpHooks
    limits: ClientLimits
    protocol_error: ProtocolError
    memory: RequestMemory

    def greet(self, port: TcpPort, connection: Connection) -> HttpSession:
        environ = {"emulator.bmc": port.name}
        on_error = self.reactor.complain
        site = Site(port.name, self.app, environ, self.hooks, self.limits, self.protocol_error, on_error, self.memory)
        return HttpSession(connection, site)

    def intercept(self, port: TcpPort, peer: tuple[str, int]) -> Plan | None:
        return self.hooks.connected(port.name, peer)

    def context(self, port: TcpPort) -> ssl.SSLContext | None:
        return self.hooks.handshake(port.name, port.tls)


class HttpServer:
    """Serves one WSGI application on any number of listeners. Methods may be called from any thread."""

    def __init__(
        self,
        reactor: Reactor,
        app: WSGIApplication,
        *,
        hooks: HttpHooks | None = None,
        limits: ClientLimits | None = None,
        protocol_error: ProtocolError = redfish_error,
    ) -> None:
        self._reactor = reactor
        memory = RequestMemory()
        self._reception = _Reception(reactor, app, hooks or NoHooks(), limits or ClientLimits(), protocol_error, memory)
        self.listeners: dict[str, Listener | SharedPort] = {}

    def listen(
        self,
        name: str,
        address: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        app: WSGIApplication | None = None,
        limits: ClientLimits | None = None,
        shares: bool = False,
    ) -> Listener:
        """Opens a port. The application finds `name` as `emulator.bmc` in the environment of each request.

        `app` and `limits` replace the server's for this listener; with `shares` see `tcp.bind`. Raises CannotBind; ValueError for
        a name in use.
        """
        reception = self._reception_of(name, app, limits)
        listener = self._reactor.call(lambda: Listener(reception, name, address, port, tls=tls, shares=shares))
        self.listeners[name] = listener
        return listener

    def join(
        self,
        name: str,
        address: str,
        listener: SharedListener,
        *,
        tls: ssl.SSLContext | None = None,
        app: WSGIApplication | None = None,
        limits: ClientLimits | None = None,
    ) -> SharedPort:
        """As `listen`, at an address that a shared listener serves. The caller closes that listener."""
        reception = self._reception_of(name, app, limits)
        port = self._reactor.call(lambda: listener.open(reception, name, address, tls))
        self.listeners[name] = port
        return port

    def _reception_of(self, name: str, app: WSGIApplication | None, limits: ClientLimits | None) -> _Reception:
        if name in self.listeners:
            raise ValueError(f"there is a listener {name!r} already")
        reception = self._reception
        if app is not None or limits is not None:
            reception = replace(reception, app=app or reception.app, limits=limits or reception.limits)
        return reception

    def shut(self, name: str) -> None:
        """Closes one port and resets its connections; the name is free again. Does nothing where there is none."""
        listener = self.listeners.pop(name, None)
        if listener is not None:
            self._reactor.call(listener.close)

    def close(self) -> None:
        """Closes all ports and resets all connections. A reactor that has stopped has done this already."""

        def close_all() -> None:
            for listener in self.listeners.values():
                listener.close()

        with contextlib.suppress(ReactorStopped):
            self._reactor.call(close_all)
