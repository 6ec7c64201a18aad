"""PATCH: what is taken, what is complained about, and who may write under which condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.redfish.service.call import RegistryError
from emulator.redfish.service.writable import (
    MAX_MESSAGES,
    BooleanRule,
    IntegerRule,
    ListRule,
    ObjectRule,
    OneOfRule,
    OrNullRule,
    TextRule,
    check_fields,
    merged_list,
    new_resource_values,
)
from profiles.model import Lockout

SERVICE = "/redfish/v1/SessionService"
ACCOUNTS = "/redfish/v1/AccountService/Accounts"
READER = {"UserName": "reader", "Password": "Rd-5jk2.secret", "RoleId": "ReadOnly"}
OWN = f"{ACCOUNTS}/reader"


def messages(body):
    """Names of the messages in an error object or beside a resource."""
    held = body.get("error", body).get("@Message.ExtendedInfo", [])
    return [entry["MessageId"].rpartition(".")[2] for entry in held]


@pytest.fixture
def staffed(generic):
    assert generic.post(ACCOUNTS, json=READER).status_code == 201
    return generic


# -- the machinery ------------------------------------------------------------------------------------------------------


def test_a_good_property_is_written_and_a_bad_one_complained_about(generic):
    answer = generic.ask("PATCH", SERVICE, json={"SessionTimeout": 60, "Colour": "red"})
    assert answer.status_code == 200
    assert (answer.json["SessionTimeout"], messages(answer.json)) == (60, ["PropertyUnknown"])
    assert answer.json["@Message.ExtendedInfo"][0]["MessageArgs"] == ["Colour"]
    assert generic.get(SERVICE).json["SessionTimeout"] == 60


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"Colour": "red"}, ["PropertyUnknown"]),
        ({"Name": "mine"}, ["PropertyNotWritable"]),
        ({"SessionTimeout": "60"}, ["PropertyValueTypeError"]),
        ({"SessionTimeout": True}, ["PropertyValueTypeError"]),
        ({"SessionTimeout": 7}, ["PropertyValueOutOfRange"]),
        ({"ServiceEnabled": None, "SessionTimeout": 7}, ["PropertyValueTypeError", "PropertyValueOutOfRange"]),
        ({"@odata.id": SERVICE}, ["NoOperation"]),
        ({}, ["EmptyJSON"]),
    ],
)
def test_nothing_right_is_400_and_changes_nothing(generic, body, wanted):
    before = generic.get(SERVICE)
    answer = generic.ask("PATCH", SERVICE, json=body)
    assert (answer.status_code, messages(answer.json)) == (400, wanted)
    after = generic.get(SERVICE)
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])


def test_however_deep_a_value_is_nested_the_answer_is_a_400(generic):
    bodies = [b'{"SessionTimeout": ' + b"[" * depth + b"]" * depth + b"}" for depth in range(10, 1200, 7)]
    answers = {generic.ask("PATCH", SERVICE, data=body, content_type="application/json").status_code for body in bodies}
    assert answers == {400}


def test_a_write_gives_the_resource_as_it_is_now_with_its_tag(generic):
    answer = generic.ask("PATCH", SERVICE, json={"SessionTimeout": 90})
    now = generic.get(SERVICE)
    assert (answer.json, answer.headers["ETag"]) == (now.json, now.headers["ETag"])
    assert now.json["@odata.etag"] == now.headers["ETag"]


def test_of_several_writers_with_one_tag_only_the_first_wins(staffed):
    tag = staffed.get(OWN).headers["ETag"]
    words = [f"Pw-{n}.unguessable" for n in range(4)]
    answers = [staffed.ask("PATCH", OWN, json={"Password": word}, headers={"If-Match": tag}).status_code for word in words]
    assert answers == [200, 412, 412, 412]
    assert staffed.get(OWN, auth=("reader", words[0])).status_code == 200
    assert staffed.get(OWN, auth=("reader", words[1])).status_code == 401


def test_a_write_of_a_secret_changes_the_tag_too(staffed):
    before = staffed.get(OWN)
    staffed.ask("PATCH", OWN, json={"Password": "Pw-9.unguessable"})
    after = staffed.get(OWN)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.json | {"@odata.etag": ""} == before.json | {"@odata.etag": ""}


def test_an_account_that_is_made_again_does_not_get_its_old_tag(staffed):
    tag = staffed.get(OWN).headers["ETag"]
    staffed.ask("DELETE", OWN)
    staffed.post(ACCOUNTS, json=READER)
    assert staffed.ask("PATCH", OWN, json={"Enabled": False}, headers={"If-Match": tag}).status_code == 412


def test_rules_take_what_fits_and_name_what_does_not():
    fields = {
        "A": ObjectRule({"B": IntegerRule(low=1, high=5), "C": OneOfRule(("x", "y"))}),
        "D": OrNullRule(TextRule(high=3)),
        "E": BooleanRule(),
    }
    taken, complaints = check_fields({"A": {"B": 3, "C": "z"}, "D": None, "E": 0, "F": 1}, fields, {"F": 2})
    assert taken == {"A": {"B": 3}, "D": None}
    assert [(c.message, c.args[-1], c.related[0]) for c in complaints] == [
        ("PropertyValueNotInList", "A/C", "#/A/C"),
        ("PropertyValueTypeError", "E", "#/E"),
        ("PropertyNotWritable", "F", "#/F"),
    ]


def test_a_secret_is_never_repeated():
    with pytest.raises(RegistryError) as caught:
        new_resource_values({"Password": "x" * 200}, {"Password": TextRule(high=127, secret=True)}, ())
    assert caught.value.messages[0].args == ("******", "127")


@pytest.mark.parametrize(
    ("patch", "result"),
    [
        ([None, {}, "c"], ["b", "c"]),
        (["x"], ["x"]),
        ([{}, {}, {}], ["a", "b"]),
        ([{}, "y", None, "z"], ["a", "y", "z"]),
        ([], []),
        ([None, None], []),
    ],
)
def test_arrays_are_patched_item_by_item(patch, result):
    """null removes, {} keeps, what is not mentioned is cut off."""
    rule = ListRule(item=TextRule(), sparse=True)
    assert merged_list(["a", "b"], rule.check(patch, "NTPServers")) == result


# -- accounts -----------------------------------------------------------------------------------------------------------


def test_an_account_is_made_used_changed_and_deleted(generic):
    made = generic.post(ACCOUNTS, json=READER)
    assert (made.status_code, made.headers["Location"], made.json["@odata.id"]) == (201, OWN, OWN)
    assert (made.json["RoleId"], made.json["Password"]) == ("ReadOnly", None)
    assert generic.get(generic.system, auth=("reader", READER["Password"])).status_code == 200
    assert generic.ask("PATCH", OWN, json={"RoleId": "Operator", "Enabled": False}).json["RoleId"] == "Operator"
    assert generic.get(generic.system, auth=("reader", READER["Password"])).status_code == 401
    assert generic.ask("DELETE", OWN).status_code == 204
    assert generic.get(OWN).status_code == 404


def test_an_account_can_be_made_through_the_members_property(generic):
    assert generic.post(f"{ACCOUNTS}/Members", json=READER).status_code == 201


def test_a_renamed_account_is_found_under_its_new_name(staffed):
    answer = staffed.ask("PATCH", OWN, json={"UserName": "writer"})
    assert (answer.status_code, answer.json["@odata.id"]) == (200, f"{ACCOUNTS}/writer")
    assert staffed.get(OWN).status_code == 404


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"UserName": "admin"}, "ResourceAlreadyExists"),
        ({"UserName": "a:b"}, "PropertyValueFormatError"),
        ({"UserName": "a/b"}, "PropertyValueFormatError"),
        ({"UserName": "Members"}, "PropertyValueFormatError"),
        ({"UserName": ".."}, "PropertyValueFormatError"),
        ({"RoleId": "King"}, "PropertyValueNotInList"),
        ({"Password": ""}, "StringValueTooShort"),
        ({"Password": 5}, "PropertyValueTypeError"),
        ({"Colour": "red"}, "PropertyUnknown"),
    ],
)
def test_an_impossible_account_is_400(generic, change, wanted):
    answer = generic.post(ACCOUNTS, json=READER | change)
    assert (answer.status_code, messages(answer.json)) == (400, [wanted])
    assert READER["Password"] not in answer.text


def test_a_missing_password_is_named(generic):
    answer = generic.post(ACCOUNTS, json={"UserName": "x", "RoleId": "ReadOnly"})
    assert (answer.status_code, messages(answer.json)) == (400, ["CreateFailedMissingReqProperties"])


def test_there_is_an_end_to_accounts(generic):
    answers = [generic.post(ACCOUNTS, json=READER | {"UserName": f"u{n}"}) for n in range(20)]
    assert [answer.status_code for answer in answers].count(201) == 14
    assert messages(answers[-1].json) == ["CreateLimitReachedForResource"]


def test_the_last_administrator_stays(generic):
    own = f"{ACCOUNTS}/admin"
    assert generic.ask("DELETE", own).status_code == 403
    assert generic.ask("PATCH", own, json={"Enabled": False}).status_code == 400
    assert generic.ask("PATCH", own, json={"RoleId": "ReadOnly"}).status_code == 400
    assert generic.get(own).json["Enabled"] is True


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (OWN, {"Password": "Pw-7.unguessable"}, 200),
        (OWN, {"RoleId": "Administrator"}, 403),
        (OWN, {"Password": "Pw-7.unguessable", "RoleId": "Administrator"}, 403),
        (f"{ACCOUNTS}/admin", {"Password": "Pw-7.unguessable"}, 403),
    ],
)
def test_a_reader_may_change_the_own_password_and_nothing_else(staffed, path, body, status):
    answer = staffed.ask("PATCH", path, json=body, auth=("reader", READER["Password"]))
    assert answer.status_code == status
    assert staffed.get(f"{ACCOUNTS}/admin").status_code == 200


@pytest.mark.parametrize(("method", "path"), [("POST", ACCOUNTS), ("DELETE", f"{ACCOUNTS}/admin"), ("PATCH", SERVICE)])
def test_a_reader_makes_and_deletes_nothing(staffed, method, path):
    assert staffed.ask(method, path, json=READER, auth=("reader", READER["Password"])).status_code == 403


def test_who_must_change_the_password_can_do_that_and_nothing_else(generic):
    generic.post(ACCOUNTS, json=READER | {"PasswordChangeRequired": True})
    known = ("reader", READER["Password"])
    login = generic.log_in(known)
    assert (login.status_code, messages(login.json)) == (201, ["PasswordChangeRequired"])
    held = {"X-Auth-Token": login.headers["X-Auth-Token"]}
    for path in (generic.system, "/redfish/v1/AccountService", f"{ACCOUNTS}/admin"):
        refused = generic.get(path, auth=None, headers=held)
        assert (refused.status_code, messages(refused.json)) == (403, ["PasswordChangeRequired"])
        assert refused.json["error"]["@Message.ExtendedInfo"][0]["MessageArgs"] == [OWN]
    assert generic.get("/redfish/v1/", auth=None, headers=held).status_code == 200
    assert generic.get(OWN, auth=None, headers=held).json["PasswordChangeRequired"] is True
    assert generic.ask("PATCH", OWN, json={"Password": "Pw-8.unguessable"}, auth=None, headers=held).status_code == 200
    assert generic.get(generic.system, auth=None, headers=held).status_code == 200


def test_who_must_change_the_password_can_log_out(generic):
    generic.post(ACCOUNTS, json=READER | {"PasswordChangeRequired": True})
    login = generic.log_in(("reader", READER["Password"]))
    held = {"X-Auth-Token": login.headers["X-Auth-Token"]}
    assert generic.ask("DELETE", login.headers["Location"], auth=None, headers=held).status_code == 204


# -- services that really act -------------------------------------------------------------------------------------------


def test_the_session_timeout_acts(generic):
    held = {"X-Auth-Token": generic.log_in().headers["X-Auth-Token"]}
    generic.ask("PATCH", SERVICE, json={"SessionTimeout": 30})
    generic.clock.advance(31)
    assert generic.get(generic.system, auth=None, headers=held).status_code == 401


def test_a_disabled_session_service_lets_nobody_new_in(generic):
    held = {"X-Auth-Token": generic.log_in().headers["X-Auth-Token"]}
    assert generic.ask("PATCH", SERVICE, json={"ServiceEnabled": False}).json["Status"]["State"] == "Disabled"
    assert generic.log_in().status_code == 503
    assert generic.get(generic.system, auth=None, headers=held).status_code == 200
    generic.ask("PATCH", SERVICE, json={"ServiceEnabled": True})
    assert generic.log_in().status_code == 201


def test_lockout_settings_act_and_an_administrator_can_unlock(staffed):
    path = "/redfish/v1/AccountService"
    rule = {"AccountLockoutThreshold": 2, "AccountLockoutDuration": 60, "AccountLockoutCounterResetAfter": 30}
    assert staffed.ask("PATCH", path, json=rule).json | rule == staffed.get(path).json
    known = ("reader", READER["Password"])
    for _ in range(2):
        staffed.get(staffed.system, auth=("reader", "wrong"))
    assert staffed.get(staffed.system, auth=known).status_code == 401
    assert staffed.get(OWN).json["Locked"] is True
    assert staffed.ask("PATCH", OWN, json={"Locked": False}).json["Locked"] is False
    assert staffed.get(staffed.system, auth=known).status_code == 200


def test_lockout_times_must_fit_together(generic):
    body = {"AccountLockoutThreshold": 2, "AccountLockoutDuration": 10, "AccountLockoutCounterResetAfter": 30}
    answer = generic.ask("PATCH", "/redfish/v1/AccountService", json=body)
    assert (answer.status_code, messages(answer.json)) == (400, ["PropertyValueConflict"])


def test_a_vendor_that_locks_addresses_has_no_such_settings(generic, make_bmc):
    lockout = Lockout(by="address", failures=3, window_s=60, penalty_s=60)
    bmc = make_bmc(replace(generic.profile, auth=replace(generic.profile.auth, lockout=lockout)))
    assert bmc.ask("PATCH", "/redfish/v1/AccountService", json={"AccountLockoutThreshold": 0}).status_code == 405


def test_account_secrets_stay_out_of_the_journal(staffed):
    staffed.ask("PATCH", OWN, json={"Password": "Pw-6.unguessable"})
    text = staffed.journal.to_jsonl()
    assert READER["Password"] not in text
    assert "Pw-6" not in text
    assert [event["what"] for event in staffed.events("account")] == ["created", "changed"]


def test_a_body_with_thousands_of_unknown_names_gets_a_short_answer_and_what_is_right_is_written(generic):
    path = generic.get("/redfish/v1/AccountService").json["@odata.id"]
    unknown = {f"k{n}": 1 for n in range(4_900)}
    answer = generic.ask("PATCH", path, json=unknown)
    assert answer.status_code == 400
    assert len(answer.json["error"]["@Message.ExtendedInfo"]) == MAX_MESSAGES
    assert generic.ask("PATCH", path, json=unknown | {"AccountLockoutThreshold": 7}).status_code == 200
    assert generic.get(path).json["AccountLockoutThreshold"] == 7


def test_an_action_with_thousands_of_unknown_parameters_gets_a_short_answer(generic):
    unknown = {f"k{n}": 1 for n in range(4_900)}
    answer = generic.post("/redfish/v1/EventService/Actions/EventService.SubmitTestEvent", json=unknown)
    assert answer.status_code == 400
    assert len(answer.json["error"]["@Message.ExtendedInfo"]) <= MAX_MESSAGES + 1
