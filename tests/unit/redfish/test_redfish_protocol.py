"""What every answer carries, and which request gets which refusal."""

from __future__ import annotations

import json
import re
import sys
from base64 import b64encode
from dataclasses import replace
from io import BytesIO
from wsgiref.handlers import SimpleHandler
from wsgiref.validate import validator

import pytest

from emulator.core.errors import NoSuchUnit, RackMisconfigured
from emulator.core.faults.trigger import When
from emulator.core.rack import HostSpec
from emulator.faults.protocol import HttpReply
from emulator.redfish.service.app import MAX_BODY, create_app
from profiles.model import ResourceRules

OPEN = ("/redfish", "/redfish/v1", "/redfish/v1/", "/redfish/v1/odata", "/redfish/v1/$metadata")


@pytest.mark.parametrize("path", OPEN)
def test_the_front_door_needs_no_credentials(generic, path):
    assert generic.get(path, auth=None).status_code == 200


@pytest.mark.parametrize("path", ["/redfish/v1/Systems", "/redfish/v1/Managers/BMC", "/redfish/v1/nothing/here"])
def test_everything_behind_it_does(generic, path):
    answer = generic.get(path, auth=None)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_the_root_is_the_same_with_and_without_a_slash(generic):
    assert generic.get("/redfish/v1").data == generic.get("/redfish/v1/").data
    assert generic.get("/redfish").json == {"v1": "/redfish/v1/"}


def test_a_trailing_slash_is_no_other_resource(generic):
    assert generic.get(f"{generic.system}/").data == generic.get(generic.system).data
    assert generic.get(f"{generic.system}//").status_code == 404


def every_path(bmc):
    seen, todo = set(), ["/redfish/v1/"]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        todo += references(bmc.get(path).json)
    return seen


def references(value):
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value[key] for key in ("@odata.id", "@Redfish.ActionInfo", "Uri") if key in value]
    return own + [found for item in value.values() for found in references(item)]


@pytest.mark.parametrize("profile", ["dmtf-generic", "dell-idrac9", "openbmc-x86"])
def test_every_link_leads_somewhere_and_every_answer_has_the_standard_headers(make_bmc, profile):
    bmc = make_bmc(profile, hosts=(HostSpec(), HostSpec(power="off")))
    bmc.log_in()
    paths = every_path(bmc)
    assert len(paths) > 20
    assert not [complaint for path in paths for complaint in complaints(bmc.get(path))]


def complaints(answer):
    """What a validator would say of one readable resource."""
    if answer.status_code != 200:
        yield f"status {answer.status_code}"
        return
    wanted = {"OData-Version": "4.0", "Cache-Control": "no-cache", "Content-Type": "application/json; charset=utf-8"}
    yield from (f"{name}: {answer.headers.get(name)}" for name, value in wanted.items() if answer.headers.get(name) != value)
    if "GET, HEAD" not in answer.headers.get("Allow", ""):
        yield "Allow"
    named = answer.json["@odata.type"].removeprefix("#").rpartition(".")[0]
    if f"/{named}.json>" not in answer.headers.get("Link", ""):
        yield "Link"


def test_the_link_check_can_fail(generic):
    """A control: a dead link and an answer without its headers are both noticed."""
    generic.arm(HttpReply(404), When(path="*/ResetActionInfo"))
    kind = {"Content-Type": "application/json; charset=utf-8"}
    bare = HttpReply(200, raw=b'{"@odata.type": "#Role.v1_2_4.Role"}', headers=kind)
    generic.arm(bare, When(path="*/Roles/*"))
    found = {path: list(complaints(generic.get(path))) for path in every_path(generic)}
    assert found[f"{generic.system}/ResetActionInfo"] == ["status 404"]
    assert found["/redfish/v1/AccountService/Roles/Operator"] == ["Allow", "Link"]


def test_head_says_what_get_says_without_the_body(generic):
    get, head = generic.get(generic.system), generic.ask("HEAD", generic.system)
    assert head.data == b""
    assert dict(head.headers) == dict(get.headers)


