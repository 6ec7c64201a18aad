"""`fault/1`: what users write, what is wrong with it in one sentence, and what the page and the schema say of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from emulator.core.errors import RackMisconfigured
from emulator.core.faults.board import RailIs, RequestCame
from emulator.core.faults.fault import Seam
from emulator.core.faults.trigger import Intent, When
from emulator.core.vocab import Rail, ResetType
from emulator.faults import fault_class, fault_names, make_fault, registry
from emulator.faults.model import (
    FaultMisconfigured,
    arming_from_mapping,
    check_node,
    check_profile,
    named_fault,
    schema,
)
from emulator.faults.page import PAGE, describe, markdown
from emulator.faults.plans import ASKED_OF
from emulator.operations import check_armable
from fencelab_yaml.errors import Problems
from fencelab_yaml.source import parse
from profiles import lint, load
from profiles.loader import names

NAMES = fault_names()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"type": "wire.drpi"}, "type: no fault is called 'wire.drpi'; did you mean 'wire.drip'?"),
        ({}, "'type' is missing"),
        ({"type": 5}, "type: must be text: the name of a fault, not 5"),
        ({"type": "wire.drip", "params": {"sise": 1}}, "params.sise: unknown key; did you mean 'size'?"),
        ({"type": "tls.plain-http", "params": {"x": 1}}, "params.x: unknown key; it has none"),
        ({"type": "wire.drip", "params": {"every": -1}}, "params.every: must be a number of at least 0, not -1"),
        ({"type": "wire.drip", "params": {"size": True}}, "params.size: must be a whole number of at least 1, not true"),
        ({"type": "wire.drip", "params": 3}, "params: must be a map of the fault's parameters, not 3"),
        ({"type": "ipmi.completion", "params": {"code": 300}}, "params.code: must be a whole number from 0 to 255, not 300"),
        ({"type": "ipmi.completion"}, "params: 'code' is missing"),
        (
            {"type": "report.says", "params": {"word": "Off", "views": ["sytem"]}},
            "params.views: must be a list, each one of system, chassis, ipmi, not 'sytem'",
        ),
        (
            {"type": "redfish.body", "params": {"kind": None}},
            "params.kind: must be one of html, empty, half, bom, list, text-type",
        ),
        ({"type": "wire.hang", "when": {"metod": "GET"}}, "when.metod: unknown key; did you mean 'method'?"),
        ({"type": "wire.hang", "when": {"rail": "offf"}}, "when.rail: must be on or off or null, not 'offf'"),
        ({"type": "wire.hang", "when": "GET"}, "when: must be a map of conditions, not 'GET'"),
        ({"type": "wire.hang", "count": 0}, "count: must be a whole number of at least 1, not 0"),
        ({"type": "wire.hang", "probability": 2}, "probability: must be a number above 0 and at most 1, not 2"),
        ({"type": "wire.hang", "after": {"rail": "sideways"}}, "after: must be seconds, or {rail: on} or {rail: off}"),
        ({"type": "wire.hang", "after": {"intent": "nap"}}, "after: must be seconds, or {rail: on} or {rail: off}, with"),
        ({"type": "wire.hang", "until": {"intent": "login"}}, "until: must be seconds, or {rail: on} or {rail: off}, with"),
        ({"type": "wire.hang", "when": {"every": 0}}, "when.every: must be a whole number, not 0"),
        ({"type": "wire.hang", "until": -1}, "until: must be seconds, or {rail: on} or {rail: off}"),
        ({"type": "wire.hang", "must_fire": "yes"}, "must_fire: must be true or false, not 'yes'"),
        ({"type": "wire.hang", "cuont": 1}, "cuont: unknown key; did you mean 'count'?"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_a_path(data: dict[str, object], sentence: str) -> None:
    with pytest.raises(FaultMisconfigured) as caught:
        arming_from_mapping(data)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_everything_that_is_wrong_comes_at_once() -> None:
    with pytest.raises(FaultMisconfigured) as caught:
        arming_from_mapping({"type": "wire.drip", "count": -1, "params": {"size": 0, "x": 1}})
    assert [path for path, _ in caught.value.problems] == ["count", "params.size", "params.x"]


def test_a_whole_envelope() -> None:
    armed = arming_from_mapping(
        {
            "type": "report.says",
            "when": {"method": "GET", "rail": "off", "reset": "On", "skip": 2},
            "count": 3,
            "after": {"rail": "off", "system": "1"},
            "until": 60,
            "probability": 0.5,
            "must_fire": False,
            "params": {"word": None, "views": ["system", "ipmi"]},
        }
    )
    assert armed.fault == make_fault("report.says", word=None, views=("system", "ipmi"))
    assert armed.when == When(method="GET", rail=Rail.DOWN, reset=(ResetType.ON,), skip=2)
    assert (armed.count, armed.after, armed.until) == (3, RailIs(Rail.DOWN, "1"), 60.0)
    assert (armed.probability, armed.must_fire) == (0.5, False)


def test_raw_text_becomes_octets() -> None:
    fault = arming_from_mapping({"type": "redfish.reply", "params": {"status": 200, "raw": "é"}}).fault
    assert fault == make_fault("redfish.reply", status=200, raw="é".encode())


# -- in YAML files ---------------------------------------------------------------------------------------------------------

CHILD = """schema: profile/1
id: acme
title: Acme
extends: dmtf-generic
faults:
  slow: {type: wire.drip, params: {size: 0}, evidence: [inferred]}
  odd:
    type: report.says
    params:
      word: Off
      views: [system, sytem]
    evidence: [inferred]
