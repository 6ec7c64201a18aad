"""What programs that people use do wrong, row by row: a fencer with that one defect, and the scenario that must find it unaided.

Each row was measured or read in the programs that it names. SHOULDs count (`strict`): never to repeat after one 503 is a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pytest

from conformance import fencers, runner
from conformance.adapters.definition import Definition
from conformance.adapters.reading import read
from conformance.result import Result
from conformance.runner import MatrixCell, RunOptions
from conformance.scenarios import BY_ID
from conformance.vocabulary import Verdict
from profiles import load
from tests.definitions import BAD_FENCERS, mutant

DELL = "dell-idrac9"
UNSAFE, STUCK, HANG, MISLEADING, HYGIENE = (
    Verdict.UNSAFE, Verdict.STUCK, Verdict.HANG, Verdict.MISLEADING, Verdict.HYGIENE,
)  # fmt: skip
CAREFUL = "honest"


class Row(NamedTuple):
    """Who does it, what it is, the fencer that stands for them, the scenarios, and the verdict of a finding of each."""

    who: str
    what: str
    fencer: str
    scenarios: tuple[str, ...]
    verdict: Verdict


ROWS = (
    Row("fence_redfish", "takes the last member of Systems", "LastMember", ("ID-001",), UNSAFE),
    Row("fence_redfish", "believes one false Off", "FirstWord", ("TRUTH-002",), UNSAFE),
    Row("ironic, metal3", "counts PoweringOff as off", "PoweringOffIsOff", ("STATE-009",), UNSAFE),
    Row("redfishtool, rf_power_reset, MAAS, bmclib", "2xx is done", "ClaimOn2xx", ("TRUTH-001", "ASYNC-004"), UNSAFE),
    Row("rf_power_reset, redfishtool, redfish_command", "a failed task is done", "EndOfTaskIsOff", ("ASYNC-002",), UNSAFE),
    Row("CloudStack OFF", "asks a hung system to shut down", "cloudstack-redfish", ("TRUTH-006",), UNSAFE),
    Row("CloudStack OFF", "the same, in one line", "GracefulAndClaim", ("TRUTH-006",), UNSAFE),
    Row("ipmipower", "0xC0 and 0xD4 end with exit 0", "RefusedIsOff", ("IPMI-005", "IPMI-007"), UNSAFE),
    Row("fence_ipmilan method=cycle, ipmitool", "accepted is done", "AcceptedIsOff", ("IPMI-003", "IPMI-013"), UNSAFE),
    Row("redfishtool, rf_power_reset", "a refusal is a failure", "RefusedIsFailed", ("STATE-001", "STATE-002"), STUCK),
    Row("CloudStack OFF", "the same, as found", "cloudstack-redfish", ("STATE-001", "STATE-002"), STUCK),
    Row("ipmitool, external/ipmi", "0xD5 is a failure", "NotInStateIsFailed", ("STATE-003", "IPMI-012"), STUCK),
    Row("fence_redfish, redfishtool, rf_power_reset", "gives up on a lost response", "GiveUpOnDrop", ("FAULT-008",), STUCK),
    Row("fence_ipmilan", "never repeats after one 0xC0", "GivesUpSilently", ("IPMI-005",), STUCK),
    Row("fence_redfish", "never repeats after one 503", "SendsOnce", ("FAULT-001",), STUCK),
    Row("all", "fails without a reason on PowerState null", "BlamesConfiguration", ("STATE-012",), MISLEADING),
    Row("fence_redfish, rf_power_reset, sushy", "waits for ever for a silent BMC", "NoTimeout", ("TIME-001", "TIME-002"), HANG),
    Row("fence_redfish", "a missing privilege is a time-out", "ForbiddenIsTimeout", ("AUTH-003",), MISLEADING),
    Row("fence_redfish", "503 and 412 end without a reason", "BlamesConfiguration", ("FAULT-002", "FAULT-012"), MISLEADING),
    Row("fence_ipmilan", "0xD4 is a time-out", "RefusedIsTimeout", ("IPMI-007",), MISLEADING),
    Row("fence_ipmilan", "a wrong password is a broken network", "BlamesTheNetwork", ("IPMI-010",), MISLEADING),
    Row("fence_idrac method=cycle", "0xD5 of a cycle is a time-out", "RefusedIsTimeout", ("IPMI-012",), MISLEADING),
    Row("CloudStack", "everything is a missing configuration", "BlamesConfiguration", ("TRUTH-011",), MISLEADING),
    Row("CloudStack", "says that fencing was performed", "SaysSuccess", ("TRUTH-011",), MISLEADING),
    Row("sushy, python-redfish-library", "sends a POST again and again", "SendsAtOnce", ("FAULT-009",), HYGIENE),
    Row("fence_ipmilan, external/ipmi, redfishtool", "password in a command line", "PasswordInArgv", ("AUTH-010",), HYGIENE),
)  # fmt: skip
CASES = tuple((row, scenario) for row in ROWS for scenario in row.scenarios)

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("conformance-short-table")]


def definition(name: str) -> Definition:
    if name == CAREFUL:
        return read(BAD_FENCERS / "honest.yaml")
    return fencers.load(name) if name in fencers.names() else mutant(name)


@pytest.fixture(scope="module")
def results() -> Mapping[tuple[str, str], Result]:
    return {
        **tried(((row.fencer, scenario) for row, scenario in CASES), strict=True),
        **tried(((CAREFUL, scenario) for _, scenario in CASES), strict=False),
    }


def tried(wanted: Iterable[tuple[str, str]], *, strict: bool) -> Mapping[tuple[str, str], Result]:
    """Each pair of fencer and scenario, once."""
    pairs = tuple(dict.fromkeys(wanted))
    cells = [MatrixCell(definition(name), load(DELL), BY_ID[scenario]) for name, scenario in pairs]
    return dict(zip(pairs, runner.run(cells, options=RunOptions(strict=strict)), strict=True))


@pytest.mark.parametrize(("row", "scenario"), CASES, ids=[f"{row.fencer}-{scenario}-{row.verdict}" for row, scenario in CASES])
def test_a_known_defect_is_found_without_hand(results: Mapping[tuple[str, str], Result], row: Row, scenario: str) -> None:
    result = results[row.fencer, scenario]
    assert row.verdict in {finding.verdict for finding in result.findings}, (result.verdict, result.why)
    assert result.verdict.fails_gate


@pytest.mark.parametrize("scenario", sorted({scenario for _, scenario in CASES}))
def test_who_has_no_defect_is_not_accused(results: Mapping[tuple[str, str], Result], scenario: str) -> None:
    result = results[CAREFUL, scenario]
    assert (result.verdict, result.why) == (Verdict.PASS, result.why)
