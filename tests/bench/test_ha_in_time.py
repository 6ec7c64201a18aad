"""That a host which is off is Fenced within the bound that the policy promises: 26 s at defaults, here at a twentieth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.wire import test_ha_run as ha

BOUND_S = 26 * 0.05
ALLOWANCE = 4
"""Processes start and files are polled in real time, which a scale does not shorten."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ha.Lab]:
    with closing(ha.Bmc()) as bmc, closing(ha.Bmc()) as other, closing(ha.Lab(tmp_path, bmc, other)) as made:
        yield made


def test_a_host_that_is_off_is_fenced_in_time(lab: ha.Lab) -> None:
    lab.bmc.power = "Off"
    (lab.path / "a.heartbeat").unlink()
    seen = lab.lines(lab.start(), "VM_RESTART_DONE")
    times = {str(line.get("alert")): float(str(line["t"])) for line in seen}
    taken = times["FENCED"] - times["HEALTH_LOST"]
    print(f"{taken:.2f} s of at most {BOUND_S * ALLOWANCE:.2f} s")
    assert taken <= BOUND_S * ALLOWANCE
