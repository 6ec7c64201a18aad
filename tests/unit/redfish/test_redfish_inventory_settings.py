"""What a client may set: LED, tags, policy, media, network; and that it is really set, for IPMI too."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from emulator.core.bmc.machine import Led, RestorePolicy
from emulator.ipmi.responder import IpmiResponder
from profiles import load
from tests.ipmi_client import PEER, Client


@pytest.fixture
def manager(generic):
    return f"/redfish/v1/Managers/{generic.profile.ids.manager}"


def patch(bmc, path, **body):
    return bmc.ask("PATCH", path, json=body)


# -- system and chassis -------------------------------------------------------------------------------------------------


def test_one_led_for_system_chassis_and_ipmi(generic):
    assert patch(generic, generic.system, LocationIndicatorActive=True).status_code == 200
    assert generic.get(generic.chassis).json["LocationIndicatorActive"] is True
    assert generic.view().chassis.led() is Led.BLINKING
    generic.view().chassis.identify(seconds=15)
    generic.clock.advance(16)
    assert generic.get(generic.system).json["LocationIndicatorActive"] is False


def test_tags_names_and_policy_are_the_cores(generic):
    answer = patch(generic, generic.system, AssetTag="rack 7", HostName="db1.example", PowerRestorePolicy="AlwaysOn")
    assert answer.status_code == 200
    chassis = generic.view().chassis
    assert (chassis.asset_tag(), chassis.host_name()) == ("rack 7", "db1.example")
    assert chassis.restore_policy() is RestorePolicy.ALWAYS_ON
    chassis.set_asset_tag("by DCMI")
    assert generic.get(generic.system).json["AssetTag"] == "by DCMI"


def test_the_tag_changes_with_a_write_of_another_protocol(generic):
    before = generic.get(generic.system).headers["ETag"]
    generic.view().chassis.set_host_name("elsewhere")
    stale = generic.ask("PATCH", generic.system, json={"AssetTag": "x"}, headers={"If-Match": before})
    assert stale.status_code == 412


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"AssetTag": "x" * 64}, "StringValueTooLong"),
        ({"AssetTag": "\u00fc"}, "PropertyValueFormatError"),
        ({"PowerRestorePolicy": "Sometimes"}, "PropertyValueNotInList"),
        ({"LocationIndicatorActive": "yes"}, "PropertyValueTypeError"),
        ({"PowerState": "Off"}, "PropertyNotWritable"),
        ({"Nonsense": 1}, "PropertyUnknown"),
    ],
)
def test_wrong_values_are_refused_by_name(generic, message, body, name):
    answer = patch(generic, generic.system, **body)
    assert (answer.status_code, message(answer)[0]) == (400, name)


def test_a_property_newer_than_the_schema_is_not_there(make_bmc):
    dell = load("dell-idrac9")
    bmc = make_bmc(replace(dell, identity=replace(dell.identity, system_type="#ComputerSystem.v1_10_0.ComputerSystem")))
    system = bmc.get(bmc.system).json
    assert system["@odata.type"] == "#ComputerSystem.v1_10_0.ComputerSystem"
    for name in ("BootProgress", "LastResetTime", "LocationIndicatorActive", "VirtualMedia"):
        assert name not in system
    assert patch(bmc, bmc.system, LocationIndicatorActive=True).status_code == 400
    assert patch(bmc, bmc.chassis, LocationIndicatorActive=True).status_code == 200
    assert bmc.view().chassis.led() is Led.BLINKING


def test_parts_remember_what_is_written_and_each_bmc_for_itself(generic, make_bmc):
    drive = f"{generic.chassis}/Drives/Bay3"
    assert patch(generic, drive, LocationIndicatorActive=True, AssetTag="spare").status_code == 200
    generic.view().reset_bmc("GracefulRestart")
    generic.clock.advance(600)
    assert generic.get(drive).json["AssetTag"] == "spare"
    assert make_bmc("dmtf-generic").get(drive).json["AssetTag"] == ""


def test_restart_cause_and_time_are_told(generic):
    generic.reset("ForceRestart")
    generic.clock.advance(5)
    system = generic.get(generic.system).json
    assert system["LastResetCause"] == "ManagementCommand"
    assert system["LastResetTime"] == "1970-01-01T00:00:01Z"


# -- virtual media ------------------------------------------------------------------------------------------------------

ISO = "https://192.0.2.9/images/rescue.iso"


@pytest.fixture
def cd(generic):
    return f"{generic.system}/VirtualMedia/CD1"


def test_an_image_goes_in_and_out(generic, cd, message):
    insert, eject = f"{cd}/Actions/VirtualMedia.InsertMedia", f"{cd}/Actions/VirtualMedia.EjectMedia"
    assert generic.get(cd).json["Inserted"] is False
    assert generic.post(insert, json={"Image": ISO, "Password": "s3cret"}).status_code == 204
    told = generic.get(cd).json
    assert (told["Image"], told["ImageName"], told["ConnectedVia"]) == (ISO, "rescue.iso", "URI")
    assert (told["TransferProtocolType"], told["Password"]) == ("HTTPS", None)
    again = generic.post(insert, json={"Image": ISO})
    assert (again.status_code, message(again)[0]) == (409, "ResourceInUse")
    assert generic.post(eject, json={}).status_code == 204
    assert generic.get(cd).json["Image"] is None
    assert "s3cret" not in str([event.data for event in generic.journal])


def test_media_by_patch(generic, cd):
    assert patch(generic, cd, Image=ISO).status_code == 200
    assert generic.get(cd).json["Inserted"] is True
    assert patch(generic, cd, Image=None).status_code == 200
    assert generic.get(cd).json["Inserted"] is False
    assert patch(generic, cd, Inserted=True).status_code == 400


def test_a_reset_of_the_bmc_cuts_the_connection(generic, cd):
    patch(generic, cd, Image=ISO)
    generic.view().reset_bmc("GracefulRestart")
    generic.clock.advance(600)
    assert generic.get(cd).json["Inserted"] is False


@pytest.mark.parametrize("image", ["", "rescue.iso", "gopher://x/y", 7, None])
def test_what_names_no_image_is_refused(generic, cd, image):
    assert generic.post(f"{cd}/Actions/VirtualMedia.InsertMedia", json={"Image": image}).status_code == 400
    assert generic.get(cd).json["Inserted"] is False


def test_media_where_the_profile_has_it(make_bmc, generic):
    bmc = make_bmc(replace(generic.profile, inventory=replace(generic.profile.inventory, virtual_media="manager")))
    manager = f"/redfish/v1/Managers/{bmc.profile.ids.manager}"
    assert bmc.get(f"{manager}/VirtualMedia/USB1").status_code == 200
    assert bmc.get(f"{bmc.system}/VirtualMedia").status_code == 404


# -- the manager's network ----------------------------------------------------------------------------------------------


def test_ntp_servers_are_patched_as_an_array(generic, manager):
    path = f"{manager}/NetworkProtocol"

    def servers(*change):
        answer = patch(generic, path, NTP={"NTPServers": list(change)})
        return answer.status_code, generic.get(path).json["NTP"]["NTPServers"]

    assert servers("a.example", "b.example", "c.example") == (200, ["a.example", "b.example", "c.example"])
    assert servers({}, None, {}) == (200, ["a.example", "c.example"])
    assert servers({}, "d.example", "e.example") == (200, ["a.example", "d.example", "e.example"])
    assert servers({}) == (200, ["a.example"])
    assert servers(*"abcde") == (400, ["a.example"])
    assert servers("not a name") == (400, ["a.example"])


def test_ipmi_can_be_switched_off(generic, manager):
    assert generic.view().ipmi_lan
    assert patch(generic, f"{manager}/NetworkProtocol", IPMI={"ProtocolEnabled": False}).status_code == 200
    assert not generic.view().ipmi_lan
    assert generic.get(f"{manager}/NetworkProtocol").json["IPMI"]["ProtocolEnabled"] is False


def test_doors_that_are_not_there_cannot_be_opened(generic, manager, message):
    answer = patch(generic, f"{manager}/NetworkProtocol", SSH={"ProtocolEnabled": True})
    assert (answer.status_code, message(answer)[0]) == (400, "PropertyNotWritable")


def test_the_interface_has_an_address_and_takes_a_vlan(generic, manager):
    path = f"{manager}/EthernetInterfaces/eth0"
    body = generic.get(path).json
    assert body["IPv4Addresses"][0]["Gateway"]
    assert patch(generic, path, VLAN={"VLANEnable": True, "VLANId": 7}, HostName="bmc7").status_code == 200
    body = generic.get(path).json
    assert body["VLAN"] == {"VLANEnable": True, "VLANId": 7}
    assert generic.get(f"{manager}/NetworkProtocol").json["HostName"] == "bmc7"
    assert patch(generic, path, VLAN={"VLANId": 5000}).status_code == 400


def test_the_managers_clock_runs(generic, manager):
    before = generic.get(manager).json["DateTime"]
    generic.clock.advance(61)
    assert (before, generic.get(manager).json["DateTime"]) == ("1970-01-01T00:00:00Z", "1970-01-01T00:01:01Z")


def test_versions_are_told_in_one_voice(generic, manager):
    def version(name):
        return generic.get(f"/redfish/v1/UpdateService/FirmwareInventory/{name}").json["Version"]

    assert version("BMC") == generic.get(manager).json["FirmwareVersion"]
    assert version("BIOS") == generic.get(generic.system).json["BiosVersion"]


def test_ipmi_and_redfish_configure_one_interface(generic, manager):
    path = f"{manager}/EthernetInterfaces/eth0"
    bmc = IpmiResponder(generic.view(), entropy=os.urandom)
    user, password = generic.admin
    client = Client(lambda data: [d for d, _ in bmc.receive(data, PEER)], user=user, password=password, suite=17).login()

    def told(number):
        return client.command(0x0C, 0x02, bytes((1, number, 0, 0)))[1][1:]

    body = generic.get(path).json
    before = generic.get(path).headers["ETag"]
    assert told(5).hex(":").upper() == body["MACAddress"]
    assert ".".join(map(str, told(3))) == body["IPv4Addresses"][0]["Address"]
    assert client.command(0x0C, 0x01, b"\x01\x03\x0a\x01\x02\x03") == (0, b"")
    assert client.command(0x0C, 0x01, b"\x01\x14\x2a\x80") == (0, b"")
    answer = generic.get(path)
    assert answer.headers["ETag"] != before
    assert (answer.json["IPv4Addresses"][0]["Address"], answer.json["VLAN"]["VLANId"]) == ("10.1.2.3", 42)
    address = {"Address": "10.7.7.7", "SubnetMask": "255.255.0.0", "Gateway": "10.7.0.1"}
    assert patch(generic, path, IPv4StaticAddresses=[address], DHCPv4={"UseNTPServers": True}).status_code == 200
    assert (told(3), told(6), told(12)) == (b"\x0a\x07\x07\x07", b"\xff\xff\x00\x00", b"\x0a\x07\x00\x01")
    assert patch(generic, path, DHCPv4={"DHCPEnabled": True}).status_code == 200
    assert told(4) == b"\x02"
    body = generic.get(path).json
    assert (body["IPv4Addresses"][0]["AddressOrigin"], body["IPv4StaticAddresses"]) == ("DHCP", [])
    assert body["DHCPv4"]["UseNTPServers"] is True
    assert patch(generic, path, IPv4StaticAddresses=[], DHCPv4={"DHCPEnabled": False}).status_code == 200
    assert generic.get(path).json["IPv4Addresses"][0]["Address"].startswith("192.0.2.")


def test_an_address_that_cannot_be_is_refused_and_nothing_is_written(generic, manager, message):
    path = f"{manager}/EthernetInterfaces/eth0"
    answer = patch(generic, path, IPv4StaticAddresses=[{"Address": "999.1.1.1"}], HostName="other")
    assert (answer.status_code, message(answer)[0]) == (400, "PropertyValueFormatError")
    assert generic.get(path).json["HostName"] != "other"
