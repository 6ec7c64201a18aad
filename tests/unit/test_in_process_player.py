"""The process in which a fencer is called, where it cannot even begin."""

from __future__ import annotations

import os
from typing import Final, cast

from conformance.in_process.player import started
from conformance.play_scenario import Play
from emulator import Reusable

NEVER_OPEN: Final = 1 << 30


def test_a_child_that_cannot_close_what_is_not_its_own_ends_and_says_nothing() -> None:
    heard, told = os.pipe()
    player = started(cast(Play, None), cast(Reusable, None), (NEVER_OPEN,), told)
    assert player.end(at_once=False) == 1
    os.close(told)
    assert os.read(heard, 1) == b"", "it came to no run"
    os.close(heard)
