"""What lint counts, lists and prints."""

from __future__ import annotations

from pathlib import Path

import pytest

import profiles
from emulator.profile_commands.resource_paths import check_resource_paths
from profiles import lint, render
from profiles.loader import all_names
from profiles.model import Confidence

HEAD = "schema: profile/1\nid: acme\ntitle: Acme\nextends: dmtf-generic\nsources: {me: {ref: our lab}}\n"


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    return tmp_path / "acme.yaml"


def test_known_cells_are_counted(acme: Path) -> None:
    generic = lint("dmtf-generic")
    assert generic.cells_known == generic.cells_total > 0
    acme.write_text(
        f"{HEAD}power: {{table: {{On: {{Nmi: '?'}}, Off: {{ForceOff: '?'}}}}}}\nipmi: {{chassis: {{On: {{diag: '?'}}}}}}\n"
    )
    report = lint(acme)
    assert report.ok
    assert (report.cells_known, report.cells_total) == (generic.cells_known - 2, generic.cells_total)
    assert (report.ipmi_known, report.ipmi_total) == (11, 12)


def test_the_shares_of_all_confidences_make_one() -> None:
    report = lint("dell-idrac9")
    assert sum(report.share(confidence) for confidence in Confidence) == pytest.approx(1)
    assert 0 < report.share(Confidence.CAPTURED) < 1


def test_assumed_cells_are_listed(acme: Path) -> None:
    acme.write_text(f"{HEAD}power: {{table: {{Off: {{PowerCycle: '?'}}}}}}\n")
    assert lint(acme).assumed == ("power.Off.PowerCycle",)
    assert "power.Off.PowerCycle" not in lint("openbmc-x86").assumed


def test_a_cell_that_is_inferred_from_nothing_is_called_a_guess(acme: Path) -> None:
    cells = "On: {Nmi: [nmi, inferred]}, Off: {ForceOff: [no_op, inferred, me], ForceRestart: '?'}"
    acme.write_text(f"{HEAD}power: {{table: {{{cells}}}}}\nipmi: {{chassis: {{Off: {{cycle: [0xC0, none, inferred]}}}}}}\n")
    (guess,) = (warning for warning in lint(acme).warnings if "guess" in warning)
    assert guess.endswith('"?" is honest: power.table.On.Nmi, ipmi.chassis.Off.cycle')


@pytest.mark.parametrize("name", all_names())
def test_no_shipped_profile_guesses(name: str) -> None:
    assert not [warning for warning in lint(name).warnings if "guess" in warning]


def test_a_base_can_be_linted() -> None:
    assert lint("openbmc").ok


def test_a_broken_profile_gives_its_problems_and_no_exception(acme: Path) -> None:
    acme.write_text(HEAD + "http: {etag: hsh, evidence: {etag: [inferred]}}\n")
    report = lint(acme)
    assert not report.ok
    assert render(report) == (
        f"{acme}:6:14: http.etag: must be one of none, strong-digits, strong-hex, weak-hex8, weak-time, bare-integer, "
        "hash; not 'hsh'; did you mean 'hash'?"
    )


def test_a_polite_request_that_cuts_the_power_by_the_clock_is_warned_of(acme: Path) -> None:
    acme.write_text(HEAD + "power: {effects: {graceful_off: [{at: [10, 90], real: Off}]}, evidence: {effects: [captured, me]}}\n")
    warnings = lint(acme).warnings
    assert any(warning.startswith("power.table.On.GracefulShutdown cuts the power by itself") for warning in warnings)
    assert any(warning.startswith("ipmi.chassis.On.soft cuts the power by itself") for warning in warnings)
    assert not any("cuts the power" in warning for name in profiles.names() for warning in lint(name).warnings)


def test_an_unused_source_is_warned_of(acme: Path) -> None:
    acme.write_text(HEAD)
    assert "sources.me is used by no claim" in lint(acme).warnings


def test_a_source_that_only_a_window_uses_is_used(acme: Path) -> None:
    window = "{after: force_off, for_s: [10, 60], reset: [On], outcome: no_op, evidence: [reported, me]}"
    acme.write_text(HEAD + f"power: {{windows: [{window}]}}\n")
    assert "sources.me is used by no claim" not in lint(acme).warnings
    (loaded,) = profiles.load(acme).power.windows
    assert (loaded.after, loaded.for_s.low, loaded.for_s.high, loaded.reset) == ("force_off", 10, 60, ("On",))


@pytest.mark.parametrize("name", profiles.all_names())
def test_every_shipped_source_is_used(name: str) -> None:
    assert not [warning for warning in lint(name).warnings if "used by no claim" in warning]


def test_paths_that_the_bmc_does_not_have_are_mistakes_with_their_places(acme: Path) -> None:
    head = HEAD + "resources:\n  evidence: [inferred]\n"
    acme.write_text(head + "  merge: {/redfish/v1: {A: b}, /redfish/v1/Chasis: {A: b}}\n  remove: [/redfish/v1/UpdateServise]\n")
    report = lint(acme, service=check_resource_paths)
    said = [str(problem).removeprefix(f"{acme}:") for problem in report.problems]
    lacks = "this BMC has no resource /redfish/v1"
    assert said == [
        f"8:32: resources.merge./redfish/v1/Chasis: {lacks}/Chasis; did you mean '/redfish/v1/Chassis'?",
        f"9:12: resources.remove[0]: {lacks}/UpdateServise; did you mean '/redfish/v1/UpdateService'?",
    ]
    acme.write_text(head + "  merge: {/redfish/v1/: {A: b}}\n  remove: [/redfish/v1/UpdateService]\n")
    assert lint(acme, service=check_resource_paths).ok


def test_one_claim_for_a_block_is_that_of_all_its_keys(acme: Path) -> None:
    block = "http: {etag: hash, server_header: Acme, evidence: %s}\n"
    acme.write_text(HEAD + block % "[captured, me]")
    short = profiles.load(acme)
    acme.write_text(HEAD + block % '{"*": [captured, me]}')
    assert profiles.load(acme) == short
    assert short.evidence["http.etag"].sources == ("me",)