"""


def test_a_profiles_faults_are_checked_where_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(CHILD)
    report = lint(str(file), also=check_profile)
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in report.problems] == [
        "acme.yaml:6:36: faults.slow.params.size: must be a whole number of at least 1, not 0",
        "acme.yaml:11:7: faults.odd.params.views: must be a list, each one of system, chassis, ipmi, not 'sytem'",
    ]


@pytest.mark.parametrize("name", names())
def test_every_fault_of_a_shipped_profile_can_be_armed(name: str) -> None:
    profile = load(name, also=check_profile)
    for fault in profile.faults:
        check_armable(named_fault(profile, fault), profile)


def test_a_fault_that_a_profile_does_not_have() -> None:
    with pytest.raises(RackMisconfigured, match="dell-idrac9 has no fault 'full'; it has: job_queue_500, full_as_401"):
        named_fault(load("dell-idrac9"), "full")
    with pytest.raises(RackMisconfigured, match="it has none"):
        named_fault(load("dmtf-generic"), "full")


def test_a_fault_that_is_no_map_and_one_without_a_type_have_a_place_too() -> None:
    problems = Problems()
    root = parse(b"a: [1]\nb: {count: 1}\n", "f.yaml", problems)
    for key, node in root.entries.items():
        check_node(node, problems, f"faults.{key}")
    assert [str(problem) for problem in sorted(problems.found)] == [
        "f.yaml:1:4: faults.a: must be a map of type, when, count, after, until, probability, must_fire, params, not a list",
        "f.yaml:2:4: faults.b: 'type' is missing",
    ]


def test_a_reply_that_the_profile_does_not_have_is_said_when_the_fault_is_armed() -> None:
    armed = arming_from_mapping({"type": "redfish.reply", "params": {"reply": "bussy"}})
    with pytest.raises(RackMisconfigured, match="the profile dmtf-generic has no reply 'bussy'"):
        check_armable(armed, load("dmtf-generic"))


# -- every fault -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_says_what_the_client_sees_and_what_its_parameters_are(name: str) -> None:
    cls = fault_class(name)
    assert cls.__doc__
    assert not cls.__doc__.startswith(f"{cls.__name__}("), "that is what dataclass writes by itself"
    for field in registry.parameters(name):
        assert field.metadata["text"], field.name
        if "seconds" in field.name:
            assert field.metadata["unit"] == "s"


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_every_fault_is_right_and_its_seam_can_use_it(name: str) -> None:
    armed = arming_from_mapping(registry.example_of(name))
    assert armed.fault.name == name
    assert dataclasses.is_dataclass(armed.fault)
    if armed.fault.seam in ASKED_OF:
        assert isinstance(armed.fault, ASKED_OF[armed.fault.seam])


def test_every_seam_has_a_fault() -> None:
    assert {fault_class(name).seam for name in NAMES} == set(Seam)  # type: ignore[attr-defined]


def test_the_page_is_what_the_classes_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run: python -m emulator.faults.page"


def test_the_page_tells_every_fault_and_parameter() -> None:
    text = markdown()
    for name in NAMES:
        assert f"\n### {name}\n" in text
        told = describe(name)
        assert all(f"| `{field.name}` |" in told for field in registry.parameters(name))


def test_the_schema_has_a_variant_for_every_type_and_knows_required_parameters() -> None:
    variants = {each["properties"]["type"]["const"]: each for each in schema()["oneOf"]}
    assert tuple(variants) == NAMES
    assert variants["ipmi.completion"]["required"] == ["type", "params"]
    code = variants["ipmi.completion"]["properties"]["params"]["properties"]["code"]
    assert (code["minimum"], code["maximum"]) == (0, 255)


def test_a_fault_that_begins_behind_a_request() -> None:
    armed = arming_from_mapping({"type": "wire.hang", "when": {"every": 3}, "after": {"intent": "power-command"}})
    assert (armed.after, armed.when.every) == (RequestCame(Intent.POWER_COMMAND), 3)


def test_json_that_is_none_is_told_when_the_fault_is_plugged_in() -> None:
    told = {"type": "redfish.property", "params": {"what": "json", "value": "[1,"}}
    with pytest.raises(FaultMisconfigured) as caught:
        arming_from_mapping(told)
    assert caught.value.problems == (("params.value", "must be JSON for what=json, not '[1,'"),)
    assert arming_from_mapping({"type": "redfish.property", "params": {"what": "value", "value": "[1,"}}).count is None
    assert (
        arming_from_mapping({"type": "redfish.property", "params": {"what": "json", "value": "[1]"}}).fault.name
        == "redfish.property"
    )
