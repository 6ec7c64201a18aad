"""Redfish events and absences on real sockets: streams, deliveries to a receiver on loopback, resets, certificates, redirects.

Nothing here waits for time to pass: a receiver's threading.Event, the journal's end of a session or the next bytes on a socket
say when something has happened.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from emulator.assembly import Emulator
from emulator.core.eventlog import LogEntry, LogKind
from emulator.core.journal import Kind
from emulator.core.rack import UnitSpec
from emulator.core.view import BmcView
from emulator.redfish.courier import ThreadedCourier, is_loopback
from emulator.redfish.desk import Delivery
from emulator.wire.certs import CertificateSpec, CertificateStore
from profiles.loader import load
from profiles.model import Span

SERVICE = "/redfish/v1/EventService"
SUBSCRIPTIONS = f"{SERVICE}/Subscriptions"
TEST = f"{SERVICE}/Actions/EventService.SubmitTestEvent"
RESET = "/redfish/v1/Managers/BMC/Actions/Manager.Reset"
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
        return [str(event.data["what"]) for event in self.emulator.events() if event.kind is Kind.NOTICE]

    def until(self, condition: object) -> None:
        """Lets the emulator's loop turn until `condition(rack)` holds."""
        assert callable(condition)
        for _ in range(200_000):
            if self.emulator.call(condition):
                return
        raise AssertionError("it never became true")


@pytest.fixture
def lab() -> Iterator[Lab]:
    profile = load("dmtf-generic")
    rules = replace(profile.bmc_reset, grace_s=Span(0.1, 0.1), outage_s=Span(0.3, 0.3), after=None)
    units = [UnitSpec(name="b1", profile=replace(profile, bmc_reset=rules))]
    with Emulator(units) as emulator:
        lab = Lab(emulator)
        yield lab
        for client in lab.clients:
            client.close()


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


def event_of(answer: http.client.HTTPResponse) -> tuple[str, dict[str, object]]:
    """The next event of a stream: its id and its JSON. Comments are passed over."""
    number, body = "", None
    while True:
        line = answer.readline().decode()
        assert line, "the stream has ended"
        if line.startswith("id: "):
            number = line[4:].strip()
        elif line.startswith("data: "):
            body = json.loads(line[6:])
        elif line == "\n" and body is not None:
            return number, body


# -- streams ------------------------------------------------------------------------------------------------------------


def open_stream(client: Client) -> http.client.HTTPResponse:
    answer = client.send("GET", f"{SERVICE}/SSE", Accept="text/event-stream")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
    return answer


def test_a_stream_carries_events_as_they_happen(lab: Lab) -> None:
    other = lab.client()
    stream = open_stream(lab.client())
    for _ in range(2):
        other.ask("POST", TEST, {"MessageId": "ResourceEvent.1.3.TestMessage"})
    (first, body), (second, _) = event_of(stream), event_of(stream)
    assert body["Events"][0]["Message"] == "Test message."
    assert first != second


def test_a_power_change_reaches_a_stream(lab: Lab) -> None:
    stream = open_stream(lab.client())
    lab.emulator.cut("b1")
    _, body = event_of(stream)
    assert body["Events"][0]["MessageId"] == "ResourceEvent.1.3.ResourcePoweredOff"
    assert body["Events"][0]["OriginOfCondition"] == {"@odata.id": lab.emulator.endpoints["b1"].systems[0].uri}


def test_closing_a_stream_deletes_its_subscription(lab: Lab) -> None:
    reading, other = lab.client(), lab.client()
    answer = open_stream(reading)
    assert len(other.ask("GET", SUBSCRIPTIONS)[1]["Members"]) == 1
    answer.close()
    reading.close()
    lab.until(lambda rack: "unsubscribed" in [event.data.get("what") for event in rack.journal])
    assert other.ask("GET", SUBSCRIPTIONS)[1]["Members"] == []


def test_deleting_the_subscription_closes_the_stream(lab: Lab) -> None:
    other = lab.client()
    stream = open_stream(lab.client())
    (member,) = other.ask("GET", SUBSCRIPTIONS)[1]["Members"]
    assert other.ask("DELETE", member["@odata.id"])[0] == 204
    assert b"id: " not in stream.read()


def test_a_stream_survives_the_end_of_its_session(lab: Lab) -> None:
    reading, other = lab.client(), lab.client()
    endpoint = reading.endpoint
    login = reading.send(
        "POST", "/redfish/v1/SessionService/Sessions", {"UserName": endpoint.username, "Password": endpoint.password}
    )
    login.read()
    reading.headers = {"X-Auth-Token": login.headers["X-Auth-Token"]}
    stream = open_stream(reading)
    assert other.ask("DELETE", login.headers["Location"])[0] == 204
    other.ask("POST", TEST, {"MessageId": "A.1.0.Still"})
    while (body := event_of(stream)[1])["Events"][0]["MessageId"] != "A.1.0.Still":
        assert body["Events"][0]["MessageId"] == "ResourceEvent.1.3.ResourceRemoved"


@pytest.mark.parametrize(("accept", "status"), [("application/json", 406), ("text/event-stream", 401)])
def test_a_stream_that_cannot_be_is_a_json_error(lab: Lab, accept: str, status: int) -> None:
    client = lab.client()
    if status == 401:
        client.headers = {}
    answer = client.send("GET", f"{SERVICE}/SSE", Accept=accept)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json; charset=utf-8")
    assert json.loads(answer.read())["error"]["@Message.ExtendedInfo"]


