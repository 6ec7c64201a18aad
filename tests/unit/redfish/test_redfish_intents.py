"""What a Redfish request means, when a client is told a power word, and that gates count just that."""

from __future__ import annotations

import pytest

from emulator.core.faults.trigger import Intent, When
from emulator.core.rack import HostSpec
from emulator.faults.power import Gated
from emulator.faults.protocol import HttpReply
from emulator.faults.report import Says
from profiles.model import ABSENT, View

SESSIONS = "/redfish/v1/SessionService/Sessions"
MANAGER = "/redfish/v1/Managers/BMC"


def last_request(bmc):
    return bmc.events("request")[-1]


def looks(bmc):
    return [(look["view"], look["word"]) for look in bmc.events("look")]


# -- intents -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["{system}", "{system}/", "{chassis}"])
def test_a_get_of_what_says_a_power_state_is_a_power_read_of_that_system(generic, path):
    generic.get(path.format(system=generic.system, chassis=generic.chassis))
    asked = last_request(generic)
    assert (asked["intent"], asked["system"], "reset" in asked) == (Intent.POWER_READ, generic.profile.ids.system, False)


@pytest.mark.parametrize(
    ("path", "intent"),
    [
        ("/redfish/v1", Intent.READ),
        ("/redfish/v1?$expand=.($levels=2)", Intent.POWER_READ),
        ("/redfish/v1?$expand=.($levels=1)", Intent.READ),
        ("/redfish/v1/Systems", Intent.READ),
        ("/redfish/v1/Systems?only", Intent.POWER_READ),
        ("/redfish/v1/Systems?$expand=.", Intent.POWER_READ),
        ("/redfish/v1/Systems/?$expand=*($levels=1)", Intent.POWER_READ),
        ("/redfish/v1/Systems?$expand=~", Intent.READ),
        ("/redfish/v1/Systems?$expand=.&$select=Name", Intent.READ),
        ("/redfish/v1/Systems?$expand=nonsense", Intent.READ),
        ("/redfish/v1/Chassis?$expand=.", Intent.POWER_READ),
        (f"{MANAGER}?$expand=~", Intent.POWER_READ),
        (f"{MANAGER}?$expand=.", Intent.READ),
        (f"{SESSIONS}?$expand=.", Intent.READ),
        ("{system}?$select=PowerState", Intent.POWER_READ),
        ("{system}?$select=Status,SerialNumber", Intent.READ),
        ("{system}?$select=*", Intent.POWER_READ),
        ("{system}/Processors", Intent.READ),
        ("/redfish/v1/Nowhere", Intent.READ),
    ],
)
def test_reads(generic, path, intent):
    generic.get(path.format(system=generic.system))
    assert last_request(generic)["intent"] is intent


def test_a_head_tells_no_word_so_it_is_a_read(generic):
    generic.ask("HEAD", generic.system)
    assert last_request(generic)["intent"] is Intent.READ
    assert looks(generic) == []


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_reset_is_a_power_command_in_every_spelling(generic, slash):
    generic.post(f"{generic.system}/Actions/ComputerSystem.Reset{slash}", json={"ResetType": "ForceOff"})
    asked = last_request(generic)
    assert (asked["intent"], asked["system"], asked["reset"]) == (
        Intent.POWER_COMMAND, generic.profile.ids.system, "ForceOff",
    )  # fmt: skip
    assert asked["path"].endswith(f"Reset{slash}"), "the journal keeps what the client wrote"


@pytest.mark.parametrize("body", [{"data": b"{"}, {"json": {}}, {"json": {"ResetType": 7}}, {"json": {"ResetType": "Explode"}}])
def test_a_reset_that_names_no_reset_type_is_a_power_command_without_one(generic, body):
    generic.post(f"{generic.system}/Actions/ComputerSystem.Reset", **body)
    asked = last_request(generic)
    assert (asked["intent"], "reset" in asked) == (Intent.POWER_COMMAND, False)


