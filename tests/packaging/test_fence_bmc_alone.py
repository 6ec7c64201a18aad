"""fence_bmc without the rest of the project: the single file and the Debian package, as they are built.

tests/lab runs both where nothing else is installed; tests/peers asks lintian.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from emulator import Emulator, HostSpec, Rail
from fencer.metadata import manpage
from tests.commands import PATIENCE, ROOT
from tests.emulator_bed import quick_profile, started
from tests.lacking import leave_out
from tools import make_deb, make_pyz
from tools.fence_bmc_files import library, version

EPOCH = "1700000000"


@pytest.fixture(autouse=True)
def fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)


@pytest.fixture
def single_file(tmp_path: Path) -> Path:
    file = tmp_path / "fence_bmc.pyz"
    make_pyz.make(file)
    return file


@pytest.fixture
def deb(tmp_path: Path) -> Path:
    if shutil.which("dpkg-deb") is None:
        leave_out("dpkg-deb is not installed")
    return make_deb.make(tmp_path)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    for start in started(quick_profile()):
        yield start(HostSpec(), tls=True)


def run(file: Path, stdin: str) -> subprocess.CompletedProcess[str]:
    """With no variable of this environment, in the root folder."""
    line = [sys.executable, "-I", str(file)]
    return subprocess.run(line, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd="/", env={})


def test_what_stands_alone_holds_the_agent_and_nothing_that_it_does_not_use() -> None:
    names = {str(name) for name in library()}
    assert {"fencer/agent.py", "fencer/transport/redfish.py", "fencer/transport/rmcpplus.py"} <= names
    assert not [name for name in names if name.startswith("fencer/ha/") or name == "fencer/page.py"]
    imported = b"".join(content for name, content in library().items() if name.suffix == ".py")
    assert b"from fencer.ha" not in imported
    assert b"from fencer.page" not in imported


@pytest.mark.long
@pytest.mark.parametrize("protocol", ["redfish", "ipmi"])
def test_the_single_file_switches_a_host_off_and_knows_its_version(single_file: Path, emulator: Emulator, protocol: str) -> None:
    (endpoint,) = emulator.endpoints.values()
    port = endpoint.redfish_port if protocol == "redfish" else endpoint.ipmi_port
    values = {
        "action": "off", "ip": endpoint.host, "ipport": str(port), "protocol": protocol, "ssl_insecure": "1",
        "username": endpoint.username, "password": endpoint.password, "output": "json", "power_timeout": "40",
    }  # fmt: skip
    result = run(single_file, "".join(f"{name}={value}\n" for name, value in values.items()))
    assert result.returncode == 0, result.stderr
    assert f'"version": "{version()}"' in result.stdout
    assert emulator.host(endpoint.name).rail is Rail.DOWN


def test_the_single_file_is_executable_and_ignores_the_callers_variables(single_file: Path) -> None:
    assert os.access(single_file, os.X_OK)
    assert single_file.read_bytes().splitlines()[0] == b"#!/usr/bin/python3 -I"


def test_bad_input_to_the_single_file_is_one_sentence(single_file: Path) -> None:
    result = run(single_file, "action=status\nipport=many\n")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("fence_bmc: config: ")
    assert result.stderr.count("\n") == 1


def test_a_machine_without_cryptography_is_told_so_when_ipmi_is_asked_for(single_file: Path) -> None:
    program = "import runpy, sys; sys.modules['cryptography'] = None; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    given = "action=status\nip=127.0.0.1\nprotocol=ipmi\nusername=admin\npassword=secret123\n"
    result = subprocess.run(
        [sys.executable, "-I", "-c", program, str(single_file)], input=given, capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    sentence = "IPMI needs the Python library cryptography, which is not installed (Debian: python3-cryptography)"
    assert (result.returncode, result.stderr) == (1, f"fence_bmc: config: {sentence}\n")


def test_the_same_sources_give_the_same_single_file(single_file: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere" / "again.pyz"
    make_pyz.make(again)
    assert again.read_bytes() == single_file.read_bytes()


def test_control_another_time_gives_another_single_file(
    single_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(EPOCH) + 86_400))
    make_pyz.make(tmp_path / "later.pyz")
    assert (tmp_path / "later.pyz").read_bytes() != single_file.read_bytes()


def test_without_a_given_time_what_is_built_is_as_old_as_the_last_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    make_pyz.make(tmp_path / "now.pyz")
    with zipfile.ZipFile(tmp_path / "now.pyz") as archive:
        assert len({member.date_time for member in archive.infolist()}) == 1


def test_the_same_sources_give_the_same_debian_package(deb: Path, tmp_path: Path) -> None:
    assert make_deb.make(tmp_path / "again").read_bytes() == deb.read_bytes()


def _field(deb: Path, name: str) -> str:
    return subprocess.run(["dpkg-deb", "-f", str(deb), name], capture_output=True, text=True, check=True).stdout.strip()


def test_the_debian_package_depends_on_what_the_agent_imports(deb: Path) -> None:
    assert (_field(deb, "Package"), _field(deb, "Version")) == ("fence-bmc", version())
    assert _field(deb, "Depends") == "python3:any (>= 3.11), python3-cryptography"


def test_the_debian_package_installs_nothing_under_a_common_name(deb: Path, tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "-x", str(deb), str(tmp_path / "root")], check=True)
    files = {path.relative_to(tmp_path / "root") for path in (tmp_path / "root").rglob("*") if path.is_file()}
    private, documents = PurePosixPath("usr/share/fence-bmc"), PurePosixPath("usr/share/doc/fence-bmc")
    elsewhere = {str(path) for path in files if not (path.is_relative_to(private) or path.is_relative_to(documents))}
    assert elsewhere == {
        "usr/sbin/fence_bmc",
        "usr/share/man/man8/fence_bmc.8.gz",
        "usr/share/lintian/overrides/fence-bmc",
    }


def test_the_manual_page_in_the_debian_package_is_the_one_that_the_agent_prints(deb: Path, tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "-x", str(deb), str(tmp_path / "root")], check=True)
    page = gzip.decompress((tmp_path / "root/usr/share/man/man8/fence_bmc.8.gz").read_bytes()).decode()
    assert page == f"{manpage()}\n"


def test_a_packager_gives_a_name_and_then_no_complaint_is_silenced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deb: Path
) -> None:
    monkeypatch.setenv("DEBFULLNAME", "A Packager")
    monkeypatch.setenv("DEBEMAIL", "packager@debian.org")
    theirs = make_deb.make(tmp_path / "theirs")
    assert _field(theirs, "Maintainer") == "A Packager <packager@debian.org>"
    listed = subprocess.run(["dpkg-deb", "-c", str(theirs)], capture_output=True, text=True, check=True).stdout
    assert "lintian" not in listed


@pytest.mark.parametrize("module", ["tools.make_pyz", "tools.make_deb"])
def test_what_builds_them_needs_no_library(module: str) -> None:
    """`make deb` and `make pyz` run with the system's Python."""
    program = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert module in done.stdout.split()
