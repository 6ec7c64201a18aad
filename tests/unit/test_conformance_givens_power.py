"""Preconditions about input power, several fencers, IPMI's set-up, and what a fencer is not told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.givens.bmc import OFF, ON, host
from conformance.givens.given import Given, PlannedRack
from conformance.givens.held_until_claim import HeldUntilClaim
from conformance.givens.ipmi_setup import KG, IpmiSetup, KnowsKg
from conformance.givens.mains import MainsBack, MainsLost
from conformance.givens.untold import ADDRESS, PASSWORD, Untold
from conformance.givens.wrong_user import WrongUser
from conformance.vocabulary import Ask
from emulator import Emulator, Rail, RestorePolicy, UnitSpec
from profiles import load

DELL = load("dell-idrac9")
TOLD = {
    "bmc.host": "127.0.0.1",
    "bmc.url": "u",
    "bmc.ipmi_host": "127.0.0.1",
    "bmc.user": "root",
    "bmc.password": "p",
    "bmc.kg": "",
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    names = ("target", "on", "off", "last")
    hosts = {"off": (ON,), "last": (OFF,)}
    units = [UnitSpec(name=name, profile=DELL, hosts=hosts.get(name, (ON,))) for name in names]
    with Emulator(units, latency=False) as made:
        yield made


def test_lost_input_power_takes_host_and_bmc(emulator: Emulator) -> None:
    MainsLost().arrange(emulator)
    assert emulator.host("target").rail is Rail.DOWN
    assert "does not answer" in MainsLost().sentence


@pytest.mark.parametrize(
    ("name", "policy", "word"),
    [
        ("on", RestorePolicy.ALWAYS_ON, "AlwaysOn"),
        ("off", RestorePolicy.ALWAYS_OFF, "AlwaysOff"),
        ("last", RestorePolicy.PREVIOUS, "LastState"),
    ],
)
def test_input_power_that_is_back_leaves_the_host_off_until_it_is_read(
    emulator: Emulator, name: str, policy: RestorePolicy, word: str
) -> None:
    given = MainsBack(policy, name)
    given.arrange(emulator)
    assert emulator.host(name).rail is Rail.DOWN
    emulator.let_fall(name, timeout_s=0)  # opens the gate, as a read does
    assert emulator.host(name).rail is (Rail.UP if policy is RestorePolicy.ALWAYS_ON else Rail.DOWN)
    assert word in given.sentence


def test_a_held_host_is_let_by_the_claim_that_is_meant_and_by_no_other() -> None:
    given = HeldUntilClaim("target", Ask.ON)
    with Emulator([UnitSpec(name="target", profile=DELL)], latency=False) as emulator:
        given.arrange(emulator)
        given.claimed(emulator, Ask.OFF, "target")
        given.claimed(emulator, Ask.ON, "another")
        assert [fault.type for fault in emulator.faults("target")].count("power.hold") == 1
        given.claimed(emulator, Ask.ON, "target")
        assert [fault.type for fault in emulator.faults("target")].count("power.hold") == 0
        assert "power.gate" in [fault.type for fault in emulator.faults("target")]
    assert given.sentence == "target: the host moves only when on has been answered and its power has been read 3 times since"


def shaped(*givens: Given) -> PlannedRack:
    rack = PlannedRack(profile=DELL, password="p")
    for given in givens:
        rack = given.shape(rack)
    return rack


def test_ipmi_is_set_up_otherwise_on_one_bmc() -> None:
    only17 = IpmiSetup(bmc="a", cipher_suites=(17,))
    keyed = IpmiSetup(bmc="b", kg=True)
    a, b, c = shaped(host(ON, name="a"), host(ON, name="b"), host(ON, name="c"), only17, keyed).units
    assert (a.profile.ipmi.cipher_suites, a.profile.ipmi.kg) == ((17,), None)
    assert (b.profile.ipmi.cipher_suites, b.profile.ipmi.kg) == (DELL.ipmi.cipher_suites, KG)
    assert c.profile is DELL
    assert only17.sentence == "a has cipher suite 17 and no other"
    assert keyed.sentence == "b has a key K_g of its own"


def test_what_a_fencer_is_told_and_what_not() -> None:
    knows = KnowsKg()
    assert bytes.fromhex(knows.handed(TOLD)["bmc.kg"]) == KG.encode()
    assert (knows.told_by, "K_g" in knows.sentence) == ({"bmc.kg"}, True)
    nowhere = Untold("address", ADDRESS)
    assert {name for name, value in nowhere.handed(TOLD).items() if not value} == {*ADDRESS, "bmc.kg"}
    assert (nowhere.sentence, nowhere.told_by) == ("the fencer is given no address", set(ADDRESS))
    assert Untold("password", PASSWORD).handed(TOLD)["bmc.password"] == ""
    assert WrongUser().handed(TOLD)["bmc.user"] != "root"
    assert len(WrongUser().handed(TOLD)["bmc.user"]) <= 16
    assert "does not know" in WrongUser().sentence
