"""A few cells of the catalogue with real programs; the whole table is in tests/matrix, for `make peers`."""

from __future__ import annotations

import pytest

from conformance import fencers, runner
from conformance.result import Result, exit_code
from conformance.runner import MatrixCell
from conformance.scenarios import BY_ID
from conformance.vocabulary import FindingKind, Verdict
from profiles import load
from tests.commands import ROOT
from tests.definitions import mutant, reference

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def ours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def played(*cells: tuple[object, str, str]) -> tuple[Result, ...]:
    """Each cell is (fencer, scenario, profile)."""
    return tuple(runner.run([MatrixCell(who, load(name), BY_ID[scenario]) for who, scenario, name in cells], jobs=2))  # type: ignore[arg-type]


def test_the_reference_passes_over_both_protocols() -> None:
    results = played((reference(), "STATE-001", "dell-idrac9"), (reference(), "IPMI-002", "dell-idrac9"))
    assert [(r.verdict, r.why) for r in results if r.verdict is not Verdict.PASS] == []
    assert exit_code(results) == 0


def test_the_reference_without_its_chassis_check_is_caught_on_openbmc() -> None:
    """Its System says Off seconds before the rail falls; here the rail waits for fifteen looks."""
    (result,) = played((reference(chassis_check="ignore"), "ASYNC-004", "openbmc-x86"))
    assert (result.verdict, result.kind) == (Verdict.UNSAFE, FindingKind.EARLY)


def test_the_incident_and_its_mirror_image_catch_the_cloudstack_shape() -> None:
    cloudstack = fencers.load("cloudstack-redfish")
    results = played((cloudstack, "STATE-002", "dell-idrac9"), (cloudstack, "TRUTH-006", "dell-idrac9"))
    assert [r.verdict for r in results] == [Verdict.STUCK, Verdict.UNSAFE]
    assert exit_code(results) == 3
    assert "409" in results[0].why
    assert any("409" in line.text for line in results[0].stories[0])


def test_the_wrong_repair_of_the_incident_is_caught_by_its_twin() -> None:
    wrong = fencers.load("conflict-is-off")
    results = played((wrong, "STATE-007", "dell-idrac9"), (wrong, "IPMI-002", "dell-idrac9"))
    assert [r.verdict for r in results] == [Verdict.UNSAFE, Verdict.UNSAFE]


def test_a_trailing_slash_escapes_no_refusal() -> None:
    (result,) = played((mutant("RefusedIsFailed", "slash"), "STATE-002", "dell-idrac9"))
    assert result.verdict is Verdict.STUCK, result.why


@pytest.mark.parametrize(
    ("name", "scenario", "verdict"),
    [
        ("NoTimeout", "TIME-001", Verdict.HANG),
        ("BlamesConfiguration", "AUTH-001", Verdict.MISLEADING),
        ("AlwaysFails", "TRUTH-001", Verdict.ERROR),
        ("wrong-exits", "AGENT-003", Verdict.UNSAFE),
    ],
)
def test_a_planted_defect_gets_its_verdict(name: str, scenario: str, verdict: Verdict) -> None:
    (result,) = played((mutant(name), scenario, "dell-idrac9"))
    assert result.verdict is verdict, result.why
