"""The guard at the beginning of every command: are these packages ours?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import fencelab_guard
from fencelab_guard import OURS, foreign_package, require_own_packages

HOME = Path(fencelab_guard.__file__).resolve().parent


def claim(directory: Path, package: str, owner: str = "rogue") -> None:
    """A distribution on the path that says that it has installed this package."""
    info = directory / f"{owner}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {owner}\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{package}/__init__.py,,\n")


def test_nothing_is_said_where_all_packages_are_ours() -> None:
    assert foreign_package() is None
    require_own_packages()


@pytest.mark.parametrize("package", OURS)
def test_a_distribution_that_claims_a_package_of_ours_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    claim(tmp_path, package)
    monkeypatch.syspath_prepend(tmp_path)
    sentence = foreign_package()
    assert sentence is not None
    assert f"the distribution 'rogue' installs a package {package!r} too" in sentence


def test_our_own_claim_and_claims_to_other_names_are_no_offence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(tmp_path, "emulator", owner="fencelab")
    claim(tmp_path, "emulators")
    monkeypatch.syspath_prepend(tmp_path)
    assert foreign_package() is None


def test_a_package_that_lies_elsewhere_is_named_with_both_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fencelab_guard, "__file__", str(tmp_path / "fencelab_guard.py"))
    sentence = foreign_package()
    assert sentence is not None
    assert str(HOME / "emulator" / "__init__.py") in sentence
    assert f"not from {tmp_path}" in sentence


def test_a_package_that_is_not_there_is_named() -> None:
    sentence = foreign_package(("fencelab_nowhere",))
    assert sentence is not None
    assert f"the package 'fencelab_nowhere' is missing beside {HOME}" in sentence


def test_a_folder_without_init_is_no_package_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fencelab_folder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    sentence = foreign_package(("fencelab_folder",))
    assert sentence is not None
    assert "is missing" in sentence


@pytest.mark.parametrize(("codes", "expected"), [((), 2), ((fencelab_guard.EXIT_AGENT,), 1)], ids=["command", "agent"])
def test_insisting_ends_the_command_with_one_sentence(
    capsys: pytest.CaptureFixture[str], codes: tuple[int, ...], expected: int
) -> None:
    with pytest.raises(SystemExit) as ended:
        require_own_packages(("fencelab_nowhere",), *codes)
    assert ended.value.code == expected
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.endswith("install fencelab into a virtual environment of its own")


def test_a_foreign_package_that_a_command_does_not_need_does_not_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(tmp_path, "emulator")
    monkeypatch.syspath_prepend(tmp_path)
    assert foreign_package(("fencer",)) is None


@pytest.mark.parametrize("command", [fencelab_guard.bmc_emulator, fencelab_guard.fence_conformance])
def test_where_emulated_bmcs_cannot_run_one_sentence_says_so(
    command: Callable[[], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(SystemExit) as ended:
        command()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "fencelab: emulated BMCs need Linux (epoll), this is darwin\n"


@pytest.mark.parametrize("command", [fencelab_guard.bmc_emulator, fencelab_guard.fence_conformance, fencelab_guard.fence_ha])
def test_ctrl_c_before_the_command_has_begun_is_one_sentence(
    command: Callable[[], object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*names: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fencelab_guard, "require_own_packages", interrupted)
    with pytest.raises(SystemExit) as ended:
        command()
    assert ended.value.code == 130
    assert capsys.readouterr().err.count("\n") == 1
