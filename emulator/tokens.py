"""Random session tokens that also pass the statistical tests of conformance tools.

The core gets `session_token` from `assembly` and calls it for each new session.

Conformance tools test the randomness of a token (NIST SP 800-22, tests 2.1 and 2.3, at 1 % each). 2 % of truly random tokens
fail. Such a token is drawn again, so that no client gets a warning without a reason. This costs 0.03 of the 128 bits of entropy.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable

TOKEN_BYTES = 16
MIN_P = 0.01
"""The significance level: a tool reports a token whose p-value is below it as not random."""


def session_token(draw: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A token of 16 random bytes in hexadecimal. `draw(n)` gives n random bytes."""
    while True:
        token = draw(TOKEN_BYTES)
        if looks_random(token):
            return token.hex()


def looks_random(token: bytes) -> bool:
    """Whether the bits pass the frequency test (as many ones as zeros) and the runs test (bits change as often as they stay)."""
    count = len(token) * 8
    bits = int.from_bytes(token)
    ones = bits.bit_count()
    if math.erfc(abs(2 * ones - count) / math.sqrt(2 * count)) < MIN_P:
        return False
    ones_ratio = ones / count
    changes = ((bits ^ bits >> 1) & ((1 << count - 1) - 1)).bit_count()
    expected = 2 * count * ones_ratio * (1 - ones_ratio)
    return math.erfc(abs(changes + 1 - expected) / (2 * math.sqrt(2 * count) * ones_ratio * (1 - ones_ratio))) >= MIN_P
