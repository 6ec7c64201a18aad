"""An emulator with one BMC on real sockets, and small clients for it.

Nothing here waits for time to pass: a threading.Event, an entry of a log or the next bytes on a socket say when something has
happened.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
from dataclasses import dataclass, field

from emulator.assembly import Emulator
from emulator.core.bmc.eventlog import LogEntry, LogKind
from emulator.core.bmc.view import BmcView
from emulator.core.journal import EventKind

SERVICE = "/redfish/v1/EventService"
SUBSCRIPTIONS = f"{SERVICE}/Subscriptions"
TEST = f"{SERVICE}/Actions/EventService.SubmitTestEvent"
PATIENCE = 20


class Client:
    """One TLS connection with Basic credentials."""

    def __init__(self, emulator: Emulator, verify: bool = True) -> None:
        self.endpoint = emulator.endpoints["b1"]
        context = ssl.create_default_context(cafile=self.endpoint.ca_file)
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.connection = http.client.HTTPSConnection(
            self.endpoint.host, self.endpoint.redfish_port, timeout=PATIENCE, context=context
        )
        pair = f"{self.endpoint.username}:{self.endpoint.password}".encode()
        self.headers = {"Authorization": "Basic " + base64.b64encode(pair).decode()}

    def send(self, method: str, path: str, body: object = None, **headers: str) -> http.client.HTTPResponse:
        data = None if body is None else json.dumps(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        self.connection.request(method, path, data, {**self.headers, **kind, **headers})
        return self.connection.getresponse()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, object]:
        answer = self.send(method, path, body, **headers)
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def close(self) -> None:
        self.connection.close()


@dataclass
class Lab:
    emulator: Emulator
    clients: list[Client] = field(default_factory=list)

    def client(self, verify: bool = True) -> Client:
        self.clients.append(Client(self.emulator, verify))
        return self.clients[-1]

    def when_logged(self, kind: LogKind) -> threading.Event:
        """Set as soon as the BMC writes such an entry."""
        happened = threading.Event()

        def look(entry: LogEntry) -> None:
            if entry.kind is kind:
                happened.set()

        self.emulator.call(lambda rack: BmcView(rack, "b1").on_log(look))
        return happened

    def notices(self) -> list[str]:
        return [str(event.data["what"]) for event in self.emulator.events() if event.kind is EventKind.NOTICE]

    def until(self, condition: object) -> None:
        """Lets the emulator's loop turn until `condition(rack)` holds."""
        assert callable(condition)
        for _ in range(200_000):
            if self.emulator.call(condition):
                return
        raise AssertionError("it never became true")


def open_stream(client: Client, query: str = "") -> http.client.HTTPResponse:
    answer = client.send("GET", f"{SERVICE}/SSE{query}", Accept="text/event-stream")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
    return answer
