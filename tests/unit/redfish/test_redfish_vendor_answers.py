"""What the shipped profiles make the service say, against what was captured or documented of the vendor."""

from __future__ import annotations

import pytest

MEMBERS = "/redfish/v1/Systems"
SESSION = "/redfish/v1/SessionService"


def wrong_login(bmc):
    return bmc.client.post(f"{SESSION}/Sessions", json={"UserName": bmc.admin[0], "Password": "not-the-password"})


def test_idrac9_refuses_an_off_of_an_off_host_with_the_401_bytes_that_were_captured(make_bmc):
    bmc = make_bmc("dell-idrac9")
    bmc.reset("ForceOff")
    bmc.clock.advance(30)
    refused = bmc.reset("ForceOff")
    (message,) = refused.json["error"]["@Message.ExtendedInfo"]
    assert (refused.status_code, message["MessageId"], len(refused.data)) == (409, "IDRAC.2.7.PSU502", 401)


@pytest.mark.parametrize("profile", ["hpe-ilo5", "hpe-ilo6", "hpe-ilo7"])
def test_ilo_5_and_later_serve_both_spellings_of_a_path_and_answer_in_kind(make_bmc, profile):
    bmc = make_bmc(profile)
    for path in (bmc.system, f"{bmc.system}/"):
        system = bmc.get(path)
        assert (system.status_code, system.json["@odata.id"]) == (200, path)
    assert bmc.reset("ForceOff").status_code == 200


def test_ilo_4_redirects_every_path_without_a_slash_and_xcc_the_root_alone(make_bmc):
    assert make_bmc("hpe-ilo4").reset("ForceOff").status_code == 308
    xcc = make_bmc("lenovo-xcc")
    assert xcc.get("/redfish/v1").status_code == 308
    assert xcc.get(xcc.system).json["@odata.id"] == xcc.system
    assert xcc.reset("ForceOff").status_code == 204


def test_imm2_redirects_with_301(make_bmc):
    bmc = make_bmc("lenovo-imm2")
    answer = bmc.get(bmc.system)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{bmc.system}/")


def test_xcc_takes_the_boot_override_at_the_system(make_bmc):
    bmc = make_bmc("lenovo-xcc")
    once = {"Boot": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}}
    assert bmc.ask("PATCH", bmc.system, json=once).status_code == 200


def test_ilo_tells_minutes_as_the_timeout_of_a_session_and_the_url_of_a_new_one(make_bmc):
    bmc = make_bmc("hpe-ilo5")
    assert bmc.get(SESSION).json["SessionTimeout"] == 30
    made = bmc.client.post(
        f"{SESSION}/Sessions", json={"UserName": bmc.admin[0], "Password": bmc.admin[1]}, base_url="https://ilo.example"
    )
    assert made.headers["Location"] == "https://ilo.example/redfish/v1/SessionService/Sessions/1"
    bmc.clock.advance(29 * 60)
    assert bmc.client.get(bmc.system, headers={"X-Auth-Token": made.headers["X-Auth-Token"]}).status_code == 200


def test_ibmc_refuses_a_wrong_password_with_its_own_message_wherever_it_is_sent(make_bmc):
    bmc = make_bmc("huawei-ibmc")
    for refused in (wrong_login(bmc), bmc.get(bmc.system, auth=(bmc.admin[0], "not-the-password"))):
        (message,) = refused.json["error"]["@Message.ExtendedInfo"]
        assert (refused.status_code, message["MessageId"]) == (401, "iBMC.1.0.AuthorizationFailed")


def test_openbmc_tells_a_wrong_login_from_none_at_all(make_bmc):
    bmc = make_bmc("openbmc-x86")
    assert bmc.get(bmc.system, auth=None).data == b""
    (message,) = wrong_login(bmc).json["error"]["@Message.ExtendedInfo"]
    assert message["MessageId"] == "Base.1.19.ResourceAtUriUnauthorized"


