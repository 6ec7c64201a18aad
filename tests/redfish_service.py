"""A Redfish service of a few lines that answers whatever a test tells it to."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fencer import (
    Cause,
    Limits,
    Outcome,
    Target,
)

PASSWORD = 'pä "s$%#:=&\\ '
LIMITS = Limits(deadline=4, stable_for=0.04, poll=0.02, poll_max=0.04)
QUICK = replace(LIMITS, deadline=1.2)
SYSTEM, CHASSIS = "/redfish/v1/Systems/1", "/redfish/v1/Chassis/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


@dataclass
class Service:
    """Two tables and a log. `special` is asked first and may answer in the handler's place."""

    up: bool = True
    documents: dict[str, object] = field(default_factory=dict)
    log: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    special: Callable[[Handler, bytes], bool] = lambda handler, body: False
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def seen(self, method: str, path: str | None = None) -> list[dict[str, str]]:
        return [headers for verb, at, headers, _ in self.log if verb == method and path in (None, at)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each body follows its header 40 ms later
    server: Server

    def log_message(self, format: str, *args: object) -> None: ...

    def reply(self, status: int, body: object = None, **headers: str) -> None:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        service = self.server.service
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service.log.append((self.command, self.path, dict(self.headers.items()), body))
        if service.special(self, body):
            return
        if self.command == "POST" and self.path == RESET:
            service.up = json.loads(body)["ResetType"] == "On"
            self.reply(204)
        elif self.path == SYSTEM:
            self.reply(200, system(service), ETag='"7"')
        elif self.path in service.documents:
            self.reply(200, service.documents[self.path])
        else:
            self.reply(404, error("Base.1.0.ResourceMissingAtURI", "no such thing"))

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 (http.server's names)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    service: Service

    def handle_error(self, request: object, client_address: object) -> None: ...


def error(message_id: str, text: str) -> dict[str, object]:
    info = {"MessageId": message_id, "Message": text}
    return {"error": {"code": message_id, "message": text, "@Message.ExtendedInfo": [info]}}


def system(service: Service) -> dict[str, object]:
    return {
        "@odata.id": SYSTEM,
        "@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem",
        "Id": "1",
        "UUID": "11111111-2222-3333-4444-555555555555",
        "PowerState": "On" if service.up else "Off",
        "Links": {"Chassis": [{"@odata.id": CHASSIS}]},
        "Actions": {"#ComputerSystem.Reset": {"target": RESET}},
        **service.documents.get("system", {}),  # type: ignore[dict-item]
    }


def serve() -> Iterator[Service]:
    found = Service()
    found.documents = {
        "/redfish/v1": {"Systems": {"@odata.id": "/redfish/v1/Systems"}},
        "/redfish/v1/Systems": {"Members": [{"@odata.id": SYSTEM}]},
        CHASSIS: {},
    }
    server = Server(("127.0.0.1", 0), Handler)
    server.service = found
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def target(service: Service, **given: object) -> Target:
    return replace(Target(host="", url=service.url, user="admin", password=PASSWORD), **given)  # type: ignore[arg-type]


def cause(outcome: Outcome) -> Cause:
    assert outcome.failure is not None
    assert PASSWORD not in repr(outcome)
    return outcome.failure.cause


def on(method: str, path: str | None, reply: Callable[[Handler], None]) -> Callable[[Handler, bytes], bool]:
    def special(handler: Handler, body: bytes) -> bool:
        fits = handler.command == method and path in (None, handler.path)
        if fits:
            reply(handler)
        return fits

    return special