def test_metadata_opens_with_the_schema_that_holds_the_entity_container(generic):
    answer = generic.get("/redfish/v1/$metadata")
    assert answer.headers["Content-Type"].startswith("application/xml")
    first_schema = answer.text.split("<Schema ", 1)[1].split("</Schema>", 1)[0]
    assert "EntityContainer" in first_schema
    assert "ComputerSystem.v1_27_0" in answer.text


def test_an_unknown_resource_is_404_and_named(generic, message):
    answer = generic.get("/redfish/v1/Systems/nobody")
    assert (answer.status_code, message(answer)) == (404, ("ResourceMissingAtURI", ["/redfish/v1/Systems/nobody"]))


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/redfish/v1/", "GET, HEAD"),
        ("DELETE", "/redfish/v1/Systems/437XR1138R2", "GET, HEAD, PATCH"),
        ("FAKEMETHOD", "/redfish/v1/Systems", "GET, HEAD"),
        ("OPTIONS", "/redfish/v1/Systems", "GET, HEAD"),
        ("PUT", "/redfish/v1/SessionService/Sessions", "GET, HEAD, POST"),
        ("GET", "/redfish/v1/Systems/437XR1138R2/Actions/ComputerSystem.Reset", "POST"),
    ],
)
def test_a_wrong_method_is_405_before_anybody_reads_the_body(generic, message, method, path, allow):
    answer = generic.ask(method, path, data=b"{not json", content_type="application/json")
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)
    assert message(answer)[0] == "OperationNotAllowed"


def test_another_odata_version_is_412_where_the_profile_says_so(generic):
    assert generic.get(generic.system, headers={"OData-Version": "4.1"}).status_code == 412
    assert generic.get(generic.system, headers={"OData-Version": "4.0"}).status_code == 200


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (None, 200),
        ("*/*", 200),
        ("text/html, application/*;q=0.1", 200),
        ("application/json;odata.metadata=minimal", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
    ],
)
def test_accept_is_refused_only_where_nothing_fits(generic, accept, status):
    headers = {} if accept is None else {"Accept": accept}
    assert generic.get(generic.system, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 204),
        ("application/json;charset=utf-8", 204),
        ("application/x-www-form-urlencoded", 204),
        ("text/xml", 415),
    ],
)
def test_what_is_no_json_is_415(generic, kind, status):
    path = f"{generic.system}/Actions/ComputerSystem.Reset"
    assert generic.post(path, data=b'{"ResetType": "ForceOff"}', content_type=kind).status_code == status


def test_a_body_beyond_the_limit_is_413(generic):
    path = f"{generic.system}/Actions/ComputerSystem.Reset"
    answer = generic.post(path, data=b" " * (MAX_BODY + 1), content_type="application/json")
    assert answer.status_code == 413


@pytest.mark.parametrize(("count", "status"), [(4_990, 400), (5_010, 413)])
def test_a_body_of_too_many_parts_is_413_unread(generic, count, status):
    body = json.dumps({f"k{n}": 1 for n in range(count)})
    assert generic.ask("PATCH", generic.system, data=body, content_type="application/json").status_code == status


def test_a_long_text_is_no_trouble(generic):
    body = json.dumps({"AssetTag": "x" * 500_000})
    assert generic.ask("PATCH", generic.system, data=body, content_type="application/json").status_code == 400


# -- entity tags --------------------------------------------------------------------------------------------------------


def test_a_tag_stays_until_the_resource_changes(generic):
    first = generic.get(generic.system).headers["ETag"]
    generic.clock.advance(60)
    assert generic.get(generic.system).headers["ETag"] == first
    generic.reset("ForceOff")
    generic.clock.advance(10)
    assert generic.get(generic.system).headers["ETag"] != first


def test_a_known_tag_is_304_but_only_for_those_who_may_read(generic):
    tag = generic.get(generic.system).headers["ETag"]
    known = {"If-None-Match": f'"other", {tag}'}
    again = generic.get(generic.system, headers=known)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert generic.get(generic.system, headers=known, auth=None).status_code == 401
    assert generic.get(generic.system, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("profile", "form"),
    [("dmtf-generic", r'W/"[0-9A-F]{8}"'), ("dell-idrac9", r'"\d{12}"'), ("openbmc-x86", r'"[0-9A-F]{8}"')],
)
def test_tags_have_the_vendors_form(make_bmc, profile, form):
    bmc = make_bmc(profile)
    assert re.fullmatch(form, bmc.get(bmc.system).headers["ETag"])


