"""The programs in examples/ run as their README says: fencers in Go, Java, Bash and Python, and tests that know the truth.

Each is run once more with its fencer broken: it claims off without a command. Then the same test must fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.commands import ROOT, environment
from tests.lacking import leave_out

PATIENCE_S = 240
pytestmark = [pytest.mark.xdist_group("examples"), pytest.mark.timeout(2 * PATIENCE_S)]

EXAMPLES = ROOT / "examples"
OFFLINE = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GONOSUMDB": "*"}
BROKEN: Mapping[str, tuple[str, str, str]] = {
    "go": ("fence.go", "if confirmed(bmc) {\n\t\treturn nil", "if true {\n\t\treturn nil"),
    "java": ("Fence.java", "if (confirmed()) return;\n        int", "if (true) return;\n        int"),
    "python": ("fence.py", "    if confirmed():\n        return\n    order", "    if True:\n        return\n    order"),
}
"""File, text and replacement that make each claim off at once."""


def copied(language: str, folder: Path, *, broken: bool = False) -> Path:
    home = folder / language
    shutil.copytree(EXAMPLES / language, home, ignore=shutil.ignore_patterns("__pycache__", "*.class"))
    if broken:
        name, text, replacement = BROKEN[language]
        source = (home / name).read_text(encoding="utf-8")
        assert source.count(text) == 1
        (home / name).write_text(source.replace(text, replacement), encoding="utf-8")
    return home


def run(home: Path, *line: str, **more: str) -> subprocess.CompletedProcess[str]:
    """With the commands of this environment on the path, and an instance folder of its own."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = environment(PATH=path, XDG_RUNTIME_DIR=str(home), HOME=str(home), **more)
    return subprocess.run(line, cwd=home, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def in_go(home: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("go") is None:
        leave_out("go is not installed (Debian: golang-go)")
    return run(home, "go", "test", "-count=1", "./...", **OFFLINE)


def in_java(home: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("javac") is None:
        leave_out("javac is not installed (Debian: default-jdk-headless)")
    compiled = run(home, "javac", "-Xlint:all", "-Werror", "Fence.java", "FenceTest.java")
    assert compiled.returncode == 0, compiled.stderr
    return run(home, "java", "FenceTest")


def in_python(home: Path) -> subprocess.CompletedProcess[str]:
    return run(home, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")


RUNNERS = {"go": in_go, "java": in_java, "python": in_python}


@pytest.mark.parametrize("language", RUNNERS)
def test_an_example_passes(language: str, tmp_path: Path) -> None:
    result = RUNNERS[language](copied(language, tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    passed = {"go": "ok  \texample.org/fencing", "java": "1 passed, 0 failed", "python": "2 passed"}
    assert passed[language] in result.stdout


@pytest.mark.parametrize("language", RUNNERS)
def test_a_fencer_that_claims_without_commanding_fails_the_same_test(language: str, tmp_path: Path) -> None:
    result = RUNNERS[language](copied(language, tmp_path, broken=True))
    assert result.returncode != 0, result.stdout
    truth = {"go": "claimed off, and the truth is", "java": "claimed off, and the truth is", "python": "is Rail.DOWN"}
    assert truth[language] in result.stdout + result.stderr


def test_the_gate_lets_the_bash_fencer_pass_where_it_is_careful(tmp_path: Path) -> None:
    result = run(copied("bash", tmp_path), "./gate.sh", "--scenario", "STATE-001,STATE-002")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "my-bash-fencer x dell-idrac9: 2 run, 2 pass" in result.stdout


def test_the_gate_finds_what_the_bash_fencer_does_not_look_at(tmp_path: Path) -> None:
    result = run(copied("bash", tmp_path), "./gate.sh", "--scenario", "AUTH-001")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "tried refused credentials" in result.stdout


def test_the_bash_fencer_is_as_short_as_the_page_says() -> None:
    assert len((EXAMPLES / "bash" / "fence.sh").read_text(encoding="utf-8").splitlines()) <= 35


def test_no_example_leaves_its_password_in_a_command_line(tmp_path: Path) -> None:
    """The recording curl stands first on the path."""
    home = copied("bash", tmp_path)
    (home / "bin").mkdir()
    recorder = home / "bin" / "curl"
    recorder.write_text('#!/bin/sh\necho "$@" >>"$RECORD"\ncat >/dev/null\nexit 7\n')
    recorder.chmod(0o755)
    given = {"BMC_URL": "https://127.0.0.1:1", "BMC_SYSTEM": "/s", "BMC_USER": "admin", "BMC_PASSWORD": "kept-to-itself"}
    record = home / "record"
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    subprocess.run(
        ["./fence.sh", "status"], cwd=home, env={"PATH": path, "RECORD": str(record), **given}, capture_output=True, check=False,
        timeout=PATIENCE_S,
    )  # fmt: skip
    assert "https://127.0.0.1:1/s" in record.read_text()
    assert "kept-to-itself" not in record.read_text()
