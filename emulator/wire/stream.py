"""HTTP answers that go on after the request was handled: Redfish's server-sent events.

`HttpSession` makes one per request; the WSGI application attaches to it and pushes data. Everything runs in the loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stream:
    """An answer without an end yet. The application finds it as `environ["emulator.stream"]`.

    While it handles a request, the application calls `attach(closed)` and returns the head and the first bytes as usual, without
    Content-Length. After that it may call `push`, in the loop's thread, until it calls `end()` or until `closed` is called, which
    happens at most once.
    """

    _send: Callable[[bytes], bool]
    _finish: Callable[[], None]
    _closed: Callable[[], object] | None = None
    _early: list[bytes] | None = field(default_factory=list)

    @property
    def attached(self) -> bool:
        """Whether the application uses this stream."""
        return self._closed is not None

    def attach(self, closed: Callable[[], object]) -> None:
        """Makes the answer a stream. `closed` is called if the client goes away or does not read fast enough."""
        self._closed = closed

    def push(self, data: bytes) -> bool:
        """Sends more bytes. False: the client is gone or reads too slowly, and `closed` has been called."""
        if self._closed is None:
            return False
        if self._early is not None:
            self._early.append(data)
            return True
        return self._send(data) if data else True

    def end(self) -> None:
        """Ends the answer properly; `closed` is not called."""
        if self._closed is not None:
            self._closed = None
            self._finish()

    def take_early(self) -> bytes:
        """The bytes pushed so far, which the session sends after the head. Later pushes are sent at once."""
        early, self._early = self._early, None
        return b"".join(early or ())

    def cancel(self) -> None:
        """The session ends the stream: calls `closed`, unless the stream has ended already."""
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()
