"""What `profile capture` takes out of a tree, and what of the form stays."""

from __future__ import annotations

import json
import re

import pytest

from emulator.profile_tools.json_values import JsonObject
from emulator.profile_tools.resource_tree import ResourceTree
from emulator.profile_tools.scrub import scrubbed

SEED = b"a seed"
SYSTEM: JsonObject = {
    "@odata.id": "/redfish/v1/Systems/1",
    "@odata.type": "#ComputerSystem.v1_10_0.ComputerSystem",
    "SerialNumber": "F54P1G3",
    "SKU": "F54P1G3",
    "PartNumber": "0MYC9RA01",
    "HostName": "prod-db-17.example.internal",
    "UUID": "4c4c4544-0035-3410-8050-c6c04f314733",
    "BiosVersion": "1.8.2.10",
    "Oem": {"Dell": {"ServiceTag": "F54P1G3", "Firmware": {"PackageVersion": "10.2.3.4"}}},
}
MANAGER: JsonObject = {
    "@odata.id": "/redfish/v1/Managers/1",
    "DNSRacName": "idrac-F54P1G3",
    "EthernetInterface": {"MACAddress": "b0:7b:25:d6:51:82", "Address": "10.11.12.13", "SubnetMask": "255.255.255.0"},
    "LinkLocal": "fe80::b27b:25ff:fed6:5182",
    "ReachedAt": "2023-10-06T07:33:20+08:00",
    "Device": "NIC_b07b25d65182_1",
    "Gateway": "10.11.12.1",
}
LOG: JsonObject = {
    "@odata.id": "/redfish/v1/Managers/1/Log",
    "Message": "jsmith logged in from 10.11.12.13 to prod-db-17.example.internal, version 10.2.3.4",
    "Link": {"@odata.id": "/redfish/v1/Chassis/F54P1G3"},
}
ACCOUNTS: JsonObject = {
    "@odata.id": "/redfish/v1/AccountService/Accounts/3",
    "UserName": "jsmith",
    "Password": "pa55-canary",
    "LicenseKey": "3M8LN-7BKMD-D5XKV",
    "EnableSNMPv3Passphrase": "Disabled",
}


def clean(*bodies: JsonObject, seed: bytes = SEED, secrets: tuple[str, ...] = ()) -> dict[str, JsonObject]:
    tree = ResourceTree(resources={str(body["@odata.id"]): body for body in bodies})
    return dict(scrubbed(tree, seed, secrets).tree.resources)


def test_one_machine_has_the_same_new_serial_number_wherever_the_old_one_stood() -> None:
    new = clean(SYSTEM, MANAGER, LOG)
    system = new["/redfish/v1/Systems/1"]
    serial = str(system["SerialNumber"])
    assert serial != "F54P1G3"
    assert re.fullmatch(r"F\d\d[A-Z]\d[A-Z]\d", serial)
    assert (system["SKU"], system["Oem"]["Dell"]["ServiceTag"]) == (serial, serial)  # type: ignore[index, call-overload]
    assert new["/redfish/v1/Managers/1"]["DNSRacName"] == f"idrac-{serial}"
    assert new["/redfish/v1/Managers/1/Log"]["Link"] == {"@odata.id": f"/redfish/v1/Chassis/{serial}"}


def test_nothing_private_is_left_in_any_place() -> None:
    told = json.dumps(clean(SYSTEM, MANAGER, LOG, ACCOUNTS))
    for private in (
        *("F54P1G3", "prod-db-17", "c6c04f314733", "d6:51:82", "d65182", "10.11.12", "fed6", "jsmith", "pa55", "3M8LN"),
    ):
        assert private not in told, private


ODD: JsonObject = {
    "@odata.id": "/redfish/v1/Odd",
    "MACAddress": "3C:EC:EF:12:34:56",
    "HostName": "mail17",
    "FQDN": "mail17.acme-corp.example",
    "WWPN": "50014380aabbccdd",
    "InitiatorName": "iqn.2001-04.com.acme-corp:disk1",
    "BindDN": "cn=jo,dc=acme,dc=test",
    "Passwords": ["pw-canary1"],
    "AdminPwd": "pw-canary2",
    "Cookie": "SESSION=pw-canary3",
    "Authorization": "Basic cHctY2FuYXJ5NA==",
    "AuthenticationKey": "pw-canary5",
    "ContactPhone": "+49 89 1234567",
    "Note": "3cec.ef12.3456 asks ntp.acme-corp.example; cn=jo,dc=acme,dc=test; jo was here with pw-canary1",
}
JO: JsonObject = {
    "@odata.id": "/redfish/v1/AccountService/Accounts/jo",
    "@odata.type": "#ManagerAccount.v1_4_0.ManagerAccount",
    "Id": "jo",
    "UserName": "jo",
}


