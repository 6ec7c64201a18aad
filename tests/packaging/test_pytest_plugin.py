"""The pytest plugin as everybody gets it who installs the wheel: by its entry point, asked for or not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.packaging.conftest import Environment

pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.long]

PROBE = """
import json, sys

def pytest_unconfigure(config):
    print("\\nPROBE", json.dumps(sorted(sys.modules)))
"""
OURS = {"conformance", "emulator", "fencelab_yaml", "fencer", "profiles"}
THEIRS = {
    "conformance/__init__.py": "OWNER = 'them'\n",
    "conformance/test_theirs.py": "import conformance\n\ndef test_theirs():\n    assert conformance.OWNER == 'them'\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


@pytest.fixture
def their_folder(folder: Path) -> Path:
    """A repository of somebody who has a package `conformance` of their own."""
    for name, text in THEIRS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run_pytest(environment: Environment, folder: Path, *arguments: str, safe: bool = True) -> subprocess.CompletedProcess[str]:
    """`safe` leaves the working directory out of the path, as the command `pytest` does; `python -m pytest` puts it first."""
    probes = folder.parent / "probes"
    probes.mkdir(exist_ok=True)
    (probes / "probe.py").write_text(PROBE)
    switches = ["-P", "-m"] if safe else ["-m"]
    options = ["-p", "probe", "-p", "no:cacheprovider", *arguments]
    return environment.run("python", *switches, "pytest", *options, cwd=folder, PYTHONPATH=str(probes))


def loaded(result: subprocess.CompletedProcess[str]) -> set[str]:
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("PROBE "))
    return set(json.loads(line.removeprefix("PROBE ")))


def said(result: subprocess.CompletedProcess[str]) -> str:
    return "\n".join(line for line in f"{result.stdout}{result.stderr}".splitlines() if not line.startswith("PROBE "))


def test_in_a_folder_that_asks_for_nothing_only_the_plugin_itself_is_loaded(installed: Environment, folder: Path) -> None:
    result = run_pytest(installed, folder)
    assert result.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    without = loaded(run_pytest(installed, folder, "-p", "no:fencelab"))  # other people's plugins load what they like
    assert "fencelab_pytest" in loaded(result) - without
    heavy = {"click", "flask", "pyghmi", "pydantic", "requests", "yaml", "cryptography"}
    assert not (loaded(result) - without) & heavy
    assert not loaded(result) & set(OURS)


def test_the_probe_sees_our_packages_where_they_are_asked_for(installed: Environment, folder: Path) -> None:
    result = run_pytest(installed, folder, "--fencer", "fence_bmc", "--bmc-profile", "dmtf-generic", "--collect-only", "-q")
    assert result.returncode == 0, said(result)
    assert "STATE-001[dmtf-generic]" in result.stdout
    assert loaded(result) >= OURS - {"fencer"}


@pytest.mark.parametrize("safe", [True, False], ids=["pytest", "python -m pytest"])
def test_a_package_conformance_of_somebody_else_is_theirs(installed: Environment, their_folder: Path, safe: bool) -> None:
    result = run_pytest(installed, their_folder, safe=safe)
    assert result.returncode == 0, said(result)
    assert "1 passed" in result.stdout


def test_where_theirs_hides_ours_the_question_is_refused_in_one_sentence(installed: Environment, their_folder: Path) -> None:
    result = run_pytest(installed, their_folder, "--fencer", "fence_bmc", safe=False)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in result.stdout + result.stderr
    (sentence,) = (line for line in result.stderr.splitlines() if line)
    assert f"{their_folder / 'conformance'} hides it" in sentence


def test_the_way_out_that_the_sentence_names_works(installed: Environment, their_folder: Path) -> None:
    (their_folder / "conftest.py").write_text("")  # with one of these at the top `pytest` too puts the folder first
    wanted = ("--fencer", "fence_bmc", "--bmc-profile", "dmtf-generic", "-k", "STATE-001")
    refused = run_pytest(installed, their_folder, *wanted)
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert "`pytest` (not `python -m pytest`) with --import-mode=importlib" in refused.stderr
    result = run_pytest(installed, their_folder, "--import-mode=importlib", *wanted)
    assert result.returncode == 0, said(result)
    assert "1 passed" in result.stdout
