"""Resources in an old schema version have no newer property: at any depth, and where they come and go."""

from __future__ import annotations

import pytest

from emulator.redfish.inventory.versions import has_property, without_newer
from tests.unit.redfish.test_redfish_inventory_tree import TYPED, walked
from tools.schema_versions import facts

DRIVE_OLD = "#Drive.v1_7_0.Drive"
ADAPTER_OLD = "#NetworkAdapter.v1_9_0.NetworkAdapter"

CSDL = """\
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Lamp">
 <EntityType Name="Lamp" BaseType="Resource.v1_0_0.Resource"/>
</Schema>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Lamp.v1_10_0">
 <EntityType Name="Lamp" BaseType="Lamp.v1_2_1.Lamp"><Property Name="Colour" Type="Edm.String"/></EntityType>
</Schema>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Lamp.v1_0_0">
 <EntityType Name="Lamp" BaseType="Lamp.Lamp">
  <Property Name="Bulbs" Type="Collection(Lamp.v1_0_0.Bulb)"/><Property Name="Room" Type="Edm.String"/>
 </EntityType>
 <ComplexType Name="Part"><Property Name="Maker" Type="Edm.String"/></ComplexType>
 <ComplexType Name="Bulb" BaseType="Lamp.v1_0_0.Part"><Property Name="Watts" Type="Edm.Int64"/></ComplexType>
</Schema>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Lamp.v1_2_1">
 <EntityType Name="Lamp" BaseType="Lamp.v1_0_0.Lamp"><NavigationProperty Name="Switch" Type="Switch.Switch"/></EntityType>
 <ComplexType Name="Bulb" BaseType="Lamp.v1_0_0.Bulb"><Property Name="Socket" Type="Edm.String"/></ComplexType>
 <ComplexType Name="Part" BaseType="Lamp.v1_0_0.Part"><Property Name="Model" Type="Edm.String"/></ComplexType>
</Schema>
</edmx:DataServices></edmx:Edmx>
"""


def test_the_table_is_read_from_csdl_in_the_order_of_versions_and_with_what_a_type_extends():
    assert facts("Lamp", CSDL) == {"v1_2_1": ["Bulbs/Model", "Bulbs/Socket", "Switch"], "v1_10_0": ["Colour"]}


def test_what_is_newer_goes_and_everything_else_stays():
    body = {
        "@odata.id": "/x",
        "Id": "1",
        "Metrics": {},
        "Links": {"Chassis": {}, "Storage": {}},
        "Links@odata.count": 2,
        "Oem": {},
    }
    assert without_newer(DRIVE_OLD, body) == {
        "@odata.id": "/x",
        "Id": "1",
        "Links": {"Chassis": {}},
        "Links@odata.count": 2,
        "Oem": {},
    }


def test_lists_of_objects_are_looked_into():
    def body(**more):
        return {
            "Controllers": [{"ControllerCapabilities": {"VirtualizationOffload": {"SRIOV": {"SRIOVVEPACapable": True} | more}}}]
        }

    assert without_newer(ADAPTER_OLD, body(SRIOVEnabled=False)) == body()


def test_an_annotation_goes_with_its_property():
    assert without_newer(DRIVE_OLD, {"Metrics@Redfish.Note": 1, "Name": "d"}) == {"Name": "d"}


def test_an_unknown_schema_and_a_collection_lose_nothing():
    for odata_type in ("#Acme.v1_0_0.Acme", "#DriveCollection.DriveCollection"):
        assert without_newer(odata_type, {"Metrics": 1}) == {"Metrics": 1}
        assert has_property(odata_type, "Metrics")


def test_errata_count_where_a_property_came_with_one():
    assert not has_property("#Chassis.v1_0_0.Chassis", "PowerState")
    assert has_property("#Chassis.v1_0_1.Chassis", "PowerState")


@pytest.mark.parametrize(("profile", "there"), [("hpe-ilo4", False), ("hpe-ilo5", True)])
def test_an_account_has_only_what_its_version_knows(make_bmc, profile, there):
    bmc = make_bmc(profile)
    account = bmc.get(f"/redfish/v1/AccountService/Accounts/{bmc.admin[0]}", follow_redirects=True).json
    assert account["@odata.type"] == f"#ManagerAccount.{'v1_3_0' if there else 'v1_0_0'}.ManagerAccount"
    assert ("PasswordChangeRequired" in account) is there


def test_a_version_is_told_alike_in_the_body_the_link_header_and_the_list_of_schemas(make_bmc):
    bmc = make_bmc("supermicro-x10")
    answer = bmc.get(f"/redfish/v1/AccountService/Accounts/{bmc.admin[0]}")
    assert "ManagerAccount.v1_0_0" in answer.headers["Link"]
    assert "ManagerAccount.v1_0_0" in {path.rpartition("/")[2] for path in walked(bmc, "/redfish/v1/JsonSchemas")}


@pytest.mark.parametrize("profile", ["huawei-ibmc", "supermicro-x10", "nvidia-dgx"])
def test_every_property_of_an_old_bmc_is_as_old_as_its_schema(make_bmc, profile):
    for path, body in walked(make_bmc(profile), "/redfish/v1/").items():
        found = TYPED.fullmatch(body.get("@odata.type", ""))
        if found is not None and found[2] is not None:
            assert [name for name in body if not has_property(body["@odata.type"], name.partition("@")[0])] == [], path


@pytest.mark.parametrize(("profile", "known"), [("lenovo-imm2", False), ("dmtf-generic", True)])
def test_uefi_boot_next_is_offered_where_the_version_has_boot_next(make_bmc, profile, known):
    bmc = make_bmc(profile)
    path = f"{bmc.system}/" if bmc.profile.http.slash == "redirect" else bmc.system
    boot = bmc.get(path).json["Boot"]
    assert ("UefiBootNext" in boot["BootSourceOverrideTarget@Redfish.AllowableValues"]) is known
    assert ("BootNext" in boot) is known
    wanted = {"BootSourceOverrideTarget": "UefiBootNext", "BootNext": "Boot0001"}
    assert bmc.ask("PATCH", path, json={"Boot": wanted}).status_code == (200 if known else 400)
