"""Events on their way to a receiver on loopback, and to nowhere else."""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from emulator.redfish.events import event_delivery
from emulator.redfish.events.event_delivery import ThreadedEventDelivery, is_loopback
from emulator.redfish.events.subscriptions import Delivery
from tests.redfish_lab import PATIENCE, SERVICE, SUBSCRIPTIONS, TEST, Client, Lab


@dataclass
class Receiver:
    """An HTTP server that answers as it is told and keeps what it got."""

    statuses: list[int] = field(default_factory=list)
    got: list[dict[str, object]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    held = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            held.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            held.headers.append(dict(self.headers))
            self.send_response(held.statuses.pop(0) if held.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            held.arrived.release()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}/events"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield held
    server.shutdown()
    thread.join()
    server.server_close()


def subscribe(client: Client, url: str, **more: object) -> str:
    body = {"Destination": url, "Protocol": "Redfish", "Context": "mine", "RegistryPrefixes": ["ResourceEvent"], **more}
    status, made = client.ask("POST", SUBSCRIPTIONS, body)
    assert status == 201
    return str(made["@odata.id"])


def test_an_event_is_delivered(lab: Lab, receiver: Receiver) -> None:
    client = lab.client()
    subscribe(client, receiver.url, HttpHeaders=[{"X-Key": "s3cret"}])
    client.ask("POST", TEST, {"MessageId": "ResourceEvent.1.3.TestMessage"})
    assert receiver.arrived.acquire(timeout=PATIENCE)
    assert (receiver.got[0]["Context"], receiver.headers[0]["X-Key"]) == ("mine", "s3cret")
    lab.until(lambda rack: "delivered" in [event.data.get("what") for event in rack.journal])


def test_a_delivery_that_fails_is_repeated(lab: Lab, receiver: Receiver) -> None:
    client = lab.client()
    client.ask("PATCH", SERVICE, {"DeliveryRetryIntervalSeconds": 1})
    receiver.statuses = [500]
    subscribe(client, receiver.url)
    client.ask("POST", TEST, {"MessageId": "ResourceEvent.1.3.TestMessage"})
    for _ in range(2):
        assert receiver.arrived.acquire(timeout=PATIENCE)
    assert receiver.got[0] == receiver.got[1]
    lab.until(lambda rack: "delivered" in [event.data.get("what") for event in rack.journal])
    assert [what for what in lab.notices() if what != "subscribed"] == ["failed: status 500", "delivered"]


def test_nobody_connects_to_a_foreign_host(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control for this is the test above: the same way leads to a loopback address."""
    client = lab.client()
    monkeypatch.setattr("emulator.redfish.events.event_delivery.post_event", lambda delivery: pytest.fail("a delivery was sent"))
    subscribe(client, "http://192.0.2.7/events")
    client.ask("POST", TEST, {"MessageId": "ResourceEvent.1.3.TestMessage"})
    assert lab.notices()[-1] == "not sent: the destination is not an allowed host"


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_only_loopback_is_allowed_by_itself(host: str, inside: bool) -> None:
    assert is_loopback(host) is inside


def test_a_delivery_that_does_not_fit_the_queue_fails_at_once(receiver: Receiver) -> None:
    delivery_service = ThreadedEventDelivery(lambda done: done())
    problems: list[str | None] = []
    enough = threading.Event()

    def done(problem: str | None) -> None:
        problems.append(problem)
        if len(problems) == 400:
            enough.set()

    for _ in range(400):
        delivery_service.deliver(Delivery(url=receiver.url, headers=(), body=b"{}", verify=False), done)
    assert enough.wait(PATIENCE)
    delivery_service.close()
    assert set(problems) == {None, "too many deliveries are waiting"}


def test_a_dead_receiver_is_a_failed_delivery() -> None:
    delivery_service = ThreadedEventDelivery(lambda done: done())
    ended = threading.Event()
    problems: list[str | None] = []

    def done(problem: str | None) -> None:
        problems.append(problem)
        ended.set()

    delivery_service.deliver(Delivery(url="http://127.0.0.1:9/", headers=(), body=b"{}", verify=False), done)
    assert ended.wait(PATIENCE)
    delivery_service.close()
    assert problems == ["no connection"]


# -- servers that do not end --------------------------------------------------------------------------------------------


@contextmanager
def endless(piece: bytes) -> Iterator[str]:
    """A server that answers every connection with `piece` again and again, until the client goes. Its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                client = listener.accept()[0]
            except OSError:
                return
            with client, suppress(OSError):
                client.recv(65536)
                while not stop.wait(0.001):
                    client.sendall(piece)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/events"
    finally:
        stop.set()
        listener.close()


PIECES = {"drip": b"H", "continue": b"HTTP/1.1 100 Continue\r\n\r\n"}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_a_server_that_never_ends_its_answer_loses_its_delivery_and_nobody_else_does(
    piece: bytes, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_delivery, "TOTAL_S", 0.2)
    told: queue.Queue[str | None] = queue.Queue()
    delivery_service = ThreadedEventDelivery(lambda done: done())
    with endless(piece) as url:
        for where in (url, url, receiver.url):  # there are two workers
            delivery_service.deliver(Delivery(url=where, headers=(), body=b"{}", verify=False), told.put)
        assert sorted(str(told.get(timeout=PATIENCE)) for _ in range(3)) in (
            ["None", "no answer in time", "no answer in time"],
            ["None", "the answer is not HTTP", "the answer is not HTTP"],  # a drip that is no status line
        )
    delivery_service.close()


def test_closing_ends_the_deliveries_that_are_under_way() -> None:
    delivery_service = ThreadedEventDelivery(lambda done: done())
    told: list[str | None] = []
    with endless(b"HTTP/1.1 100 Continue\r\n\r\n") as url:
        delivery_service.deliver(Delivery(url=url, headers=(), body=b"{}", verify=False), told.append)
        while not delivery_service._under_way:
            threading.Event().wait(0.001)
        workers = list(delivery_service._threads)
        delivery_service.close()
        for worker in workers:
            worker.join(PATIENCE)
            assert not worker.is_alive()
    assert told == []
