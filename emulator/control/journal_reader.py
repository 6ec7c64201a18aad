"""Reads a running emulator's journal for a client: a page of it, or every event that comes.

It runs in the thread of the connection. The emulator's thread is asked for SLICE events at a time, and only wakes whoever
follows.

Rules
  1. The emulator's ring of events is the only buffer. A reader that is too slow misses those that the ring has forgotten, and
     is told how many: `{"dropped": n}`.
  2. At most MAX_FOLLOWERS follow at a time.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Generator
from typing import Final

from emulator import Emulator, Event, EventKind
from emulator.control.models import JournalQuery
from emulator.control.routes import ControlRefused

SLICE: Final = 512
MAX_FOLLOWERS: Final = 8
HEARTBEAT_S: Final = 5.0
"""Real seconds after which a follower is sent an empty line, which shows whether it is still there."""


class JournalReader:
    """`dropped` counts the events that followers have missed. `close` ends all of them."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._lock = threading.Lock()
        self._followers: set[threading.Event] = set()
        self._closed = False
        self.dropped = 0

    def page(self, query: JournalQuery) -> Generator[bytes]:
        """At most `limit` events that fit, then the end."""
        wanted, after, left = self._wanted(query), query.after, query.limit
        return self._lines(wanted, after, self._emulator.last_seq(), left)

    def _lines(self, wanted: Callable[[Event], bool], after: int, last: int, left: int) -> Generator[bytes]:
        while after < last and left > 0 and (events := self._emulator.events_after(after, SLICE)):
            fits = [event for event in events if event.seq <= last and wanted(event)][:left]
            after, left = events[-1].seq, left - len(fits)
            if fits:
                yield b"".join(_line(event) for event in fits)

    def follow(self, query: JournalQuery) -> _Following:
        """Raises ControlRefused where too many follow already."""
        wake = threading.Event()
        with self._lock:
            if self._closed or len(self._followers) >= MAX_FOLLOWERS:
                raise ControlRefused(503, f"{MAX_FOLLOWERS} clients follow the journal already")
            self._followers.add(wake)
        try:
            wanted = self._wanted(query)
            from_now = query.since_s is None and "after" not in query.model_fields_set
            after = self._emulator.last_seq() if from_now else query.after
            return _Following(self, self._emulator, wanted, after, wake)
        except BaseException:
            self.leave(wake, 0)
            raise

    def leave(self, wake: threading.Event, dropped: int) -> None:
        """A follower has gone, and has missed so many events."""
        with self._lock:
            self._followers.discard(wake)
            self.dropped += dropped

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for wake in self._followers:
                wake.set()

    def _wanted(self, query: JournalQuery) -> Callable[[Event], bool]:
        kinds = _kinds(query.kind)
        since = -1.0 if query.since_s is None else self._emulator.now() - query.since_s
        return lambda event: (
            event.t >= since and (query.bmc is None or event.bmc == query.bmc) and (kinds is None or event.kind in kinds)
        )


class _Following:
    """The stream of one follower. Its server calls `close` in the end, whether it has read anything or not."""

    def __init__(
        self, reader: JournalReader, emulator: Emulator, wanted: Callable[[Event], bool], after: int, wake: threading.Event
    ) -> None:
        self._reader = reader
        self._emulator = emulator
        self._wanted = wanted
        self._after = after
        self._wake = wake
        self._greeted = False
        self._dropped = 0
        self._end = emulator.subscribe(lambda event: wake.set())

    def __iter__(self) -> _Following:
        return self

    def __next__(self) -> bytes:
        if self._reader.closed:
            raise StopIteration
        if not self._greeted:
            self._greeted = True
            return b""  # the client knows now that everything from here on reaches it
        self._wake.clear()
        events = self._emulator.events_after(self._after, SLICE)
        if not events:
            self._wake.wait(HEARTBEAT_S)
            events = self._emulator.events_after(self._after, SLICE)
        return self._told(events) if events else b""

    def _told(self, events: tuple[Event, ...]) -> bytes:
        missed = events[0].seq - self._after - 1 if self._after else 0
        self._after = events[-1].seq
        self._dropped += missed
        lines = [_line(event) for event in events if self._wanted(event)]
        return b"".join([json.dumps({"dropped": missed}).encode() + b"\n", *lines] if missed else lines)

    def close(self) -> None:
        self._reader.leave(self._wake, self._dropped)
        with contextlib.suppress(RuntimeError):  # the emulator has ended
            self._end()


def _kinds(words: str | None) -> frozenset[EventKind] | None:
    return None if words is None else frozenset(EventKind(word) for word in words.split(","))


def _line(event: Event) -> bytes:
    return event.to_json().encode("utf-8", "backslashreplace") + b"\n"