def test_nothing_private_is_left_in_odd_places_and_spellings() -> None:
    told = json.dumps(clean(ODD, JO))
    for private in (
        *("12:34:56", "ef12.3456", "123456", "mail17", "acme", "aabbccdd", "dc=test", "canary", "cHct", "SESSION", "1234567"),
        *('"jo"', "/jo", " jo "),
    ):
        assert private not in told, private
    (account,) = [body for body in clean(ODD, JO).values() if "UserName" in body]
    assert account["Id"] == account["UserName"]
    assert account["@odata.id"] == f"/redfish/v1/AccountService/Accounts/{account['Id']}"


def test_what_is_done_to_a_secret_is_no_secret() -> None:
    action: JsonObject = {
        "@odata.id": "/redfish/v1/Managers/1",
        "Actions": {"#Manager.ResetPassword": {"target": "/redfish/v1/x"}},
    }
    assert clean(action) == {"/redfish/v1/Managers/1": action}


def test_what_names_a_product_stays() -> None:
    new = clean(SYSTEM, MANAGER, LOG, ACCOUNTS)
    system, manager = new["/redfish/v1/Systems/1"], new["/redfish/v1/Managers/1"]
    assert (system["PartNumber"], system["BiosVersion"]) == ("0MYC9RA01", "1.8.2.10")
    assert system["Oem"]["Dell"]["Firmware"] == {"PackageVersion": "10.2.3.4"}  # type: ignore[index, call-overload]
    assert str(new["/redfish/v1/Managers/1/Log"]["Message"]).endswith("version 10.2.3.4")
    assert manager["ReachedAt"] == "2023-10-06T07:33:20+08:00"
    assert new["/redfish/v1/AccountService/Accounts/3"]["EnableSNMPv3Passphrase"] == "Disabled"


def test_addresses_keep_their_form_their_maker_and_their_network() -> None:
    manager = clean(MANAGER)["/redfish/v1/Managers/1"]
    interface = manager["EthernetInterface"]
    assert isinstance(interface, dict)
    mac = str(interface["MACAddress"])
    assert re.fullmatch(r"b0:7b:25(:[0-9a-f]{2}){3}", mac)
    assert manager["Device"] == f"NIC_{mac.replace(':', '')}_1", "an id that holds the address follows it"
    network, _, _ = str(interface["Address"]).rpartition(".")
    assert network.startswith("198.1")
    assert str(manager["Gateway"]).startswith(f"{network}."), "the gateway is still in the network of the address"
    assert interface["SubnetMask"] == "255.255.255.0"
    assert re.fullmatch(r"fe80::[0-9a-f]{4}:[0-9a-f]{4}:[0-9a-f]{4}:[0-9a-f]{4}", str(manager["LinkLocal"]))


@pytest.mark.parametrize(
    ("uuid", "form"),
    [
        (
            "4c4c4544-0035-3410-8050-c6c04f314733",
            r"4c4c4544-00[0-9a-f]{2}-[0-9a-f]{2}10-80[0-9a-f]{2}-[0-9a-f]{2}c04f[0-9a-f]{6}",
        ),
        ("00000000-0000-0000-0000-AC1F6B18A241", r"00000000-0000-0000-0000-[0-9A-F]{12}"),
        ("34a1c22d-3f42-4cf6-9830-1cfe1d0fdffd", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}"),
        (
            "30343536-3239-584D-5132-33343038374C",
            r"3\d3\d3\d3\d-3\d3\d-[45][0-9A-F][45][0-9A-F]-[45][0-9A-F]3\d-(3\d){5}[45][0-9A-F]",
        ),
        ("00000000-0000-0000-0000-000000000000", r"[0-]+"),
    ],
)
def test_a_uuid_keeps_the_form_by_which_drivers_know_its_maker(uuid: str, form: str) -> None:
    new = str(clean({"@odata.id": "/x", "UUID": uuid})["/x"]["UUID"])
    assert re.fullmatch(form, new)
    assert (new == uuid) is (set(uuid) == {"0", "-"})


def test_the_same_seed_gives_the_same_values_and_another_one_others() -> None:
    assert clean(SYSTEM) == clean(SYSTEM)
    assert clean(SYSTEM)["/redfish/v1/Systems/1"] != clean(SYSTEM, seed=b"other")["/redfish/v1/Systems/1"]


def test_credentials_of_the_capture_are_replaced_in_message_registries_too() -> None:
    registry: JsonObject = {
        "@odata.id": "/redfish/v1/Registries/Base",
        "@odata.type": "#MessageRegistry.v1_4_0.MessageRegistry",
        "Messages": {"A": {"Message": "Expected range 10.0.0.1; s3cret-canary was wrong"}},
    }
    told = json.dumps(clean(registry, secrets=("s3cret-canary",)))
    assert "canary" not in told
    assert "10.0.0.1" in told, "a registry says the same on every machine"


def test_a_value_that_is_an_ordinary_word_is_replaced_at_its_key_only() -> None:
    body: JsonObject = {"@odata.id": "/x", "HostName": "server", "Description": "the server is on", "AssetTag": "default"}
    new = clean(body)["/x"]
    assert str(new["HostName"]).startswith("host-")
    assert (new["Description"], new["AssetTag"]) == ("the server is on", "default")
