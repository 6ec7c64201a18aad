"""Answers that have no end yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stream:
    """An answer that goes on after the application has returned (server-sent events); `environ["emulator.stream"]`.

    While it handles a request the application calls `attach(closed)` and returns head and first bytes as usual, without
    Content-Length. From then on it may `push` from the loop's thread, until `end()` or until `closed` is called once.
    """

    _send: Callable[[bytes], bool]
    _finish: Callable[[], None]
    _closed: Callable[[], object] | None = None
    _early: list[bytes] | None = field(default_factory=list)

    @property
    def attached(self) -> bool:
        return self._closed is not None

    def attach(self, closed: Callable[[], object]) -> None:
        self._closed = closed

    def push(self, data: bytes) -> bool:
        """False: the client is gone or lags too far behind, and `closed` has been called."""
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

    def flow(self) -> bytes:
        """The head is ready: what was pushed so far, to be sent behind it. Pushes go straight through from now on."""
        early, self._early = self._early, None
        return b"".join(early or ())

    def abandon(self) -> None:
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()
