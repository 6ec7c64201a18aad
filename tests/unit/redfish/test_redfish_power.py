"""ComputerSystem.Reset, what a BMC says of power afterwards, and faults at the protocol seam."""

from __future__ import annotations

import pytest

from emulator.core.bmc.view import BmcView
from emulator.core.faults.trigger import When
from emulator.core.power.commands import PowerCommand
from emulator.core.rack import HostSpec
from emulator.core.vocab import ChassisControl, Rail, ResetType
from emulator.faults.power import Gated
from emulator.faults.protocol import HttpReply
from emulator.faults.report import Says
from profiles.model import ABSENT, View

OFF = (HostSpec(power="off"),)


def rail(bmc, system=None):
    return bmc.rack.unit("n1").system(system or bmc.profile.ids.system).host.rail


def test_force_off_is_seen_in_the_system_and_in_its_chassis(generic):
    answer = generic.reset("ForceOff")
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert (generic.power(), generic.power(generic.chassis)) == ("On", "On")
    generic.clock.advance(2)
    assert (generic.power(), generic.power(generic.chassis), rail(generic)) == ("Off", "Off", Rail.DOWN)
    assert generic.get(generic.system).json["Status"]["State"] == "StandbyOffline"


def test_a_hung_os_stays_on_after_a_graceful_shutdown(generic):
    generic.hang()
    assert generic.reset("GracefulShutdown").status_code == 204
    generic.clock.advance(3600)
    assert (generic.power(), rail(generic)) == ("On", Rail.UP)


def test_a_system_points_to_its_chassis_and_manager_and_back(generic):
    system = generic.get(generic.system).json
    chassis = generic.get(system["Links"]["Chassis"][0]["@odata.id"]).json
    manager = generic.get(system["Links"]["ManagedBy"][0]["@odata.id"]).json
    assert chassis["Links"]["ComputerSystems"] == [{"@odata.id": generic.system}]
    assert manager["Links"]["ManagerForServers"] == [{"@odata.id": generic.system}]
    assert manager["PowerState"] == "On"


def test_each_of_several_systems_has_a_name_and_a_power_of_its_own(make_bmc):
    bmc = make_bmc("openbmc-x86", hosts=(HostSpec(), HostSpec(power="off")))
    members = [m["@odata.id"] for m in bmc.get("/redfish/v1/Systems").json["Members"]]
    first, second = (bmc.get(path).json for path in members)
    assert (first["PowerState"], second["PowerState"]) == ("On", "Off")
    assert first["SerialNumber"] != second["SerialNumber"]
    bmc.post(f"{members[1]}/Actions/ComputerSystem.Reset", json={"ResetType": "On"})
    bmc.post(f"{members[0]}/Actions/ComputerSystem.Reset", json={"ResetType": "ForceOff"})
    bmc.clock.advance(30)
    assert [bmc.power(path) for path in members] == ["Off", "On"]


def test_a_change_through_ipmi_is_seen_through_redfish(generic):
    BmcView(generic.rack, "n1").command(generic.profile.ids.system, PowerCommand.ipmi(ChassisControl.DOWN), None)
    generic.clock.advance(5)
    assert generic.power() == "Off"


# -- vendors ------------------------------------------------------------------------------------------------------------


def test_generic_answers_a_needless_reset_with_no_operation(make_bmc, message):
    bmc = make_bmc("dmtf-generic", hosts=OFF)
    answer = bmc.reset("ForceOff")
    assert (answer.status_code, message(answer)[0]) == (200, "NoOperation")
    assert answer.json["error"]["code"] == "Base.1.22.NoOperation"


def test_idrac9_says_conflict_in_its_own_error_shape(make_bmc):
    answer = make_bmc("dell-idrac9", hosts=OFF).reset("ForceOff")
    assert answer.status_code == 409
    assert answer.json["error"]["code"] == "Base.1.12.GeneralError"
    (entry,) = answer.json["error"]["@Message.ExtendedInfo"]
    assert list(entry) == [
        "Message",
        "MessageArgs",
        "MessageArgs@odata.count",
        "MessageId",
        "RelatedProperties",
        "RelatedProperties@odata.count",
        "Resolution",
        "Severity",
    ]
    assert (entry["MessageId"], entry["Message"]) == ("IDRAC.2.7.PSU502", "Server is already powered OFF.")


