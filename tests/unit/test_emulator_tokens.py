"""Session tokens look random to whoever judges them by statistics."""

from __future__ import annotations

import pytest

from emulator.tokens import looks_random, session_token

EVEN = bytes.fromhex("6b1f3c9ad2047e55b98cf0316e4d27a8")


@pytest.mark.parametrize(
    "uneven",
    [bytes(16), b"\xff" * 16, b"\xaa" * 16, b"\xff" * 8 + bytes(8), b"\x77" * 16],
    ids=["zeros", "ones", "a change at every bit", "one change", "three quarters are ones"],
)
def test_bits_that_are_uneven_are_drawn_again(uneven):
    draws = [uneven, uneven, EVEN]
    assert session_token(lambda _: draws.pop(0)) == EVEN.hex()
    assert not looks_random(uneven)


def test_a_token_is_32_hexadecimal_digits_and_never_the_same():
    tokens = {session_token() for _ in range(200)}
    assert len(tokens) == 200
    assert all(len(token) == 32 and looks_random(bytes.fromhex(token)) for token in tokens)
