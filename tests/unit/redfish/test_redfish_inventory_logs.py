"""Log services: the BMC's one event log, as Redfish shows it."""

from __future__ import annotations

import pytest

CLEAR = "Actions/LogService.ClearLog"


@pytest.fixture
def sel(generic):
    return f"{generic.system}/LogServices/SEL"


@pytest.fixture
def own(generic):
    return f"/redfish/v1/Managers/{generic.profile.ids.manager}/LogServices/Log"


def entries(bmc, service):
    return [bmc.get(member["@odata.id"]).json for member in bmc.get(f"{service}/Entries").json["Members"]]


def messages(bmc, service):
    return [entry["Message"] for entry in entries(bmc, service)]


def test_power_events_are_written(generic, sel):
    assert entries(generic, sel) == []
    generic.reset("ForceOff")
    generic.clock.advance(5)
    generic.reset("On")
    generic.clock.advance(5)
    names = [entry["MessageId"].rpartition(".")[2] for entry in entries(generic, sel)]
    assert names == ["ResourcePoweredOff", "ResourcePoweredOn", "Boot"]
    first = entries(generic, sel)[0]
    assert first["Links"]["OriginOfCondition"] == {"@odata.id": generic.system}
    assert first["Created"] == "1970-01-01T00:00:02Z"
    assert (first["EntryType"], first["EntryCode"]) == ("SEL", "Assert")


def test_what_ipmi_reads_is_what_redfish_reads(generic, sel):
    generic.reset("ForceRestart")
    generic.clock.advance(5)
    known = generic.view().log.entries()
    assert [entry["Id"] for entry in entries(generic, sel)] == [str(entry.id) for entry in known]
    assert [entry["SensorNumber"] for entry in entries(generic, sel)] == [entry.sel.sensor_number for entry in known]


def test_a_log_is_read_in_one_request(generic, sel):
    generic.reset("ForceRestart")
    generic.clock.advance(5)
    assert generic.get(f"{sel}/Entries").json["Members"] == entries(generic, sel)


def test_clear_leaves_one_entry_that_says_so(generic, sel):
    generic.reset("ForceOff")
    generic.clock.advance(5)
    assert generic.post(f"{sel}/{CLEAR}", json={}).status_code == 204
    assert messages(generic, sel) == ["The log was cleared."]
    assert len(generic.view().log) == 1


def test_the_managers_log_holds_what_is_about_no_system(generic, own, sel):
    generic.reset("ForceOff")
    generic.clock.advance(5)
    generic.log_in(("admin", "wrong"))
    assert messages(generic, own) == ["A login was refused. User: admin."]
    assert len(entries(generic, sel)) == 2
    assert generic.post(f"{own}/{CLEAR}", json={}).status_code == 204
    assert messages(generic, own) == []
    assert len(entries(generic, sel)) == 1


def test_an_entry_can_be_deleted(generic, sel):
    generic.reset("ForceRestart")
    generic.clock.advance(5)
    first, second = [member["@odata.id"] for member in generic.get(f"{sel}/Entries").json["Members"]]
    assert generic.ask("DELETE", first).status_code == 204
    assert generic.get(first).status_code == 404
    assert generic.ask("DELETE", first).status_code == 404
    assert generic.get(second).status_code == 200


@pytest.mark.parametrize("name", ["0", "01", "+1", "x", "%31%00", "1" * 5000, "\u0661"])
def test_what_is_no_record_id_is_no_entry(generic, sel, name):
    generic.reset("ForceRestart")
    generic.clock.advance(5)
    assert generic.get(f"{sel}/Entries/{name}").status_code == 404


def test_a_full_log_says_that_it_has_lost_something(generic, sel):
    for _ in range(300):
        generic.reset("ForceRestart")
        generic.clock.advance(5)
    service = generic.get(sel).json
    assert service["Overflow"] is True
    assert generic.get(f"{sel}/Entries").json["Members@odata.count"] == service["MaxNumberOfRecords"] == 512


def test_pages_of_a_log(generic, sel):
    for _ in range(5):
        generic.reset("ForceRestart")
        generic.clock.advance(5)
    answer = generic.get(f"{sel}/Entries?$skip=2&$top=3")
    if generic.profile.http.features.get("top_skip"):
        assert [member["@odata.id"][-1] for member in answer.json["Members"]] == ["3", "4", "5"]
    else:
        assert answer.status_code == 501


def test_a_reader_may_not_clear(make_bmc, generic):
    from dataclasses import replace

    from profiles.model import Account

    auth = replace(
        generic.profile.auth,
        accounts=(*generic.profile.auth.accounts, Account(name="eye", password="look-at-me", role="ReadOnly")),
    )
    bmc = make_bmc(replace(generic.profile, auth=auth))
    service = f"{bmc.system}/LogServices/SEL"
    assert bmc.post(f"{service}/{CLEAR}", json={}, auth=("eye", "look-at-me")).status_code == 403
    assert bmc.get(service, auth=("eye", "look-at-me")).status_code == 200


def test_clear_with_parameters_of_nobody_is_refused(generic, sel, message):
    answer = generic.post(f"{sel}/{CLEAR}", json={"LogType": "all"})
    assert (answer.status_code, message(answer)[0]) == (400, "ActionParameterUnknown")
