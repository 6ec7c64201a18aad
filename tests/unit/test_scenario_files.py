"""Scenario files (scenario/1): what they mean, what is wrong with them and where, and the catalogue in that form."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from conformance import requirement as req
from conformance import scenarios
from conformance.expectations.causes import NamesCause
from conformance.expectations.claims import Claims
from conformance.expectations.requests import AtMostCommands, ReadsBeforeClaim
from conformance.givens.given import Given
from conformance.givens.inject import Inject
from conformance.givens.wrong_password import WrongPassword
from conformance.happenings import HostFalls
from conformance.scenario import Scenario
from conformance.scenario_files import kinds
from conformance.scenario_files.reading import ScenarioFileError, read, read_all
from conformance.scenario_files.schema import schema
from conformance.scenario_files.writing import NotPureData, text_of
from conformance.vocabulary import Ask, Aspect, Cause, Level, Protocol
from emulator import Armed, When, make_fault

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "write-a-scenario.md"
EXAMPLE = next(text for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL) if "scenario/1" in text)
HEAD = """schema: scenario/1
id: ACME-001
tier: 1
title: a title
requirement: FENCE-2
source: seen
"""
GIVEN = "given: [{bmc: {name: target, hosts: [{power: off}]}}]\n"
ASKS = "asks: [{ask: off, expect: [claims]}]\n"


def scenario(text: str) -> Scenario:
    return read(text.encode(), "acme.yaml")


def mistakes(text: str) -> list[str]:
    with pytest.raises(ScenarioFileError) as caught:
        scenario(text)
    return str(caught.value).splitlines()


def test_the_example_of_the_page_is_right() -> None:
    made = scenario(EXAMPLE)
    assert (made.id, made.protocol, made.requirement) == ("ACME-001", Protocol.REDFISH, req.CODES_ARE_NOT_STATE)
    assert made.file == "acme.yaml"
    _, fault = made.given
    assert isinstance(fault, Inject)
    assert fault.armed.fault.name == "redfish.reply"
    assert NamesCause(frozenset({Cause.BUSY, Cause.CONFLICT}), Level.SHOULD) in made.steps[0].expect


def test_a_kind_is_a_word_a_word_with_its_first_value_or_a_word_with_a_map() -> None:
    asks = """asks:
  - ask: off
    before: host-falls
    told: [wrong-password]
    expect: [claims, claims: SHOULD, claims: {level: MAY}, at-most-commands: 2, names-cause: auth, reads-before-claim]
"""
    step = scenario(HEAD + GIVEN + asks).steps[0]
    assert (step.ask, step.before, step.told) == (Ask.OFF, HostFalls(), (WrongPassword(),))
    assert step.expect == (
        Claims(),
        Claims(Level.SHOULD),
        Claims(Level.MAY),
        AtMostCommands(2),
        NamesCause(frozenset({Cause.AUTH})),
        ReadsBeforeClaim(),
    )


def test_a_requirement_may_be_of_the_users_own() -> None:
    own = "requirement: {id: ACME-1, sentence: A fencer MUST hurry., source: our rules, aspect: L}"
    made = scenario((HEAD + GIVEN + ASKS).replace("requirement: FENCE-2", own))
    assert made.requirement == req.Requirement("ACME-1", "A fencer MUST hurry.", "our rules", Aspect.LIVENESS)
    assert "aspect: L" in text_of(made)


SCHEMA = schema()
CHECKER = Draft202012Validator(SCHEMA)


@pytest.mark.long
@pytest.mark.parametrize("one", scenarios.ALL, ids=lambda one: one.id)
def test_every_scenario_of_the_catalogue_is_printed_and_read_back_as_it_is(one: Scenario) -> None:
    text = text_of(one)
    assert scenario(text) == one
    assert CHECKER.is_valid(yaml.safe_load(text)), "other readers of YAML see the same"


def test_the_schema_takes_the_example_and_refuses_a_slip() -> None:
    whole = yaml.safe_load(EXAMPLE.replace(": off", ": 'off'").replace(": on", ": 'on'"))
    assert CHECKER.is_valid(whole)
    assert not CHECKER.is_valid({**whole, "asks": [{"ask": "offf", "expect": []}]})
    assert not CHECKER.is_valid({**whole, "given": [{"bmk": {}}]})


@dataclass(frozen=True, slots=True)
class Moonlight(Given):
    @property
    def sentence(self) -> str:
        return "the moon shines"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (Moonlight(), "Moonlight is none of the kinds that a scenario file can name"),
        (Inject("x", Armed(fault=make_fault("wire.garbage", text=b"\xff"))), "codec can't decode"),
        (
            Inject("x", Armed(fault=make_fault("redfish.reply", body={"Members": []}), when=When())),
            "another scenario would be read",
        ),
        (Inject("x", Armed(fault=make_fault("redfish.reply", status="many"))), "must be a whole number"),
    ],
)
def test_what_is_not_pure_data_says_why_it_is_not_printed(given: Given, why: str) -> None:
    one = scenarios.BY_ID["STATE-001"]
    with pytest.raises(NotPureData, match=f"STATE-001 cannot be written as scenario/1: .*{why}"):
        text_of(replace(one, given=(*one.given, given)))


def test_all_mistakes_come_at_once_each_with_its_place() -> None:
    wrong = """schema: scenario/1
