"""A BMC's own network interface."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.core.bmc.network import AS_FOUND, Network, interface, listening
from emulator.core.bmc.view import SystemName
from emulator.core.errors import SettingRefused
from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from tests.conftest import make_bench


def named(serial: str) -> SystemName:
    return SystemName(
        id="1", chassis_id="1", uuid="", serial=serial, host_name="host", mac="02:00:00:00:00:01", drawn=f"drawn/{serial}"
    )


@pytest.mark.parametrize(
    ("listens", "address", "mask", "gateway"),
    [
        ("127.9.8.7", "127.9.8.7", "255.0.0.0", "0.0.0.0"),
        ("10.1.2.3", "10.1.2.3", "255.255.255.0", "0.0.0.0"),
    ],
)
def test_an_interface_is_found_where_the_bmc_listens(listens, address, mask, gateway):
    found = interface(AS_FOUND, listening(listens), named("ABC1234"))
    assert (found.address, found.mask, found.gateway, found.dhcp) == (address, mask, gateway, False)
    assert (found.host_name, found.mac[:3]) == ("bmc-abc1234", "02:")


@pytest.mark.parametrize("listens", ["", "::1", "bmc.example"])
def test_a_bmc_without_an_ipv4_address_shows_one_of_the_documentations_network(listens):
    found = interface(AS_FOUND, listening(listens), named("ABC1234"))
    assert found == interface(AS_FOUND, 0, named("ABC1234"))
    assert found.address.startswith("192.0.2.")
    assert (found.mask, found.gateway) == ("255.255.255.0", "192.0.2.1")
    assert found.address != interface(AS_FOUND, 0, named("ABC1235")).address


def test_dhcp_hides_what_was_set_and_gives_it_back(bench):
    network = bench.view().network
    network.found_at("10.1.2.3")
    network.configure(Network(address="10.9.9.9", mask="255.255.0.0", gateway="10.9.0.1", host_name="console"))
    network.configure(replace(network.configured, dhcp=True))
    found = network.interface()
    assert (found.address, found.mask, found.gateway, found.host_name) == ("10.1.2.3", "255.255.255.0", "0.0.0.0", "console")
    network.configure(replace(network.configured, dhcp=False))
    assert network.interface().address == "10.9.9.9"


@pytest.mark.parametrize(
    "wrong",
    [
        Network(address="10.1.2"),
        Network(mask="none"),
        Network(gateway="::1"),
        Network(address="224.0.0.1"),
        Network(gateway="255.255.255.255"),
        Network(mask="255.0.255.0"),
        Network(vlan_id=4095),
        Network(vlan_id=-1),
        Network(host_name="x" * 64),
    ],
)
def test_what_no_interface_can_have_is_refused_and_nothing_changes(bench, wrong):
    network = bench.view().network
    with pytest.raises(SettingRefused):
        network.configure(wrong)
    assert network.configured is AS_FOUND


@pytest.mark.parametrize("mask", ["0.0.0.0", "128.0.0.0", "255.255.255.255"])
def test_masks_from_nothing_to_one_machine_are_masks(bench, mask):
    bench.view().network.configure(Network(mask=mask))
    assert bench.view().network.interface().mask == mask


def test_a_change_is_journaled_once_and_no_change_not_at_all(bench):
    network = bench.view().network
    network.configure(Network(vlan=True, vlan_id=7), cause=None)
    network.configure(Network(vlan=True, vlan_id=7), cause=None)
    (event,) = bench.events(EventKind.SETTING)
    assert (event.data["what"], event.data["vlan"], event.data["vlan_id"]) == ("network", True, 7)


def test_two_bmcs_share_nothing_but_what_nobody_has_changed(profile):
    bench = make_bench(UnitSpec(name="node1", profile=profile), UnitSpec(name="node2", profile=profile))
    one, two = bench.view("node1").network, bench.view("node2").network
    assert one.configured is two.configured
    assert one.interface().mac != two.interface().mac
    one.configure(Network(host_name="first"))
    assert two.configured is AS_FOUND


def test_the_lockout_is_the_accounts(bench):
    view = bench.view()
    view.set_lockout(replace(view.lockout, failures=4), 1)
    assert view.lockout.failures == 4
