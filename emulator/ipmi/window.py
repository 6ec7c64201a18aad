"""Which session sequence numbers have been seen (IPMI 2.0, 6.12.13). A replayed datagram never runs a command twice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Window:
    """Everything newer is let in, and of the last `width` everything once. 0 belongs to no session."""

    width: int = 32
    _highest: int = 0
    _seen: int = 0  # bit n: highest - n has been seen

    def admits(self, sequence: int) -> bool:
        """Whether this number is new; remembers it."""
        if sequence == 0:
            return False
        ahead = sequence - self._highest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, self.width) | 1) & ((1 << self.width) - 1)
            self._highest = sequence
            return True
        bit = 1 << -ahead
        if -ahead >= self.width or self._seen & bit:
            return False
        self._seen |= bit
        return True
