"""The emulator as a library: no process to start, and the truth is one call away."""

from __future__ import annotations

from collections.abc import Iterator

import fence
import pytest

from emulator import Emulator, Rail, UnitSpec, arming_from_mapping
from profiles import load


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator([UnitSpec(name="node1", profile=load("dell-idrac9"))], tls=False) as emulator:
        yield emulator


def fence_node1(emulator: Emulator, give_up_after_s: float = 15.0) -> None:
    bmc = emulator.endpoints["node1"]
    fence.off(f"{bmc.redfish_url}{bmc.systems[0].uri}", bmc.username, bmc.password, give_up_after_s=give_up_after_s)


def test_a_host_that_is_claimed_off_is_off(emulator: Emulator) -> None:
    fence_node1(emulator)
    assert emulator.host("node1").rail is Rail.DOWN


def test_a_bmc_that_takes_the_command_and_does_nothing_is_not_believed(emulator: Emulator) -> None:
    emulator.arm("node1", arming_from_mapping({"type": "power.ignore", "when": {"reset": "ForceOff"}}))
    with pytest.raises(TimeoutError):
        fence_node1(emulator, give_up_after_s=2)
    assert emulator.host("node1").rail is Rail.UP
