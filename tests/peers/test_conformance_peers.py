"""What the suite finds in programs that are on every fencing engineer's machine, as issues and measurements say it must."""

from __future__ import annotations

import subprocess

import pytest

from conformance import fencers, runner
from conformance.result import Result
from conformance.runner import MatrixCell
from conformance.scenarios import BY_ID
from conformance.vocabulary import FindingKind, Verdict
from profiles import load
from tests.commands import ROOT, command

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("conformance-matrix")]

EXPECTED: tuple[tuple[str, str, Verdict, FindingKind | None], ...] = (
    ("fence_redfish", "STATE-001", Verdict.PASS, None),
    ("fence_redfish", "STATE-016", Verdict.PASS, None),
    ("fence_redfish", "STATE-007", Verdict.MISLEADING, None),
    ("fence_redfish", "FAULT-008", Verdict.STUCK, None),
    ("fence_redfish", "AUTH-001", Verdict.MISLEADING, None),
    ("fence_redfish", "ID-001", Verdict.PASS, None),
    ("fence_redfish", "ID-002", Verdict.UNSAFE, FindingKind.WRONG_TARGET),
    ("fence_redfish", "TIME-001", Verdict.HANG, None),
    ("fence_redfish", "AGENT-003", Verdict.PASS, None),
    ("ipmitool", "STATE-003", Verdict.STUCK, None),
    ("ipmitool", "STATE-016", Verdict.UNSAFE, FindingKind.EARLY),
    ("ipmitool", "IPMI-002", Verdict.PASS, None),
    ("ipmitool", "IPMI-003", Verdict.UNSAFE, FindingKind.FALSE),
    ("fence_ipmilan", "STATE-003", Verdict.HYGIENE, FindingKind.SECRET),
    ("fence_ipmilan", "IPMI-003", Verdict.HYGIENE, FindingKind.SECRET),
    ("fence_idrac", "STATE-003", Verdict.HYGIENE, FindingKind.SECRET),
    ("fence_idrac", "TRUTH-001", Verdict.HYGIENE, FindingKind.SECRET),
    ("fence_ilo5", "STATE-003", Verdict.HYGIENE, FindingKind.SECRET),
    ("fence_ilo5", "TRUTH-001", Verdict.HYGIENE, FindingKind.SECRET),
    ("ipmitool", "TRUTH-001", Verdict.UNSAFE, FindingKind.FALSE),
    ("ipmipower", "STATE-003", Verdict.HYGIENE, FindingKind.UNVERIFIED),
    ("ipmipower", "TRUTH-001", Verdict.UNSAFE, FindingKind.FALSE),
    ("external-ipmi", "STATE-003", Verdict.STUCK, None),
    ("external-ipmi", "TRUTH-001", Verdict.UNSAFE, FindingKind.FALSE),
    ("ironic-ipmitool", "STATE-003", Verdict.PASS, None),
    ("ironic-ipmitool", "TRUTH-001", Verdict.PASS, None),
    ("redfishtool", "STATE-001", Verdict.STUCK, None),
    ("redfishtool", "TRUTH-001", Verdict.UNSAFE, FindingKind.FALSE),
    ("rf_power_reset", "STATE-001", Verdict.STUCK, None),
    ("rf_power_reset", "TRUTH-001", Verdict.UNSAFE, FindingKind.FALSE),
    ("redfish-command", "STATE-001", Verdict.PASS, None),
    ("redfish-command", "TRUTH-001", Verdict.UNSAFE, FindingKind.FALSE),
    ("sushy", "STATE-001", Verdict.STUCK, None),
    ("sushy", "TRUTH-001", Verdict.UNSAFE, FindingKind.FALSE),
    ("ironic-redfish", "STATE-001", Verdict.PASS, None),
    ("ironic-redfish", "STATE-009", Verdict.UNSAFE, FindingKind.FALSE),  # it counts PoweringOff as off
    ("ironic-redfish", "TRUTH-001", Verdict.PASS, None),
    ("powerman-httppower", "STATE-001", Verdict.PASS, None),
    ("powerman-httppower", "TRUTH-001", Verdict.PASS, None),
    ("cloudstack-redfish", "STATE-001", Verdict.STUCK, None),
    ("cloudstack-redfish", "TRUTH-001", Verdict.UNSAFE, FindingKind.FALSE),
)


@pytest.fixture(scope="module")
def results() -> dict[tuple[str, str], Result]:
    dell = load("dell-idrac9")
    cells = [MatrixCell(fencers.load(fencer), dell, BY_ID[scenario]) for fencer, scenario, *_ in EXPECTED]
    cells = [cell for cell in cells if all(cell.definition.lack(protocol) is None for protocol in cell.definition.ways)]
    return {(r.fencer, r.scenario.id): r for r in runner.run(cells, jobs=8)}


@pytest.mark.parametrize(("fencer", "scenario", "verdict", "kind"), EXPECTED, ids=[f"{f}-{s}" for f, s, *_ in EXPECTED])
def test_a_known_fencer_is_judged_as_measured(
    results: dict[tuple[str, str], Result], fencer: str, scenario: str, verdict: Verdict, kind: FindingKind | None
) -> None:
    if (fencer, scenario) not in results:
        pytest.fail(f"{fencer} is not installed: run make peers")
    result = results[fencer, scenario]
    assert (result.verdict, kind or result.kind) == (verdict, result.kind), result.why


@pytest.mark.parametrize("fencer", ["fence_redfish", "fence_ipmilan"])
def test_the_known_failures_that_are_waived_let_the_gate_pass(fencer: str) -> None:
    known = ROOT / "conformance" / "waivers" / f"{fencer}.yaml"
    words = ("run", "--fencer", fencer, "--profile", "dell-idrac9", "--tier", "0", "--waivers", str(known), "--jobs", "24")
    done = subprocess.run([*command("fence-conformance"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " 0 waived" not in done.stdout.splitlines()[-1]
