"""The names of a machine: what a rack file gives is served, what is drawn has the profile's shape, and no two are alike."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

import profiles
from emulator.config import load_rack
from emulator.core.naming import SerialNumbers, machine_uuid
from emulator.core.rack import HostSpec
from emulator.ipmi.management import fru
from profiles import load

IN_RACK = """
schema: rack/1
bmcs:
  - {name: n1, profile: PROFILE, vars: {VARS}, hosts: [{}, {}]}
"""
ROOT = "/redfish/v1/"


@pytest.fixture
def from_rack(make_bmc, tmp_path: Path):
    """A BMC whose vars stand in a rack file."""

    def read(profile: str, words: str):
        file = tmp_path / "rack.yaml"
        file.write_text(IN_RACK.replace("PROFILE", profile).replace("{VARS}", f"{{{words}}}"))
        (unit,) = load_rack(file).units
        return make_bmc(unit.profile, hosts=unit.hosts)

    return read


def shape(serial: str) -> str:
    return re.sub("[A-Z]", "A", re.sub("[0-9]", "0", serial))


def letters(digits: str) -> str:
    return bytes.fromhex(digits).decode()


def systems(bmc):
    members = bmc.get("/redfish/v1/Systems", follow_redirects=True).json["Members"]
    return [bmc.get(member["@odata.id"], follow_redirects=True).json for member in members]


def test_the_serial_number_of_a_rack_file_is_served_everywhere(from_rack) -> None:
    bmc = from_rack("dell-idrac9", "serial: ABC1234")
    first, second = systems(bmc)
    assert (first["SerialNumber"], first["SKU"]) == ("ABC1234", "ABC1234")
    assert first["UUID"] == "4c4c4544-0042-4310-8031-c1c04f323334"
    assert bmc.get(bmc.chassis).json["SerialNumber"] == "ABC1234"
    assert fru.inventory(bmc.view()).count(b"ABC1234") == 6
    assert bmc.view().network.interface().host_name == "bmc-abc1234"
    assert second["SerialNumber"] == second["SKU"] != "ABC1234"


def test_the_mac_address_of_a_rack_file_is_served_and_is_in_the_uuids(from_rack) -> None:
    bmc = from_rack("supermicro-x13", "mac: 3cecef000001")
    (port,) = bmc.get("/redfish/v1/Managers/1/EthernetInterfaces").json["Members"]
    assert bmc.get(port["@odata.id"]).json["MACAddress"] == "3C:EC:EF:00:00:01"
    first, second = systems(bmc)
    assert first["UUID"] == bmc.get(ROOT, follow_redirects=True).json["UUID"] == "00000000-0000-0000-0000-3cecef000001"
    assert second["UUID"].startswith("00000000-0000-0000-0000-02")


def test_what_a_rack_file_gives_besides_is_in_the_uuid_too(from_rack) -> None:
    first, second = systems(from_rack("hpe-ilo5", "part: P11111"))
    assert {each["UUID"][:13] for each in (first, second)} == {"31313150-3131"}


def test_an_id_that_is_the_serial_number_follows_the_one_that_is_given(from_rack) -> None:
    bmc = from_rack("cisco-cimc", "serial: FCH0000Z0ZZ")
    assert bmc.get("/redfish/v1/Systems/FCH0000Z0ZZ").json["SerialNumber"] == "FCH0000Z0ZZ"
    assert load("cisco-cimc", {"system_id": "other"}).ids.system == "other"
    assert load("cisco-cimc").ids.system == load("cisco-cimc").vars["serial"]


def test_a_mac_address_that_is_none_is_refused() -> None:
    with pytest.raises(profiles.ProfileError, match=r"vars\.mac: '3C:EC' is not twelve hexadecimal digits"):
        load("supermicro-x11", {"mac": "3C:EC"})


@pytest.mark.parametrize("name", profiles.names())
def test_a_drawn_serial_number_has_the_shape_of_the_profiles(name: str, make_bmc) -> None:
    bmc = make_bmc(name, hosts=(HostSpec(), HostSpec()))
    sample = bmc.profile.vars["serial"]
    first, second = bmc.view().systems()
    assert shape(first.serial) == shape(second.serial) == shape(sample)
    assert len({first.serial, second.serial, sample}) == 3
    assert make_bmc(name).view().first_system() == replace(first, host_name="n1")


@pytest.mark.parametrize("name", ["dell-idrac8", "dell-idrac9", "dell-idrac10"])
def test_dells_uuid_spells_the_service_tag_that_is_served(name: str, make_bmc) -> None:
    system = systems(make_bmc(name))[0]
    b, c, rest, last = system["UUID"].split("-")[1:]
    head = bytes([bytes.fromhex(last[:2])[0] & 0x7F])
    assert (b[:2], c[2:], rest[:2], last[2:6]) == ("00", "10", "80", "c04f")
    assert head.decode() + letters(b[2:] + c[:2] + rest[2:] + last[6:]) == system["SKU"] == system["SerialNumber"]


@pytest.mark.parametrize("name", ["hpe-ilo4", "hpe-ilo5", "hpe-ilo6", "hpe-ilo7"])
def test_hpes_uuid_spells_the_product_and_the_serial_number(name: str, make_bmc) -> None:
    bmc = make_bmc(name)
    system = systems(bmc)[0]
    octets = UUID(system["UUID"]).bytes_le
    assert octets[:6].decode() == bmc.profile.vars["part"]
    assert octets[6:].decode() == system["SerialNumber"]


@pytest.mark.parametrize("name", ["supermicro-x10", "supermicro-x11", "supermicro-x12", "supermicro-x13"])
def test_supermicros_root_spells_the_mac_address_of_the_bmc(name: str, make_bmc) -> None:
    bmc = make_bmc(name)
    mac = bmc.view().network.interface().mac.replace(":", "").lower()
    assert bmc.get(ROOT, follow_redirects=True).json["UUID"] == f"00000000-0000-0000-0000-{mac}"


def test_a_sku_that_only_looks_like_a_serial_number_is_served_as_it_is(make_bmc) -> None:
    assert systems(make_bmc("ami-megarac"))[0]["SKU"] == "01234567890123456789AB"


# -- no two are alike ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dell-idrac9", "lenovo-imm2"])
def test_ten_thousand_bmcs_have_ten_thousand_serial_numbers(name: str) -> None:
    profile = load(name)
    numbers = SerialNumbers([profile])
    given = {numbers.of(profile, f"0/node{n}/0", 0) for n in range(10_000)}
    assert len({serial for serial, _ in given}) == 10_000
    assert any(draw for _, draw in given)  # some were drawn twice
    again = SerialNumbers([profile])
    assert {again.of(profile, f"0/node{n}/0", 0) for n in range(10_000)} == given


def test_what_is_given_is_drawn_for_no_other() -> None:
    plain = load("dell-idrac9")
    drawn, _ = SerialNumbers([]).of(plain, "0/n2/0", 0)
    holder = load("dell-idrac9", {"serial": drawn})
    numbers = SerialNumbers([plain, holder])
    assert numbers.of(plain, "0/n2/0", 0)[0] != drawn
    assert numbers.of(holder, "0/n1/0", 0) == (drawn, 0)
    assert numbers.of(holder, "0/n1/0", 0)[0] == drawn  # what is given is served, however often it is drawn for others
    assert shape(numbers.of(holder, "0/n1/1", 1)[0]) == shape(drawn) != drawn


def test_a_shape_that_is_used_up_gives_way_to_seven_characters() -> None:
    small = replace(load("dell-idrac9"), vars={"serial": "a-1"})
    numbers = SerialNumbers([])
    serials = [numbers.of(small, f"0/n{n}/0", 0)[0] for n in range(300)]
    assert len(set(serials)) == 300
    assert re.fullmatch("[a-z]-[0-9]", serials[0])
    assert re.fullmatch("[A-Z0-9]{7}", serials[-1])


def test_a_uuid_keeps_the_form_that_the_profile_has() -> None:
    given = (("uuid", "6173ECEC-6EF5-11EE-834A-0A8FC3A58A71"),)
    assert machine_uuid("{uuid}", "a", "S1", "", given) == "6173ecec-6ef5-11ee-834a-0a8fc3a58a71"
    second = machine_uuid("{uuid}", "b", "S1", "", given, first=False)
    assert second.startswith("6173ecec-6ef5-11ee-834a-")
    assert not second.endswith("0a8fc3a58a71")
    assert machine_uuid("random", "a", "S1", "") == machine_uuid("x{serial}", "a", "S1", "")  # it cannot be spelled