def test_openbmc_refuses_another_reset_of_the_bmc_as_not_supported(make_bmc):
    bmc = make_bmc("openbmc-x86")
    refused = bmc.post("/redfish/v1/Managers/bmc/Actions/Manager.Reset", json={"ResetType": "PowerCycle"})
    (message,) = refused.json["error"]["@Message.ExtendedInfo"]
    assert (refused.status_code, message["MessageId"]) == (400, "Base.1.19.ActionParameterNotSupported")
    assert message["MessageArgs"] == ["PowerCycle", "ResetType"]


@pytest.mark.parametrize(
    ("profile", "systems"),
    [
        ("ami-megarac", ["/redfish/v1/Systems/Self"]),  # and not Capabilities, to which the collection links elsewhere
        ("nvidia-dgx", ["/redfish/v1/Systems/DGX", "/redfish/v1/Systems/HGX_Baseboard_0"]),
        ("nvidia-bluefield", ["/redfish/v1/Systems/Bluefield"]),
    ],
)
def test_the_systems_are_those_of_the_capture(make_bmc, profile, systems):
    bmc = make_bmc(profile)
    assert [member["@odata.id"] for member in bmc.get(MEMBERS).json["Members"]] == systems
    with_reset = [path for path in systems if "#ComputerSystem.Reset" in bmc.get(path).json.get("Actions", {})]
    assert with_reset == systems[:1]


def test_capabilities_of_ami_is_there_for_whoever_follows_the_link(make_bmc):
    bmc = make_bmc("ami-megarac")
    capabilities = bmc.get(MEMBERS).json["@Redfish.CollectionCapabilities"]["Capabilities"][0]["CapabilitiesObject"]
    assert "PowerState" not in bmc.get(capabilities["@odata.id"]).json


@pytest.mark.parametrize(
    ("profile", "links"),
    [("nvidia-bluefield", ["/redfish/v1/Chassis/Bluefield_BMC"]), ("nvidia-dgx", ["/redfish/v1/Chassis/DGX"])],
)
def test_a_system_links_to_the_chassis_of_the_capture(make_bmc, profile, links):
    bmc = make_bmc(profile)
    assert [link["@odata.id"] for link in bmc.get(bmc.system).json["Links"]["Chassis"]] == links


@pytest.mark.parametrize(("profile", "tells"), [("huawei-ibmc", False), ("supermicro-x10", False), ("supermicro-x13", True)])
def test_a_chassis_tells_its_power_where_the_capture_does(make_bmc, profile, tells):
    bmc = make_bmc(profile)
    assert ("PowerState" in bmc.get(bmc.chassis).json) is tells


@pytest.mark.parametrize("profile", ["openbmc-x86", "nvidia-bluefield", "nvidia-dgx", "ami-megarac"])
def test_chassis_reset_lists_its_types_in_an_action_info_as_the_capture_does(make_bmc, profile):
    bmc = make_bmc(profile)
    action = bmc.get(bmc.chassis).json["Actions"]["#Chassis.Reset"]
    (listed,) = bmc.get(action["@Redfish.ActionInfo"]).json["Parameters"]
    assert (set(action), set(listed["AllowableValues"])) == (
        {"target", "@Redfish.ActionInfo"},
        set(bmc.profile.power.chassis.reset_types),
    )


@pytest.mark.parametrize(
    ("profile", "pace", "how"),
    [
        ("dell-idrac9", {"min": 95, "typ": 190}, "captured"),
        ("dell-idrac10", {"min": 95, "typ": 190}, "inferred"),
        ("hpe-ilo5", {"min": 183, "typ": 305}, "captured"),
        ("hpe-ilo7", {"min": 183, "typ": 305}, "inferred"),
        ("lenovo-xcc", {"min": 171, "typ": 382}, "captured"),
        ("nvidia-dgx", {"min": 195, "typ": 526}, "captured"),
        ("supermicro-x13", {"min": 136, "typ": 253}, "captured"),
    ],
)
def test_a_bmc_is_as_slow_as_the_crawl_of_the_capture_was(make_bmc, profile, pace, how):
    """The notes of the captures have the times of all answers. Another generation's are inferred."""
    found = make_bmc(profile).profile
    assert dict(found.timing.latency_ms) == pace
    assert found.evidence["timing.latency_ms"].confidence == how
