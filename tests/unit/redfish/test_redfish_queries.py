"""$filter, $top and $skip; the other parameters are in test_redfish_protocol."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from emulator.redfish.service.call import RegistryError
from emulator.redfish.service.condition import compiled
from emulator.redfish.service.query import MAX_EXPANDED_BYTES, MAX_QUERY, MAX_VALUE

ROLES = "/redfish/v1/AccountService/Roles"
BODY = {
    "Name": "Bob's fan",
    "Reading": 40,
    "Ratio": 0.5,
    "On": True,
    "Gone": None,
    "Status": {"Health": "OK", "Count": 3},
    "Links": {"@odata.id": "/x"},
}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("Reading eq 40", True),
        ("Reading eq 40.0", True),
        ("Reading eq '40'", False),
        ("Reading ne '40'", True),
        ("Reading gt 39", True),
        ("Reading ge 40", True),
        ("Reading lt 40", False),
        ("Reading le 40", True),
        ("Ratio lt 0.6", True),
        ("Reading gt -1", True),
        ("40 eq Reading", True),
        ("Name eq 'Bob''s fan'", True),
        ("Name gt 'Alice'", True),
        ("Name gt 5", False),
        ("On eq true", True),
        ("On eq 1", False),
        ("On gt false", False),
        ("Gone eq null", True),
        ("Nowhere eq null", True),
        ("Nowhere ne null", False),
        ("Nowhere/Deeper eq null", True),
        ("Status/Health eq 'OK'", True),
        ("Status/Count ge 3 and Status/Health ne 'OK'", False),
        ("Reading eq 1 or Reading eq 40", True),
        ("not Reading eq 1", True),
        ("not (Reading eq 40)", False),
        ("not not Reading eq 40", True),
        ("Reading eq 1 or Reading eq 40 and On eq false", False),
        ("(Reading eq 1 or Reading eq 40) and On eq true", True),
        ("  Reading   eq   40  ", True),
        ("Links/@odata.id eq '/x'", True),
        (" or ".join(["Reading eq 1"] * 31 + ["Reading eq 40"]), True),
    ],
)
def test_a_filter_means_what_it_says(text, fits):
    assert compiled(text)(BODY) is fits


@pytest.mark.parametrize(
    "text",
    [
        *("", "Reading", "Reading eq", "eq 40", "Reading eq 40 40", "Reading is 40", "(Reading eq 40", "Reading eq 40)"),
        *("Reading eq 40 and", "not", "and", "Reading eq 'open", "Reading eq 40 xor On eq true", "Reading = 40", "Reading eq eq"),
        *("Reading eq 4x", "a eq 1 eq 2", "(" * 200 + "a eq 1" + ")" * 200, "not " * 2000 + "a eq 1", "()", "a/ eq 1", "\x00"),
    ],
)
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(RegistryError) as caught:
        compiled(text)
    assert (caught.value.http_status, caught.value.messages[0].args[1]) == (400, "$filter")


def members(answer):
    return [member["@odata.id"].rpartition("/")[2] for member in answer.json["Members"]]


def ask(bmc, query):
    return bmc.get(f"{ROLES}?{query}")


def test_a_filter_picks_members_and_counts_them(generic):
    answer = ask(generic, "$filter=" + quote("RoleId eq 'Operator' or RoleId eq 'ReadOnly'"))
    assert (members(answer), answer.json["Members@odata.count"]) == (["Operator", "ReadOnly"], 2)
    assert members(ask(generic, "$filter=" + quote("RoleId eq 'Nobody'"))) == []
    expanded = ask(generic, "$expand=.&$filter=" + quote("not RoleId eq 'Operator'"))
    assert [member["RoleId"] for member in expanded.json["Members"]] == ["Administrator", "ReadOnly"]


def test_pages_lead_to_the_next_one(generic):
    first = ask(generic, "$top=2")
    assert (members(first), first.json["Members@odata.count"]) == (["Administrator", "Operator"], 3)
    rest = generic.get(first.json["Members@odata.nextLink"])
    assert (members(rest), "Members@odata.nextLink" in rest.json) == (["ReadOnly"], False)
    assert members(ask(generic, "$skip=1&$top=1")) == ["Operator"]
    assert members(ask(generic, "$skip=9")) == []
    assert members(ask(generic, "$top=0")) == []


def test_a_next_page_keeps_what_was_asked(generic):
    query = "$top=1&$select=RoleId&$expand=.&$filter=" + quote("RoleId ne 'Operator'")
    first = ask(generic, query)
    rest = generic.get(first.json["Members@odata.nextLink"])
    assert [member["RoleId"] for page in (first, rest) for member in page.json["Members"]] == ["Administrator", "ReadOnly"]
    assert "IsPredefined" not in rest.json["Members"][0]


@pytest.mark.parametrize(
    "query", ["$top=-1", "$top=x", "$skip=", "$skip=1.5", "$top=99999999999", "$filter=", "$filter=x", "only&$top=1"]
)
def test_wrong_use_is_400(generic, query):
    assert ask(generic, query).status_code == 400


@pytest.mark.parametrize("query", ["$filter=Id%20eq%20'x'", "$top=1", "$skip=1"])
def test_what_is_no_collection_has_no_members_to_pick(generic, message, query):
    answer = generic.get(f"{generic.system}?{query}")
    assert (answer.status_code, message(answer)[0]) == (400, "QueryNotSupportedOnResource")


@pytest.mark.parametrize("name", ["filter", "top", "skip"])
def test_what_a_vendor_does_not_offer_is_501_and_not_advertised(generic, make_bmc, name):
    features = {**generic.profile.http.features, "filter": False, "top_skip": False}
    bmc = make_bmc(replace(generic.profile, http=replace(generic.profile.http, features=features)))
    assert bmc.get(f"{ROLES}?${name}=1").status_code == 501
    told = bmc.get("/redfish/v1/").json["ProtocolFeaturesSupported"]
    assert (told["FilterQuery"], "TopSkipQuery" in told) == (False, False)
    offered = generic.get("/redfish/v1/").json["ProtocolFeaturesSupported"]
    assert (offered["FilterQuery"], offered["TopSkipQuery"]) == (True, True)


ACCOUNTS = "/redfish/v1/AccountService/Accounts"


@pytest.mark.parametrize("profile", ["dmtf-generic", "dell-idrac9"])
def test_expanded_members_are_what_they_are_alone(make_bmc, profile):
    """Tags too: a client may write to a member with the tag that it got from the expanded collection."""
    bmc = make_bmc(profile)
    bmc.post(ACCOUNTS, json={"UserName": "second", "Password": "Sc-5jk2.secret", "RoleId": "Operator"})
    expanded = bmc.get(f"{ACCOUNTS}?$expand=.($levels=1)").json
    assert expanded["Members"] == [bmc.get(member["@odata.id"]).json for member in expanded["Members"]]
    second = expanded["Members"][-1]
    held = {"If-Match": second["@odata.etag"]}
    assert bmc.ask("PATCH", second["@odata.id"], json={"RoleId": "ReadOnly"}, headers=held).status_code == 200
    assert bmc.get(f"{ACCOUNTS}?$expand=.($levels=1)").json["Members"][-1]["@odata.etag"] != second["@odata.etag"]
    roles = bmc.get(f"{ROLES}?$expand=.($levels=1)").json["Members"]
    assert "@odata.etag" not in roles[0], "like the role itself"


def test_the_tag_of_an_expanded_collection_changes_with_its_members(generic):
    def tag():
        return generic.get(f"{ACCOUNTS}?$expand=.").headers["ETag"]

    before = tag()
    assert tag() == before
    generic.ask("PATCH", f"{ACCOUNTS}/admin", json={"Password": "Nw-5jk2.secret"})
    generic.admin = ("admin", "Nw-5jk2.secret")
    assert tag() != before


def test_a_selected_part_has_the_tag_of_the_whole(generic):
    whole, part = generic.get(generic.system), generic.get(f"{generic.system}?$select=AssetTag")
    assert part.json == {name: value for name, value in whole.json.items() if name.startswith("@odata.") or name == "AssetTag"}
    assert part.headers["ETag"] == whole.headers["ETag"] == whole.json["@odata.etag"]
    assert generic.get(f"{generic.system}?$select=AssetTag", headers={"If-None-Match": part.headers["ETag"]}).status_code == 304
    written = generic.ask("PATCH", generic.system, json={"AssetTag": "x"}, headers={"If-Match": part.headers["ETag"]})
    assert written.status_code == 200


def test_a_filter_shows_nobody_what_he_may_not_read(generic):
    account = {"UserName": "reader", "Password": "Rd-5jk2.secret", "RoleId": "ReadOnly"}
    generic.post("/redfish/v1/AccountService/Accounts", json=account)
    path = "/redfish/v1/AccountService/Accounts?$filter=" + quote("UserName ne null")
    assert members(generic.get(path)) == ["admin", "reader"]
    assert members(generic.get(path, auth=("reader", account["Password"]))) == ["reader"]


# -- limits -------------------------------------------------------------------------------------------------------------


def test_an_expansion_without_end_stops_and_keeps_the_references(generic):
    answer = generic.get("/redfish/v1/?$expand=*($levels=6)")
    assert answer.status_code == 200
    assert MAX_EXPANDED_BYTES // 2 < len(answer.data) < 2 * MAX_EXPANDED_BYTES
    whole = generic.get("/redfish/v1/Systems?$expand=.($levels=1)").json
    assert "PowerState" in whole["Members"][0]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("$filter=" + "%20or%20".join(["Id%20eq%20'x'"] * 33), 400),
        ("$filter=Id%20eq%20'" + "x" * MAX_VALUE + "'", 400),
        ("$select=" + "a," * MAX_VALUE + "a", 400),
        ("x=" + "a" * MAX_QUERY, 414),
    ],
    ids=["comparisons", "filter", "select", "query"],
)
def test_a_query_that_would_cost_the_others_much_time_is_refused(generic, query, status):
    assert generic.get(f"/redfish/v1/Systems?{query}").status_code == status