def test_idrac9_repeats_the_value_that_it_does_not_know(make_bmc, message):
    answer = make_bmc("dell-idrac9").reset("Suspend")
    assert (answer.status_code, message(answer)) == (400, ("SYS426", ["Suspend", "ResetType"]))
    assert "value Suspend entered" in answer.json["error"]["@Message.ExtendedInfo"][0]["Message"]


def test_an_older_base_registry_is_never_credited_with_a_newer_message(make_bmc, message):
    answer = make_bmc("dell-idrac9").ask("PUT", "/redfish/v1/")
    assert (answer.status_code, message(answer)[0]) == (405, "GeneralError")


def test_openbmc_takes_an_off_of_an_off_host_with_204(make_bmc):
    answer = make_bmc("openbmc-x86", hosts=OFF).reset("ForceOff")
    assert (answer.status_code, answer.data) == (204, b"")


def test_openbmc_says_off_before_the_chassis_and_the_rail_do(make_bmc):
    bmc = make_bmc("openbmc-x86")
    bmc.reset("ForceOff")
    assert (bmc.power(), bmc.power(bmc.chassis), rail(bmc)) == ("Off", "On", Rail.UP)
    bmc.clock.advance(15)
    assert (bmc.power(bmc.chassis), rail(bmc)) == ("Off", Rail.DOWN)


@pytest.mark.parametrize(
    ("profile", "inline", "info"),
    [("dmtf-generic", True, True), ("dell-idrac9", True, False), ("openbmc-x86", False, True)],
)
def test_reset_types_are_advertised_where_the_vendor_does(make_bmc, profile, inline, info):
    bmc = make_bmc(profile)
    action = bmc.get(bmc.system).json["Actions"]["#ComputerSystem.Reset"]
    assert ("ResetType@Redfish.AllowableValues" in action, "@Redfish.ActionInfo" in action) == (inline, info)
    listed = bmc.get(f"{bmc.system}/ResetActionInfo")
    assert listed.status_code == (200 if info else 404)
    if info:
        (parameter,) = listed.json["Parameters"]
        assert tuple(parameter["AllowableValues"]) == bmc.profile.power.reset_types


def test_what_a_vendor_does_not_send_is_not_there(make_bmc):
    system = make_bmc("openbmc-x86").get("/redfish/v1/Systems/system").json
    assert not {"UUID", "Manufacturer", "Model", "SKU", "BiosVersion"} & system.keys()


# -- the body of a reset ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "name", "args"),
    [
        (b"", "MalformedJSON", []),
        (b"{", "MalformedJSON", []),
        (b'{"ResetType": NaN}', "MalformedJSON", []),
        (b'{"ResetType": "\\ud800"}', "MalformedJSON", []),
        (b"\xff\xfe\xfd", "MalformedJSON", []),
        (b'{"ResetType": "\xed\xa0\x80"}', "MalformedJSON", []),  # a surrogate in what looks like UTF-8
        ('{"ResetType": "On"}'.encode("utf-16"), "MalformedJSON", []),
        (b"[" * 100_000, "MalformedJSON", []),
        (b"[]", "UnrecognizedRequestBody", []),
        (b'"ForceOff"', "UnrecognizedRequestBody", []),
        (b"{}", "ActionParameterMissing", ["Reset", "ResetType"]),
        (b'{"Action": "Reset"}', "ActionParameterUnknown", ["Reset", "Action"]),
        (b'{"ResetType": "ForceOff", "Delay": 5}', "ActionParameterUnknown", ["Reset", "Delay"]),
        (b'{"ResetType": 1}', "ActionParameterValueTypeError", ["1", "ResetType", "Reset"]),
        (b'{"ResetType": null}', "ActionParameterValueTypeError", ["null", "ResetType", "Reset"]),
        (b'{"ResetType": ["ForceOff"]}', "ActionParameterValueTypeError", ['["ForceOff"]', "ResetType", "Reset"]),
        (b'{"ResetType": "forceoff"}', "ActionParameterValueNotInList", ["forceoff", "ResetType", "Reset"]),
    ],
)
def test_a_wrong_body_is_400_says_what_is_wrong_and_changes_nothing(generic, message, body, name, args):
    answer = generic.post(f"{generic.system}/Actions/ComputerSystem.Reset", data=body, content_type="application/json")
    assert (answer.status_code, message(answer)) == (400, (name, args))
    generic.clock.advance(60)
    assert (generic.power(), rail(generic)) == ("On", Rail.UP)


