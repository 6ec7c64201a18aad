"""`resources.base`: a captured tree is served as it was, with power, sessions and tasks on top."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.core.errors import RackMisconfigured
from profiles.data import frozen
from profiles.model import ResourceRules

ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/Node.1"
TREE = {
    ROOT: {
        "@odata.id": f"{ROOT}/",
        "@odata.type": "#ServiceRoot.v1_9_0.ServiceRoot",
        "Vendor": "Acme",
        "Systems": {"@odata.id": f"{ROOT}/Systems"},
        "Chassis": {"@odata.id": f"{ROOT}/Chassis"},
        "Managers": {"@odata.id": f"{ROOT}/Managers"},
        "Fabrics": {"@odata.id": f"{ROOT}/Fabrics"},
        "Links": {"Sessions": {"@odata.id": f"{ROOT}/Sessions"}},
    },
    f"{ROOT}/Systems": {"@odata.type": "#ComputerSystemCollection.ComputerSystemCollection", "Members": [{"@odata.id": SYSTEM}]},
    SYSTEM: {
        "@odata.id": SYSTEM,
        "@odata.type": "#ComputerSystem.v1_3_0.ComputerSystem",
        "@odata.etag": '"1234"',
        "Id": "Node.1",
        "PowerState": "Off",
        "SerialNumber": "scrubbed",
        "AssetTag": "rack 9",
        "IndicatorLED": "Blinking",
        "Oem": {"Acme": {"Fans": "loud"}},
        "Actions": {"#ComputerSystem.Reset": {"target": f"{SYSTEM}/Actions/Acme.Reset/"}},
    },
    f"{ROOT}/Chassis": {
        "@odata.type": "#ChassisCollection.ChassisCollection",
        "Members": [{"@odata.id": f"{ROOT}/Chassis/Sled"}],
    },
    f"{ROOT}/Chassis/Sled": {"@odata.id": f"{ROOT}/Chassis/Sled", "@odata.type": "#Chassis.v1_3_0.Chassis", "PowerState": None},
    f"{ROOT}/Fabrics": {"@odata.type": "#FabricCollection.FabricCollection", "Members": []},
    f"{ROOT}/Fabrics/Deep/Thing": {"@odata.type": "#Thing.v1_0_0.Thing", "Id": "Thing"},
}


def served(make_bmc, profile, tree):
    ids = replace(profile.ids, system="Node.1", chassis="Sled")
    bmc = make_bmc(replace(profile, ids=ids, resources=ResourceRules(base=frozen(tree))))
    bmc.system = SYSTEM
    return bmc


@pytest.fixture
def captured(make_bmc, generic):
    return served(make_bmc, generic.profile, TREE)


def test_a_body_is_served_as_it_was_captured(captured):
    for path in (f"{ROOT}/Fabrics/Deep/Thing", f"{ROOT}/Systems", f"{ROOT}/Fabrics"):
        assert captured.get(path).json == TREE[path]
    root = captured.get(ROOT, auth=None).json
    assert root["Vendor"] == "Acme"
    assert root["Links"]["Sessions"]["@odata.id"] == f"{ROOT}/SessionService/Sessions"


def test_power_is_alive_in_system_and_chassis(captured):
    system = captured.get(SYSTEM).json
    assert (system["PowerState"], system["Oem"], system["AssetTag"]) == ("On", {"Acme": {"Fans": "loud"}}, "rack 9")
    assert system["SerialNumber"] != "scrubbed"
    assert captured.post(f"{SYSTEM}/Actions/Acme.Reset/", json={"ResetType": "ForceOff"}).status_code == 204
    captured.clock.advance(5)
    assert (captured.power(), captured.power(f"{ROOT}/Chassis/Sled")) == ("Off", "Off")
    looks = [(look["view"], look["word"]) for look in captured.events("look")]
    assert looks == [("system", "On"), ("system", "Off"), ("chassis", "Off")]


def test_the_tag_is_that_of_the_body_now(captured):
    first, header = captured.get(SYSTEM).json["@odata.etag"], captured.get(SYSTEM).headers["ETag"]
    assert first == header != '"1234"'


def test_sessions_and_accounts_are_ours(captured):
    location = captured.log_in().headers["Location"]
    assert captured.get(location).status_code == 200
    assert captured.get(f"{ROOT}/AccountService/Accounts").json["Members@odata.count"] == 1
    assert captured.get(f"{ROOT}/EventService").status_code == 404, "the captured root has no link to it"


def test_what_the_capture_lacks_and_its_root_links_to_is_built_in(captured):
    assert captured.get(f"{ROOT}/Managers").json["Members@odata.count"] == 1


def test_what_a_client_writes_is_shown_from_then_on(captured):
    assert captured.ask("PATCH", SYSTEM, json={"AssetTag": "rack 10"}).status_code == 200
    assert captured.get(SYSTEM).json["AssetTag"] == "rack 10"
    assert captured.get(SYSTEM).json["IndicatorLED"] == "Blinking"


def test_a_tree_without_the_racks_system_is_refused_with_what_it_has(make_bmc, generic):
    with pytest.raises(RackMisconfigured, match=r"has no system 437XR1138R2; it has: Node\.1"):
        make_bmc(replace(generic.profile, resources=ResourceRules(base=frozen(TREE))))
