"""The walk through a service that loops, breaks, is huge or falls silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from emulator.profile_tools.json_values import Json
from emulator.profile_tools.resource_tree import ROOT, references, service_path
from emulator.profile_tools.walk import LOST_AFTER, NoAnswer, WalkLimits, walked


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def service(resources: dict[str, Json | Answer | str]) -> tuple[Callable[[str], Answer], list[str]]:
    """`get` of a service with these bodies; a text is the reason of no answer. The second value is what was asked for."""
    asked: list[str] = []

    def get(path: str) -> Answer:
        asked.append(path)
        body = resources.get(path.rstrip("/"), Answer(404, b"{}"))
        if isinstance(body, str):
            raise NoAnswer(body)
        return body if isinstance(body, Answer) else Answer(200, json.dumps(body).encode())

    return get, asked


def reference(path: str) -> Json:
    return {"@odata.id": path}


def test_each_resource_is_read_once_and_loops_end() -> None:
    get, asked = service(
        {
            ROOT: {"A": reference("/redfish/v1/A")},
            "/redfish/v1/A": {"Up": reference(f"{ROOT}/"), "Me": reference("/redfish/v1/A/")},
        }
    )
    tree = walked(get, WalkLimits())
    assert set(tree.resources) == {ROOT, "/redfish/v1/A"}
    assert len(asked) == 2


def test_what_fails_is_named_and_the_walk_goes_on() -> None:
    root: Json = {name: reference(f"/redfish/v1/{name}") for name in ("Gone", "Broken", "List", "Slow", "Bad", "Deep", "Good")}
    get, _ = service(
        {
            ROOT: root,
            "/redfish/v1/Broken": Answer(200, b"{"),
            "/redfish/v1/List": [1],
            "/redfish/v1/Slow": "timed out",
            "/redfish/v1/Bad": Answer(500, b"oops"),
            "/redfish/v1/Deep": Answer(200, b"[" * 5000 + b"]" * 5000),
            "/redfish/v1/Good": {"Id": "good"},
        }
    )
    tree = walked(get, WalkLimits())
    assert tree.at("/redfish/v1/Good") == {"Id": "good"}
    assert {str(each) for each in tree.troubles} == {
        "/redfish/v1/Gone: HTTP 404",
        "/redfish/v1/Broken: the body is not JSON",
        "/redfish/v1/List: the body is not a JSON object",
        "/redfish/v1/Slow: timed out",
        "/redfish/v1/Bad: HTTP 500",
        "/redfish/v1/Deep: the body is not JSON",
    }


def test_a_service_that_makes_new_links_for_ever_ends_at_the_limit() -> None:
    def get(path: str) -> Answer:
        return Answer(200, json.dumps({"Next": {"@odata.id": f"{path.rstrip('/')}/x"}}).encode())

    tree = walked(get, WalkLimits(count=20))
    assert len(tree.resources) == 20
    assert "the limit of 20 resources" in str(tree.troubles[-1])
    assert "the limit of 0 MB" in str(walked(get, WalkLimits(total_bytes=100)).troubles[-1])


def test_a_service_that_falls_silent_is_left_alone() -> None:
    root: Json = {str(n): reference(f"/redfish/v1/{n}") for n in range(50)}
    get, asked = service({ROOT: root, **{f"/redfish/v1/{n}": "timed out" for n in range(50)}})
    tree = walked(get, WalkLimits())
    assert len(asked) == 1 + LOST_AFTER
    assert f"{LOST_AFTER} requests in a row without an answer" in str(tree.troubles[-1])


def test_the_pages_of_a_collection_become_one() -> None:
    first: Json = {"Members": [reference("/redfish/v1/C/1")], "Members@odata.nextLink": "/redfish/v1/C/more"}
    get, _ = service(
        {
            ROOT: {"C": reference("/redfish/v1/C")},
            "/redfish/v1/C": first,
            "/redfish/v1/C/more": {"Members": [reference("/redfish/v1/C/2")]},
        }
    )
    assert walked(get, WalkLimits()).at("/redfish/v1/C") == {
        "Members": [reference("/redfish/v1/C/1"), reference("/redfish/v1/C/2")]
    }


def test_pages_that_lead_to_themselves_end() -> None:
    page: Json = {"Members": [], "Members@odata.nextLink": "/redfish/v1/C"}
    get, asked = service({ROOT: {"C": reference("/redfish/v1/C")}, "/redfish/v1/C": page})
    tree = walked(get, WalkLimits())
    assert [str(each) for each in tree.troubles] == ["/redfish/v1/C: its pages do not end"]
    assert len(asked) == 3


def test_entries_of_a_log_that_stand_in_their_collection_are_not_read_again() -> None:
    entry: Json = {"@odata.id": "/redfish/v1/Log/1", "@odata.type": "#LogEntry.v1_4_0.LogEntry", "Message": "x"}
    get, asked = service({ROOT: {"Members": [entry]}})
    assert walked(get, WalkLimits()).at("/redfish/v1/Log/1") == entry
    assert len(asked) == 1


@pytest.mark.parametrize(
    "uri",
    [
        *("/redfish/v1/../../etc/passwd", "/redfish/v1/%2e%2e/x", "/redfish/v1/a%2fb", "//other/redfish/v1", "redfish/v1", ""),
        *("/redfish/v1/a\x00b", "ftp://x/redfish", "/redfish/v1//x", f"/redfish/{'x' * 300}", "http://[/x"),
    ],
)
def test_a_uri_that_would_be_a_file_elsewhere_is_no_path(uri: str) -> None:
    assert service_path(uri) is None


def test_fragments_queries_and_a_slash_at_the_end_are_no_part_of_a_path() -> None:
    assert service_path("/redfish/v1/Chassis/1/Power/#/PowerSupplies/0") == "/redfish/v1/Chassis/1/Power"
    assert service_path("/redfish/v1/Systems/?$skip=5") == "/redfish/v1/Systems"


def test_schemas_and_metadata_are_not_followed() -> None:
    body: dict[str, Json] = {
        "A": {"@odata.id": "/redfish/v1/$metadata"},
        "Location": [{"Uri": "/redfish/v1/Registries/Base.json"}, {"Uri": "/redfish/v1/JsonSchemas/X/X.json"}],
        "R": {"@Redfish.ActionInfo": "/redfish/v1/Info"},
    }
    assert sorted(references(body)) == ["/redfish/v1/Info", "/redfish/v1/Registries/Base.json"]
