"""The sliding window of session sequence numbers (IPMI 2.0, 6.12.13). It keeps a replayed datagram from running a command twice.

The links of sessions call it for each authentic datagram, in the emulator's one thread.
"""

from __future__ import annotations

from dataclasses import dataclass

NUMBERS = 1 << 32


@dataclass(slots=True)
class SequenceWindow:
    """Accepts every newer number, and each of the last `width` numbers once. Number 0 is never accepted.

    Numbers wrap around: the next half of all numbers counts as newer. A session may start with any number.
    """

    width: int = 32
    _highest: int = 0
    _seen: int = 0  # bit n: highest - n has been seen

    def admits(self, sequence: int) -> bool:
        """Whether this number is accepted. It is not accepted a second time."""
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
