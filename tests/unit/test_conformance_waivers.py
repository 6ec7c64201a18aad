"""Known failures: accepted exactly as they are, for a while, and no longer than needed."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from conformance import waivers
from conformance.adapters.reading import FencerFileError
from conformance.result import Result, exit_code
from conformance.scenarios import BY_ID
from conformance.vocabulary import Verdict
from tests.commands import ROOT

TODAY = datetime.date(2026, 6, 1)
FILE = """
waivers:
  - {scenario: STATE-001, fencer: "mine*", profile: dell-*, verdict: STUCK, reason: fixed in 2.0, owner: ann, expires: 2026-06-01}
  - {scenario: TRUTH-001, verdict: UNSAFE, reason: known, expires: 2026-12-31}
"""


def result(verdict: Verdict, scenario: str = "STATE-001", profile: str = "dell-idrac9") -> Result:
    return Result(
        fencer="mine", fencer_digest="", profile=profile, profile_digest="", scenario=BY_ID[scenario], verdict=verdict, why="x"
    )


@pytest.fixture
def accepted(tmp_path: Path) -> tuple[waivers.Waiver, ...]:
    file = tmp_path / "waivers.yaml"
    file.write_text(FILE)
    return waivers.read(file)


def test_nothing_is_waived_for_the_reference() -> None:
    assert waivers.read(ROOT / "tests" / "waivers" / "fence_bmc.yaml") == ()


@pytest.mark.parametrize("fencer", ["fence_redfish", "fence_ipmilan"])
def test_the_known_failures_that_ship_give_a_reason_each_and_say_what_is_unsafe(fencer: str) -> None:
    known = waivers.read(ROOT / "conformance" / "waivers" / f"{fencer}.yaml")
    assert len({(each.scenario, each.profile, each.verdict) for each in known}) == len(known) > 20
    for each in known:
        assert each.fencer == fencer
        assert len(each.reason.split()) > 5
        assert each.allow_unsafe == (each.verdict is Verdict.UNSAFE)


def verdict_of(one: Result, accepted: tuple[waivers.Waiver, ...], today: datetime.date = TODAY) -> Verdict:
    return waivers.apply([one], accepted, today)[0].verdict


def test_exactly_the_named_verdict_is_waived(accepted: tuple[waivers.Waiver, ...]) -> None:
    assert verdict_of(result(Verdict.STUCK), accepted) is Verdict.WAIVED
    assert verdict_of(result(Verdict.HANG), accepted) is Verdict.HANG
    assert verdict_of(result(Verdict.STUCK, profile="openbmc-x86"), accepted) is Verdict.STUCK
    assert verdict_of(result(Verdict.STUCK, "STATE-002"), accepted) is Verdict.STUCK


def test_an_expired_waiver_is_none(accepted: tuple[waivers.Waiver, ...]) -> None:
    assert verdict_of(result(Verdict.STUCK), accepted, TODAY + datetime.timedelta(days=1)) is Verdict.STUCK


def test_unsafe_is_not_waived_by_default(accepted: tuple[waivers.Waiver, ...], tmp_path: Path) -> None:
    assert verdict_of(result(Verdict.UNSAFE, "TRUTH-001"), accepted) is Verdict.UNSAFE
    file = tmp_path / "more.yaml"
    file.write_text(FILE.replace("reason: known", "reason: known, allow_unsafe: true"))
    assert verdict_of(result(Verdict.UNSAFE, "TRUTH-001"), waivers.read(file)) is Verdict.WAIVED


def test_a_waiver_that_does_not_hold_says_why_on_the_cell(accepted: tuple[waivers.Waiver, ...]) -> None:
    late = waivers.apply([result(Verdict.STUCK)], accepted, TODAY + datetime.timedelta(days=1))[0]
    assert late.remarks == ("not waived, because the waiver has expired on 2026-06-01: fixed in 2.0",)
    unsafe = waivers.apply([result(Verdict.UNSAFE, "TRUTH-001")], accepted, TODAY)[0]
    assert unsafe.remarks == ("not waived, because the waiver lacks allow_unsafe: true: known",)
    other = waivers.apply([result(Verdict.HANG)], accepted, TODAY)[0]
    assert other.remarks == (), "a waiver of another verdict is not about this one"


def test_a_pass_under_an_expired_waiver_is_a_pass(accepted: tuple[waivers.Waiver, ...]) -> None:
    assert verdict_of(result(Verdict.PASS), accepted, TODAY + datetime.timedelta(days=1)) is Verdict.PASS


def test_what_was_waived_is_kept(accepted: tuple[waivers.Waiver, ...]) -> None:
    assert waivers.apply([result(Verdict.STUCK)], accepted, TODAY)[0].waived_from is Verdict.STUCK


def test_a_waiver_that_is_no_longer_needed_shows(accepted: tuple[waivers.Waiver, ...]) -> None:
    results = waivers.apply([result(Verdict.PASS)], accepted, TODAY)
    assert results[0].verdict is Verdict.XPASS
    assert (exit_code(results), exit_code(results, strict_waivers=True)) == (0, 6)


def test_what_was_not_run_is_not_waived(accepted: tuple[waivers.Waiver, ...]) -> None:
    assert verdict_of(result(Verdict.NA), accepted) is Verdict.NA


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("waivers: 3", "must be a list"),
        ("waiver: []", "waiver: unknown key; did you mean 'waivers'?"),
        ("waivers: [3]", "waivers[0]: must be a map"),
        ("waivers: [{scenario: STATE-001}]", "waivers[0]: 'reason' is missing"),
        (FILE.replace("STATE-001", "STATE-01"), "no such scenario; did you mean 'STATE-0"),
        (FILE.replace("STUCK", "PASS"), "must be one of UNSAFE, "),
        (FILE.replace("2026-06-01", "soon"), "must be a date"),
        (FILE.replace("owner", "ownr"), "did you mean 'owner'?"),
        (FILE.replace("reason: known", "reason: [a]"), "must be text"),
        (FILE.replace("reason: known", "reason: known, allow_unsafe: 1"), "must be true or false"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, wanted: str) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    with pytest.raises(FencerFileError) as caught:
        waivers.read(file)
    assert wanted in str(caught.value)
    assert f"{file}:" in str(caught.value)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FencerFileError, match="cannot be read"):
        waivers.read(tmp_path / "none.yaml")
