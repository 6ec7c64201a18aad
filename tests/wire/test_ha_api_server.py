"""The API's server on real sockets: whatever a client does, it holds nothing, and others are served meanwhile."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator

import pytest

from fencer.ha.api.server import (
    ApiLimits,
    ApiReply,
    ApiRequest,
    ApiServer,
    CannotListen,
    ListenAddress,
    json_reply,
    parse_address,
)

LIMITS = ApiLimits(connections=3, request_bytes=4096, read_s=0.3, write_s=0.3)
BIG = 40_000_000


def answer(request: ApiRequest) -> ApiReply:
    if request.path == "/big":
        return ApiReply(status=200, content=b"x" * BIG, content_type="text/plain")
    told = {"method": request.method, "path": request.path, "body": request.body.decode(), "token": request.token}
    return json_reply(200, told)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    made = ApiServer(ListenAddress("127.0.0.1", 0), answer, longest_answer_s=0.1, limits=LIMITS)
    made.start()
    yield made
    made.stop()


def connect(server: ApiServer) -> socket.socket:
    return socket.create_connection((server.address.host, server.address.port), timeout=20)


def reply_to(server: ApiServer, data: bytes) -> tuple[int, dict[str, str]]:
    """Status and JSON body of the answer. The socket's time-out ends a wait that is in vain."""
    with connect(server) as client:
        client.sendall(data)
        return parsed(everything(client))


def everything(client: socket.socket) -> bytes:
    """Until the server closes."""
    data = b""
    try:
        while chunk := client.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


def parsed(data: bytes) -> tuple[int, dict[str, str]]:
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_a_request_is_answered_and_the_connection_closed(server: ApiServer) -> None:
    request = b"POST /v1/x?y HTTP/1.1\r\nAuthorization: Bearer abc\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi"
    assert reply_to(server, request) == (200, {"method": "POST", "path": "/v1/x", "body": "hi", "token": "abc"})


@pytest.mark.long
@pytest.mark.parametrize(
    ("data", "status", "why"),
    [
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411, "send Content-Length"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999999999999999999\r\n\r\n", 413, "may have 4096 bytes"),
        (b"POST / HTTP/1.1\r\nContent-Length: 4097\r\n\r\n", 413, "may have 4096 bytes"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "must be a number"),
        (b"BREW / HTTP/1.1\r\n\r\n", 501, "BREW"),
        (b"GET / HTTP/1.1 x y\r\n\r\n", 400, "Bad request version"),
    ],
)
def test_a_request_that_is_none_is_refused_in_one_sentence(server: ApiServer, data: bytes, status: int, why: str) -> None:
    got, body = reply_to(server, data)
    assert (got, why in body["error"]) == (status, True), body


def test_a_head_beyond_the_limit_is_not_read_on(server: ApiServer) -> None:
    with connect(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 90) for n in range(99)))
        data = everything(client)
    assert not data.startswith(b"HTTP/1.0 200 OK") or b'"path"' not in data[:0]
    assert reply_to(server, b"GET /next HTTP/1.1\r\n\r\n")[0] == 200


@pytest.mark.parametrize("data", [b"", b"GET", b"GET / HTTP/1.1\r\nX: y", b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"])
def test_a_client_that_stops_sending_is_closed(server: ApiServer, data: bytes) -> None:
    with connect(server) as client:
        client.sendall(data)
        everything(client)  # returns: the server has closed
    assert reply_to(server, b"GET /next HTTP/1.1\r\n\r\n")[0] == 200


def test_a_client_that_drips_has_no_more_time_than_others(server: ApiServer) -> None:
    """Every byte comes within the time-out of one read, and never the whole request."""
    with connect(server) as client:
        client.settimeout(0.05)
        closed = False
        for _ in range(1000):
            try:
                client.sendall(b"X")
                closed = client.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
            if closed:
                break
    assert closed


@pytest.mark.long
def test_a_client_that_does_not_read_its_answer_is_closed(server: ApiServer) -> None:
    with connect(server) as client:
        client.sendall(b"GET /big HTTP/1.1\r\n\r\n")
        wait_for_room(server)
        assert len(everything(client)) < BIG


def wait_for_room(server: ApiServer) -> None:
    """Asks, as long as all other connections are held, until each of them has been closed by the server."""
    held = [connect(server) for _ in range(LIMITS.connections)]
    for client in held:
        everything(client)
        client.close()


def test_more_connections_than_allowed_are_closed_and_those_that_are_idle_make_room(server: ApiServer) -> None:
    held = [connect(server) for _ in range(LIMITS.connections)]
    with connect(server) as one_more:
        assert everything(one_more) == b""
    for client in held:
        assert everything(client) == b""
        client.close()
    assert reply_to(server, b"GET /next HTTP/1.1\r\n\r\n")[0] == 200


def test_control_as_many_as_allowed_are_served(server: ApiServer) -> None:
    held = [connect(server) for _ in range(LIMITS.connections - 1)]
    assert reply_to(server, b"GET / HTTP/1.1\r\n\r\n")[0] == 200
    for client in held:
        client.close()


def test_ipv6_loopback_is_served_where_there_is_one() -> None:
    try:
        made = ApiServer(parse_address("[::1]:0"), answer, longest_answer_s=0.1)
    except CannotListen:
        pytest.skip("this machine has no ::1")
    made.start()
    with urllib.request.urlopen(f"http://{made.address}/v6", timeout=20) as got:
        assert json.load(got)["path"] == "/v6"
    made.stop()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.0.0.0:8100", "not a loopback address: the API has no TLS"),
        ("192.0.2.1:8100", "not a loopback address"),
        ("[::]:8100", "not a loopback address"),
        ("example.org:80", "is no address"),
        ("8100", "is no address"),
        ("127.0.0.1", "is no address"),
        ("127.0.0.1:x", "is no address"),
        ("127.0.0.1:65536", "the port must be"),
    ],
)
def test_only_a_loopback_address_can_be_listened_at(text: str, why: str) -> None:
    with pytest.raises(CannotListen, match=why):
        parse_address(text)


def test_a_port_that_is_taken_is_one_sentence(server: ApiServer) -> None:
    with pytest.raises(CannotListen, match=f"cannot listen at {server.address}: Address already in use"):
        ApiServer(server.address, answer, longest_answer_s=0.1)
