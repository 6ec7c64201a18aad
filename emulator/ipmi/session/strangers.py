"""How much of what strangers send is written down one by one.

Whoever has no session can send any number of requests, and each would be two events. The journal is bounded, so a flood would
push out what matters; above a rate it is only counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.core.clock import Instant

PER_SECOND = 200


@dataclass(slots=True)
class Strangers:
    """`unwritten` is how many requests were only counted."""

    since: Instant = 0.0
    written: int = 0
    unwritten: int = 0
    flood: int = 0  # the journal's event about it, this second; 0: none

    def may_write(self, now: Instant) -> bool:
        if now - self.since >= 1.0:
            self.since, self.written, self.flood = now, 0, 0
        if self.written < PER_SECOND:
            self.written += 1
            return True
        self.unwritten += 1
        return False
