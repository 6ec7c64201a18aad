"""Which session sequence numbers have been seen (IPMI 2.0, 6.12.13). A replayed datagram never runs a command twice."""

from __future__ import annotations

from dataclasses import dataclass

NUMBERS = 1 << 32


@dataclass(slots=True)
class SequenceWindow:
    """Everything newer is let in, and of the last `width` everything once. 0 belongs to no session.

    Numbers go round: the half of them that comes next is newer. A session may begin with any.
    """

    width: int = 32
    _highest: int = 0
    _seen: int = 0  # bit n: highest - n has been seen

    def admits(self, sequence: int) -> bool:
        """Whether this number is new; remembers it."""
        if sequence == 0:
            return False
        behind = (self._highest - sequence) % NUMBERS
        if behind < self.width:
            bit = 1 << behind
            if self._seen & bit:
                return False
            self._seen |= bit
            return True
        ahead = NUMBERS - behind
        if self._highest and ahead > NUMBERS // 2:
            return False
        self._seen = (self._seen << min(ahead, self.width) | 1) & ((1 << self.width) - 1)
        self._highest = sequence
        return True
