"""What the state file keeps of a host whose BMC is just starting: what its restore policy would have made of it."""

from __future__ import annotations

import pytest

from emulator import BmcPresence, Emulator, PowerAction, RestorePolicy, UnitSpec
from emulator.control.state_file import _saved
from profiles import load


@pytest.mark.parametrize(
    ("policy", "was_on", "power"),
    [
        (RestorePolicy.PREVIOUS, True, "on"),
        (RestorePolicy.PREVIOUS, False, "off"),
        (RestorePolicy.ALWAYS_ON, False, "on"),
        (RestorePolicy.ALWAYS_OFF, True, "off"),
    ],
)
def test_a_host_that_was_to_be_restored_is_kept_as_its_policy_says(policy: RestorePolicy, was_on: bool, power: str) -> None:
    with Emulator([UnitSpec(name="node1", profile=load("dell-idrac9"))]) as emulator:
        emulator.set_restore_policy("node1", policy)
        if not was_on:
            emulator.power("node1", PowerAction.OFF)
        emulator.mains_lost("node1")
        assert emulator.status("node1").presence is BmcPresence.DARK
        emulator.mains_back("node1")
        status = emulator.status("node1")
        assert (status.presence, status.restores) == (BmcPresence.STARTING, True)
        saved = _saved(status, None, [])
    assert (saved.dark, saved.systems[0].power) == (False, power)
    assert saved.systems[0].os == ("running" if power == "on" else "stopped")
