"""Counts the refused log-ins of one run, so that the run does not lock an account. The transports use it in their thread.

A run has at most MAX_REFUSED_LOGINS refused log-ins, over all methods, REFUSED_LOGIN_GAP_S seconds apart or more. Credentials
that were refused, were sent again and got no answer count as refused again: BMCs such as iLO hold the answer to a wrong password
back for ten seconds, longer than a request waits.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Final

from fencer.outcome import Cause, Failure
from fencer.transport.base import CallFailed

MAX_REFUSED_LOGINS = 2
REFUSED_LOGIN_GAP_S = 2.0
ACCEPTED_FOR_S = 60.0
"""So long after credentials have been accepted a lost answer is no refusal: the one before it was a whim of the BMC."""
NO_ANSWER: Final = {Cause.TIMEOUT: "not answered in time", Cause.UNREACHABLE: "the connection ended"}


@dataclass(slots=True)
class RefusedLogins:
    """The refused log-ins of one run. Times are monotonic seconds. `open`: the last answer of the BMC was a refusal."""

    count: int = 0
    at: float = 0.0
    last: Failure | None = None
    open: bool = False
    accepted_at: float | None = None

    def add(self, failure: Failure) -> CallFailed:
        """Counts one more, and returns the error to raise."""
        self.count, self.at, self.last, self.open = self.count + 1, time.monotonic(), failure, True
        return CallFailed(failure, REFUSED_LOGIN_GAP_S, final=self.count >= MAX_REFUSED_LOGINS)

    def accepted(self) -> None:
        """Called when the BMC has answered a request with these credentials and did not refuse them."""
        self.open, self.accepted_at = False, time.monotonic()

    def answered(self) -> None:
        """Called when the BMC has answered a request with these credentials without a judgement of them, as with 503."""
        self.open = False

    def unanswered(self, lost: CallFailed) -> CallFailed:
        """The error to raise where a request with credentials has failed: a refusal, if they were refused just before."""
        if not (self.open and lost.sent) or self.last is None or lost.failure.cause not in NO_ANSWER:
            return lost
        if self.accepted_at is not None and time.monotonic() - self.accepted_at < ACCEPTED_FOR_S:
            return lost
        return self.add(replace(self.last, text=f"{self.last.text}; sent again, and {NO_ANSWER[lost.failure.cause]}"))

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
