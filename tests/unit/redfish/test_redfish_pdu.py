"""A rack PDU over Redfish: its tree, its outlets and their PowerControl action."""

from __future__ import annotations

import pytest

from emulator.faults.registry import make_fault
from tests.unit.redfish.test_redfish_inventory_tree import TYPED, walked

PDU = "/redfish/v1/PowerEquipment/RackPDUs/1"
A1 = f"{PDU}/Outlets/A1"
CONTROL = f"{A1}/Actions/Outlet.PowerControl"


@pytest.fixture
def pdu(make_bmc):
    return make_bmc("pdu-generic")


def rail(pdu, outlet="A1"):
    return pdu.rack.unit("n1").system(outlet).host.rail.value


def test_no_link_is_dead_and_no_system_is_there(pdu):
    found = walked(pdu)
    assert len([path for path in found if path.startswith(f"{PDU}/Outlets/")]) == 11
    assert not [path for path in found if "Systems" in path or "UpdateService" in path]
    for path, body in found.items():
        schema, _, name = TYPED.fullmatch(body["@odata.type"]).groups()
        assert schema == name, path
    assert pdu.get("/redfish/v1/Systems").status_code == 404


def test_an_outlet_shows_the_delays_that_it_has(pdu):
    shown = pdu.get(A1).json
    assert (shown["PowerState"], shown["PowerEnabled"]) == ("On", True)
    delays = [shown[f"Power{name}DelaySeconds"] for name in ("On", "Off", "Cycle")]
    assert delays == [4, 0, 4]
    assert shown["Actions"]["#Outlet.PowerControl"]["PowerState@Redfish.AllowableValues"] == ["On", "Off", "PowerCycle"]


def test_power_control_switches_its_own_outlet(pdu):
    assert pdu.post(CONTROL, json={"PowerState": "Off"}).status_code == 204
    assert (pdu.power(A1), pdu.power(f"{PDU}/Outlets/A2"), rail(pdu)) == ("Off", "On", "down")
    pdu.post(CONTROL, json={"PowerState": "On"})
    pdu.clock.advance(3.9)
    assert pdu.power(A1) == "Off"
    pdu.clock.advance(0.2)
    assert (pdu.power(A1), rail(pdu)) == ("On", "up")
    pdu.post(CONTROL, json={"PowerState": "PowerCycle"})
    assert pdu.power(A1) == "Off"
    pdu.clock.advance(4)
    assert pdu.power(A1) == "On"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"PowerState": "ForceOff"}, "ActionParameterValueNotInList"),
        ({"PowerState": 1}, "ActionParameterValueTypeError"),
        ({"ResetType": "Off"}, "ActionParameterUnknown"),
        ({}, "ActionParameterMissing"),
    ],
)
def test_what_is_no_power_state_is_refused_and_nothing_happens(pdu, message, body, name):
    answer = pdu.post(CONTROL, json=body)
    assert (answer.status_code, message(answer)[0], rail(pdu)) == (400, name, "up")


def test_a_request_means_what_it_does(pdu):
    pdu.post(CONTROL, json={"PowerState": "Off"})
    pdu.post(CONTROL, data=b"no json", content_type="application/json")
    pdu.get(A1)
    pdu.get(f"{PDU}/Outlets?$expand=.($levels=1)")
    meant = [(e["intent"], e.get("system"), e.get("reset")) for e in pdu.events("request")]
    assert meant == [
        ("power-command", "A1", "ForceOff"),
        ("power-command", "A1", None),
        ("power-read", "A1", None),
        ("power-read", None, None),
    ]
    assert [e["word"] for e in pdu.events("look") if e["system"] == "A1"] == ["Off", "Off"]


def test_a_report_fault_lies_about_an_outlet_and_the_truth_stays(pdu):
    pdu.arm(make_fault("report.says", word="Off"))
    assert (pdu.power(A1), rail(pdu)) == ("Off", "up")
    pdu.arm(make_fault("report.says", word="absent"))
    assert "PowerState" not in pdu.get(A1).json


def test_who_may_only_read_cannot_switch(pdu):
    assert pdu.post(CONTROL, json={"PowerState": "Off"}, auth=None).status_code == 401
    assert rail(pdu) == "up"


def test_the_manager_restarts_and_its_outlets_stay_on(pdu):
    manager = "/redfish/v1/Managers/BMC/Actions/Manager.Reset"
    assert pdu.post(manager, json={"ResetType": "ForceRestart"}).status_code == 204
    pdu.clock.advance(2)
    pdu.rack.advance()
    assert rail(pdu) == "up"
