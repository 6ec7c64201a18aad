"""What others say of our packages: lintian and man of the Debian package, CycloneDX's schema of the bill of materials."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import PATIENCE, ROOT
from tests.lacking import leave_out
from tools import make_deb

LINTIAN = ["lintian", "--display-info", "--pedantic", "--fail-on", "error,warning,info,pedantic"]


def lintian(package: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("lintian") is None:
        leave_out("lintian is not installed")
    return subprocess.run([*LINTIAN, str(package)], capture_output=True, text=True, timeout=2 * PATIENCE, check=False)


def test_lintian_has_nothing_to_say_of_the_debian_package(tmp_path: Path) -> None:
    result = lintian(make_deb.make(tmp_path))
    assert (result.returncode, result.stdout) == (0, "")


def test_control_lintian_sees_a_maintainer_who_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBEMAIL", "somebody@localhost.localdomain")
    result = lintian(make_deb.make(tmp_path))
    assert result.returncode != 0
    assert "bogus-mail-host" in result.stdout


def test_the_manual_page_has_no_warning_of_groff(tmp_path: Path) -> None:
    if shutil.which("man") is None:
        leave_out("man is not installed")
    subprocess.run(["dpkg-deb", "-x", str(make_deb.make(tmp_path)), str(tmp_path / "root")], check=True)
    page = tmp_path / "root/usr/share/man/man8/fence_bmc.8.gz"
    env = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""}
    result = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True, check=False, env=env)
    warnings = [line for line in result.stderr.splitlines() if "troff" in line or "warning" in line]
    assert (result.returncode, warnings) == (0, [])
    assert "EXIT STATUS" in result.stdout


def make_sbom(file: Path) -> dict[str, object]:
    """The command validates the document against the schema before it writes it."""
    line = [sys.executable, "-W", "error", "-m", "tools.make_sbom", str(file)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(file.read_text("utf-8"))
    assert isinstance(document, dict)
    return document


def test_the_bill_of_materials_names_what_fencelab_asks_for_and_no_tool_of_its_developers(tmp_path: Path) -> None:
    document = make_sbom(tmp_path / "sbom.json")
    components = document["components"]
    assert isinstance(components, list)
    scopes = {each["name"]: each["scope"] for each in components}
    assert scopes["flask"] == scopes["werkzeug"] == "required"
    assert scopes["docker"] == "optional"
    assert not {"mypy", "ruff", "ansible", "hypothesis"} & set(scopes)
    assert all(each["version"] and each["purl"].startswith("pkg:pypi/") for each in components)


def test_the_same_environment_gives_the_same_bill_of_materials(tmp_path: Path) -> None:
    make_sbom(tmp_path / "one.json")
    make_sbom(tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
