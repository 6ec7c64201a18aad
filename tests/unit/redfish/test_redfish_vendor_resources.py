"""What a profile adds to the built-in tree, and what it takes away: OEM actions, templates, several managers, versions."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

import pytest

from emulator.core.bmc.view import BmcView
from emulator.core.errors import RackMisconfigured
from emulator.core.rack import HostSpec
from emulator.redfish.service.tree import Tree
from profiles import load, names
from profiles.data import frozen
from profiles.model import ChassisPower, OemAction, OtherManager, ResourceRules

TWO_HOSTS = (HostSpec(), HostSpec())


def with_power(profile, **more):
    return replace(profile, power=replace(profile.power, **more))


def with_resources(profile, **more):
    return replace(profile, resources=ResourceRules(**{key: frozen(value) for key, value in more.items()}))


def test_the_target_of_a_reset_is_where_the_vendor_has_it(generic, make_bmc):
    bmc = make_bmc(with_power(generic.profile, target="/redfish/v1/Actions/{system}/Reset/"))
    target = bmc.get(bmc.system).json["Actions"]["#ComputerSystem.Reset"]["target"]
    assert target == "/redfish/v1/Actions/437XR1138R2/Reset/"
    assert bmc.post(target, json={"ResetType": "ForceOff"}).status_code == 204
    bmc.clock.advance(5)
    assert bmc.power() == "Off"
    assert bmc.reset("On").status_code == 404


def test_the_systems_are_where_the_vendor_has_them(generic, make_bmc):
    bmc = make_bmc(with_resources(generic.profile, systems="/redfish/v1/Computers"))
    assert bmc.get("/redfish/v1").json["Systems"] == {"@odata.id": "/redfish/v1/Computers"}
    assert {"name": "Systems", "kind": "Singleton", "url": "/redfish/v1/Computers"} in bmc.get("/redfish/v1/odata").json["value"]
    assert bmc.get("/redfish/v1/Systems").status_code == bmc.get("/redfish/v1/Systems/437XR1138R2").status_code == 404
    [member] = bmc.get("/redfish/v1/Computers").json["Members"]
    system = bmc.get(member["@odata.id"]).json
    assert system["@odata.id"] == "/redfish/v1/Computers/437XR1138R2"
    assert bmc.post(system["Actions"]["#ComputerSystem.Reset"]["target"], json={"ResetType": "ForceOff"}).status_code == 204
    bmc.clock.advance(5)
    assert bmc.get(system["@odata.id"]).json["PowerState"] == "Off"
    chassis = bmc.get(bmc.chassis).json
    assert chassis["Links"]["ComputerSystems"] == [{"@odata.id": system["@odata.id"]}]
    reset = [event for event in bmc.events("request") if event.get("intent") == "power-command"]
    assert [event["system"] for event in reset] == ["437XR1138R2"]
    tree = Tree(bmc.profile, BmcView(bmc.rack, "n1").systems())
    assert "/redfish/v1/Systems" not in "".join(bmc.get(node.path).text for node in tree if node.content is not None)


BUTTON = OemAction(
    target="/redfish/v1/Systems/{system}/Actions/Oem/Acme.PowerButton",
    name="#Acme.PowerButton",
    parameter="PushType",
    values=MappingProxyType({"PressAndHold": "ForceOff", "Press": "GracefulShutdown"}),
)


def test_an_oem_action_gives_a_power_command(generic, make_bmc):
    bmc = make_bmc(with_power(generic.profile, oem_actions=(BUTTON,)))
    shown = bmc.get(bmc.system).json["Actions"]["Oem"]["#Acme.PowerButton"]
    assert shown["PushType@Redfish.AllowableValues"] == ["PressAndHold", "Press"]
    assert bmc.post(shown["target"], json={"PushType": "Shrug"}).status_code == 400
    assert bmc.post(shown["target"], json={"ResetType": "ForceOff"}).status_code == 400
    assert bmc.post(shown["target"], json={"PushType": "PressAndHold"}).status_code == 204
    bmc.clock.advance(5)
    assert bmc.power() == "Off"
    [request] = [event for event in bmc.events("request") if event.get("intent") == "power-command" and event.get("reset")]
    assert request["reset"] == "ForceOff"


def test_an_oem_action_may_need_no_body(generic, make_bmc):
    action = OemAction(target="/redfish/v1/Oem/Cut", body="ForceOff")
    bmc = make_bmc(with_power(generic.profile, oem_actions=(action,)))
    assert "Oem" not in bmc.get(bmc.system).json["Actions"]
    assert bmc.post("/redfish/v1/Oem/Cut").status_code == 204
    bmc.clock.advance(5)
    assert bmc.power() == "Off"


def test_an_action_of_the_vendor_may_ask_for_what_reset_does_not_offer(make_bmc):
    """Fujitsu's PowerCycle, and HPE's ColdBoot, whose word is no ResetType: the cell of the table answers."""
    fujitsu, hpe = make_bmc("fujitsu-irmc"), make_bmc("hpe-ilo5")
    assert fujitsu.reset("PowerCycle").status_code == 400
    action = fujitsu.get(fujitsu.system).json["Actions"]["Oem"]["#FTSComputerSystem.Reset"]
    assert fujitsu.post(action["target"], json={"FTSResetType": "PowerCycle"}).status_code == 204
    assert (fujitsu.events("command")[-1]["reset"], fujitsu.events("command")[-1]["effect"]) == ("PowerCycle", "power_cycle")
    action = hpe.get(hpe.system).json["Oem"]["Hpe"]["Actions"]["#HpeComputerSystemExt.SystemReset"]
    hpe.reset("ForceOff")
    hpe.clock.advance(5)
    refused = hpe.post(action["target"], json={"ResetType": "ColdBoot"})
    (message,) = refused.json["error"]["@Message.ExtendedInfo"]
    assert (refused.status_code, message["MessageId"]) == (400, "iLO.2.15.InvalidOperationForSystemState")
    assert hpe.post(action["target"], json={"ResetType": "AuxCycle"}).status_code == 200
    assert hpe.events("command")[-1]["assumed"] is True
    assert hpe.power() == "Off"


def test_a_chassis_may_list_its_resets_in_an_action_info(generic, make_bmc):
    bmc = make_bmc(with_power(generic.profile, chassis=ChassisPower(reset_types=("On", "ForceOff"), advertise="action_info")))
    action = bmc.get(bmc.chassis).json["Actions"]["#Chassis.Reset"]
    assert action == {
        "target": f"{bmc.chassis}/Actions/Chassis.Reset",
        "@Redfish.ActionInfo": f"{bmc.chassis}/ResetActionInfo",
    }
    (listed,) = bmc.get(action["@Redfish.ActionInfo"]).json["Parameters"]
    assert listed["AllowableValues"] == ["On", "ForceOff"]


def test_a_chassis_may_have_a_reset_and_no_power_state(generic, make_bmc):
    bmc = make_bmc(with_power(generic.profile, chassis=ChassisPower(power_state=False, reset_types=("On", "ForceOff"))))
    chassis = bmc.get(bmc.chassis).json
    assert "PowerState" not in chassis
    target = chassis["Actions"]["#Chassis.Reset"]["target"]
    assert bmc.post(target, json={"ResetType": "ForceRestart"}).status_code == 400
    assert bmc.post(target, json={"ResetType": "ForceOff"}).status_code == 204
    bmc.clock.advance(5)
    assert bmc.power() == "Off"


def test_there_may_be_several_managers(generic, make_bmc):
    others = (OtherManager(id="HGX_BMC_0", model="HGX", firmware="24.1"),)
    bmc = make_bmc(replace(generic.profile, managers=others))
    members = [member["@odata.id"] for member in bmc.get("/redfish/v1/Managers").json["Members"]]
    assert members == ["/redfish/v1/Managers/BMC", "/redfish/v1/Managers/HGX_BMC_0"]
    assert bmc.get(members[1]).json["FirmwareVersion"] == "24.1"


def test_the_profile_chooses_the_versions_of_schemas(generic, make_bmc):
    bmc = make_bmc(replace(generic.profile, versions={"Processor": "v1_7_0", "ComputerSystem": "v1_3_0"}))
    processor = bmc.get(bmc.get(f"{bmc.system}/Processors").json["Members"][0]["@odata.id"])
    assert processor.json["@odata.type"] == "#Processor.v1_7_0.Processor"
    assert "Processor.v1_7_0" in processor.headers["Link"]
    system = bmc.get(bmc.system).json
    assert system["@odata.type"] == "#ComputerSystem.v1_3_0.ComputerSystem"
    assert "BootProgress" not in system


def test_the_boot_override_may_be_written_at_a_settings_object_only(generic, make_bmc):
    bmc = make_bmc(with_resources(generic.profile, boot="settings"))
    system = bmc.get(bmc.system).json
    settings = system["@Redfish.Settings"]["SettingsObject"]["@odata.id"]
    wanted = {"Boot": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}}
    assert bmc.ask("PATCH", bmc.system, json=wanted).status_code == 400
    assert bmc.ask("PATCH", settings, json=wanted).status_code == 200
    assert bmc.get(bmc.system).json["Boot"]["BootSourceOverrideTarget"] == "Pxe"


# -- templates ----------------------------------------------------------------------------------------------------------


def test_a_template_makes_a_resource_for_each_system(generic, make_bmc):
    body = {"@odata.type": "#AcmeSystem.v1_0_0.AcmeSystem", "Serial": "{serial}", "Power": "{power:system}", "Name": "{system}"}
    profile = with_resources(generic.profile, templates={"/redfish/v1/Systems/{system}/Oem/Acme": body})
    bmc = make_bmc(profile, TWO_HOSTS)
    systems = [member["@odata.id"] for member in bmc.get("/redfish/v1/Systems").json["Members"]]
    found = [bmc.get(f"{system}/Oem/Acme").json for system in systems]
    assert [each["Serial"] for each in found] == [bmc.get(system).json["SerialNumber"] for system in systems]
    assert found[0]["Power"] == "On"
    bmc.reset("ForceOff")
    bmc.clock.advance(5)
    assert [bmc.get(f"{system}/Oem/Acme").json["Power"] for system in systems] == ["Off", "On"]


def test_a_template_is_merged_into_what_is_there(generic, make_bmc):
    patch = {"Oem": {"Acme": {"State": "{power:chassis}"}}, "SKU": None}
    bmc = make_bmc(with_resources(generic.profile, templates={"/redfish/v1/Systems/{system}": patch}))
    system = bmc.get(bmc.system).json
    assert (system["Oem"]["Acme"]["State"], "SKU" in system, system["PowerState"]) == ("On", False, "On")


def test_a_template_becomes_a_member_of_its_collection(generic, make_bmc):
    """A system without Reset beside the real one, as GPU boards have."""
    board = {"@odata.id": "/redfish/v1/Systems/HGX", "@odata.type": "#ComputerSystem.v1_10_0.ComputerSystem", "Id": "HGX"}
    bmc = make_bmc(with_resources(generic.profile, templates={"/redfish/v1/Systems/HGX": board}))
    listing = bmc.get("/redfish/v1/Systems").json
    assert [member["@odata.id"] for member in listing["Members"]] == [bmc.system, "/redfish/v1/Systems/HGX"]
    assert listing["Members@odata.count"] == 2
    assert bmc.get("/redfish/v1/Systems/HGX").json["Id"] == "HGX"


def test_what_a_collection_links_to_elsewhere_is_no_member_of_it(generic, make_bmc):
    board = {"@odata.id": "/redfish/v1/Systems/Zone", "@odata.type": "#ComputerSystem.v1_10_0.ComputerSystem", "Id": "Zone"}
    links = {"@Redfish.CollectionCapabilities": {"Capabilities": [{"CapabilitiesObject": {"@odata.id": board["@odata.id"]}}]}}
    templates = {"/redfish/v1/Systems/Zone": board, "/redfish/v1/Systems": links}
    bmc = make_bmc(with_resources(generic.profile, templates=templates))
    listing = bmc.get("/redfish/v1/Systems").json
    assert listing["Members"] == [{"@odata.id": bmc.system}]
    assert listing["@Redfish.CollectionCapabilities"] == links["@Redfish.CollectionCapabilities"]
    assert bmc.get("/redfish/v1/Systems/Zone").json["Id"] == "Zone"


def test_a_patch_may_hold_lists_of_links(generic, make_bmc):
    links = {"Links": {"ManagedBy": None, "Managers": [{"@odata.id": "/redfish/v1/Managers/BMC"}]}}
    bmc = make_bmc(with_resources(generic.profile, merge={generic.system: links}))
    shown = bmc.get(bmc.system).json["Links"]
    assert ("ManagedBy" in shown, shown["Managers"]) == (False, [{"@odata.id": "/redfish/v1/Managers/BMC"}])


def test_a_template_for_each_member(generic, make_bmc):
    patch = {"Oem": {"Acme": {"Of": "{member}"}}}
    bmc = make_bmc(with_resources(generic.profile, templates={"/redfish/v1/Systems/{system}/Processors/{member}": patch}))
    members = bmc.get(f"{bmc.system}/Processors").json["Members"]
    assert len(members) == 2
    assert [bmc.get(each["@odata.id"]).json["Oem"]["Acme"]["Of"] for each in members] == [
        each["@odata.id"].rpartition("/")[2] for each in members
    ]


def test_a_power_word_of_a_template_is_a_look(generic, make_bmc):
    body = {"@odata.type": "#AcmeSystem.v1_0_0.AcmeSystem", "PowerState": "{power:chassis}"}
    bmc = make_bmc(with_resources(generic.profile, templates={"/redfish/v1/Oem/Acme": body}))
    before = len(bmc.events("look"))
    assert bmc.get("/redfish/v1/Oem/Acme").json["PowerState"] == "On"
    assert [(look["view"], look["word"]) for look in bmc.events("look")[before:]] == [("chassis", "On")]


# -- remove -------------------------------------------------------------------------------------------------------------


def test_what_is_below_a_removed_path_goes_too_and_all_links_to_it(generic, make_bmc):
    bmc = make_bmc(with_resources(generic.profile, remove=[f"{generic.system}/Processors"]))
    assert bmc.get(f"{bmc.system}/Processors").status_code == 404
    assert bmc.get(f"{bmc.system}/Processors/CPU1").status_code == 404
    assert "Processors" not in bmc.get(bmc.system).json
    chassis = bmc.get(bmc.chassis)
    assert b"/Processors" not in chassis.data
    assert generic.get(generic.chassis).data.count(b"/Processors") > 0


def test_a_path_that_is_not_there_cannot_be_removed(generic, make_bmc):
    with pytest.raises(RackMisconfigured, match="does not have"):
        make_bmc(with_resources(generic.profile, remove=["/redfish/v1/Fabrics"]))


def test_the_reset_action_may_have_apply_times(generic, make_bmc):
    bmc = make_bmc(with_power(generic.profile, apply_times=("Immediate", "AtMaintenanceWindowStart")))
    action = bmc.get(bmc.system).json["Actions"]["#ComputerSystem.Reset"]
    assert action["@Redfish.OperationApplyTimeSupport"]["SupportedValues"] == ["Immediate", "AtMaintenanceWindowStart"]


RECOGNISED_BY = {
    "ami-megarac": ["Ami", "Dre", "Vendor"],
    "dell-idrac10": ["Dell"],
    "dell-idrac9": ["Dell"],
    "fujitsu-irmc": ["ts_fujitsu"],
    "hpe-ilo4": ["Hp"],
    "hpe-ilo5": ["Hpe"],
    "hpe-ilo6": ["Hpe"],
    "hpe-ilo7": ["Hpe"],
    "huawei-ibmc": ["Huawei"],
    "nvidia-dgx": ["Ami"],
    "supermicro-x13": ["Supermicro"],
}
"""The keys of Oem in the service root, by which clients tell vendors apart: check_redfish takes the first."""


@pytest.mark.parametrize("name", [name for name in names() if load(name).http.served])
def test_the_service_root_has_the_key_by_which_clients_know_the_vendor(name, make_bmc):
    bmc = make_bmc(load(name))
    response = bmc.get("/redfish/v1/")
    told = response.json.get("Oem", {})
    assert list(told) == RECOGNISED_BY.get(name, [])
    assert "@odata.id" not in json.dumps(told), "a link to what may not be there"


@pytest.mark.parametrize("number", [5, 6, 7])
def test_an_ilo_tells_its_generation_and_firmware_in_the_service_root(number, make_bmc):
    profile = load(f"hpe-ilo{number}")
    told = make_bmc(profile).get("/redfish/v1/").json["Oem"]["Hpe"]
    [manager] = told["Manager"]
    assert (manager["ManagerType"], told["Moniker"]["PRODGEN"]) == (f"iLO {number}", f"iLO {number}")
    assert manager["ManagerFirmwareVersion"] in profile.identity.bmc_firmware
