"""A few cells of the catalogue with real programs; the whole table is in tests/matrix, for `make peers`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance import fencers, runner
from conformance import requirement as req
from conformance.adapters import definition
from conformance.expectations.claims import NeverClaims
from conformance.givens.bmc import ON, host
from conformance.givens.verifies_tls import VerifiesTls
from conformance.result import Result, exit_code
from conformance.runner import MatrixCell
from conformance.scenario import Scenario, off
from conformance.scenarios import BY_ID
from conformance.vocabulary import Claim, FindingKind, Protocol, Verdict
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


@pytest.mark.long
def test_the_reference_passes_over_both_protocols() -> None:
    results = played((reference(), "STATE-001", "dell-idrac9"), (reference(), "IPMI-002", "dell-idrac9"))
    assert [(r.verdict, r.why) for r in results if r.verdict is not Verdict.PASS] == []
    assert exit_code(results) == 0


@pytest.mark.long
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


@pytest.mark.long
def test_the_cloudstack_shape_repeats_a_lost_command_and_takes_its_answer_for_off() -> None:
    (result,) = played((fencers.load("cloudstack-redfish"), "FAULT-008", "dell-idrac9"))
    assert (result.verdict, result.kind) == (Verdict.UNSAFE, FindingKind.EARLY), result.why
    assert result.facts[0].power_commands == 2


@pytest.mark.long
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
        ("BlamesConfiguration", "AUTH-001", Verdict.MISLEADING),
        ("AlwaysFails", "TRUTH-001", Verdict.STUCK),
        ("wrong-exits", "AGENT-003", Verdict.UNSAFE),
        pytest.param("FollowsAnywhere", "FAULT-016", Verdict.UNSAFE, marks=pytest.mark.long),
        pytest.param("EndOfTaskIsOff", "ASYNC-001", Verdict.UNSAFE, marks=pytest.mark.long),
        pytest.param("LeavesSession", "TIME-006", Verdict.HYGIENE, marks=pytest.mark.long),
        pytest.param("WholeFileIsPassword", "AUTH-009", Verdict.STUCK, marks=pytest.mark.long),
        pytest.param("IgnoresCertificate", "TLS-001", Verdict.HYGIENE, marks=pytest.mark.long),
        pytest.param("AnyBody", "ID-013", Verdict.UNSAFE, marks=pytest.mark.long),
        pytest.param("IgnoresBridge", "ID-018", Verdict.UNSAFE, marks=pytest.mark.long),
        pytest.param("RepeatsCommands", "IPMI-009", Verdict.HYGIENE, marks=pytest.mark.long),
        pytest.param("OnlySuite3", "IPMI-011", Verdict.STUCK, marks=pytest.mark.long),
        pytest.param("UsageIsTwo", "AGENT-004", Verdict.UNSAFE, marks=pytest.mark.long),
        pytest.param("ClaimOn2xx", "CONC-002", Verdict.UNSAFE, marks=pytest.mark.long),
        pytest.param("OneReadIsEnough", "MAINS-002", Verdict.UNSAFE, marks=pytest.mark.long),
    ],
)
def test_a_planted_defect_gets_its_verdict(name: str, scenario: str, verdict: Verdict) -> None:
    (result,) = played((mutant(name), scenario, "dell-idrac9"))
    assert result.verdict is verdict, result.why


@pytest.mark.long
def test_a_fencer_without_time_limits_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition, "LEAST_GRACE_S", 1.0)
    (result,) = played((replace(mutant("NoTimeout"), deadline=3.0), "TIME-001", "dell-idrac9"))
    assert result.verdict is Verdict.HANG, result.why


UNTRUSTED = Scenario(
    id="TLS-901",
    tier=0,
    title="The certificate is self-signed and verification is on",
    requirement=req.VERIFIED_PEER,
    source="a scenario of this test",
    protocol=Protocol.REDFISH,
    given=(host(ON), VerifiesTls()),
    steps=off(NeverClaims()),
)


@pytest.mark.long
def test_credentials_for_a_certificate_that_cannot_be_verified_are_seen() -> None:
    """One does not look at the certificate; the reference does, and sends nothing before."""
    cells = [
        MatrixCell(who, load("dell-idrac9"), UNTRUSTED)
        for who in (mutant("AlwaysFails"), mutant("IgnoresCertificate"), reference())
    ]
    silent, careless, verifying = runner.run(cells, jobs=3)
    assert silent.verdict is Verdict.PASS
    assert (careless.verdict, careless.kind) == (Verdict.HYGIENE, FindingKind.CREDENTIALS), careless.why
    assert (verifying.verdict, verifying.facts[0].claim) == (Verdict.PASS, Claim.FAILED), verifying.why
