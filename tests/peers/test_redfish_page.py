"""docs/redfish-validators.md was written for the commands and versions that are run today."""

from __future__ import annotations

from conformance.selection import USUAL_PROFILES
from profiles import load, names
from profiles.model import Tool
from tests.peers.redfish.figures import every_profile, judged_profiles, without_reason, written_figures
from tests.peers.redfish.page import INTRODUCTION, commands, controls, deviations, with_section, written
from tests.peers.redfish.validators import COMMANDS, Result, versions

ADVICE = "run python -m tools.redfish_validators"


def test_the_page_shows_the_versions_and_commands_that_are_run() -> None:
    assert commands(versions()) in written(), ADVICE
    assert INTRODUCTION in written(), ADVICE


def test_the_page_lists_every_deviation_and_every_planted_defect() -> None:
    assert deviations(USUAL_PROFILES) in written(), ADVICE
    assert controls() in written(), ADVICE


def test_the_page_has_a_row_for_every_run_and_a_reason_for_everything_untested() -> None:
    assert all(f"| {name} | {tool} |" in written() for name in USUAL_PROFILES for tool in Tool), ADVICE
    assert "NO REASON GIVEN" not in written()


def test_the_page_has_the_figures_of_every_profile() -> None:
    figures = written_figures()
    assert every_profile(figures) in written(), ADVICE
    assert set(figures) <= set(judged_profiles())


def test_the_figures_of_every_profile_fit_its_deviations() -> None:
    for name, runs in written_figures().items():
        for tool, run in runs.items():
            predicted = {deviation.result for deviation in load(name).deviations if deviation.tool is tool}
            found = {result.value for result in (Result.WARN, Result.FAIL) if run.counts[result]}
            assert predicted == found, f"{name}, {tool}: {ADVICE} --profile {name}"


def test_everything_untested_on_any_profile_has_a_reason() -> None:
    assert without_reason(written_figures()) == []


def test_the_section_about_every_profile_is_replaced_and_stays_before_the_controls() -> None:
    section = "## Every profile\n\nnew\n"
    changed = with_section(written(), section)
    assert with_section(changed, section) == changed
    assert section in changed
    assert changed.endswith(controls())
    assert with_section(changed, every_profile(written_figures())) == written()


def test_another_version_or_command_would_be_noticed() -> None:
    assert commands({**versions(), Tool.SERVICE: "0.0.1"}) not in written()
    assert all(command.split()[0] in written() for command in COMMANDS.values())


def test_every_deviation_names_a_source_that_the_profile_has() -> None:
    for name in names():
        profile = load(name)
        for deviation in profile.deviations:
            assert deviation.evidence.sources
            assert set(deviation.evidence.sources) <= set(profile.sources)
