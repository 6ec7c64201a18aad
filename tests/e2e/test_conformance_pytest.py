"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT, quick_command

HONEST = str(ROOT / "tests" / "bad_fencers" / "honest.yaml")

pytestmark = pytest.mark.timeout(300)


def run_pytest(directory: Path, *arguments: str, forked: bool = True) -> subprocess.CompletedProcess[str]:
    """A forked pytest has our packages imported already, so it is not for tests of what is imported and from where."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    program = quick_command("pytest") if forked else [sys.executable, "-m", "pytest"]
    line = [*program, "-p", "fencelab_pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(line, cwd=directory, env=environment, capture_output=True, text=True, timeout=240)


def test_scenarios_are_ordinary_tests(tmp_path: Path) -> None:
    done = run_pytest(
        tmp_path,
        f"--fencer={HONEST}",
        "--bmc-profile",
        "dell-idrac9",
        "-k",
        "STATE-001 or AGENT-003",
        "-rA",
        "--junitxml",
        "out.xml",
    )
    assert done.returncode == 0, done.stdout
    assert "PASSED honest::STATE-001[dell-idrac9]" in done.stdout
    assert "1 passed, 1 skipped" in done.stdout
    assert 'name="STATE-001[dell-idrac9]"' in (tmp_path / "out.xml").read_text()


def test_a_finding_is_the_failure_message(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--fencer", "conflict-is-off", "--bmc-profile", "dell-idrac9", "-k", "STATE-007")
    assert done.returncode == 1
    assert "UNSAFE (FALSE)  STATE-007" in done.stdout
    assert "repeat      fence-conformance run" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.long
def test_a_broken_should_fails_only_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "chatty.yaml").write_text(
        "fencer: chatty\nadapter: exec\nlimits: {deadline: 10}\nactions:\n"
        '  "off": {argv: [sh, -c, "echo Success >&2; exit 1", "{bmc.url}"]}\n'
    )
    line = ("--fencer", "chatty.yaml", "-k", "ID-002")
    lax, strict = run_pytest(tmp_path, *line), run_pytest(tmp_path, *line, "--bmc-strict")
    assert (lax.returncode, strict.returncode) == (0, 1), lax.stdout + strict.stdout
    assert "FENCE-23 (G7, SHOULD)" in strict.stdout


def test_a_catalogue_that_there_is_not_is_one_sentence(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, f"--fencer={HONEST}", "--bmc-catalogue", "1999")
    assert done.returncode == 4
    assert "no catalogue '1999'" in done.stderr


def test_without_a_fencer_the_plugin_does_and_loads_nothing(tmp_path: Path) -> None:
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance" / "__init__.py").write_text("")
    (tmp_path / "test_theirs.py").write_text(
        "import sys\ndef test_theirs():\n    assert not {'conformance', 'emulator', 'profiles', 'fencer'} & set(sys.modules)\n"
    )
    done = run_pytest(tmp_path, forked=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_a_folder_that_hides_ours_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance" / "__init__.py").write_text("")
    done = run_pytest(tmp_path, "--fencer", "ipmitool", forked=False)
    assert done.returncode == 4
    assert "hides it" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("--fencer", "nope"), (f"--fencer={HONEST}", "--bmc-profile", "nope")])
def test_what_there_is_not_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run_pytest(tmp_path, *arguments)
    assert done.returncode == 4
    assert "no " in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
