"""docs/profiles and docs/wanted.md are as the profiles are now, and say what a reader must not miss."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click
import pytest

import profiles
from emulator.profile_commands.probe import probe
from profiles import lint
from profiles.loader import resolve
from profiles.model import FactEvidence, PowerCell, PowerRules, Profile, Source
from tools import print_profile_pages, profile_words
from tools.profile_page import page
from tools.profile_quirks import quirks

HINT = "make profiles-pages writes it anew"
GENERIC = profiles.load("dmtf-generic")
DELL = profiles.load("dell-idrac9")


@pytest.fixture(scope="module")
def pages() -> Mapping[Path, str]:
    return print_profile_pages.pages()


def test_every_page_is_as_its_profile_is_now(pages: Mapping[Path, str]) -> None:
    for file, text in pages.items():
        assert file.is_file(), f"{file}: {HINT}"
        assert file.read_text(encoding="utf-8") == text, f"{file}: {HINT}"


def test_no_page_is_left_of_a_profile_that_is_gone(pages: Mapping[Path, str]) -> None:
    assert print_profile_pages.stale(pages) == []
    dell = print_profile_pages.FOLDER / "dell-idrac9.md"
    assert print_profile_pages.stale({file: text for file, text in pages.items() if file != dell}) == [dell]


def test_the_index_and_the_wanted_page_name_every_bmc(pages: Mapping[Path, str]) -> None:
    index = pages[print_profile_pages.FOLDER / "README.md"]
    assert all(f"[{name}]({name}.md)" in index for name in (*profiles.names(), *profiles.feeder_names()))
    wanted = pages[print_profile_pages.WANTED]
    assert print_profile_pages.PROBE in wanted
    for name in profiles.names():
        unknown = [word for word, cell in profiles.load(name).power.table["Off"].items() if cell.assumed]
        told = wanted.partition(f"## [{name}]")[2].partition("\n## [")[0].partition("only inferred")[0]
        assert [word for word in unknown if f"{word} while off" not in told] == [], name


def test_the_probe_lines_of_the_wanted_page_are_commands_that_can_be_pasted(pages: Mapping[Path, str]) -> None:
    wanted = pages[print_profile_pages.WANTED]
    lines = [shlex.split(line)[3:] for line in wanted.splitlines() if line.startswith("bmc-emulator profile probe ")]
    assert len(lines) == wanted.count("\n## [") - 1, "one for each section but that of the BMC without Redfish"
    for words in lines:
        told = probe.make_context("probe", [*words]).params
        assert told["user"] == profiles.load(told["parent"]).auth.accounts[0].name
        assert told["no_ipmi"] is not profiles.load(told["parent"]).ipmi.lan
        assert told["out"].name == f"{told['parent']}-probed.yaml"
    with pytest.raises(click.MissingParameter, match="out"):
        probe.make_context("probe", lines[0][:-2])


def with_cell(profile: Profile, state: str, reset: str, cell: PowerCell) -> Profile:
    table = {**profile.power.table, state: {**profile.power.table[state], reset: cell}}
    return replace(profile, power=replace(profile.power, table=table))


def text_of(profile: Profile, name: str = "dell-idrac9") -> str:
    return page(profile, resolve(name), lint(name), GENERIC)


def test_another_cell_makes_another_page() -> None:
    changed = with_cell(
        DELL, "Off", "ForceOff", PowerCell("force_off", FactEvidence(DELL.power.unlisted_type.evidence.confidence))
    )
    assert text_of(changed) != text_of(DELL)


def test_a_cell_that_nobody_knows_is_marked() -> None:
    cell = DELL.power.table["On"]["ForceOff"]
    rows = text_of(with_cell(DELL, "On", "ForceOff", replace(cell, assumed=True))).splitlines()
    (row,) = [line for line in rows if line.startswith("| ForceOff | 204 | power off")]
    assert row.endswith("| **not known**, assumed |")


def test_a_profile_without_known_cells_is_called_identity_only() -> None:
    power: PowerRules = DELL.power
    table = {state: {reset: replace(cell, assumed=True) for reset, cell in row.items()} for state, row in power.table.items()}
    unknown = text_of(replace(DELL, power=replace(power, table=table)))
    assert "(identity only)" in unknown
    assert "**Identity only**: nobody has shown how power behaves here." in unknown
    assert "dentity only" not in text_of(DELL)


def test_the_quirks_are_what_differs_and_the_base_has_none() -> None:
    assert list(quirks(GENERIC, GENERIC)) == []
    found = {quirk.what: quirk for quirk in quirks(DELL, GENERIC)}
    assert found["On while on"].here.startswith("409 `IDRAC.")
    assert found["On while on"].known == "captured: i115"
    assert found["lockout"].there == "none"
    assert "log-in that is refused" not in found  # only the version of the registry differs


def test_a_view_that_says_off_too_early_is_a_quirk() -> None:
    early = [quirk for quirk in quirks(profiles.load("openbmc-x86"), GENERIC) if quirk.what == "effect force_off"]
    assert [quirk.here for quirk in early] == ["system says Off 0 s after the request, the power is cut after 4 to 15 s"]


@pytest.mark.parametrize(
    ("source", "link"),
    [
        (Source("github DMTF/Redfish-Tacklebox issue 143"), "https://github.com/DMTF/Redfish-Tacklebox/issues/143"),
        (Source("github openbmc/bmcweb pull 157: text"), "https://github.com/openbmc/bmcweb/pull/157"),
        (Source("github a/b src/x.c, src/y.c", commit="abc"), "https://github.com/a/b/tree/abc/src/x.c"),
        (Source("github a/b, all of it", commit="abc"), "https://github.com/a/b/tree/abc"),
        (Source("github a/b"), "https://github.com/a/b"),
    ],
)
def test_a_source_on_github_has_a_link(source: Source, link: str) -> None:
    assert profile_words.link(source) == f"[{source.ref}]({link})"


def test_another_source_is_text() -> None:
    assert profile_words.link(Source("Intel: IPMI 2.0")) == "Intel: IPMI 2.0"


def test_the_links_between_pages_lead_somewhere() -> None:
    for file in (*print_profile_pages.FOLDER.glob("*.md"), print_profile_pages.WANTED):
        for part in file.read_text(encoding="utf-8").split("](")[1:]:
            target = part.partition(")")[0].partition("#")[0]
            if not target.startswith("https://"):
                assert (file.parent / target).exists(), f"{file}: {target}"
