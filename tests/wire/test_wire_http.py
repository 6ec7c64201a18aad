"""HTTP as clients see it, over real sockets."""

from __future__ import annotations

import socket

import pytest
import requests

from emulator.core.clock import VirtualClock
from emulator.wire.certs import CertificateSpec
from emulator.wire.http import NoHooks
from emulator.wire.limits import ClientLimits


def test_requests_gets_an_answer_over_tls_with_a_verified_certificate(lan, tmp_path):
    listener = lan.tls()
    ca = tmp_path / "ca.pem"
    ca.write_bytes(lan.store.certificate(CertificateSpec("CN=bmc", addresses=(listener.address,))).ca_pem)
    with requests.Session() as session:
        answer = session.post(f"https://{listener.address}:{listener.port}/a%20b?q=1", data=b"body", verify=str(ca), timeout=10)
    assert answer.content == b"POST /a b q=1 body"


def test_a_keep_alive_connection_serves_many_requests(lan):
    client = lan.connect(lan.tls())
    for number in range(5):
        assert client.get(f"/{number}").answer()[2] == f"GET /{number}  ".encode()


def test_pipelined_requests_are_answered_in_order(lan):
    client = lan.connect(lan.plain())
    client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(2000)))
    assert [client.answer()[2] for _ in range(2000)] == [b"GET /%d  " % number for number in range(2000)]


def test_a_request_may_come_byte_by_byte(lan):
    client = lan.connect(lan.plain())
    for byte in b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc":
        client.send(bytes([byte]))
    assert client.answer()[2] == b"POST /x  abc"


def test_http_1_0_gets_an_answer_and_a_close(lan):
    client = lan.connect(lan.plain()).send(b"GET /old HTTP/1.0\r\n\r\n")
    assert client.rest().endswith(b"\r\n\r\nGET /old  ")


def test_connection_close_is_honoured_with_a_close_notify(lan):
    client = lan.connect(lan.tls()).get("/", "Connection: close")
    assert client.rest().endswith(b"GET /  ")


def test_a_client_that_ends_its_side_still_gets_its_answer(lan):
    client = lan.connect(lan.plain()).get("/half")
    client.sock.shutdown(socket.SHUT_WR)
    assert client.rest().endswith(b"GET /half  ")


def test_head_has_the_length_but_not_the_body(lan):
    client = lan.connect(lan.plain()).send(b"HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n")
    head = client.until(b"\r\n\r\n")
    assert b"Content-Length: 9\r\n" in head
    assert client.get("/next").answer()[2] == b"GET /next  "


def test_204_has_no_body_and_leaves_the_connection_open(lan):
    client = lan.connect(lan.plain())
    status, headers, body = client.get("/none").answer()
    assert (status, body) == (204, b"")
    assert "content-length" not in headers
    assert client.get("/next").answer()[0] == 200