def test_a_reset_without_credentials_is_a_power_command_too(generic):
    assert generic.reset("ForceOff", auth=None).status_code == 401
    assert last_request(generic)["intent"] is Intent.POWER_COMMAND


@pytest.mark.parametrize(
    ("method", "path", "intent"),
    [
        ("POST", f"{MANAGER}/Actions/Manager.Reset", Intent.BMC_RESET),
        ("POST", SESSIONS, Intent.LOGIN),
        ("POST", f"{SESSIONS}/Members", Intent.LOGIN),
        ("PATCH", "/redfish/v1/SessionService", Intent.WRITE),
        ("PATCH", "{system}", Intent.WRITE),
        ("POST", "/redfish/v1/Nowhere", Intent.WRITE),
        ("DELETE", "{system}", Intent.WRITE),
        ("OPTIONS", "{system}", Intent.OTHER),
        ("GET", "{system}/Actions/ComputerSystem.Reset", Intent.READ),
    ],
)
def test_everything_else(generic, method, path, intent):
    generic.ask(method, path.format(system=generic.system), json={})
    assert last_request(generic)["intent"] is intent


def test_logging_out_is_no_write(generic):
    place = generic.log_in().headers["Location"]
    assert generic.ask("DELETE", place).status_code == 204
    assert last_request(generic)["intent"] is Intent.LOGOUT


def test_what_lies_below_a_system_is_about_that_system(generic):
    name = generic.profile.ids.system
    generic.get(f"{generic.system}/Processors")
    assert last_request(generic)["system"] == name
    generic.get(f"{generic.system}/Nothing")
    assert last_request(generic)["system"] == name
    generic.get("/redfish/v1/Systems/Nobody/Processors")
    assert "system" not in last_request(generic)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_trigger_misses_no_spelling_that_the_server_accepts(generic, slash):
    generic.arm(HttpReply(418), When(path="*/Actions/ComputerSystem.Reset"))
    answer = generic.post(f"{generic.system}/Actions/ComputerSystem.Reset{slash}", json={"ResetType": "On"})
    assert answer.status_code == 418


def test_a_trigger_by_intent_knows_no_path(generic):
    generic.arm(HttpReply(418), When(intent=Intent.POWER_READ))
    assert generic.get("/redfish/v1/Systems?$expand=.").status_code == 418
    assert generic.get("/redfish/v1/Systems").status_code == 200
    assert generic.get(f"{generic.chassis}/").status_code == 418


# -- looks -------------------------------------------------------------------------------------------------------------


def test_who_gets_a_system_or_chassis_is_told_its_word(generic):
    generic.get(generic.system)
    generic.get(generic.chassis)
    assert looks(generic) == [("system", "On"), ("chassis", "On")]
    asked = [event.seq for event in generic.journal if event.kind == "request"]
    assert [event.cause for event in generic.journal if event.kind == "look"] == asked


def test_the_word_of_a_look_is_the_word_of_the_body(generic):
    generic.arm(Says("PoweringOff", views=(View.SYSTEM,)), count=1)
    assert generic.power() == "PoweringOff"
    assert looks(generic) == [("system", "PoweringOff")]


def test_null_is_told_and_a_missing_property_is_not(generic):
    generic.arm(Says(None), count=1)
    assert generic.power() is None
    generic.arm(Says(ABSENT), count=1)
    assert "PowerState" not in generic.get(generic.system).json
    assert looks(generic) == [("system", None)]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/redfish/v1/Systems?$expand=.", ["system"]),
        ("/redfish/v1/Systems?only", ["system"]),
        ("/redfish/v1/Chassis?$expand=.", ["chassis"]),
        ("/redfish/v1?$expand=.($levels=2)", ["chassis", "system"]),
        ("{system}?$expand=~", ["chassis", "system"]),
        ("{system}?$select=PowerState", ["system"]),
        ("{system}?$select=SerialNumber", []),
        ("/redfish/v1/Systems?$expand=.&$select=Id", []),
        ("/redfish/v1/Systems", []),
        ("/redfish/v1/Systems?$filter=PowerState eq 'On'", []),
    ],
)
def test_a_query_tells_what_its_answer_holds(generic, path, told):
    assert generic.get(path.format(system=generic.system)).status_code == 200
    assert sorted(view for view, _ in looks(generic)) == told