id: acme
tier: 3
titel: a title
requirement: FENCE-999
source: 5
given:
  - bmc: {name: target, hosts: [{power: offf}]}
  - wrong-pasword
  - fault: {words: x, type: redfish.replay, whenn: {}, count: 0}
asks:
  - ask: of
    expect: [claims: SHOUD, at-most-commands: -1, never-says: "(", exits-with, no-traffic: 1, 7]
"""
    found = mistakes(wrong)
    expected = [
        "acme.yaml:1:1: 'title' is missing",
        "acme.yaml:3:7: tier: must be a whole number from 0 to 2, not the number 3",
        "acme.yaml:4:1: titel: no such key; did you mean 'title'?",
        "acme.yaml:5:14: requirement: no requirement is called 'FENCE-999'; did you mean",
        "acme.yaml:6:9: source: must be text, not the number 5; quote it",
        "acme.yaml:8:41: given[0].bmc.hosts[0].power: must be one of on, off; not 'offf'; did you mean 'off'?",
        "acme.yaml:9:5: given[1]: no given is called 'wrong-pasword'; did you mean 'wrong-password'?",
        "given[2].fault.whenn: no such key; did you mean 'when'?",
        "given[2].fault.type: no fault is called 'redfish.replay'; did you mean 'redfish.reply'?",
        "given[2].fault.count: must be a whole number of at least 1",
        "acme.yaml:12:10: asks[0].ask: must be one of off,",
        "asks[0].expect[0].claims: must be one of MUST, SHOULD, MAY; not 'SHOUD'; did you mean 'SHOULD'?",
        "asks[0].expect[1].at-most-commands: must be a whole number from 0 to",
        "asks[0].expect[2].never-says: not a regular expression:",
        "asks[0].expect[3]: 'code' is missing",
        "asks[0].expect[4].no-traffic: has no keys: write the word alone",
        "asks[0].expect[5]: must be a word, or one word with its keys as a map, not the number 7",
    ]
    for line in expected:
        assert any(line in each for each in found), (line, found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("- a\n", "a scenario file is a map of keys"),
        (HEAD.replace("scenario/1", "scenario/2") + GIVEN + ASKS, "1:9: schema: must be scenario/1"),
        (HEAD.replace("schema: scenario/1\n", "") + GIVEN + ASKS, "'schema' is missing: write `schema: scenario/1`"),
        (HEAD.replace("ACME-001", "acme") + GIVEN + ASKS, "a scenario is called GROUP-NUMBER"),
        (HEAD + GIVEN + "asks: []\n", "asks: nothing is asked"),
        (HEAD + GIVEN + "asks: {ask: off}\n", "asks: must be a list: put a hyphen before it"),
        (HEAD + GIVEN + "asks: off\n", "asks: must be a map with ask, expect"),
        (HEAD + "given: []\n" + ASKS, "asks[0]: 'target': names a BMC that is not given; there are: none"),
        (HEAD + GIVEN + "asks: [{ask: off, bmc: targt, expect: []}]\n",
         "'targt': names a BMC that is not given; did you mean 'target'?"),
        (HEAD + GIVEN.replace("[{bmc", "[has-uuid, {bmc") + ASKS, "given[0]: 'target': stands before its BMC; put it behind"),
        (HEAD + GIVEN.replace("}]}}]", "}]}}, has-uuid: b]") + ASKS, "given[1]: 'b': names a BMC that is not given"),
        (HEAD + GIVEN.replace("}]}}]", "}]}}, {bmc: {name: target, hosts: []}}]") + ASKS, "two BMCs are called 'target'"),
        (HEAD + GIVEN.replace("[{power: off}]", "[]") + ASKS, "given[0]: a BMC has at least one host"),
        (HEAD + GIVEN.replace("}]}}]", "}]}}, profile-answers: a]") + ASKS, "must be a map with row, reset, status"),
        (HEAD + GIVEN.replace("power: off", "hung: 1") + ASKS, "hosts[0].hung: must be true or false, not the number 1"),
        (HEAD + GIVEN.replace("}]}}]", "}]}}, password-from: fil]") + ASKS, "did you mean 'file'?"),
        (HEAD + GIVEN.replace("}]}}]", "}]}}, fault: x]") + ASKS, "must be a map with words, type, when"),
        (
            (HEAD + GIVEN + ASKS).replace("FENCE-2", "{id: FENCE-2, sentence: s, source: s, aspect: L}"),
            "FENCE-2 is one of the suite's own requirements",
        ),
        ((HEAD + GIVEN + ASKS).replace("FENCE-2", "{id: mine, sentence: s, source: s, aspect: L}"),
         "is called GROUP-NUMBER, like ACME-1"),
        (HEAD + "needs: [tls-verify, pasword-file]\n" + GIVEN + ASKS,
         "needs[1]: no such capability; did you mean 'password-file'?"),
        (HEAD + GIVEN + "asks: [{ask: off, needs: [dul], expect: []}]\n",
         "asks[0].needs[0]: no such capability; did you mean 'dual'?"),
        ((HEAD + GIVEN + ASKS).replace("FENCE-2", "{id: ACME-1, sentence: s, source: s}"), "requirement: 'aspect' is missing"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(text: str, said: str) -> None:
    assert any(said in line for line in mistakes(text)), mistakes(text)


def test_a_capability_of_the_users_own_may_be_needed() -> None:
    made = read((HEAD + "needs: [acme-lock, dual]\n" + GIVEN + ASKS).encode(), "acme.yaml")
    assert made.needs == {"acme-lock", "dual"}


def written(tmp_path: Path, name: str, text: str) -> str:
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def test_several_files_are_read_in_their_order_each_once(tmp_path: Path) -> None:
    one, two = (written(tmp_path, f"{n}.yaml", (HEAD + GIVEN + ASKS).replace("001", f"00{n}")) for n in (1, 2))
    assert [(each.id, each.file) for each in read_all([two, one, two])] == [("ACME-002", two), ("ACME-001", one)]


def test_ids_are_never_used_twice(tmp_path: Path) -> None:
    one, two = (written(tmp_path, name, HEAD + GIVEN + ASKS) for name in ("1.yaml", "2.yaml"))
    taken = written(tmp_path, "3.yaml", (HEAD + GIVEN + ASKS).replace("ACME-001", "STATE-001"))
    wrong = written(tmp_path, "4.yaml", "nonsense: 1\n")
    with pytest.raises(ScenarioFileError) as caught:
        read_all([one, two, taken, wrong, str(tmp_path / "none.yaml"), "nul\0.yaml"])
    said = str(caught.value)
    assert f"{two}: id: ACME-001 is the scenario in {one}; give this one another id" in said
    assert f"{taken}: id: STATE-001 is a scenario of the catalogue; give yours another id" in said
    assert f"{wrong}:1:1: nonsense: no such key" in said
    assert "none.yaml: cannot be read: No such file or directory" in said
    assert "cannot be read: embedded null byte" in said


def test_a_scenario_that_is_printed_stands_for_that_of_the_catalogue(tmp_path: Path) -> None:
    one = scenarios.BY_ID["STATE-001"]
    assert read_all([written(tmp_path, "1.yaml", text_of(one))]) == (one,)
    assert read_all([str(tmp_path / "1.yaml")])[0] is one


def test_no_two_kinds_have_one_word() -> None:
    for base in kinds.BASES:
        words = kinds.shipped(base)
        assert len(words) == len(set(words.values()))
        assert set(kinds.every(base)) >= set(words)
    assert {"bmc", "fault", "circumstance", "wrong-password"} <= set(kinds.shipped(Given))