def test_odata_annotations_in_a_body_are_ignored(generic):
    body = {"@odata.type": "#ComputerSystem.v1_0_0.Reset", "ResetType": "ForceOff"}
    assert generic.post(f"{generic.system}/Actions/ComputerSystem.Reset", json=body).status_code == 204


# -- faults -------------------------------------------------------------------------------------------------------------


def test_a_faults_reply_before_the_deed_leaves_the_host_alone(generic, message):
    generic.arm(HttpReply(503, "Base.1.8.ServiceTemporarilyUnavailable", "busy", {"Retry-After": "3"}), count=1)
    answer = generic.reset("ForceOff")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert message(answer)[0] == "ServiceTemporarilyUnavailable"
    generic.clock.advance(10)
    assert (generic.power(), rail(generic)) == ("On", Rail.UP)
    assert not generic.events("command")


def test_a_faults_reply_after_the_deed_hides_that_it_was_done(generic):
    generic.arm(HttpReply(500, text="internal error", executed=True), When(reset=(ResetType.FORCE_OFF,)), count=1)
    assert generic.reset("ForceOff").status_code == 500
    generic.clock.advance(10)
    assert (generic.power(), rail(generic)) == ("Off", Rail.DOWN)


def test_a_raw_reply_goes_out_as_it_is(generic):
    generic.arm(HttpReply(200, raw=b"<html>", headers={"Content-Type": "text/html"}))
    answer = generic.get(generic.system)
    assert (answer.data, answer.headers["Content-Type"]) == (b"<html>", "text/html")


def test_every_request_counts_once_and_only_where_the_trigger_fits(generic):
    when = When(method="POST", path="*/Actions/*", reset=(ResetType.FORCE_OFF,), rail=Rail.UP, skip=1)
    generic.arm(HttpReply(503, text="no"), when, count=1)
    generic.get(generic.system)
    assert [generic.reset(word).status_code for word in ("Nmi", "ForceOff", "ForceOff", "ForceOff")] == [204, 204, 503, 204]
    assert [event["fault"] for event in generic.events("fault")] == ["redfish.reply"]


def test_report_faults_show_in_the_view_that_they_speak_through(generic):
    generic.arm(Says("Off", views=(View.SYSTEM,)))
    assert (generic.power(), generic.power(generic.chassis), rail(generic)) == ("Off", "On", Rail.UP)


def test_power_may_be_null_or_not_there_at_all(generic):
    generic.arm(Says(None), count=1)
    generic.arm(Says(ABSENT), When(skip=1))
    assert generic.get(generic.system).json["PowerState"] is None
    assert "PowerState" not in generic.get(generic.system).json


def test_a_gate_opens_when_the_client_has_looked(generic):
    generic.arm(Gated(gate=2))
    generic.reset("ForceOff")
    generic.clock.advance(5)
    assert [generic.power(), rail(generic)] == ["On", Rail.UP]
    assert [generic.power(), rail(generic)] == ["On", Rail.DOWN]
    assert generic.power() == "Off"


def test_the_journal_links_request_command_and_response(generic):
    generic.reset("ForceOff")
    kinds = {event.seq: event for event in generic.journal}
    (command,) = [event for event in kinds.values() if event.kind == "command"]
    (response,) = [event for event in kinds.values() if event.kind == "response"]
    assert command.cause == response.cause
    assert kinds[command.cause].data["path"].endswith("ComputerSystem.Reset")
    assert response.data["status"] == 204
