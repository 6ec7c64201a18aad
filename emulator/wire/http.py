"""The HTTP server: one WSGI application behind any number of ports."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Mapping
from wsgiref.types import WSGIApplication

from emulator.wire.connection import Connection
from emulator.wire.limits import Limits
from emulator.wire.ops import Plan
from emulator.wire.reactor import Reactor, ReactorStopped
from emulator.wire.session import HttpSession
from emulator.wire.site import HttpHooks, NoHooks, ProtocolError, Site, redfish_error
from emulator.wire.tcp import Listener

__all__ = ["HttpHooks", "HttpServer", "NoHooks", "ProtocolError", "redfish_error"]


class HttpServer:
    """Serves one WSGI application on any number of listeners. Methods may be called from any thread."""

    def __init__(
        self,
        reactor: Reactor,
        app: WSGIApplication,
        *,
        hooks: HttpHooks | None = None,
        limits: Limits | None = None,
        protocol_error: ProtocolError = redfish_error,
    ) -> None:
        self._reactor = reactor
        self._app = app
        self._hooks = hooks or NoHooks()
        self._limits = limits or Limits()
        self._protocol_error = protocol_error
        self.listeners: dict[str, Listener] = {}

    def listen(
        self,
        name: str,
        address: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        environ: Mapping[str, object] | None = None,
        app: WSGIApplication | None = None,
        limits: Limits | None = None,
        protocol_error: ProtocolError | None = None,
    ) -> Listener:
        """Opens a port; `environ` is added to that of each request. Raises CannotBind, ValueError for a name in use."""
        if name in self.listeners:
            raise ValueError(f"there is a listener {name!r} already")
        site = Site(
            name,
            app or self._app,
            dict(environ or {}),
            self._hooks,
            limits or self._limits,
            protocol_error or self._protocol_error,
            self._reactor.complain,
        )

        def greet(connection: Connection) -> HttpSession:
            return HttpSession(connection, site)

        def intercept(peer: tuple[str, int]) -> Plan | None:
            return site.hooks.connected(name, peer)

        def open_port() -> Listener:
            return Listener(self._reactor, address, port, greet, tls=tls, limits=site.limits, intercept=intercept)

        listener = self._reactor.call(open_port)
        self.listeners[name] = listener
        return listener

    def close(self) -> None:
        """Closes all ports and resets all connections; a reactor that has stopped has done so already."""

        def close_all() -> None:
            for listener in self.listeners.values():
                listener.close()

        with contextlib.suppress(ReactorStopped):
            self._reactor.call(close_all)
        self.listeners.clear()
