"""Outsiders read and switch the host of every vendor, or tests/peers/vendors/stops.yaml says what stops them and why.

`make nightly-clients` takes every profile. `make peers` takes the two whose answers are least like the specification's, and of
the clients those that start quickly.
"""

from __future__ import annotations

import pytest

from profiles import names
from tests.effort import NIGHTLY
from tests.peers.vendors.bed import expected_stops, played
from tests.peers.vendors.clients import CLIENTS, PROGRAMS, VendorClient, lacking
from tools.vendor_clients import surprises

QUICK = ("curl", "ipmitool", "redfishtool", "fence_redfish", "fence_ipmilan", "fence_bmc", "fence_bmc over IPMI")
CHOSEN = tuple(names()) if NIGHTLY else ("ami-megarac", "hpe-ilo5")
TAKEN = tuple(client for client in CLIENTS if NIGHTLY or client.name in QUICK)

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("profile", CHOSEN)
def test_outsiders_switch_the_host_or_are_stopped_where_the_real_one_stops_them(profile: str) -> None:
    assert lacking() == [], f"make peers installs {', '.join(PROGRAMS)}"
    results = list(played(profile, TAKEN))
    assert results
    assert surprises(profile, results) == []


def test_a_client_that_reads_or_does_the_wrong_thing_does_not_pass() -> None:
    def idle(bmc: object, word: str) -> str:
        return {"Off": "On", "On": "Off"}[word]

    def blind(bmc: object, word: str) -> str:
        return "On"

    def broken(bmc: object, word: str) -> str:
        raise AssertionError(f"the password is {bmc['password']}")  # type: ignore[index]

    clients = [VendorClient(name, "ipmi", act) for name, act in (("idle", idle), ("blind", blind), ("broken", broken))]
    found = {result.client: result for result in played("dmtf-generic", clients)}
    assert found["idle"].said == "Off: it claims to be done, and the rail is not down"
    assert found["blind"].said == "Off: it claims to be done, and the rail is not down"
    assert found["broken"].said == "Off: the password is ..."
    assert not any(result.works or result.stop for result in found.values())
    assert len(surprises("dmtf-generic", list(found.values()))) == 3


def test_every_expected_stop_names_client_profiles_reason_and_source() -> None:
    clients = {client.name for client in CLIENTS}
    for stop in expected_stops():
        assert stop.client in clients
        assert set(stop.profiles) <= set(names())
        assert stop.says
        assert stop.because.endswith(".")
        assert stop.source
