"""The log of errors of the loop's callbacks. A client may cause the same error thousands of times a second, so it has a limit."""

from __future__ import annotations

import logging
import time
from typing import Final

SAME_ERROR_EVERY_S: Final = 10.0
"""Real seconds."""
KEPT: Final = 64
_log = logging.getLogger("fencelab.wire")


class ErrorLog:
    """Logs each error at most once in SAME_ERROR_EVERY_S, and says how many were left out."""

    def __init__(self) -> None:
        self._silent_until: dict[tuple[type[Exception], str], float] = {}
        self._silenced = 0

    def __call__(self, error: Exception) -> None:
        now, key = time.monotonic(), (type(error), str(error)[:200])
        if now < self._silent_until.get(key, 0.0):
            self._silenced += 1
            return
        if len(self._silent_until) >= KEPT:
            self._silent_until.clear()
        self._silent_until[key] = now + SAME_ERROR_EVERY_S
        more = f" ({self._silenced} more since the last line)" if self._silenced else ""
        self._silenced = 0
        _log.error("a callback of the wire loop failed: %s%s", error, more, exc_info=error)
