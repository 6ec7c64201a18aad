"""One thread per host: it carries orders out one after the other, so that news come in the order of what happened.

The back ends subclass it. Whoever orders something (`put`) never waits; the news go through `report`, which is safe from any
thread.
"""

from __future__ import annotations

import queue
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

from emulator.backends.news import ReportNews
from emulator.core.truth.host import News

W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class _Wanted(Generic[W]):
    want: W
    cause: int | None


class HostWorker(ABC, Generic[W]):
    """The worker of one host; a subclass starts `_thread` when it is ready.

    `key` is (bmc, system). After `idle_s` seconds without an order `look` is called; None: never.
    """

    def __init__(self, key: tuple[str, str], report: ReportNews, *, thread_name: str, idle_s: float | None = None) -> None:
        self._key = key
        self._tell_anybody = report
        self._idle_s = idle_s
        self._wanted: queue.Queue[_Wanted[W] | None] = queue.Queue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=thread_name, daemon=True)

    def put(self, want: W, cause: int | None) -> None:
        """Orders something; `cause` is the `seq` of the event that asked for it. From any thread; returns at once."""
        self._wanted.put(_Wanted(want, cause))

    def close(self, timeout_s: float | None = None) -> None:
        """Lets the order under way end, drops the others, and joins the thread. Nothing is told any more."""
        self._closed = True
        self._wanted.put(None)
        self._thread.join(timeout_s)

    @abstractmethod
    def carry_out(self, want: W, cause: int | None) -> None:
        """Does what was ordered and tells what came of it. In the worker's thread."""

    def look(self) -> None:
        """Finds out by itself what holds. In the worker's thread."""

    def at_end(self) -> None:
        """Gives back what it holds. In the worker's thread, which ends then."""

    def tell(self, news: News, cause: int | None) -> None:
        if not self._closed:
            self._tell_anybody(*self._key, news, cause)

    def _work(self) -> None:
        while True:
            try:
                item = self._wanted.get(timeout=self._idle_s)
            except queue.Empty:
                self.look()
                continue
            if item is None or self._closed:
                break
            self.carry_out(item.want, item.cause)
        self.at_end()
