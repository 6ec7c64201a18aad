"""What a BMC's TCP ports need besides the Redfish service: the TLS certificate, the closing of ports, and HTTP to HTTPS
redirects.

`frontends` makes these objects when it opens the ports. All of it runs in the emulator's thread.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, TypedDict
from wsgiref.types import StartResponse, WSGIApplication

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from emulator.background import Background
from emulator.core.bmc.eventlog import LogEntry, LogKind
from emulator.core.bmc.presence import Being
from emulator.core.bmc.view import BmcView
from emulator.core.faults.fault import Fault, Seam
from emulator.core.faults.trigger import ClientRequest
from emulator.core.rack import Rack
from emulator.faults.seams import PortFault, QueueFault
from emulator.redfish.accounts.auth import AuthMethod
from emulator.redfish.certificates.certificate_service import certificates_in
from emulator.redfish.certificates.signing import CsrContent, SigningKey, new_key, pem_of, signing_request
from emulator.wire.certs import Certificate, CertificateKey, Validity, check_handshake, server_context
from emulator.wire.network import HttpPort, Loop
from emulator.wire.tcp_port import PortState


class CertificateFields(TypedDict, total=False):
    """Those fields of `CertificateSpec` that a flaw sets."""

    validity: Validity
    wrong_name: bool
    key: CertificateKey
    issuer: str
    own_key: bool


FLAWS: Final[Mapping[str, CertificateFields]] = {
    "expired": {"validity": Validity.EXPIRED},
    "not-yet-valid": {"validity": Validity.FUTURE},
    "wrong-name": {"wrong_name": True},
    "weak-key": {"key": CertificateKey.RSA_1024},
    "unknown-ca": {"issuer": "CN=An authority that nobody knows", "own_key": True},
}
"""What a certificate says that the fault `tls.certificate` asks for."""

GRACE_S: Final = 0.2
"""So that the answer to the request that reset the BMC reaches its client before the connection breaks."""

_PRESENCE_CHANGES: Final = frozenset({LogKind.BMC_RESET, LogKind.BMC_READY, LogKind.MAINS_LOST, LogKind.MAINS_BACK})
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END [A-Z ]*PRIVATE KEY-----")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")


class TlsKeyring:
    """The certificate of one BMC's HTTPS port.

    A new certificate is taken if the BMC has its key and new connections can use it. The client sent the key with it, the BMC
    made the key for a signing request, or it is the key in use.
    """

    def __init__(
        self, certificate: Certificate, versions: tuple[str, str | None], listener: HttpPort, background: Background
    ) -> None:
        self._background = background
        self._key = certificate.key
        self._requested_key: bytes | None = None  # the key made for the latest signing request
        self._shown = certificate.pem.decode()
        self._versions = versions  # of TLS: the oldest and the newest; None: the newest that there is
        self._listener = listener

    def current(self) -> str | None:
        return self._shown

    def replace(self, pem: str) -> None:
        shown = certificates_in(pem)
        public = _public(x509.load_pem_x509_certificate(shown.encode()).public_key())
        own = (self._key,) if self._requested_key is None else (self._requested_key, self._key)
        key = next((key for key in (*_KEY.findall(pem.encode()), *own) if _belongs_to(key, public)), None)
        if key is None:
            raise ValueError("the BMC has no key for this certificate")
        key = key if key.endswith(b"\n") else key + b"\n"
        try:
            context = server_context(Certificate(pem=shown.encode(), key=key, ca_pem=b""), *self._versions)
            check_handshake(context)
        except ssl.SSLError as error:  # for example, the key is too short for TLS, or there is no cipher suite for it
            raise ValueError(f"not for a TLS port: {error.reason}") from error
        self._listener.tls = context
        self._key, self._requested_key = key, None if key == self._requested_key else self._requested_key
        self._shown = shown

    def signing_request(self, content: CsrContent, done: Callable[[str], None]) -> bool:
        kind = content.key
        if kind is None:
            in_use = serialization.load_pem_private_key(self._key, None)
            assert isinstance(in_use, SigningKey), "a certificate's key can sign"
            done(signing_request(content, in_use))
            return True

        def made(key: SigningKey) -> None:
            self._requested_key = pem_of(key)
            done(signing_request(content, key))

        return self._background.run(lambda: new_key(kind), made)


def _belongs_to(key: bytes, public: bytes) -> bool:
    try:
        return _public(serialization.load_pem_private_key(key, None).public_key()) == public
    except (TypeError, ValueError, UnsupportedAlgorithm):  # the key is encrypted, or this is not a key
        return False


def _public(key: object) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public_bytes = getattr(key, "public_bytes", None)
    return bytes(public_bytes(serialization.Encoding.DER, form)) if public_bytes is not None else b""


class PortKeeper:
    """Shuts the TCP ports of the BMCs that are away (SYNs are dropped, open connections break) and of those whose armed faults
    say so; lets go what a disarmed fault held back."""

    def __init__(self, loop: Loop, rack: Rack, listeners_of: Callable[[str], Iterable[HttpPort]]) -> None:
        """`listeners_of(name)` gives the TCP ports of a BMC."""
        self._loop = loop
        self._rack = rack
        self._listeners_of = listeners_of
        rack.on_log(self._logged)
        rack.faults.on_change(self._fault_changed)

    def _logged(self, name: str, entry: LogEntry) -> None:
        # The log entry is written just before the BMC goes away, so its state is read in the next turn of the loop.
        if entry.kind in _PRESENCE_CHANGES:
            self._loop.call_later(0, partial(self._set_ports, name))

    def _fault_changed(self, name: str, fault_id: str, disarmed: bool) -> None:
        if disarmed:
            for listener in self._listeners_of(name):
                for connection in tuple(listener.connections):
                    connection.release(fault_id)
        self._set(name)
        if not disarmed and any(fault.breaks for fault in self._port_faults(name)):
            for listener in self._listeners_of(name):
                listener.drop_connections()

    def _set_ports(self, name: str) -> None:
        if self._set(name):
            self._loop.call_later(GRACE_S, partial(self._drop_connections, name))

    def _set(self, name: str) -> bool:
        """Opens or shuts the ports of a BMC; returns whether it is away."""
        away = name in self._rack.units and self._away(name)
        faults = self._port_faults(name)
        queues = [fault.at_once for fault in self._standing(name) if isinstance(fault, QueueFault)]
        shut = PortState.REFUSED if any(fault.refuses for fault in faults) else PortState.SATURATED
        served = name not in self._rack.units or self._rack.unit(name).profile.http.served
        for listener in self._listeners_of(name):
            state = PortState.SATURATED if away else shut if faults else PortState.OPEN
            listener.set_door(state if served else PortState.REFUSED)
            listener.serve_at_once(min(queues, default=None))
        return away

    def _port_faults(self, name: str) -> tuple[PortFault, ...]:
        return tuple(fault for fault in self._standing(name) if isinstance(fault, PortFault))

    def _standing(self, name: str) -> tuple[Fault, ...]:
        unit = self._rack.units.get(name)
        return self._rack.faults.standing(unit, Seam.PORT) if unit is not None else ()

    def _drop_connections(self, name: str) -> None:
        if name in self._rack.units and self._away(name):
            for listener in self._listeners_of(name):
                listener.drop_connections()

    def _away(self, name: str) -> bool:
        return BmcView(self._rack, name).presence().being is Being.DEAF


def redirect_to(port: int, view: BmcView) -> WSGIApplication:
    """A WSGI application that redirects every request to the same path on the HTTPS port: 301 for GET and HEAD, else 308.

    The journal gets each request: what a client has sent in clear text, it has shown.
    """

    def app(environ: dict[str, object], start_response: StartResponse) -> Iterable[bytes]:
        request = ClientRequest("redfish", str(environ["REQUEST_METHOD"]), str(environ.get("PATH_INFO", "/")))
        view.record_request(request, request.path, auth=_means(environ), user=None, tls=False)
        named = str(environ.get("HTTP_HOST", ""))
        match = _HOST.match(named)
        host = match[0] if match is not None else str(environ["SERVER_NAME"])
        path = str(environ.get("PATH_INFO", "/")).encode("latin-1")
        where = f"https://{host}:{port}{_quoted(path)}"
        query = str(environ.get("QUERY_STRING", ""))
        status = "301 Moved Permanently" if environ["REQUEST_METHOD"] in ("GET", "HEAD") else "308 Permanent Redirect"
        start_response(status, [("Location", where + (f"?{query}" if query else "")), ("Content-Length", "0")])
        return []

    return app


def _means(environ: Mapping[str, object]) -> AuthMethod:
    if "HTTP_X_AUTH_TOKEN" in environ:
        return AuthMethod.SESSION
    return AuthMethod.BASIC if str(environ.get("HTTP_AUTHORIZATION", "")).lower().startswith("basic ") else AuthMethod.NONE


def _quoted(path: bytes) -> str:
    return "".join(chr(c) if chr(c) in _PLAIN else f"%{c:02X}" for c in path)


_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/")
