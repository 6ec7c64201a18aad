"""The SDK side of the container back end, against an engine that is a small HTTP server on a Unix socket."""

from __future__ import annotations

import gc
import json
import queue
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from emulator.backends.container import ContainerState, DockerHost, NotOurs, OrderRefused, OutOfSight
from emulator.backends.docker import DockerEngine

NODE = DockerHost(label="node1", project="lab")
OURS = {"org.fencelab.host": "node1", "com.docker.compose.project": "lab"}


def container(labels: dict[str, str], **state: object) -> dict[str, Any]:
    return {
        "Id": "c1",
        "Names": ["/lab-node1-1"],
        "Config": {"Labels": labels},
        "State": {"Running": True, "Paused": False, "StartedAt": "2026-01-01T00:00:00Z", **state},
    }


@dataclass
class Engine:
    """What the server answers. `answer` is cleared to make it slow."""

    containers: list[dict[str, Any]] = field(default_factory=lambda: [container(OURS)])
    status: int = 204
    posts: list[str] = field(default_factory=list)
    answer: threading.Event = field(default_factory=threading.Event)
    events: list[dict[str, Any]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    engine: Engine
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.engine.answer.wait()
        path = urlsplit(self.path).path
        if path == "/version":
            self._json(200, {"ApiVersion": "1.41", "MinAPIVersion": "1.12"})
        elif path.endswith("/containers/json"):
            self._json(200, self.engine.containers)
        elif path.endswith("/events"):
            self._stream()
        else:
            found = [c for c in self.engine.containers if path.split("/")[-2] in (c["Id"], c["Names"][0].lstrip("/"))]
            self._json(200, found[0]) if found else self._json(404, {"message": "No such container"})

    def do_POST(self) -> None:
        self.engine.answer.wait()
        self.engine.posts.append(self.path.partition("/containers/")[2])
        self._json(self.engine.status, {"message": "cannot do that"} if self.engine.status >= 400 else None)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in self.engine.events:
            data = json.dumps(event).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()
        self.engine.over.wait()
        self.close_connection = True

    def _json(self, status: int, body: object) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has given up is what some of these tests are about."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine()
    engine.answer.set()
    handler = type("BoundHandler", (Handler,), {"engine": engine})
    with Server(str(tmp_path / "docker.sock"), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield engine
        engine.answer.set()
        engine.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def sdk(tmp_path: Path) -> Iterator[DockerEngine]:
    sdk = DockerEngine(f"unix://{tmp_path}/docker.sock", timeout_s=1)
    yield sdk
    sdk.close()


def test_a_container_with_the_label_is_seen_as_it_is(engine: Engine, sdk: DockerEngine) -> None:
    assert sdk.find(NODE) == ContainerState(id="c1", running=True, paused=False, life="2026-01-01T00:00:00Z")
    engine.containers = [container(OURS, Paused=True)]
    assert sdk.find(NODE).paused
    engine.containers = [container(OURS, Running=False)]
    assert not sdk.find(NODE).running


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        ({}, "does not carry the label org.fencelab.host=node1"),
        ({**OURS, "org.fencelab.host": "node2"}, "does not carry the label org.fencelab.host=node1"),
        ({**OURS, "com.docker.compose.project": "theirs"}, "does not belong to the compose project lab"),
    ],
)
def test_a_container_that_is_not_the_labs_is_refused_by_name(
    engine: Engine, sdk: DockerEngine, labels: dict[str, str], complaint: str
) -> None:
    engine.containers = [container(labels)]
    with pytest.raises(NotOurs, match=complaint):
        sdk.find(DockerHost(label="node1", container="lab-node1-1", project="lab"))


def test_two_containers_with_one_label_are_both_left_alone(engine: Engine, sdk: DockerEngine) -> None:
    engine.containers = [container(OURS), container(OURS)]
    with pytest.raises(NotOurs, match=r"2 containers carry .* none of them is touched"):
        sdk.find(NODE)


def test_a_container_that_is_not_there_is_out_of_sight(engine: Engine, sdk: DockerEngine) -> None:
    engine.containers = []
    with pytest.raises(OutOfSight, match=r"has no container with org\.fencelab.host=node1"):
        sdk.find(NODE)
    with pytest.raises(OutOfSight, match="has no container lab-node1-1"):
        sdk.find(DockerHost(label="node1", container="lab-node1-1"))


@pytest.mark.parametrize(
    ("call", "request_line"),
    [
        (lambda sdk: sdk.start("c1"), "c1/start"),
        (lambda sdk: sdk.kill("c1"), "c1/kill?signal=SIGKILL"),
        (lambda sdk: sdk.ask_down("c1"), "c1/kill?signal=SIGTERM"),
        (lambda sdk: sdk.crash("c1"), "c1/kill?signal=SIGQUIT"),
        (lambda sdk: sdk.pause("c1"), "c1/pause"),
        (lambda sdk: sdk.unpause("c1"), "c1/unpause"),
    ],
)
def test_each_order_is_one_call_and_none_is_the_engines_stop(
    engine: Engine, sdk: DockerEngine, call: Callable[[DockerEngine], None], request_line: str
) -> None:
    call(sdk)
    assert engine.posts == [request_line]


def test_the_containers_own_stop_signal_is_the_polite_request(engine: Engine, sdk: DockerEngine) -> None:
    engine.containers[0]["Config"]["StopSignal"] = "SIGRTMIN+3"
    sdk.ask_down("c1")
    assert engine.posts == ["c1/kill?signal=SIGRTMIN%2B3"]


def test_an_engine_that_refuses_is_in_sight(engine: Engine, sdk: DockerEngine) -> None:
    engine.status = 409
    with pytest.raises(OrderRefused, match="cannot do that"):
        sdk.kill("c1")


@pytest.mark.long
def test_an_engine_that_is_slow_is_out_of_sight(engine: Engine, sdk: DockerEngine) -> None:
    sdk.find(NODE)
    engine.answer.clear()
    with pytest.raises(OutOfSight, match="cannot be asked"):
        sdk.find(NODE)
    with pytest.raises(OutOfSight, match="cannot be asked"):
        sdk.kill("c1")


@pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning"
)  # the SDK's: its connect leaves the socket to the collector
def test_an_engine_that_is_not_there_is_out_of_sight(sdk: DockerEngine) -> None:
    for call in (lambda: sdk.find(NODE), lambda: sdk.start("c1"), lambda: list(sdk.changes())):
        with pytest.raises(OutOfSight, match="cannot be asked"):
            call()
    del call
    gc.collect()


def test_the_event_stream_tells_which_host_to_look_at_and_ends_when_it_is_closed(engine: Engine, sdk: DockerEngine) -> None:
    engine.events = [{"Type": "container", "status": "die", "Actor": {"ID": "c1", "Attributes": OURS}}]
    labels: queue.Queue[str] = queue.Queue()

    def follow() -> None:
        try:
            for label in sdk.changes():
                labels.put(label)
        except OutOfSight:
            labels.put("out of sight")

    follower = threading.Thread(target=follow)
    follower.start()
    assert labels.get(timeout=10) == "node1"
    sdk.close()
    follower.join(10)
    assert not follower.is_alive()
