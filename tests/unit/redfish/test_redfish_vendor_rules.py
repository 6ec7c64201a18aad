"""What a profile says of its vendor's HTTP: If-Match, JSON, tags, slashes, refusals, errors."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from emulator.core.faults.trigger import When
from emulator.faults.registry import make_fault
from profiles.data import frozen
from profiles.model import Confidence, FactEvidence, RefusedRequest, ReplyTemplate

GUESS = FactEvidence(Confidence.INFERRED)


def with_http(profile, **more):
    return replace(profile, http=replace(profile.http, **more))


def with_if_match(profile, **more):
    [rule] = profile.http.if_match
    return replace(profile, http=replace(profile.http, if_match=(replace(rule, **more),)))


@pytest.mark.parametrize(("more", "status"), [({}, 428), ({"missing": "not_ready"}, 503)])
def test_a_vendor_may_insist_on_if_match(generic, make_bmc, more, status):
    bmc = make_bmc(with_if_match(generic.profile, required=True, **more))
    location = bmc.log_in().headers["Location"]
    assert bmc.ask("DELETE", location).status_code == status
    assert bmc.ask("DELETE", location, headers={"If-Match": "*"}).status_code == 204


def test_if_match_of_a_reset_means_the_system_and_a_log_in_needs_none(generic, make_bmc):
    bmc = make_bmc(with_if_match(generic.profile, required=True, applies_to=("POST",)))
    assert bmc.log_in().status_code == 201
    assert bmc.reset("ForceOff").status_code == 428
    stale = bmc.reset("ForceOff", headers={"If-Match": '"stale"'})
    assert stale.status_code == 412
    current = bmc.get(bmc.system).headers["ETag"]
    assert bmc.reset("ForceOff", headers={"If-Match": current}).status_code == 204


def test_a_rule_for_if_match_may_be_for_some_paths_only(generic, make_bmc):
    bmc = make_bmc(
        with_if_match(generic.profile, required=True, applies_to=("POST", "DELETE"), paths=("/redfish/v1/Systems/**",))
    )
    location = bmc.log_in().headers["Location"]
    assert bmc.ask("DELETE", location).status_code == 204
    assert bmc.reset("ForceOff").status_code == 428


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("spaced", b'{"@odata.id": "/redfish/v1/Sy'),
        ("compact", b'{"@odata.id":"/redfish/v1/Sy'),
        ("pretty", b'{\n  "@odata.id": "/redfish/v1/Sy'),
        ("escaped", b'{"@odata.id":"\\/redfish\\/v1\\/Sy'),
    ],
)
def test_bodies_are_written_as_the_vendor_writes_them(generic, make_bmc, form, start):
    bmc = make_bmc(with_http(generic.profile, json=form))
    answer = bmc.get("/redfish/v1/Systems")
    assert answer.data.startswith(start)
    assert answer.json == generic.get("/redfish/v1/Systems").json
    refusal = bmc.get("/redfish/v1/Nowhere")
    assert json.loads(refusal.data)["error"]
    assert (b": " in refusal.data.split(b'"message"')[0]) == (form in ("spaced", "pretty"))


def test_tags_may_be_for_some_paths_only(generic, make_bmc):
    bmc = make_bmc(with_http(generic.profile, etag_on=("/redfish/v1/AccountService/**",)))
    assert "ETag" in bmc.get("/redfish/v1/AccountService").headers
    assert "ETag" not in bmc.get(bmc.system).headers


def test_ids_may_end_with_a_slash(generic, make_bmc):
    bmc = make_bmc(with_http(generic.profile, slash="ids"))
    system = bmc.get(f"{bmc.system}/").json
    assert system["@odata.id"] == f"{bmc.system}/"
    assert system["Actions"]["#ComputerSystem.Reset"]["target"].endswith("ComputerSystem.Reset/")
    assert bmc.get(bmc.system).status_code == 200


def test_ids_may_end_with_a_slash_where_the_path_asked_for_does(generic, make_bmc):
    bmc = make_bmc(with_http(generic.profile, slash="as_asked", json="compact"))
    plain, slashed = bmc.get(bmc.system), bmc.get(f"{bmc.system}/")
    assert (plain.status_code, slashed.status_code) == (200, 200)
    target = f"{bmc.system}/Actions/ComputerSystem.Reset"
    for answer, end in ((plain, ""), (slashed, "/")):
        assert answer.json["@odata.id"] == f"{bmc.system}{end}"
        assert answer.json["Links"]["Chassis"] == [{"@odata.id": f"{bmc.chassis}{end}"}]
        assert answer.json["Actions"]["#ComputerSystem.Reset"]["target"] == f"{target}{end}"
        assert b'": ' not in answer.data
    assert bmc.get("/redfish/v1").json["@odata.id"] == "/redfish/v1"
    assert slashed.headers["ETag"] == plain.headers["ETag"]
    assert bmc.get(f"{bmc.system}/", headers={"If-None-Match": plain.headers["ETag"]}).status_code == 304
    assert bmc.client.head(f"{bmc.system}/", auth=bmc.admin).headers["Content-Length"] == str(len(slashed.data))
    assert bmc.get("/redfish/v1/$metadata/").data == bmc.get("/redfish/v1/$metadata").data
    assert bmc.reset("ForceOff").status_code == 204


def test_the_root_alone_may_be_redirected_to_its_slash(generic, make_bmc):
    bmc = make_bmc(with_http(generic.profile, slash="redirect_root"))
    answer = bmc.get("/redfish/v1")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/redfish/v1/")
    assert bmc.get("/redfish/v1/").json["Systems"] == {"@odata.id": "/redfish/v1/Systems"}
    assert bmc.get(bmc.system).json["@odata.id"] == bmc.system
    assert bmc.reset("ForceOff").status_code == 204


def test_the_redirect_to_the_slash_may_be_permanent_in_the_old_way(generic, make_bmc):
    bmc = make_bmc(with_http(generic.profile, slash="redirect", slash_status=301))
    answer = bmc.get(bmc.system)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{bmc.system}/")


def test_a_path_without_its_slash_may_be_redirected(generic, make_bmc):
    bmc = make_bmc(with_http(generic.profile, slash="redirect"))
    answer = bmc.get(bmc.system)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{bmc.system}/")
    assert bmc.get(f"{bmc.system}?$select=Id").headers["Location"] == f"{bmc.system}/?$select=Id"
    assert bmc.get(f"{bmc.system}/").status_code == 200
    assert bmc.reset("ForceOff").status_code == 308
    assert bmc.power(f"{bmc.system}/") == "On"
    assert bmc.get("/redfish/v1/Nowhere").status_code == 404


def test_a_fault_does_not_count_the_redirect_to_the_slash(generic, make_bmc):
    bmc = make_bmc(with_http(generic.profile, slash="redirect"))
    bmc.arm(make_fault("redfish.property", property="Name", what="value", value="Second"), When(method="GET", skip=1))
    path = f"{bmc.system}/"
    assert bmc.get(bmc.system).status_code == 308
    first = bmc.get(path).json["Name"]
    assert bmc.get(bmc.system).status_code == 308
    assert (first != "Second", bmc.get(path).json["Name"]) == (True, "Second")


def test_a_reply_may_have_a_body_of_its_own(generic, make_bmc):
    body = frozen({"error": {"code": "InternalError", "message": "x.lua:1", "more": [{"deep": True}]}})
    profile = replace(generic.profile, replies={**generic.profile.replies, "leak": ReplyTemplate(status=500, body=body)})
    answer = make_bmc(with_http(profile, not_found="leak")).get("/redfish/v1/Nowhere")
    assert (answer.status_code, answer.json["error"]["more"]) == (500, [{"deep": True}])


def test_what_does_not_exist_may_be_answered_in_html(generic, make_bmc):
    page = ReplyTemplate(status=404, headers={"Content-Type": "text/html"}, text="<html>404</html>")
    profile = replace(generic.profile, replies={**generic.profile.replies, "page": page})
    answer = make_bmc(with_http(profile, not_found="page")).get("/redfish/v1/Nowhere")
    assert (answer.status_code, answer.headers["Content-Type"], answer.data) == (404, "text/html", b"<html>404</html>")


def test_messages_may_stand_at_the_top_of_an_error_too(generic, make_bmc):
    errors = replace(generic.profile.errors, fields=("MessageID",), top_level={"type": "ExtendedError.1.0.0"})
    body = make_bmc(replace(generic.profile, errors=errors)).get("/redfish/v1/Nowhere").json
    assert body["Messages"] == body["error"]["@Message.ExtendedInfo"] == [{"MessageID": "Base.1.22.ResourceMissingAtURI"}]
    assert body["Type"] == "ExtendedError.1.0.0"


def test_a_vendor_may_refuse_to_write_a_property(generic, make_bmc):
    rule = RefusedRequest(
        methods=("PATCH",), paths=("/redfish/v1/Systems/*",), reply="bad_type", evidence=GUESS, properties=("Boot/BootOrder",)
    )
    bmc = make_bmc(replace(generic.profile, refusals=(rule,)))
    assert bmc.ask("PATCH", bmc.system, json={"Boot": {"BootOrder": []}}).status_code == 400
    assert bmc.ask("PATCH", bmc.system, json={"AssetTag": "7"}).status_code == 200


def test_a_vendor_may_refuse_a_role_or_without_a_licence(generic, make_bmc):
    rule = RefusedRequest(
        methods=("POST",),
        paths=("/redfish/v1/Systems/*/Actions/*",),
        reply="not_ready",
        evidence=GUESS,
        without_licence="Advanced",
    )
    bmc = make_bmc(replace(generic.profile, refusals=(rule,)))
    assert bmc.reset("ForceOff").status_code == 503
    licensed = make_bmc(replace(generic.profile, refusals=(rule,), vars={**generic.profile.vars, "licence": "Advanced"}))
    assert licensed.reset("ForceOff").status_code == 204
    readers = make_bmc(replace(generic.profile, refusals=(replace(rule, without_licence=None, roles=("ReadOnly",)),)))
    assert readers.reset("ForceOff").status_code == 204


def test_what_may_not_be_read_does_not_come_by_expand_either(generic, make_bmc):
    rule = RefusedRequest(methods=("GET",), paths=("/redfish/v1/Systems/*",), reply="not_ready", evidence=GUESS)
    bmc = make_bmc(replace(generic.profile, refusals=(rule,)))
    assert bmc.get(bmc.system).status_code == 503
    [member] = bmc.get("/redfish/v1/Systems?$expand=.").json["Members"]
    assert member == {"@odata.id": bmc.system}


def test_a_new_bmc_may_insist_on_another_password(generic, make_bmc):
    auth = replace(generic.profile.auth, password_change_required=True)
    bmc = make_bmc(replace(generic.profile, auth=auth))
    assert bmc.get(bmc.system).status_code == 403
    account = "/redfish/v1/AccountService/Accounts/admin"
    assert bmc.ask("PATCH", account, json={"Password": "Another-1.word"}).status_code == 200
    assert bmc.get(bmc.system, auth=("admin", "Another-1.word")).status_code == 200


def test_the_manager_may_offer_its_resets_in_another_way(generic, make_bmc):
    rules = replace(generic.profile.bmc_reset, advertise="none")
    action = make_bmc(replace(generic.profile, bmc_reset=rules)).get("/redfish/v1/Managers/BMC").json["Actions"]["#Manager.Reset"]
    assert set(action) == {"target"}
    assert set(generic.get("/redfish/v1/Managers/BMC").json["Actions"]["#Manager.Reset"]) > {"target"}


def test_an_entry_of_extended_info_has_the_vendors_type(generic, make_bmc):
    errors = replace(generic.profile.errors, entry_type="/redfish/v1/$metadata#MessageRegistry.1.0.0.MessageRegistry")
    body = make_bmc(replace(generic.profile, errors=errors)).get("/redfish/v1/Nowhere").json
    assert body["error"]["@Message.ExtendedInfo"][0]["@odata.type"].startswith("/redfish/v1/$metadata#")
