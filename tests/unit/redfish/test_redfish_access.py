"""Logging in and out, limits, roles, lockout, registries, and what the journal may know of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from profiles.model import Account, Lockout

OPERATOR = ("op", "Op-9fk3.secret")
READER = ("ro", "Ro-7gh2.secret")


@pytest.fixture
def staffed(generic, make_bmc):
    """A BMC with one user of each role."""
    more = (Account(name=OPERATOR[0], password=OPERATOR[1], role="Operator"),)
    more += (Account(name=READER[0], password=READER[1], role="ReadOnly"),)
    auth = replace(generic.profile.auth, accounts=generic.profile.auth.accounts + more)
    return make_bmc(replace(generic.profile, auth=auth))


def token_of(bmc, auth=None):
    return {"X-Auth-Token": bmc.log_in(auth).headers["X-Auth-Token"]}


def test_a_login_gives_a_token_a_place_and_a_body(generic):
    answer = generic.log_in()
    assert answer.status_code == 201
    location = answer.headers["Location"]
    assert answer.json["@odata.id"] == location
    assert answer.json["UserName"] == generic.admin[0]
    held = {"X-Auth-Token": answer.headers["X-Auth-Token"]}
    assert generic.get(location, auth=None, headers=held).json == answer.json
    assert generic.get(generic.sessions).json["Members"] == [{"@odata.id": location}]


def test_a_login_through_the_members_property_works_too(generic):
    body = {"UserName": generic.admin[0], "Password": generic.admin[1]}
    assert generic.post(f"{generic.sessions}/Members", json=body, auth=None).status_code == 201


def test_a_logout_ends_the_token(generic):
    answer = generic.log_in()
    held = {"X-Auth-Token": answer.headers["X-Auth-Token"]}
    assert generic.ask("DELETE", answer.headers["Location"], auth=None, headers=held).status_code == 204
    assert generic.get(generic.system, auth=None, headers=held).status_code == 401


def test_a_session_runs_out_when_nobody_uses_it(generic):
    held = token_of(generic)
    generic.clock.advance(generic.profile.auth.sessions.timeout_s - 1)
    assert generic.get(generic.system, auth=None, headers=held).status_code == 200
    generic.clock.advance(generic.profile.auth.sessions.timeout_s + 1)
    assert generic.get(generic.system, auth=None, headers=held).status_code == 401


def test_a_bad_token_is_not_saved_by_a_good_password(generic):
    assert generic.get(generic.system, headers={"X-Auth-Token": "feed"}).status_code == 401


@pytest.mark.parametrize("credentials", [("admin", "wrong"), ("nobody", "wrong"), ("admin", ""), ("", "")])
def test_wrong_credentials_are_401_and_never_repeated(generic, credentials):
    for answer in (generic.log_in(credentials), generic.get(generic.system, auth=credentials)):
        assert answer.status_code == 401
        assert "wrong" not in answer.text
        assert "nobody" not in answer.text


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer abc", "Basic /w==", ""])
def test_a_broken_authorization_header_is_401(generic, header):
    assert generic.get(generic.system, auth=None, headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "CreateFailedMissingReqProperties"),
        ({"UserName": "admin"}, "CreateFailedMissingReqProperties"),
        ({"UserName": "admin", "Password": 7}, "PropertyValueTypeError"),
        ({"UserName": "admin", "Password": "x", "Colour": "red"}, "PropertyUnknown"),
    ],
)
def test_a_login_body_with_holes_is_400(generic, message, body, name):
    answer = generic.post(generic.sessions, json=body, auth=None)
    assert (answer.status_code, message(answer)[0]) == (400, name)


@pytest.mark.parametrize(("profile", "said"), [("dmtf-generic", "SessionLimitExceeded"), ("dell-idrac9", "RAC0218")])
def test_a_full_table_answers_in_the_vendors_words(make_bmc, message, profile, said):
    bmc = make_bmc(profile)
    assert [bmc.log_in().status_code for _ in range(8)] == [201] * 8
    full = bmc.log_in()
    assert (full.status_code, message(full)[0]) == (503, said)
    bmc.ask("DELETE", f"{bmc.sessions}/1")
    assert bmc.log_in().status_code == 201


def test_a_vendor_without_a_limit_has_none(make_bmc):
    bmc = make_bmc("openbmc-x86")
    assert {bmc.log_in().status_code for _ in range(50)} == {201}


def test_openbmc_says_401_with_nothing_in_it(make_bmc):
    answer = make_bmc("openbmc-x86").get("/redfish/v1/Systems", auth=None)
    assert (answer.status_code, answer.data, answer.headers["WWW-Authenticate"]) == (401, b"", "Basic")


def test_a_locked_account_looks_like_a_wrong_password(make_bmc):
    bmc = make_bmc("dell-idrac9")
    wrong = [bmc.get(bmc.system, auth=("root", "no")) for _ in range(4)]
    locked = bmc.get(bmc.system)
    assert {answer.status_code for answer in (*wrong, locked)} == {401}
    assert {answer.data for answer in wrong} == {locked.data}
    bmc.clock.advance(61)
    assert bmc.get(bmc.system).status_code == 200


# -- roles --------------------------------------------------------------------------------------------------------------


def test_who_may_only_read_may_not_reset(staffed, message):
    answer = staffed.reset("ForceOff", auth=READER)
    assert (answer.status_code, message(answer)[0]) == (403, "InsufficientPrivilege")
    assert staffed.get(staffed.system, auth=READER).status_code == 200
    assert not staffed.events("command")


def test_an_operator_may_reset(staffed):
    assert staffed.reset("ForceOff", auth=OPERATOR).status_code == 204
    assert staffed.reset("ForceOff", auth=None, headers=token_of(staffed, OPERATOR)).status_code == 204


def test_only_an_administrator_ends_the_sessions_of_others(staffed):
    first = staffed.log_in().headers["Location"]
    own = staffed.log_in(READER).headers["Location"]
    assert staffed.ask("DELETE", first, auth=READER).status_code == 403
    assert staffed.ask("DELETE", own, auth=READER).status_code == 204
    assert staffed.ask("DELETE", first).status_code == 204


def test_accounts_are_listed_without_their_passwords_and_read_by_their_owners(staffed):
    listing = staffed.get("/redfish/v1/AccountService/Accounts").json
    assert listing["Members@odata.count"] == 3
    accounts = "/redfish/v1/AccountService/Accounts"
    own = staffed.get(f"{accounts}/ro", auth=READER)
    assert (own.status_code, own.json["Password"], own.json["RoleId"]) == (200, None, "ReadOnly")
    assert staffed.get(f"{accounts}/op", auth=READER).status_code == 403
    assert staffed.get(f"{accounts}/op").status_code == 200
    assert staffed.get(f"{accounts}/nobody").status_code == 404


def test_expanding_the_accounts_shows_a_reader_its_own_alone(staffed):
    members = staffed.get("/redfish/v1/AccountService/Accounts?$expand=.", auth=READER).json["Members"]
    assert [member.get("UserName") for member in members] == [None, None, "ro"]


def test_an_only_account_is_not_read_by_the_way_of_its_collection(generic, make_bmc):
    accounts = (Account(name="solo", password="x", role="ReadOnly"),)
    bmc = make_bmc(replace(generic.profile, auth=replace(generic.profile.auth, accounts=accounts)))
    path = "/redfish/v1/AccountService/Accounts?only"
    assert bmc.get(path).json["UserName"] == "solo"


def test_a_locked_account_says_so_to_its_administrator(staffed, make_bmc):
    auth = replace(staffed.profile.auth, lockout=Lockout(by="account", failures=2, window_s=60, penalty_s=60))
    bmc = make_bmc(replace(staffed.profile, auth=auth))
    for _ in range(2):
        bmc.get(bmc.system, auth=(READER[0], "no"))
    assert bmc.get("/redfish/v1/AccountService/Accounts/ro").json["Locked"] is True
    assert bmc.get("/redfish/v1/AccountService/Accounts/op").json["Locked"] is False


# -- registries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["dmtf-generic", "dell-idrac9", "openbmc-x86"])
def test_what_the_service_says_is_in_its_registries(make_bmc, profile):
    bmc = make_bmc(profile)
    held = {}
    for member in bmc.get("/redfish/v1/Registries").json["Members"]:
        file = bmc.get(member["@odata.id"]).json
        held[file["Id"]] = bmc.get(file["Location"][0]["Uri"]).json.get("Messages", {})  # attribute registries have none
    answers = [bmc.get("/redfish/v1/x"), bmc.reset("On"), bmc.reset("Rubbish"), bmc.ask("PUT", "/redfish/v1/"), bmc.reset(1)]
    said = [answer.json["error"]["@Message.ExtendedInfo"][0] for answer in answers if answer.data]
    assert len(said) >= 4
    for entry in said:
        registry, _, name = entry["MessageId"].rpartition(".")
        assert held[registry][name]["NumberOfArgs"] == len(entry["MessageArgs"])


# -- the journal --------------------------------------------------------------------------------------------------------


def leaked(bmc, secrets):
    text = bmc.journal.to_jsonl()
    return [secret for secret in secrets if secret in text]


def test_no_secret_enters_the_journal(staffed):
    token = token_of(staffed)["X-Auth-Token"]
    staffed.get(staffed.system, auth=None, headers={"X-Auth-Token": token})
    staffed.get(staffed.system)
    staffed.log_in((OPERATOR[1], OPERATOR[1]))
    staffed.get(staffed.system, auth=(READER[1], READER[1]))
    staffed.reset("ForceOff", auth=OPERATOR)
    secrets = (token, staffed.admin[1], OPERATOR[1], READER[1])
    assert not leaked(staffed, secrets)
    staffed.get(f"/redfish/v1/{token}")  # a control: the check sees what is there
    assert leaked(staffed, secrets) == [token]


def test_the_journal_says_how_a_client_proved_itself(staffed):
    staffed.get(staffed.system, auth=None)
    staffed.get(staffed.system)
    staffed.get(staffed.system, auth=None, headers=token_of(staffed, READER))
    seen = [(event["auth"], event["user"]) for event in staffed.events("request")]
    assert seen == [("none", None), ("basic", "admin"), ("none", None), ("session", "ro")]
