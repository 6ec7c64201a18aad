"""Fence agents of ClusterLabs as devices of `fence-ha`: the client and the level calls, against an emulated BMC."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import Emulator, Rail, UnitSpec
from fencer.ha import level_calls
from fencer.ha.agent_device import FenceAgent
from fencer.ha.bmc import BmcReadFailed
from fencer.ha.observations import CommandResult
from fencer.outcome import Cause, Power
from profiles import load


def agent(emulator: Emulator, name: str, password: str | None = None) -> FenceAgent:
    at = emulator.endpoints["node1"]
    options = {"ip": at.host, "username": at.username}
    if name == "fence_redfish":
        system = at.system_uri
        options |= {"ipport": at.redfish_url.rpartition(":")[2], "ssl_insecure": "1", "ssl": "1", "systems_uri": system}
    else:
        options |= {"ipport": str(at.ipmi_port), "lanplus": "1", "cipher": "17", "power_wait": "0"}
    given = at.password if password is None else password
    return FenceAgent(command=name, options=options, password=given, plugs=(), cwd=Path("/"))


@pytest.mark.parametrize("name", ["fence_redfish", "fence_ipmilan"])
def test_status_off_and_status_until_it_says_off_twice(name: str) -> None:
    with Emulator([UnitSpec(name="node1", profile=load("dmtf-generic"))]) as emulator:
        device = agent(emulator, name)
        assert device.check(30.0).failure is None
        assert device.read(30.0).power is Power.ON
        answer = level_calls.command([("agent", device)], 60.0, lambda: True, reset=False)
        assert answer.answer.result is CommandResult.ACCEPTED, answer
        assert [device.read(30.0).power for _ in range(2)] == [Power.OFF, Power.OFF]
        assert emulator.host("node1").rail is Rail.DOWN


@pytest.mark.parametrize("name", ["fence_redfish", "fence_ipmilan"])
def test_a_wrong_password_is_a_failure_and_never_off(name: str) -> None:
    with Emulator([UnitSpec(name="node1", profile=load("dmtf-generic"))]) as emulator:
        device = agent(emulator, name, "quite-wrong-9")
        with pytest.raises(BmcReadFailed) as caught:
            device.read(30.0)
        assert caught.value.failure.cause in (Cause.AUTH, Cause.UNREACHABLE)
        assert "quite-wrong-9" not in caught.value.failure.text
        assert emulator.host("node1").rail is Rail.UP