# -- deliveries ---------------------------------------------------------------------------------------------------------


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
    monkeypatch.setattr("emulator.redfish.courier.sent", lambda delivery: pytest.fail("a delivery was sent"))
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


def test_a_courier_with_too_much_to_carry_says_so(receiver: Receiver) -> None:
    courier = ThreadedCourier(lambda done: done())
    problems: list[str | None] = []
    enough = threading.Event()

    def done(problem: str | None) -> None:
        problems.append(problem)
        if len(problems) == 400:
            enough.set()

    for _ in range(400):
        courier.carry(Delivery(url=receiver.url, headers=(), body=b"{}", verify=False), done)
    assert enough.wait(PATIENCE)
    courier.close()
    assert set(problems) == {None, "too many deliveries are waiting"}


def test_a_dead_receiver_is_a_failed_delivery() -> None:
    courier = ThreadedCourier(lambda done: done())
    ended = threading.Event()
    problems: list[str | None] = []

    def done(problem: str | None) -> None:
        problems.append(problem)
        ended.set()

    courier.carry(Delivery(url="http://127.0.0.1:9/", headers=(), body=b"{}", verify=False), done)
    assert ended.wait(PATIENCE)
    courier.close()
    assert problems == ["no connection"]


# -- four at once -------------------------------------------------------------------------------------------------------


def test_of_four_patches_at_once_with_one_tag_one_wins(lab: Lab) -> None:
    path = "/redfish/v1/SessionService"
    tag = lab.client().send("GET", path).headers["ETag"]
    clients = [lab.client() for _ in range(4)]
    gate = threading.Barrier(4)

    def write(n: int) -> int:
        gate.wait(PATIENCE)
        return clients[n].ask("PATCH", path, {"SessionTimeout": 100 + n}, **{"If-Match": tag})[0]

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(write, range(4)))
    assert statuses == [200, 412, 412, 412]


# -- the BMC goes away --------------------------------------------------------------------------------------------------


def test_a_bmc_that_resets_is_really_gone_and_comes_back(lab: Lab) -> None:
    client, idle = lab.client(), lab.client()
    stream = open_stream(lab.client())
    idle.ask("GET", "/redfish/v1/")
    back = lab.when_logged(LogKind.BMC_READY)
    assert client.ask("POST", RESET, {"ResetType": "ForceRestart"})[0] == 204
    assert b"data: " in stream.read()  # the last event is that reset; then the stream is over
    with pytest.raises((ConnectionError, http.client.HTTPException, TimeoutError, ssl.SSLError)):
        idle.ask("GET", "/redfish/v1/")
    assert back.wait(PATIENCE)
    assert lab.client().ask("GET", "/redfish/v1/")[0] == 200


def test_a_bmc_without_input_power_accepts_nobody(lab: Lab) -> None:
    client = lab.client()
    client.ask("GET", "/redfish/v1/")
    lab.emulator.call(lambda rack: rack.mains_lost("b1"))
    late = lab.client()
    late.connection.timeout = 0.5
    with pytest.raises((TimeoutError, ConnectionError, ssl.SSLError)):
        late.ask("GET", "/redfish/v1/")
    back = lab.when_logged(LogKind.BMC_READY)
    lab.emulator.call(lambda rack: rack.mains_back("b1"))
    assert back.wait(PATIENCE)
    assert lab.client().ask("GET", "/redfish/v1/")[0] == 200


# -- certificates and plain HTTP ----------------------------------------------------------------------------------------


def test_a_certificate_with_its_key_is_used_from_then_on(lab: Lab) -> None:
    client = lab.client()
    spec = CertificateSpec("CN=mine", addresses=("127.0.0.1",), own_key=True)
    made = CertificateStore().certificate(spec)
    folder = "/redfish/v1/Managers/BMC/NetworkProtocol/HTTPS/Certificates"
    body = {
        "CertificateString": (made.key + made.pem).decode(),
        "CertificateType": "PEM",
        "CertificateUri": {"@odata.id": f"{folder}/1"},
    }
    assert client.ask("POST", "/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate", body)[0] == 204
    shown = client.ask("GET", f"{folder}/1")[1]["CertificateString"]
    assert shown == made.pem.decode()
    assert "PRIVATE" not in shown
    fresh = lab.client(verify=False)
    fresh.ask("GET", "/redfish/v1/")
    assert ssl.DER_cert_to_PEM_cert(fresh.connection.sock.getpeercert(binary_form=True)).strip() == shown.strip()


def test_plain_http_leads_to_https_where_the_vendor_does_so() -> None:
    units = [UnitSpec(name="b1", profile=load("dell-idrac9")), UnitSpec(name="b2", profile=load("dmtf-generic"))]
    with Emulator(units, http_port=0) as emulator:
        idrac, generic = emulator.endpoints["b1"], emulator.endpoints["b2"]
        assert (idrac.http_port is None, generic.http_port) == (False, None)
        plain = http.client.HTTPConnection(idrac.host, idrac.http_port, timeout=PATIENCE)
        seen = []
        for method in ("GET", "POST"):
            plain.request(method, "/redfish/v1/Systems?$top=1")
            answer = plain.getresponse()
            answer.read()
            seen.append((answer.status, answer.headers["Location"]))
        plain.close()
        where = f"https://{idrac.host}:{idrac.redfish_port}/redfish/v1/Systems?$top=1"
        assert seen == [(301, where), (308, where)]


def test_an_emulator_closes_while_a_stream_and_a_subscription_are_open() -> None:
    with Emulator([UnitSpec(name="b1", profile=load("dmtf-generic"))]) as emulator:
        client = Client(emulator)
        open_stream(client)
    client.close()
