"""An enclosure over Redfish: a chassis per slot, and Chassis.Reset of a slot and of the whole."""

from __future__ import annotations

import pytest

from emulator.core.journal import EventKind
from tests.unit.redfish.test_redfish_inventory_tree import TYPED, walked

CHASSIS = "/redfish/v1/Chassis"
SLOT = f"{CHASSIS}/Slot1"
RESET = f"{SLOT}/Actions/Chassis.Reset"


@pytest.fixture
def enclosure(make_bmc):
    return make_bmc("enclosure-generic")


def rails(enclosure):
    return {system.id: system.host.rail.value for system in enclosure.rack.unit("n1").systems}


def test_no_link_is_dead_and_no_system_is_there(enclosure):
    found = walked(enclosure)
    assert len([path for path in found if path.startswith(f"{CHASSIS}/Slot")]) == 8
    assert not [path for path in found if "Systems" in path or "PowerEquipment" in path or "UpdateService" in path]
    for path, body in found.items():
        schema, _, name = TYPED.fullmatch(body["@odata.type"]).groups()
        assert schema == name, path


def test_slots_and_the_whole_link_to_each_other(enclosure):
    whole = enclosure.get(f"{CHASSIS}/Enclosure").json
    assert len(whole["Links"]["Contains"]) == 8
    shown = enclosure.get(SLOT).json
    assert shown["Links"]["ContainedBy"] == {"@odata.id": f"{CHASSIS}/Enclosure"}
    assert shown["Actions"]["#Chassis.Reset"]["ResetType@Redfish.AllowableValues"] == ["On", "ForceOff", "PowerCycle"]


def test_reset_of_a_slot_switches_that_slot_alone(enclosure):
    assert enclosure.post(RESET, json={"ResetType": "ForceOff"}).status_code == 204
    assert (enclosure.power(SLOT), enclosure.power(f"{CHASSIS}/Slot2")) == ("Off", "On")
    assert [slot for slot, rail in rails(enclosure).items() if rail == "down"] == ["Slot1"]
    enclosure.post(RESET, json={"ResetType": "On"})
    enclosure.clock.advance(1.1)
    assert (enclosure.power(SLOT), rails(enclosure)["Slot1"]) == ("On", "up")


def test_reset_of_the_whole_switches_every_slot(enclosure):
    answer = enclosure.post(f"{CHASSIS}/Enclosure/Actions/Chassis.Reset", json={"ResetType": "ForceOff"})
    assert answer.status_code == 204
    assert set(rails(enclosure).values()) == {"down"}


@pytest.mark.parametrize("path", [RESET, f"{CHASSIS}/Enclosure/Actions/Chassis.Reset"])
def test_a_reset_type_that_is_none_is_refused_and_nothing_moves(enclosure, path):
    answer = enclosure.post(path, json={"ResetType": "Nmi"})
    assert answer.status_code == 400
    assert set(rails(enclosure).values()) == {"up"}


def test_a_reset_is_a_power_command_about_its_slot_and_a_read_tells_its_power(enclosure):
    enclosure.post(RESET, json={"ResetType": "ForceOff"})
    enclosure.get(SLOT)
    requests = [event.data for event in enclosure.rack.journal if event.kind is EventKind.REQUEST]
    assert [(r["intent"], r["system"], r.get("reset")) for r in requests[-2:]] == [
        ("power-command", "Slot1", "ForceOff"),
        ("power-read", "Slot1", None),
    ]
    (look,) = [event.data for event in enclosure.rack.journal if event.kind is EventKind.LOOK][-1:]
    assert (look["system"], look["view"], look["word"]) == ("Slot1", "chassis", "Off")
