"""What the subreaper writes on its pipe, read line by line (`subreaper.py` lists the lines).

The pipe could also be written by a fencer that runs as the same user: a line that makes no sense is kept as such and never fails.
"""

from __future__ import annotations

import os
import signal
from typing import Final

MOST_BYTES: Final = 1_000_000
LACKS: Final = ("signal-scope", "exec-events")


class WatcherReport:
    """Reads a non-blocking descriptor, which it owns."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.is_closed = False
        """Nobody writes any more: both processes have ended."""
        self.refused = ""
        self.inner: int | None = None
        self.exit: int | None = None
        self.errno: int | None = None
        self.inner_ended = False
        self.signals: list[int] = []
        self.lacks: dict[str, str] = {}
        self.nonsense = False
        self._fencer: int | None = None
        self._ends: dict[int, int] = {}
        self._rest = b""
        self._size = 0

    @property
    def is_final(self) -> bool:
        """There is nothing left to wait for: it ended, it could not be started, or its watchers are gone."""
        return self.exit is not None or self.errno is not None or bool(self.refused) or self.is_closed

    @property
    def has_fencer(self) -> bool:
        """The fencer has been started."""
        return self._fencer is not None

    def read(self) -> None:
        """Takes in what is there."""
        while not self.is_closed:
            try:
                chunk = os.read(self.descriptor, 65536)
            except BlockingIOError:
                return
            self.is_closed = not chunk
            self._size += len(chunk)
            if self._size > MOST_BYTES:
                self.nonsense = True
                return
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._take(line.decode(errors="replace"))

    def close(self) -> None:
        os.close(self.descriptor)

    def _take(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        try:
            self._understand(word, rest)
        except ValueError:
            self.nonsense = True

    def _understand(self, word: str, rest: str) -> None:
        """Raises ValueError where a line makes no sense."""
        match word:
            case "refused":
                self.refused = rest or "for no reason"
            case "lacks":
                name, _, reason = rest.partition(" ")
                self.lacks[LACKS[LACKS.index(name)]] = reason
            case "inner":
                self.inner = int(rest)
            case "fencer":
                self._fencer = int(rest)
            case "signal":
                if (number := signal.Signals(int(rest))) not in self.signals:
                    self.signals.append(number)
            case "inner-ended":
                self.inner_ended = True
            case "ended":
                pid, _, code = rest.partition(" ")
                self._ends[int(pid)] = int(code)
            case "exit":
                said = int(rest)
                self.exit = said if self.exit is None else self.exit  # the first one counts
            case "errno":
                self.errno = int(rest)
            case _:
                raise ValueError(word)
        if self.inner_ended and self._fencer in self._ends and self.exit is None:
            self.exit = self._ends[self._fencer]
