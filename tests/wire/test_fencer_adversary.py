"""`fencer.fence` against a seeded adversary over real sockets: 100 hosts that stay on, and 100 that are off or go off."""

from __future__ import annotations

import pytest

from tests.fence_adversary import BROKEN, play_all

pytestmark = pytest.mark.long


def test_a_host_that_stays_on_is_never_claimed_off() -> None:
    wrong, given = play_all(range(100), hostile=True)
    assert not wrong, wrong[0]
    assert {*BROKEN, "401", "silent", "null", "no links", "another System", "Off"} <= set(given)


def test_a_host_that_is_off_is_confirmed_whatever_breaks() -> None:
    wrong, given = play_all(range(100), hostile=False)
    assert not wrong, wrong[0]
    assert {*BROKEN, "401"} <= set(given)
