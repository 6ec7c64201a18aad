"""Ten minutes of managers that are killed, stopped and robbed of their store, while hosts die and a switch hides them.

The controls, in which a rule is taken out, are in tests/wire/test_ha_chaos.py.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.ha_chaos import Chaos

SECONDS = float(os.environ.get("CHAOS_S", "600"))


@pytest.mark.timeout(SECONDS + 300)
def test_managers_keep_their_promises_for_ten_minutes(memory_path: Path) -> None:
    with closing(Chaos(memory_path, seed=time.time_ns())) as chaos:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if chaos.dice.random() < 0.2:
                chaos.lose_contact(chaos.dice.uniform(1.0, 4.0), troubles=chaos.dice.randint(0, 3))
            else:
                chaos.play(dies=chaos.dice.randint(1, 2), troubles=chaos.dice.randint(1, 4))
        print(chaos.figures.text(chaos))
        chaos.watch()
        assert chaos.cluster.starts > chaos.figures.rounds
