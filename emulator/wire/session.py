"""HTTP/1.1 on one connection: reads requests, calls the WSGI application, sends its answers as plans.

`Connection` calls it with the bytes of the client, in the loop's thread. Limits are the site's `ClientLimits`.

Rules
  1. A connection handles one request at a time. What a client sends ahead waits until the answer's plan has been carried out,
     and until the other clients have had their turn. So does the request after one with a large body or answer.
  2. The server adds only the headers that frame the body, and `Connection: close`. The application sends `Date` and `Server`,
     because vendors differ.
  3. Bytes that are not HTTP get an answer made by `protocol_error` and a close. The application never sees them.

Theory
  h11 parses requests and writes answers; `Connection` carries out the plans. An answer is a `Plan` before it is sent, and
  `HttpHooks` may replace or rewrite it. h11 cannot know then what the client got, so the next request starts with a new
  h11 connection.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

import h11

from emulator.wire.ops import Close, Plan, Send
from emulator.wire.site import Site
from emulator.wire.stream import Stream
from emulator.wire.wsgi import ApplicationError, WsgiAnswer, call, connection_environ, environ_of, split_target

_AHEAD = 64 * 1024  # bytes that a client may send while its last request is being answered
_LARGE = 32 * 1024  # bytes of a request's body and its answer


class Wire(Protocol):
    """The part of `Connection` that HTTP uses."""

    local: tuple[str, int]
    peer: tuple[str, int]
    secure: bool

    @property
    def talking(self) -> bool: ...
    def play(self, plan: Plan, done: Callable[[], object] | None = None) -> None: ...
    def push(self, data: bytes) -> bool: ...
    def deadline(self, seconds: float | None) -> None: ...
    def later(self, callback: Callable[[], object]) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class HttpSession:
    """The `Receiver` for HTTP on one connection."""

    def __init__(self, wire: Wire, site: Site) -> None:
        self._wire = wire
        self._site = site
        self._base = connection_environ(wire.local, wire.peer, wire.secure, site.environ)
        self._h11 = self._fresh()
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._body_size = 0
        self._wire_size = 0  # bytes received since the last answer, framing and what was sent ahead included
        self._memory = site.memory.share(site.name)
        self._timing = False  # the deadline of a request is set
        self._pumping = False
        self._has_answered = False  # a request was answered in this call of `_pump`
        self._queued = False  # `_pump` will be called when the other clients have had their turn
        self._large = False  # the last request or its answer was
        self._busy = False  # the plan of an answer is being carried out
        self._replaced = False  # h11 did not write the answer
        self._ignores_input = False  # nothing more is read or answered
        self._eof = False
        self._stream: Stream | None = None

    # ---- Receiver ---------------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        if self._ignores_input:
            return
        self._wire_size += len(data)
        if not self._memory.hold(self._wire_size):
            self._refuse(503, "The service has no memory for this request now.")
            return
        self._h11.receive_data(data)
        if self._busy or self._queued:
            if self._wire_size > _AHEAD:
                self._wire.pause()
        elif self._large:
            self._pump_later()
        else:
            self._pump()

    def ended(self) -> None:
        self._eof = True
        if self._stream is not None:
            self._end_stream_without_client()
        elif not self._busy and not self._queued:
            self._wire.play((Close(),))

    def overdue(self) -> None:
        if self._timing:
            self._refuse(408, f"The request was not complete after {self._site.limits.request_s:g} s.")
        else:
            self._wire.play((Close(),))

    def lost(self) -> None:
        self._ignore_input()
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel()

    # ---- requests ---------------------------------------------------------------------------------------------------

    def _fresh(self) -> h11.Connection:
        return h11.Connection(h11.SERVER, max_incomplete_event_size=self._site.limits.max_head_bytes)

    def _pump_later(self) -> None:
        self._queued = True
        self._wire.later(self._pump_queued)

    def _pump_queued(self) -> None:
        self._queued = False
        if not self._ignores_input:
            self._wire.resume()
            self._pump()

    def _ignore_input(self) -> None:
        """Nothing more is read or answered, and what was read is forgotten."""
        self._ignores_input = True
        self._memory.release()
        self._body = []
        self._h11 = self._fresh()

    def _pump(self) -> None:
        """Handles one buffered request, if it is complete. The next one comes when the other clients have had their turn."""
        if self._pumping:
            return
        self._pumping = True
        self._has_answered = False
        try:
            while not self._busy and not self._ignores_input and self._handle_event(self._h11.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint, f"The request is not HTTP: {error}.")
        finally:
            self._pumping = False
        if self._ignores_input or self._busy:
            return
        if self._has_answered and self._wire_size:
            self._pump_later()
        elif self._eof:
            self._ignore_input()
            self._wire.play((Close(),))
        elif self._request is None and not self._h11.trailing_data[0]:
            self._timing = False
            self._wire.deadline(self._site.limits.idle_s)
        elif not self._timing:
            self._timing = True
            self._wire.deadline(self._site.limits.request_s)

    def _handle_event(self, event: h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]) -> bool:
        limit = self._site.limits.max_body_bytes
        match event:
            case h11.Request():
                self._request = event
                self._body = []
                self._body_size = 0
                names = {name for name, _value in event.headers}
                head = len(event.target) + sum(len(name) + len(value) for name, value in event.headers)
                if head > self._site.limits.max_head_bytes:  # h11 looks at heads that are not complete yet
                    self._refuse(431, f"A request's head may have at most {self._site.limits.max_head_bytes} bytes.")
                elif event.http_version not in (b"1.0", b"1.1"):
                    self._refuse(505, "This service speaks HTTP/1.0 and HTTP/1.1.")
                elif names >= {b"content-length", b"transfer-encoding"}:  # RFC 9112 6.3: two readers could see two requests
                    self._refuse(400, "A request has a Content-Length or a Transfer-Encoding, not both.")
                elif event.method == b"CONNECT":
                    self._refuse(501, "CONNECT is not offered here.")
                elif any(name == b"content-length" and int(value) > limit for name, value in event.headers):
                    self._refuse(413, f"A request body may have at most {limit} bytes.")
            case h11.Data():
                self._body.append(bytes(event.data))
                self._body_size += len(event.data)
            case h11.EndOfMessage():
                assert self._request is not None
                self._respond(self._request, b"".join(self._body))
                return False
            case _:  # NEED_DATA, PAUSED, ConnectionClosed
                if self._h11.they_are_waiting_for_100_continue and self._request is not None:
                    go_on = self._h11.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
                    self._wire.play((Send(go_on or b""),))
                # Chunk headers count too: a body of one-byte chunks is six times its size.
                if self._body_size > limit or self._wire_size > self._site.limits.max_head_bytes + 8 * limit:
                    self._refuse(413, f"A request body may have at most {limit} bytes.")
                return False
        if self._body_size > limit:
            self._refuse(413, f"A request body may have at most {limit} bytes.")
        return True

    def _refuse(self, status: int, text: str) -> None:
        """Answers with an error of the server itself, closes the connection, and reads nothing more."""
        if self._ignores_input:
            return
        answer = self._own_answer(status, text)
        self._ignore_input()
        self._wire.deadline(None)
        self._wire.play((Send(answer), Close()))

    def _own_answer(self, status: int, text: str) -> bytes:
        headers, body = self._site.protocol_error(status, text)
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers)]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        head_only = self._request is not None and self._request.method == b"HEAD"
        return "\r\n".join(lines).encode("latin-1") + (b"" if head_only else body)

    # ---- answers ----------------------------------------------------------------------------------------------------

    def _respond(self, request: h11.Request, body: bytes) -> None:
        target = split_target(request.target)
        if target is None:
            self._refuse(400, "The request target is neither a path nor a URL.")
            return
        self._busy = True
        self._timing = False
        self._wire.deadline(None)
        site = self._site
        path, query = target
        method = request.method.decode("ascii")
        stream = Stream(self._push, self._finish_stream)
        try:
            version = request.http_version.decode("ascii")
            environ = environ_of(method, path, query, version, request.headers, body, self._base)
            environ["emulator.stream"] = stream
            plan = site.hooks.before(site.name, environ)
            self._replaced = plan is not None
            if plan is None:
                written = self._write(call(site.app, environ), stream, method == "HEAD")
                plan = site.hooks.after(site.name, environ, written)
                self._replaced = plan is not written
        except Exception as error:  # noqa: BLE001  a bug of the application: reported, and a 500 for the client
            site.on_error(error)
            stream.cancel()
            self._stream = None
            plan = (Send(self._own_answer(500, "The service has failed.")), Close())
        self._large = len(body) + sum(len(op.data) for op in plan if isinstance(op, Send)) > _LARGE
        self._wire.play(plan, None if self._stream is not None else self._answered)

    def _write(self, answer: WsgiAnswer, stream: Stream, head_only: bool) -> Plan:
        """The plan that sends the answer, written by h11. Raises ApplicationError for an answer that is not HTTP."""
        bodiless = head_only or answer.status in (204, 304)
        body = answer.body + stream.take_early()
        endless = stream.attached and not bodiless
        headers = answer.headers
        if endless:
            headers = [header for header in headers if header[0].lower() != b"content-length"]
        elif not any(name.lower() in (b"content-length", b"transfer-encoding") for name, _value in headers) and (
            answer.status not in (204, 304)
        ):
            headers = [*headers, (b"Content-Length", b"%d" % len(body))]
        machine = self._h11
        try:
            response = h11.Response(status_code=answer.status, headers=headers, reason=answer.reason)
            data = machine.send(response) or b""
            if body and not bodiless:
                data += machine.send(h11.Data(data=body)) or b""
            if endless:
                self._stream = stream
                return (Send(data),)
            data += machine.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            raise ApplicationError(f"the application's answer is not HTTP: {error}") from error
        stream.cancel()
        return (Send(data), Close()) if machine.our_state is h11.MUST_CLOSE else (Send(data),)

    def _answered(self) -> None:
        """The plan was carried out and the connection is still open: go on with the next request."""
        machine = self._h11
        ahead, _eof = machine.trailing_data
        self._busy = False
        self._has_answered = True
        self._request = None
        self._body = []
        self._wire_size = len(ahead)
        self._memory.hold(self._wire_size)
        if machine.our_state is h11.DONE and machine.their_state is h11.DONE:
            machine.start_next_cycle()
        elif self._replaced:
            self._h11 = self._fresh()
            if ahead:  # h11 takes an empty piece for the end of file
                self._h11.receive_data(ahead)
        else:
            self._ignore_input()
        self._replaced = False
        self._wire.resume()
        self._pump()

    # ---- streams ----------------------------------------------------------------------------------------------------

    def _push(self, data: bytes) -> bool:
        if self._stream is None:
            return False
        sent = self._wire.push(self._h11.send(h11.Data(data=data)) or b"")
        if not sent:
            self.lost()
        return sent

    def _finish_stream(self) -> None:
        if self._stream is None:
            return
        self._stream = None
        plan: Plan = (Send(self._h11.send(h11.EndOfMessage()) or b""),)
        self._wire.play((*plan, Close()) if self._h11.our_state is h11.MUST_CLOSE else plan, self._answered)

    def _end_stream_without_client(self) -> None:
        self.lost()
        self._wire.play((Close(),))
