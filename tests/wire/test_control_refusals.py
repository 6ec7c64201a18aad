"""Whom the control listener refuses, and what one client may use of it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Rail
from emulator.control import http_server
from tests.control_bed import ControlBed, control_bed
from tests.fault_bench import SHORT


@pytest.fixture
def bed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ControlBed]:
    with control_bed(monkeypatch, tmp_path) as bed:
        yield bed


@pytest.mark.parametrize("token", ["None", "Bearer wrong", "Bearer ", "Basic {token}", "{token}", "Bearer {token}x", "Bearer é"])
def test_without_the_token_nothing_is_told(bed: ControlBed, token: str) -> None:
    sent = token.replace("{token}", bed.listener.token).encode().decode("latin-1")
    for path in ("/v1/bmcs", "/v1/nothing"):
        status, headers, told = bed.ask("GET", path, authorization=sent)
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
        assert "node1" not in json.dumps(told)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::1", "localhost.evil.example:1"]
)
def test_a_name_that_points_here_is_refused(bed: ControlBed, host: str) -> None:
    assert bed.ask("GET", "/v1/bmcs", host=host)[0] == 421
    assert bed.ask("GET", "/healthz", host=host)[0] == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:99", "LOCALHOST", "[::1]:80", "[::1]"])
def test_addresses_and_localhost_are_no_names(bed: ControlBed, host: str) -> None:
    assert bed.ask("GET", "/v1/bmcs", host=host)[0] == 200


def test_a_page_in_a_browser_is_refused_and_no_answer_lets_one_read(bed: ControlBed) -> None:
    assert bed.ask("GET", "/v1/bmcs", origin="http://127.0.0.1")[0] == 403
    status, headers, _ = bed.ask("OPTIONS", "/v1/bmcs", access_control_request_method="POST")
    assert status == 405
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/nothing", None, 404),
        ("PUT", "/v1/bmcs", {}, 405),
        ("GET", "/v1/bmcs/nobody", None, 404),
        ("GET", "/v1/bmcs?limit=0", None, 422),
        ("GET", "/v1/bmcs?limit=1&limit=2", None, 422),
        ("GET", "/v1/bmcs?lim", None, 422),
        ("GET", "/v1/clock?now=1", None, 422),
        ("POST", "/v1/bmcs/node1/power", b"{", 400),
        ("POST", "/v1/bmcs/node1/power", b"[" * 60_000, 400),
        ("POST", "/v1/bmcs/node1/power", b'{"action": "on", "system": "\\ud800"}', 400),
        ("POST", "/v1/bmcs/node1/power", b'"\xff"', 400),
        ("PATCH", "/v1/clock", b'{"rate": NaN}', 400),
        ("PATCH", "/v1/clock", {"rate": 0}, 422),
        ("PATCH", "/v1/clock", {"step_s": 1e9}, 422),
        ("POST", "/v1/bmcs/node1/power", {"action": "explode"}, 422),
        ("POST", "/v1/bmcs/node1/power", {"action": "on", "system": "9"}, 404),
        ("POST", "/v1/bmcs/node1/power", {"action": "on", "more": 1}, 422),
        ("POST", "/v1/bmcs/node1/faults", [], 422),
        ("POST", "/v1/bmcs/node1/faults", {"named": "nothing"}, 409),
        ("POST", "/v1/bmcs", {"profile": "dmtf-generic", "name": "../x"}, 422),
        ("POST", "/v1/bmcs", {"profile": "dmtf-generic", "listen": "not an address"}, 422),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(bed: ControlBed, method: str, path: str, body: object, status: int) -> None:
    got, _, told = bed.ask(method, path, body)
    assert got == status, told
    assert set(told) == {"error", "problems"}
    assert told["error"]
    assert "\n" not in told["error"]


def test_a_body_of_another_kind_is_refused(bed: ControlBed) -> None:
    assert bed.ask("POST", "/v1/bmcs/node1/power", {"action": "off"}, content_type="text/plain")[0] == 415
    assert bed.emulator.host("node1").rail is Rail.UP


def test_a_body_that_is_too_large_is_refused_before_it_is_read(bed: ControlBed) -> None:
    sock = bed.connect()
    head = f"POST /v1/bmcs HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {bed.listener.token}\r\n"
    sock.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 999999999\r\n\r\n".encode())
    sock.sendall(b"x" * (http_server.MAX_BODY_BYTES + 1))
    assert sock.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_head_that_is_too_large_is_refused(bed: ControlBed) -> None:
    sock = bed.connect()
    sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * (http_server.MAX_HEAD_BYTES + 10))
    assert sock.recv(100).startswith(b"HTTP/1.1 431 ")


def test_what_is_no_http_is_told_so(bed: ControlBed) -> None:
    sock = bed.connect()
    sock.sendall(b"\x16\x03\x01\x02\x00\r\n\r\n")
    assert sock.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_request_that_does_not_come_to_an_end_is_not_waited_for(bed: ControlBed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "REQUEST_S", SHORT)
    sock = bed.connect()
    sock.sendall(b"GET /v1/bmcs HTT")
    assert sock.recv(1) == b""


def test_one_connection_too_many_is_told_so_and_others_go_on(bed: ControlBed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "MAX_CONNECTIONS", 2)
    kept = [_served(bed) for _ in range(2)]
    assert bed.connect().recv(100).startswith(b"HTTP/1.1 503 ")
    assert [_healthy(sock) for sock in kept] == [True, True]


def test_connections_are_kept_for_the_next_request(bed: ControlBed) -> None:
    sock = _served(bed)
    assert _healthy(sock)
    assert _healthy(sock)


def _served(bed: ControlBed) -> socket.socket:
    """A connection that has had an answer, so it counts."""
    sock = bed.connect()
    assert _healthy(sock)
    return sock


def _healthy(sock: socket.socket) -> bool:
    sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    answer = b""
    while not answer.endswith(b'{"status":"ok"}'):
        data = sock.recv(4096)
        assert data, answer
        answer += data
    return answer.startswith(b"HTTP/1.1 200 ")


def test_a_client_that_is_held_up_holds_up_nobody(bed: ControlBed) -> None:
    """Connections that send nothing, and followers that read nothing, while somebody else works."""
    for _ in range(10):
        bed.connect()
    deaf = bed.connect()
    request = (
        f"GET /v1/journal?follow=true&after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {bed.listener.token}\r\n\r\n"
    )
    deaf.sendall(request.encode())
    for _ in range(50):
        bed.client.mute("node1")
        bed.client.mute("node1", False)
    assert bed.client.power("node1", "off")["systems"][0]["rail"] == "down"
