"""One emulated BMC over both protocols: the same identity, and one wrong identity refused on both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator import Emulator, HostSpec, UnitSpec
from fencer import Cause, FenceVerdict, Limits, Protocol, Target, fence, read
from fencer.identity import canonical
from profiles import load

LIMITS = Limits(deadline=10, stable_for=0.1, poll=0.05, poll_max=0.1)


@pytest.mark.parametrize("profile", ["dell-idrac9", "dmtf-generic"])
def test_redfish_and_ipmi_show_one_identity_and_both_accept_it(profile: str) -> None:
    with Emulator([UnitSpec(name="node1", profile=load(profile), hosts=(HostSpec(power="off"),))]) as emulator:
        at = emulator.endpoints["node1"]
        redfish = Target(
            host=at.host, port=at.redfish_port, user=at.username, password=at.password, verify_tls=False,
            system=at.systems[0].uri,
        )  # fmt: skip
        assert at.ipmi_host is not None
        ipmi = replace(redfish, protocol=Protocol.IPMI, host=at.ipmi_host, port=at.ipmi_port, system=None)
        one, other = read(redfish, 5).identity, read(ipmi, 5).identity
        assert one is not None
        assert other is not None
        assert canonical(one) == canonical(other) == canonical(at.systems[0].uuid)
        serial = dict(read(redfish, 5).shown)["SerialNumber"]
        for target in (redfish, ipmi):
            assert fence(replace(target, identity=one.upper()), LIMITS).verdict is FenceVerdict.CONFIRMED
            assert fence(replace(target, identity=serial), LIMITS).verdict is FenceVerdict.CONFIRMED
            assert fence(replace(target, identity=serial + "9"), LIMITS).verdict is not FenceVerdict.CONFIRMED
            wrong = fence(replace(target, identity="99999999-2222-4333-8444-555555555555"), LIMITS)
            assert wrong.failure is not None
            assert wrong.failure.cause is Cause.CONFIG
