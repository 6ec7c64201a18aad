"""A capture of our own emulator, served again, equals the source, but for what is alive or scrubbed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import pytest

from emulator import HostSpec, SocketlessEmulator, UnitSpec
from emulator.profile_tools.captured_profile import CapturedProfile, captured_yaml
from emulator.profile_tools.identity_facts import facts_of
from emulator.profile_tools.json_values import JsonObject
from emulator.profile_tools.scrub import scrubbed
from emulator.profile_tools.tree_files import write_capture
from emulator.profile_tools.walk import WalkLimits, walked
from emulator.redfish.service.json_form import without_slashes
from profiles import lint, load
from profiles.model import Profile

pytestmark = pytest.mark.long

NAMES: Final = frozenset({"SerialNumber", "UUID", "HostName"})
"""Of a system and a chassis: each BMC of a rack has its own."""
PLAIN: Final = frozenset({"date", "content-length", "etag"})


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def reader(emulator: SocketlessEmulator) -> Callable[[str], Answer]:
    at = emulator.endpoints["node1"]
    transport, _ = emulator.client("node1", limit_s=1e6)
    login = {"Authorization": "Basic " + base64.b64encode(f"{at.username}:{at.password}".encode()).decode()}

    def get(path: str) -> Answer:
        answer = transport.http("GET", at.redfish_url + path, login, None, 30.0)
        if answer.status == 308:
            answer = transport.http("GET", at.redfish_url + str(answer.headers["location"]), login, None, 30.0)
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body)

    return get


def started(profile: Profile) -> SocketlessEmulator:
    return SocketlessEmulator([UnitSpec(name="node1", profile=profile, hosts=(HostSpec(),))], tls=False, latency=False)


@pytest.mark.parametrize("name", ["dell-idrac9", "hpe-ilo5", "ami-megarac"])
def test_what_was_captured_of_our_own_emulator_is_served_as_it_was(name: str, tmp_path: Path) -> None:
    source, emulator = load(name), started(load(name))
    with emulator:
        get = reader(emulator)
        tree = walked(get, WalkLimits())
        headers = {path: get(path).headers for path in tree.resources}
    assert tree.troubles == ()
    clean = scrubbed(tree, b"seed").tree
    facts = facts_of(clean)
    told = CapturedProfile(id="captured", parent=source, facts=facts, day="2026-11-29", has_base=facts.is_servable)
    assert write_capture(tmp_path / "captured", clean, captured_yaml(told)) == ()
    assert lint(tmp_path / "captured").ok
    copy = started(load(tmp_path / "captured"))
    with copy:
        get = reader(copy)
        for old, (path, body) in zip(tree.resources, clean.resources.items(), strict=True):
            answer = get(path)
            assert answer.status == 200, path
            assert shown(json.loads(answer.body), path) == shown(body, path), path
            differs = {
                key for key in answer.headers.keys() | headers[old].keys() if answer.headers.get(key) != headers[old].get(key)
            }
            assert differs <= PLAIN | {"allow"}, (path, differs)  # nobody can write to a captured resource
            assert form(answer.headers.get("etag")) == form(headers[old].get("etag")), path


def shown(body: JsonObject, path: str) -> JsonObject:
    """What is compared: the links of an answer may follow the path asked for, and the walker asks for the root with a slash."""
    body = cast(JsonObject, without_slashes(body))
    is_machine = re.fullmatch("/redfish/v1/(Systems|Chassis)/[^/]+", path) is not None
    return {key: value for key, value in body.items() if key != "@odata.etag" and not (is_machine and key in NAMES)}


def form(tag: str | None) -> str:
    return re.sub("[0-9A-Fa-f]+", "x", tag or "")
