"""DMTF's validators find nothing in us that the real BMC would not have, and leave nothing untested that we cannot explain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from profiles import feeder_names, load
from profiles.model import Deviation, Tool
from tests.effort import profiles_to_try
from tests.peers.redfish.expected import ISSUE, floors, raised, surprises, unexplained
from tests.peers.redfish.validators import CSDL_VARIABLE, NoResult, Outcome, Result, Row, csdl, judge_fresh

GENERIC = "dmtf-generic"
LONG = 900

JUDGED = tuple(name for name in profiles_to_try() if load(name).http.served)
"""In nightly runs every profile that has a Redfish service."""

pytestmark = pytest.mark.timeout(LONG)


def is_good(outcome: Outcome, name: str) -> None:
    assert surprises(outcome, load(name)) == []
    assert unexplained(outcome) == []
    if name == GENERIC:
        assert outcome.counts[Result.FAIL] == 0
        assert outcome.code == 0
    if name == GENERIC and outcome.tool is Tool.SERVICE:
        assert outcome.counts[Result.WARN] == 0
    assert outcome.counts[Result.PASS] >= floors().get(name, {}).get(outcome.tool.value, 1)


@pytest.mark.parametrize("name", JUDGED)
@pytest.mark.parametrize("tool", [Tool.PROTOCOL, Tool.SERVICE, Tool.INTEROP])
def test_the_validator_finds_only_what_the_profile_predicts(tool: Tool, name: str, tmp_path: Path) -> None:
    is_good(judge_fresh(tool, name, tmp_path), name)


@pytest.mark.parametrize("name", feeder_names())
def test_a_pdu_and_an_enclosure_are_clean(name: str, tmp_path: Path) -> None:
    outcome = judge_fresh(Tool.SERVICE, name, tmp_path)
    assert [row for row in outcome.rows if row.result in (Result.FAIL, Result.WARN)] == []
    assert outcome.counts[Result.PASS] > 1500


@pytest.fixture(scope="module")
def use_cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[Outcome]]]:
    """The checkers on every profile at once: they hardly do anything but wait, ten seconds after each reset."""
    with ThreadPoolExecutor(len(JUDGED)) as pool:
        yield {name: pool.submit(judge_fresh, Tool.USE_CASE, name, tmp_path_factory.mktemp(name)) for name in JUDGED}


@pytest.mark.xdist_group("use-case checkers")
@pytest.mark.parametrize("name", JUDGED)
def test_the_use_case_checkers_find_only_what_the_profile_predicts(use_cases: Mapping[str, Future[Outcome]], name: str) -> None:
    is_good(use_cases[name].result(LONG), name)


# -- controls ----------------------------------------------------------------------------------------------------------


def outcome_with(*rows: Row, tool: Tool = Tool.USE_CASE) -> Outcome:
    return Outcome(tool, {}, rows, 0, 0.0)


def test_a_failure_that_nobody_predicted_is_a_surprise() -> None:
    row = Row(Result.FAIL, "Power Control: Reset Operation", "the reset type 'Nmi'", "no")
    assert surprises(outcome_with(row), load("dell-idrac9")) != []
    assert surprises(outcome_with(row), load(GENERIC)) == [f"not predicted: {row}"]


def test_a_predicted_failure_that_is_not_found_is_a_surprise() -> None:
    predicted: tuple[Deviation, ...] = load("dell-idrac9").deviations
    assert predicted
    assert len(surprises(outcome_with(), load("dell-idrac9"))) == sum(d.tool is Tool.USE_CASE for d in predicted)


def test_a_warning_does_not_stand_for_a_predicted_failure() -> None:
    predicted = next(d for d in load("dell-idrac9").deviations if d.tool is Tool.USE_CASE)
    row = Row(Result.WARN, predicted.assertion, predicted.where, "")
    assert len(surprises(outcome_with(row), load("dell-idrac9"))) >= 2


def test_a_star_stands_for_any_part_of_an_assertion_and_not_for_another_text() -> None:
    slashes = [
        Row(Result.WARN, f"{name}: @odata.id", "/x/", "Trailing Slash Warning: ...") for name in ("Role v1.2.1", "Chassis")
    ]
    others = (
        Row(Result.WARN, "Chassis: @odata.id", "/x", "Deprecated"),
        Row(Result.WARN, "Chassis: Power", "/x/", "Trailing Slash Warning"),
        Row(Result.FAIL, "Chassis: @odata.id", "/x/", "Trailing Slash Warning: ..."),
    )
    ilo = load("hpe-ilo5")
    only = replace(ilo, deviations=tuple(each for each in ilo.deviations if each.assertion == "*: @odata.id"))
    assert surprises(outcome_with(*slashes, tool=Tool.SERVICE), only) == []
    for row in others:
        assert surprises(outcome_with(*slashes, row, tool=Tool.SERVICE), only) == [f"not predicted: {row}"]


def test_an_untested_assertion_without_a_reason_is_told() -> None:
    row = Row(Result.NOT_TESTED, "REQ_SOMETHING_NEW", "", "unable to test this assertion")
    assert unexplained(outcome_with(row, tool=Tool.PROTOCOL)) == [row]


def test_the_floor_is_a_real_servers_tree() -> None:
    assert floors()[GENERIC]["service"] >= ISSUE


def test_the_floor_only_rises() -> None:
    old = {GENERIC: {"service": 100}}
    assert raised(old, [(GENERIC, Tool.SERVICE, 90)]) == old
    assert raised(old, [(GENERIC, Tool.SERVICE, 110), ("x", Tool.PROTOCOL, 1)]) == {
        GENERIC: {"service": 110},
        "x": {"protocol": 1},
    }


def test_missing_schemas_are_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CSDL_VARIABLE, str(tmp_path))
    with pytest.raises(NoResult, match=f"^no CSDL files in {tmp_path}: .* set {CSDL_VARIABLE}$"):
        csdl()