def test_a_wrong_if_match_stops_a_delete(generic):
    location = generic.log_in().headers["Location"]
    assert generic.ask("DELETE", location, headers={"If-Match": '"stale"'}).status_code == 412
    assert generic.get(location).status_code == 200
    assert generic.ask("DELETE", location, headers={"If-Match": generic.get(location).headers["ETag"]}).status_code == 204


# -- queries ------------------------------------------------------------------------------------------------------------


def test_unknown_queries_are_ignored_and_unknown_dollar_queries_are_501(generic, message):
    assert generic.get(f"{generic.system}?rpvunknown").data == generic.get(generic.system).data
    answer = generic.get(f"{generic.system}?$rpvunknown")
    assert (answer.status_code, message(answer)[0]) == (501, "QueryNotSupported")


def test_what_is_advertised_works_and_nothing_else_is_advertised(make_bmc):
    for name in ("dmtf-generic", "dell-idrac9", "openbmc-x86"):
        bmc = make_bmc(name)
        flags = bmc.get("/redfish/v1/").json["ProtocolFeaturesSupported"]
        status = {
            "SelectQuery": bmc.get(f"{bmc.system}?$select=PowerState").status_code,
            "FilterQuery": bmc.get("/redfish/v1/Systems?$filter=Name eq 'x'").status_code,
        }
        assert status == {key: 200 if flags[key] else 501 for key in status}, name
        expand = bmc.get("/redfish/v1/Systems?$expand=*").status_code
        assert expand == (200 if flags["ExpandQuery"]["ExpandAll"] else 501), name


def test_only_gives_the_single_member(generic):
    assert generic.get("/redfish/v1/Systems?only").data == generic.get(generic.system).data
    assert generic.get("/redfish/v1/Systems?only=x").status_code == 400
    assert generic.get(f"{generic.system}?only").status_code == 400
    assert generic.get("/redfish/v1/Systems?only&$expand=*").status_code == 400


def test_only_leaves_a_collection_of_several_alone(make_bmc):
    bmc = make_bmc("dmtf-generic", hosts=(HostSpec(), HostSpec()))
    assert bmc.get("/redfish/v1/Systems?only").data == bmc.get("/redfish/v1/Systems").data


def without_tag(body):
    return {name: value for name, value in body.items() if name != "@odata.etag"}


def test_expand_with_levels_and_with_or_without_links(generic):
    system = generic.get(generic.system).json
    assert generic.get("/redfish/v1/Systems?$expand=.").json["Members"] == [system]
    flat = generic.get("/redfish/v1/Systems?$expand=.($levels=2)").json["Members"][0]
    assert flat["Links"] == system["Links"]
    linked = generic.get(f"{generic.system}?$expand=~").json["Links"]["Chassis"][0]
    assert linked == generic.get(generic.chassis).json
    assert generic.get("/redfish/v1/Systems?$expand=.($levels=7)").status_code == 400
    assert generic.get("/redfish/v1/Systems?$expand=x").status_code == 400


def test_expand_of_the_open_root_shows_strangers_nothing_more(generic):
    assert generic.get("/redfish/v1/?$expand=*", auth=None).json["Systems"] == {"@odata.id": "/redfish/v1/Systems"}


def test_expand_of_the_open_root_shows_a_known_client_what_is_behind(generic):
    expanded = generic.get("/redfish/v1/?$expand=.").json
    assert expanded["Systems"] == generic.get("/redfish/v1/Systems").json
    assert expanded["Links"] == {"Sessions": {"@odata.id": generic.sessions}}
    assert generic.get("/redfish/v1/?$expand=.", auth=("admin", "wrong")).status_code == 401


def test_metadata_is_no_resource_to_query(generic):
    assert generic.get("/redfish/v1/$metadata?$expand=.").status_code == 400
    assert generic.get("/redfish/v1/$metadata?only").status_code == 400


def test_select_keeps_the_identity_and_what_was_asked_for(make_bmc):
    bmc = make_bmc("openbmc-x86")
    cut = bmc.get(f"{bmc.system}?$select=PowerState,Status/State").json
    assert without_tag(cut) == {
        "@odata.id": bmc.system,
        "@odata.type": "#ComputerSystem.v1_16_0.ComputerSystem",
        "PowerState": "On",
        "Status": {"State": "Enabled"},
    }
    assert bmc.get(f"{bmc.system}?$select=").status_code == 400


