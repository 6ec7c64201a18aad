"""Ten minutes of managers that are killed, stopped and robbed of their store, while hosts die."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.ha_chaos import Chaos

SECONDS = 600


@pytest.mark.timeout(SECONDS + 300)
def test_managers_keep_their_promises_for_ten_minutes(memory_path: Path) -> None:
    rounds = 0
    with closing(Chaos(memory_path, seed=time.time_ns())) as chaos:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            chaos.play(dies=chaos.dice.randint(1, 2), troubles=chaos.dice.randint(1, 4))
            rounds += 1
        commands = sum(host.commands for host in chaos.cluster.hosts.values())
        print(f"{rounds} rounds, {chaos.cluster.starts} starts of VMs, {commands} power commands")
        assert chaos.cluster.wrong == []
        assert chaos.cluster.starts > rounds
