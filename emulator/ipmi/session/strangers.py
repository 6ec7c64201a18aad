"""Limits how many requests without a session are journaled one by one.

A client without a session can send any number of requests, and each would be two events. A flood would push more important events
out of the journal, so above a rate requests are only counted. The responder and the login code ask, in the emulator's one thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.core.clock import Instant

PER_SECOND = 200
"""Requests that are journaled in one second."""


@dataclass(slots=True)
class Strangers:
    """The requests without a session of one BMC. `unwritten` is how many were only counted."""

    since: Instant = 0.0
    written: int = 0
    unwritten: int = 0
    flood: int = 0  # the journal event about the flood in this second; 0: none

    def may_write(self, now: Instant) -> bool:
        """Whether to journal one more request now. Counts it in either case."""
        if now - self.since >= 1.0:
            self.since, self.written, self.flood = now, 0, 0
        if self.written < PER_SECOND:
            self.written += 1
            return True
        self.unwritten += 1
        return False
