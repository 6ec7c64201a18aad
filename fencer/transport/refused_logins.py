"""Counts the refused log-ins of one run, so that the run does not lock an account. The transports use it in their thread.

A run has at most MAX_REFUSED_LOGINS refused log-ins, over all methods, REFUSED_LOGIN_GAP_S seconds apart or more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from fencer.outcome import Failure
from fencer.transport.base import CallFailed

MAX_REFUSED_LOGINS = 2
REFUSED_LOGIN_GAP_S = 2.0


@dataclass(slots=True)
class RefusedLogins:
    """The refused log-ins of one run."""

    count: int = 0
    at: float = 0.0
    last: Failure | None = None

    def add(self, failure: Failure) -> CallFailed:
        """Counts one more, and returns the error to raise."""
        self.count, self.at, self.last = self.count + 1, time.monotonic(), failure
        return CallFailed(failure, REFUSED_LOGIN_GAP_S, final=self.count >= MAX_REFUSED_LOGINS)

    def wait(self, end: float) -> None:
        """Waits until credentials may be sent again. Raises CallFailed if that is not before `end`, or never."""
        if self.last is None:
            return
        if self.count >= MAX_REFUSED_LOGINS:
            raise CallFailed(self.last, final=True)
        wait = self.at + REFUSED_LOGIN_GAP_S - time.monotonic()
        if wait >= end - time.monotonic():
            raise CallFailed(self.last, wait)
        if wait > 0:
            time.sleep(wait)
