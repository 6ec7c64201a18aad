"""HTTP sessions without sockets: whatever bytes come, in whatever pieces, the answer is HTTP or a close."""

from __future__ import annotations

from itertools import pairwise

import h11
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulator.wire.limits import ClientLimits
from emulator.wire.ops import Close, Plan, text_of
from emulator.wire.session import HttpSession
from emulator.wire.site import NoHooks, Site, redfish_error
from tests.effort import examples

LIMITS = ClientLimits(max_head_bytes=512, max_body_bytes=256)


class Tape:
    """A wire that records what is played on it and is never slow."""

    def __init__(self) -> None:
        self.local = ("127.0.5.1", 443)
        self.peer = ("127.0.0.1", 40000)
        self.secure = False
        self.talking = True
        self.sent = b""
        self.queue = []

    def play(self, plan: Plan, done=None) -> None:
        assert self.talking, "played after a close"
        self.sent += text_of(plan)
        if any(isinstance(op, Close) for op in plan):
            self.talking = False
        elif done is not None:
            done()

    def push(self, data: bytes) -> bool:
        self.sent += data
        return True

    def deadline(self, seconds: float | None) -> None: ...
    def later(self, callback) -> None:
        self.queue.append(callback)

    def run_later(self) -> None:
        while self.queue:
            self.queue.pop(0)()

    def pause(self) -> None: ...
    def resume(self) -> None: ...


def serve(pieces: list[bytes]) -> tuple[Tape, list[dict[str, object]]]:
    """Feeds the pieces to a session. Errors that the session reports are the test's failures."""
    seen: list[dict[str, object]] = []

    def app(environ, start_response):
        seen.append(environ)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else environ["wsgi.input"].read()]

    def fail(error: Exception) -> None:
        raise error

    tape = Tape()
    session = HttpSession(tape, Site("x", app, {}, NoHooks(), LIMITS, redfish_error, fail))
    for at, piece in enumerate(pieces):
        if piece and tape.talking:
            session.received(piece)
            if at % 2:
                tape.run_later()
    if tape.talking:
        session.ended()
    tape.run_later()
    session.lost()
    return tape, seen


def statuses(sent: bytes, methods: list[str]) -> list[int]:
    """Reads the answers as a client would; raises h11.RemoteProtocolError if they are not HTTP."""
    client = h11.Connection(h11.CLIENT)
    client.receive_data(sent) if sent else None
    found = []
    for method in [*methods, "GET"]:
        client.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        client.send(h11.EndOfMessage())
        while True:
            event = client.next_event()
            if isinstance(event, h11.Response):
                found.append(event.status_code)
            if event is h11.NEED_DATA or isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                break
        if not isinstance(event, h11.EndOfMessage) or client.our_state is not h11.DONE or client.their_state is not h11.DONE:
            break
        client.start_next_cycle()
    return found


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


FRAGMENTS = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"POST /a HTTP/1.1\r\n",
        b"HEAD / HTTP/1.0\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"GET http://h/p?q HTTP/1.1\r\n",
        b"GET /%zz%00%ff HTTP/1.1\r\n",
        b"Host: x\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"Upgrade: h2c\r\n",
        b"\r\n",
        b"\n",
        b"hello",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"fffffffffffffffff\r\n",
        b"\x16\x03\x01\x02\x00",
        b"\x00",
        b"A" * 600,
    ]
)


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(st.one_of(FRAGMENTS, st.binary(max_size=40)), max_size=12), st.lists(st.integers(0, 5000), max_size=6))
@example([b"GET / HTTP/1.1\r\n", b"Host: x\r\n", b"Upgrade: h2c\r\n", b"\r\n", b"GET / HTTP/1.1\r\n", b"Host: x\r\n\r\n"], [])
@example([b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"], [])
def test_any_bytes_in_any_pieces_get_http_answers_or_a_close(fragments, places):
    tape, seen = serve(cut(b"".join(fragments), places))
    answers = statuses(tape.sent, [str(environ["REQUEST_METHOD"]) for environ in seen])
    answers = [status for status in answers if status != 100]
    assert answers[: len(seen)] == [200] * len(seen)
    assert all(400 <= status < 500 or status == 501 for status in answers[len(seen) :])
    assert len(answers) <= len(seen) + 1


@settings(max_examples=examples(100), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["GET", "POST", "HEAD", "PUT"]), st.binary(max_size=200), st.booleans()), max_size=6),
    st.lists(st.integers(0, 5000), max_size=10),
)
def test_well_formed_requests_all_arrive_whole_however_they_are_cut(requests, places):
    data = b""
    for method, body, chunked in requests:
        data += f"{method} /x HTTP/1.1\r\nHost: x\r\n".encode()
        if chunked:
            data += b"Transfer-Encoding: chunked\r\n\r\n"
            data += (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        else:
            data += b"Content-Length: %d\r\n\r\n" % len(body) + body
    tape, seen = serve(cut(data, places))
    assert [environ["REQUEST_METHOD"] for environ in seen] == [method for method, _body, _chunked in requests]
    assert statuses(tape.sent, [method for method, _body, _chunked in requests]) == [200] * len(requests)
    bodies = b"".join(body for method, body, _chunked in requests if method != "HEAD")
    assert len(bodies) <= len(tape.sent)