def test_links_that_run_in_rings_tell_a_word_once(generic):
    answer = generic.get(f"{generic.system}?$expand=~($levels=3)")
    assert answer.data.count(b'"PowerState": "On"') > 3
    assert sorted(view for view, _ in looks(generic)) == ["chassis", "system"]


def test_a_304_tells_nothing(generic):
    tag = generic.get(generic.system).headers["ETag"]
    assert generic.get(generic.system, headers={"If-None-Match": tag}).status_code == 304
    assert len(looks(generic)) == 1


def test_a_write_tells_only_by_its_answer_and_not_by_the_check_of_a_tag(generic):
    tag = generic.get(generic.system).headers["ETag"]
    before = len(looks(generic))
    refused = generic.ask("PATCH", generic.system, json={"AssetTag": "x"}, headers={"If-Match": '"other"'})
    assert (refused.status_code, len(looks(generic))) == (412, before)
    written = generic.ask("PATCH", generic.system, json={"AssetTag": "x"}, headers={"If-Match": tag})
    assert (written.json["PowerState"], len(looks(generic))) == ("On", before + 1)


def test_an_answer_that_a_fault_replaces_tells_nothing(generic):
    generic.arm(HttpReply(503, executed=True), count=1)
    assert generic.get(generic.system).status_code == 503
    assert looks(generic) == []


def test_who_may_not_read_is_told_nothing(generic):
    assert generic.get(generic.system, auth=None).status_code == 401
    assert generic.get("/redfish/v1?$expand=.($levels=2)", auth=None).status_code == 200
    assert looks(generic) == []


def test_a_report_fault_is_asked_once_per_request(generic):
    generic.arm(Says("Off", views=(View.SYSTEM,)), count=1)
    generic.get(f"{generic.system}?$expand=~($levels=3)")
    assert set(looks(generic)) == {("system", "Off"), ("chassis", "On")}
    assert generic.power() == "On"


# -- gates -------------------------------------------------------------------------------------------------------------


READS = ("{system}", "{chassis}", "/redfish/v1/Systems?$expand=.", "/redfish/v1?$expand=.($levels=2)")


@pytest.mark.parametrize("path", READS)
def test_a_gate_counts_the_requests_that_told_a_word(generic, path):
    generic.arm(Gated(gate=3))
    generic.power()
    assert generic.reset("ForceOff").status_code == 204
    for _ in range(2):
        generic.ask("HEAD", generic.system)
        generic.get(path.format(system=generic.system, chassis=generic.chassis))
    assert generic.events("gate") == []
    generic.get(path.format(system=generic.system, chassis=generic.chassis))
    (gate,) = generic.events("gate")
    command = next(event.seq for event in generic.journal if event.kind == "command")
    told = {event.cause for event in generic.journal if event.kind == "look" and event.seq > command}
    assert gate["after_reads"] == len(told) == 3


def test_a_gate_counts_only_its_own_system(make_bmc):
    bmc = make_bmc("dmtf-generic", hosts=(HostSpec(), HostSpec()))
    bmc.arm(Gated(gate=1))
    first, second = (member["@odata.id"] for member in bmc.get("/redfish/v1/Systems").json["Members"])
    bmc.post(f"{first}/Actions/ComputerSystem.Reset", json={"ResetType": "ForceOff"})
    bmc.get(second)
    assert bmc.events("gate") == []
    bmc.get("/redfish/v1/Systems?$expand=.")
    assert [gate["after_reads"] for gate in bmc.events("gate")] == [1]