# -- the app ------------------------------------------------------------------------------------------------------------


def test_the_wire_says_which_bmc_is_meant(make_bmc):
    bmc = make_bmc("dmtf-generic")
    assert bmc.get(bmc.system, environ_overrides={"emulator.bmc": "n1"}).status_code == 200
    nobody = bmc.get(bmc.system, environ_overrides={"emulator.bmc": "n2"})
    assert (nobody.status_code, "error" in nobody.json) == (404, True)


def test_a_broken_host_header_is_a_redfish_error_too(generic):
    answer = generic.get(generic.system, headers={"Host": "a b<c"})
    assert answer.status_code in (200, 400)
    assert answer.headers["Content-Type"].startswith("application/json")
    json.loads(answer.data)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda p, r: {"resources": r(p.resources, merge={"/redfish/v1/Fabrics": {"Id": "x"}})}, "does not have"),
        (
            lambda p, r: {
                "replies": {**p.replies, "accepted": r(p.replies["accepted"], status=202, task={"start": "New", "end": "Maybe"})}
            },
            "task",
        ),
        (lambda p, r: {"replies": {**p.replies, "accepted": r(p.replies["accepted"], headers={"X": "{nobody}"})}}, "{nobody}"),
        (lambda p, r: {"errors": r(p.errors, fields=("Shrug",))}, "Shrug"),
    ],
)
def test_a_profile_that_asks_for_what_is_not_there_is_refused_at_once(generic, make_bmc, change, part):
    with pytest.raises(RackMisconfigured, match=part):
        make_bmc(replace(generic.profile, **change(generic.profile, replace)))


def test_an_overlay_changes_and_removes_resources(generic, make_bmc):
    info = f"{generic.system}/ResetActionInfo"
    gone = "/redfish/v1/AccountService/Roles/Operator"
    overlay = ResourceRules(merge={generic.system: {"AssetTag": "rack 7", "SKU": None}}, remove=(gone,))
    bmc = make_bmc(replace(generic.profile, resources=overlay))
    system = bmc.get(bmc.system).json
    assert (system["AssetTag"], "SKU" in system) == ("rack 7", False)
    roles = bmc.get("/redfish/v1/AccountService/Roles").json
    assert (roles["Members@odata.count"], len(roles["Members"])) == (2, 2)
    assert (bmc.get(gone).status_code, bmc.get(info).status_code) == (404, 200)


def test_any_single_threaded_wsgi_server_can_serve_it(generic):
    """Ruling 14: nothing drives the rack's clock but the requests; PEP 3333 is checked on the way."""
    credentials = b64encode(":".join(generic.admin).encode()).decode()

    def serve(method, path, body=b""):
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_AUTHORIZATION": f"Basic {credentials}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "QUERY_STRING": "",
        }
        out = BytesIO()
        handler = SimpleHandler(BytesIO(body), out, sys.stderr, environ, multithread=False, multiprocess=False)
        handler.run(validator(generic.app))
        return out.getvalue()

    target = f"{generic.system}/Actions/ComputerSystem.Reset"
    assert b" 204 " in serve("POST", target, b'{"ResetType": "ForceOff"}').splitlines()[0]
    assert b'"PowerState": "On"' in serve("GET", generic.system)
    generic.clock.advance(2)
    assert b'"PowerState": "Off"' in serve("GET", generic.system)


def test_every_answer_carries_the_vendors_server_header(generic, make_bmc):
    bmc = make_bmc(replace(generic.profile, http=replace(generic.profile.http, server_header="iRMC S5 Webserver")))
    answers = [bmc.get(bmc.system), bmc.get("/x"), bmc.reset("On"), bmc.reset("ForceOff"), bmc.log_in(), bmc.get("/", auth=None)]
    assert [answer.headers.get("Server") for answer in answers] == ["iRMC S5 Webserver"] * len(answers)


def test_an_app_for_a_bmc_that_is_not_there_is_refused(generic):
    with pytest.raises(NoSuchUnit):
        create_app(generic.rack, bmc="nobody")
