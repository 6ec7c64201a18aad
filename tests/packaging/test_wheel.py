"""The wheel holds what a user needs and nothing else, and works where there is no source tree."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from tests.commands import PATIENCE, ROOT
from tests.packaging.conftest import Environment

pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.long]
PACKAGES = ("conformance", "emulator", "fencelab_yaml", "fencer", "profiles")
MODULES = ("fencelab_guard.py", "fencelab_plugins.py", "fencelab_pytest.py")
COMMANDS = ("bmc-emulator", "fence-conformance", "fence-ha", "fence_bmc")


def _in_the_tree() -> set[str]:
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts} | set(MODULES)


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_exactly_the_packages_and_their_data(wheel: Path) -> None:
    shipped = {name for name in _names(wheel) if ".dist-info/" not in name}
    assert shipped == _in_the_tree()


def test_what_is_not_python_is_shipped_too_and_nothing_of_the_workshop(wheel: Path) -> None:
    names = _names(wheel)
    assert names >= {f"{package}/py.typed" for package in PACKAGES}
    assert names >= {"profiles/schema.json", "profiles/vendors/dell-idrac9.yaml", "profiles/vendors/openbmc-x86.yaml"}
    assert names >= {"conformance/fencers/fence_redfish.yaml", "conformance/fencers/ipmitool.yaml", "fencer/ha/sample.yaml"}
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {*PACKAGES, *MODULES}


def test_the_wheel_says_what_it_is_and_under_which_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (home,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        metadata = archive.read(f"{home}/METADATA").decode()
        points = archive.read(f"{home}/entry_points.txt").decode()
        assert archive.read(f"{home}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert "\nName: fencelab\n" in metadata
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert {line.partition(" = ")[0] for line in points.splitlines() if " = " in line} == {*COMMANDS, "fencelab"}


def test_the_source_distribution_holds_what_its_own_tests_need_and_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    built = subprocess.run(line, capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (source,), (again,) = tmp_path.glob("*.tar.gz"), tmp_path.glob("*.whl")
    with tarfile.open(source) as archive:
        tops = {PurePosixPath(name).parts[1] for name in archive.getnames() if len(PurePosixPath(name).parts) > 1}
    assert tops >= {*PACKAGES, *MODULES, "tests", "tools", "examples", "templates", "action.yml", "Makefile", "LICENSE"}
    assert not tops & {".venv", "dist", ".git", ".ci"}
    assert _names(again) == _names(wheel), "the wheel of the source distribution is another one than that of the tree"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_from_an_empty_folder(installed: Environment, tmp_path: Path, name: str) -> None:
    result = installed.run(name, "--help", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert name in result.stdout


def test_profiles_and_fencers_are_found_without_the_source_tree(installed: Environment, tmp_path: Path) -> None:
    listed = installed.run("bmc-emulator", "profiles", "--json", cwd=tmp_path)
    assert {one["id"] for one in json.loads(listed.stdout)} >= {"dell-idrac9", "dmtf-generic", "openbmc-x86"}
    listed = installed.run("fence-conformance", "list", cwd=tmp_path)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "STATE-001" in listed.stdout


def test_what_runs_there_is_the_wheel_and_not_this_checkout(installed: Environment, tmp_path: Path) -> None:
    asked = (
        "import conformance, emulator, fencelab_yaml, fencer, profiles\n"
        "print(*(m.__file__ for m in (conformance, emulator, fencelab_yaml, fencer, profiles)))"
    )
    homes = installed.run("python", "-c", asked, cwd=tmp_path).stdout.split()
    assert homes == [str(installed.packages / package / "__init__.py") for package in PACKAGES]


# -- without the extra `lab`: no Docker SDK -----------------------------------------------------------------------------------

WITHOUT_DOCKER = "import sys; sys.modules['docker'] = None; import fencelab_guard; sys.exit(getattr(fencelab_guard, {!r})())"


def test_only_the_extra_lab_asks_for_the_docker_sdk(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        wanted = [line for line in archive.read(name).decode().splitlines() if line.startswith("Requires-Dist: docker")]
    assert wanted == ["Requires-Dist: docker<8,>=7.1; extra == 'lab'"]


def test_a_gate_runs_without_the_docker_sdk(installed: Environment, tmp_path: Path) -> None:
    program = WITHOUT_DOCKER.format("fence_conformance")
    words = ("run", "--fencer", "fence_bmc", "--profile", "dmtf-generic", "--scenario", "STATE-002")
    result = installed.run("python", "-c", program, *words, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_rack_of_containers_says_what_to_install(installed: Environment, tmp_path: Path) -> None:
    rack = "schema: rack/1\nbmcs: [{name: b, profile: dmtf-generic, hosts: [{name: node1, backend: docker}]}]\n"
    (tmp_path / "rack.yaml").write_text(rack)
    program = WITHOUT_DOCKER.format("bmc_emulator")
    result = installed.run("python", "-c", program, "run", "--rack", "rack.yaml", "--no-control", cwd=tmp_path)
    sentence = "bmc-emulator: node1: hosts that are containers need the Docker SDK for Python: pip install 'fencelab[lab]'\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", sentence)


# -- somebody else's package under our name --------------------------------------------------------------------------------


def _install_rogue(environment: Environment, package: str) -> None:
    """A distribution whose RECORD claims a package of our name, as pip leaves it behind when the second one overwrites ours."""
    info = environment.packages / "rogue-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rogue\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{package}/__init__.py,,\nrogue-1.0.dist-info/METADATA,,\nrogue-1.0.dist-info/RECORD,,\n")


@pytest.fixture(scope="session")
def beside_rogue(make_environment: Callable[[], Environment]) -> Environment:
    """Where the distribution `rogue` owns a package `emulator` too."""
    environment = make_environment()
    _install_rogue(environment, "emulator")
    return environment


@pytest.mark.parametrize("name", ["bmc-emulator", "fence-conformance"])
def test_a_distribution_that_owns_a_package_of_our_name_is_named(beside_rogue: Environment, tmp_path: Path, name: str) -> None:
    result = beside_rogue.run(name, "--help", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "fencelab: the distribution 'rogue' installs a package 'emulator' too; "
        "install fencelab into a virtual environment of its own\n"
    )


@pytest.mark.parametrize("name", ["fence_bmc", "fence-ha"])
def test_fencing_needs_only_the_fencer_and_goes_on_beside_a_foreign_emulator(
    beside_rogue: Environment, tmp_path: Path, name: str
) -> None:
    result = beside_rogue.run(name, "--help", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "hidden", "code"),
    [
        ("bmc-emulator", "emulator", 2),
        ("fence-conformance", "profiles", 2),
        ("fence-ha", "fencer", 2),
        ("fence_bmc", "fencer", 1),
    ],
)
def test_a_package_that_hides_ours_is_named(installed: Environment, tmp_path: Path, name: str, hidden: str, code: int) -> None:
    (tmp_path / hidden).mkdir()
    (tmp_path / hidden / "__init__.py").write_text("raise RuntimeError('of somebody else, and broken')\n")
    result = installed.run(name, "--help", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr == (
        f"fencelab: the package '{hidden}' would come from {tmp_path / hidden / '__init__.py'}, not from {installed.packages}; "
        "install fencelab into a virtual environment of its own\n"
    )
