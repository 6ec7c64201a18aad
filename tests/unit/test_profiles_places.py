"""Profiles in folders of FENCELAB_PROFILES and of other distributions are there by name, in every command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import fencelab_plugins
import profiles
from emulator.cli import cli
from emulator.config import load_rack
from profiles import ProfileError, load

OURS = "schema: profile/1\nid: {id}\ntitle: Ours\nextends: {parent}\nfirmware: {{modelled_on: x}}\n"


def write(file: Path, name: str, parent: str = "dell-idrac9") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(OURS.format(id=name, parent=parent))
    return file


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    first, second = tmp_path / "first", tmp_path / "second"
    write(first / "our-board.yaml", "our-board")
    write(second / "our-rack" / "profile.yaml", "our-rack", parent="our-board")
    monkeypatch.setenv("FENCELAB_PROFILES", f"{first}:{second}")
    return first, second


def ask(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def test_a_profile_of_a_folder_is_listed_loaded_and_extended_by_name(folders: tuple[Path, Path]) -> None:
    assert {"our-board", "our-rack", "dell-idrac9"} <= set(profiles.all_names())
    assert load("our-rack").extends == ("our-board",)
    assert "our-rack" in ask("profile", "list").output
    assert "our-board" in ask("profiles").output


def test_a_rack_file_may_name_it(folders: tuple[Path, Path], tmp_path: Path) -> None:
    rack = tmp_path / "rack.yaml"
    rack.write_text("schema: rack/1\nbmcs:\n  - {name: node1, profile: our-board}\n")
    assert load_rack(rack).units[0].profile.id == "our-board"


def test_two_profiles_of_one_name_are_one_sentence_that_names_both(folders: tuple[Path, Path]) -> None:
    twice = write(folders[1] / "our-board.yaml", "our-board")
    for words in (("profile", "lint", "our-rack"), ("profile", "show", "dell-idrac9"), ("run", "--profile", "our-board")):
        result = ask(*words)
        assert result.exit_code == 2
        assert f"{twice}: there are two profiles 'our-board': this one (FENCELAB_PROFILES) and " in result.output
        assert str(folders[0] / "our-board.yaml") in result.output
    assert "our-board" in profiles.all_names(), "completion goes on"


def test_a_folder_that_is_there_twice_is_no_conflict(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENCELAB_PROFILES", f"{folders[0]}:{folders[0]}/:")
    assert load("our-board").id == "our-board"


def test_a_shipped_name_cannot_be_taken(folders: tuple[Path, Path]) -> None:
    write(folders[0] / "dell-idrac9.yaml", "dell-idrac9", parent="dmtf-generic")
    with pytest.raises(ProfileError, match="there are two profiles 'dell-idrac9'"):
        load("dell-idrac9")


def test_a_folder_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENCELAB_PROFILES", "/nowhere")
    result = ask("profile", "lint", "dell-idrac9")
    assert (result.exit_code, "FENCELAB_PROFILES: there is no folder /nowhere" in result.output) == (2, True)


def test_a_broken_file_does_not_hide_the_others(folders: tuple[Path, Path]) -> None:
    (folders[0] / "broken.yaml").write_text("schema: [")
    assert "our-board" in profiles.names()
    assert ask("profile", "lint", "broken").exit_code == 2


def test_an_id_that_is_not_the_name_of_its_file_is_said(folders: tuple[Path, Path]) -> None:
    write(folders[0] / "other.yaml", "another")
    result = ask("profile", "lint", "other")
    assert (result.exit_code, "must be 'other', as the file is called" in result.output) == (2, True)


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package with a folder of profiles."""
    home = tmp_path / "site" / "acme_profiles"
    write(home / "acme-board.yaml", "acme-board")
    (home / "__init__.py").write_text("")
    info = tmp_path / "site" / "acme_profiles-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-profiles\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fencelab.profiles]\nacme = acme_profiles\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    fencelab_plugins.load.cache_clear()
    yield home
    fencelab_plugins.load.cache_clear()
    sys.modules.pop("acme_profiles", None)


def test_another_distribution_brings_profiles(distribution: Path) -> None:
    assert load("acme-board").title == "Ours"


def test_a_distribution_that_cannot_be_loaded_is_named(distribution: Path) -> None:
    (distribution / "__init__.py").write_text("raise RuntimeError('no licence')")
    result = ask("profile", "lint", "dell-idrac9")
    assert result.exit_code == 2
    assert "the plug-in 'acme' of acme-profiles (fencelab.profiles) cannot be used: RuntimeError: no licence" in result.output