def test_expect_100_continue_is_answered_before_the_body(lan):
    client = lan.connect(lan.plain())
    client.send(b"POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    assert client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert client.send(b"data").answer()[2] == b"POST /e  data"


def test_a_chunked_body_arrives_whole(lan):
    client = lan.connect(lan.plain())
    client.send(b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")
    assert client.answer()[2] == b"POST /c  abcde"
    assert lan.app.requests[0]["CONTENT_LENGTH"] == "5"


def test_the_environment_names_both_ends_and_carries_the_listeners_extras(lan):
    listener = lan.plain("r1u1", "127.0.5.9")
    lan.connect(listener, source="127.0.6.6").get(
        "/", "Cookie: a=1", "Cookie: b=2", "X-Auth-Token: t", "X_Auth_Token: u"
    ).answer()
    environ = lan.app.requests[0]
    assert environ["SERVER_NAME"] == "127.0.5.9"
    assert environ["SERVER_PORT"] == str(listener.port)
    assert environ["REMOTE_ADDR"] == "127.0.6.6"
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["emulator.bmc"] == "r1u1"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_X_AUTH_TOKEN"] == "t"


def test_the_server_adds_neither_date_nor_server(lan):
    _status, headers, _body = lan.connect(lan.plain()).get().answer()
    assert set(headers) == {"content-type", "content-length"}


@pytest.mark.parametrize(
    ("garbage", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET nonsense HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n", 413),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 65536 + b"\r\n",
            None,
        ),
    ],
)
def test_what_is_not_http_gets_a_redfish_shaped_refusal_and_a_close(lan, garbage, status):
    client = lan.connect(lan.plain()).send(garbage)
    if status is None:
        assert client.is_silent()
        return
    answer, headers, body = client.answer()
    assert answer == status
    assert headers["connection"] == "close"
    assert b'"error"' in body
    assert client.rest() == b""
    assert lan.app.requests == []


def test_a_head_over_64_kb_is_431_and_the_answer_survives_the_unread_rest(lan):
    client = lan.connect(lan.plain()).send(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000)
    assert client.answer()[0] == 431
    assert client.rest() == b""


def test_a_chunked_body_over_1_mb_is_413(lan):
    client = lan.connect(lan.plain()).send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(17):
        client.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    assert client.answer()[0] == 413


def test_a_slow_request_is_408_after_its_time_however_often_it_says_a_byte(frozen, clock: VirtualClock):
    client = frozen.connect(frozen.plain(limits=ClientLimits(request_s=30, idle_s=75)))
    client.get("/warm").answer()
    for byte in b"GET / ":
        client.send(bytes([byte]))
        frozen.reactor.call(lambda: clock.advance(4))
        frozen.reactor.call(lambda: None)
    assert client.is_silent(0.05)
    frozen.reactor.call(lambda: clock.advance(10))
    frozen.reactor.wake()
    assert client.answer()[0] == 408
    assert client.rest() == b""


def test_an_idle_connection_is_closed_after_its_time(frozen, clock: VirtualClock):
    client = frozen.connect(frozen.tls(limits=ClientLimits(idle_s=75)))
    client.get().answer()
    frozen.reactor.call(lambda: clock.advance(74))
    frozen.reactor.wake()
    assert client.get().answer()[0] == 200  # and that restarts the 75 s
    frozen.reactor.call(lambda: clock.advance(74))
    frozen.reactor.wake()
    assert client.get().answer()[0] == 200
    frozen.reactor.call(lambda: clock.advance(76))
    frozen.reactor.wake()
    assert client.rest() == b""


def test_a_broken_application_is_a_500_and_is_reported(lan):
    client = lan.connect(lan.plain()).get("/boom")
    assert client.answer()[0] == 500
    assert [str(error) for error in lan.errors] == ["the application is broken"]
    lan.errors.clear()
    assert lan.connect(next(iter(lan.server.listeners.values()))).get("/ok").answer()[0] == 200


def test_an_answer_that_contradicts_itself_is_a_500_and_is_reported(lan):
    assert lan.connect(lan.plain()).get("/liar").answer()[0] == 500
    assert len(lan.errors) == 1
    assert "not HTTP" in str(lan.errors[0])
    lan.errors.clear()


def test_a_large_answer_reaches_a_slow_reader_whole(lan):
    client = lan.connect(lan.tls()).get("/large")
    assert len(client.answer()[2]) == 8 << 20


def test_a_client_that_never_reads_loses_its_connection_after_the_stall_limit(frozen, clock: VirtualClock):
    listener = frozen.plain(limits=ClientLimits(stall_s=60))
    frozen.connect(listener).get("/large")
    frozen.until(lambda: any(connection.stalled for connection in listener.connections))
    frozen.reactor.call(lambda: clock.advance(61))
    frozen.reactor.call(lambda: None)
    assert not listener.connections


def test_a_stream_goes_on_after_the_application_returned(lan):
    client = lan.connect(lan.plain()).get("/events")
    head = client.until(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower()
    assert b"content-length" not in head.lower()
    assert client.until(b":hi\n\n\r\n")
    assert lan.reactor.call(lambda: lan.app.streams[0].push(b"data: 1\n\n")) is True
    assert client.until(b"data: 1\n\n\r\n")
    lan.reactor.call(lan.app.streams[0].end)
    assert client.until(b"0\r\n\r\n")
    assert not lan.app.stream_closed.is_set()
    assert client.get("/after").answer()[2] == b"GET /after  "


def test_a_stream_learns_that_its_client_has_gone(lan):
    client = lan.connect(lan.tls()).get("/events")
    client.until(b":hi\n\n\r\n")
    client.sock.close()
    assert lan.app.stream_closed.wait(10)
    assert lan.reactor.call(lambda: lan.app.streams[0].push(b"x")) is False


def test_a_stream_whose_client_does_not_read_is_cut_off(lan):
    listener = lan.plain(limits=ClientLimits(max_unsent_bytes=100_000))
    lan.connect(listener).get("/events")
    assert lan.app.stream_opened.wait(10)
    pushes = 0
    while lan.reactor.call(lambda: lan.app.streams[0].push(b"x" * 50_000)):
        pushes += 1
        assert pushes < 1000
    assert lan.app.stream_closed.is_set()
    assert not listener.connections


def test_two_addresses_share_a_port_and_answer_for_themselves(lan):
    one = lan.plain("one", "127.0.5.21")
    two = lan.plain("two", "127.0.5.22", one.port)
    for listener, name in ((one, "one"), (two, "two")):
        lan.connect(listener).get().answer()
        assert lan.app.requests[-1]["emulator.bmc"] == name


def test_a_listener_name_is_unique(lan):
    lan.plain("twin")
    with pytest.raises(ValueError, match="'twin'"):
        lan.plain("twin")


def test_hooks_without_changes_change_nothing(lan):
    assert NoHooks().connected("a", ("b", 1)) is None
    assert NoHooks().before("a", {}) is None
    assert NoHooks().after("a", {}, ()) == ()
