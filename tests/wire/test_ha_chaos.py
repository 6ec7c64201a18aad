"""A short run of `tests/ha_chaos.py`; the long one is in tests/nightly."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.ha_chaos import Chaos

pytestmark = pytest.mark.long


@pytest.mark.timeout(300)
def test_managers_that_are_killed_stopped_and_robbed_of_their_store_keep_their_promises(memory_path: Path) -> None:
    with closing(Chaos(memory_path, seed=1)) as chaos:
        chaos.play(dies=1, troubles=2, hung=0.0)
        chaos.play(dies=1, troubles=2, hung=1.0)
        assert chaos.cluster.wrong == []
