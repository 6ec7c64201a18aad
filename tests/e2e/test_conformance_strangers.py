"""Fencers as strangers write them: odd programs, odd endings, odd places. Each gets the verdict that it deserves."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from conformance.adapters import definition
from conformance.adapters.reading import read
from conformance.result import Result
from conformance.runner import MatrixCell, run_cell
from conformance.scenarios import BY_ID
from conformance.vocabulary import FindingKind, Verdict
from profiles import load

pytestmark = pytest.mark.timeout(120)

AGENT = """\
fencer: stranger
adapter: fence-agent
command: [./agent.sh]
params: {ip: "{bmc.host}", ipport: "{bmc.port}", password: "{bmc.password}"}
limits: {deadline: 5}
"""


def played(file: Path, scenario: str) -> Result:
    return run_cell(MatrixCell(read(file), load("dmtf-generic"), BY_ID[scenario]), threading.Event())


def agent(tmp_path: Path, script: str, mode: int = 0o755) -> Path:
    """A fence agent of that text, beside its file."""
    program = tmp_path / "agent.sh"
    program.write_text(script)
    program.chmod(mode)
    file = tmp_path / "stranger.yaml"
    file.write_text(AGENT)
    return file


def test_a_program_beside_its_file_is_found_when_the_file_is_named_relatively(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = agent(tmp_path, "#!/bin/sh\necho 'connection refused' >&2\nexit 1\n")
    monkeypatch.chdir(tmp_path.parent)
    for name in (Path(os.path.relpath(file)), file):
        assert played(name, "FAULT-010").verdict is Verdict.PASS
    monkeypatch.chdir(tmp_path)
    assert played(Path("stranger.yaml"), "FAULT-010").verdict is Verdict.PASS


REFUSED = "echo 'connection refused' >&2; exit 1\n"


@pytest.mark.long
@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ('cat > "$HOME/agent.log"; ', "the file HOME/agent.log that it left"),
        ("cat > trace.txt; ", "the file trace.txt that it left"),
        ('mkdir "$TMPDIR/a"; cat > "$TMPDIR/a/b"; ', "the file HOME/a/b that it left"),
        ("sed -n 's/^password=//p' | xargs sh -c 'sleep 0.3' sh; ", "the command line of sh"),
        ("cat; ", "its standard output"),
    ],
)
def test_a_password_in_sight_is_a_finding(tmp_path: Path, script: str, shown: str) -> None:
    result = played(agent(tmp_path, f"#!/bin/sh\n{script}{REFUSED}"), "FAULT-010")
    assert (result.verdict, result.kind) == (Verdict.HYGIENE, FindingKind.SECRET)
    assert shown in result.why


@pytest.mark.parametrize(
    "script",
    ['f=$(mktemp); cat > "$f"; rm "$f"; ', "cat >/dev/null; cd /; ", 'cat >/dev/null; echo x > "$HOME/notes"; '],
)
def test_a_fencer_that_tidies_up_is_no_finding(tmp_path: Path, script: str) -> None:
    assert played(agent(tmp_path, f"#!/bin/sh\n{script}{REFUSED}"), "FAULT-010").verdict is Verdict.PASS


@pytest.mark.long
def test_one_that_ignores_every_polite_signal_hangs_and_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition, "LEAST_GRACE_S", 0.5)
    file = agent(tmp_path, "#!/bin/sh\ntrap '' TERM INT HUP\nwhile :; do sleep 1; done\n")
    file.write_text(AGENT.replace("deadline: 5", "deadline: 1"))
    result = played(file, "FAULT-010")
    assert result.verdict is Verdict.HANG


def test_one_that_crashes_has_failed_and_the_signal_is_named(tmp_path: Path) -> None:
    result = played(agent(tmp_path, "#!/bin/sh\nkill -SEGV $$\n"), "STATE-001")
    assert result.verdict is Verdict.STUCK
    assert "killed by SIGSEGV" in result.why


@pytest.mark.long
def test_binary_garbage_is_only_garbage(tmp_path: Path) -> None:
    result = played(agent(tmp_path, f"#!/bin/sh\nhead -c 300000 /dev/urandom\n{REFUSED}"), "FAULT-010")
    assert result.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("script", "mode", "said"),
    [("echo x\n", 0o755, "begins with #!"), ("#!/bin/sh\n", 0o644, "is not executable")],
)
def test_a_program_that_cannot_run_here_is_skipped_with_the_reason(tmp_path: Path, script: str, mode: int, said: str) -> None:
    result = played(agent(tmp_path, script, mode), "FAULT-010")
    assert result.verdict is Verdict.SKIP
    assert said in result.why


BOX = """
import sys

class Driver:
    @staticmethod
    def off(action, bmc):
        return "off"

async def patient(action, bmc):
    return True

def leaves(action, bmc):
    sys.exit(0)

def gives_up(action, bmc):
    sys.exit("connection refused")

def vague(action, bmc):
    return 0

def raises(action, bmc):
    raise ConnectionRefusedError("connection refused")
"""


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        ("Driver.off", Verdict.UNSAFE),
        ("patient", Verdict.UNSAFE),
        ("leaves", Verdict.UNSAFE),
        ("gives_up", Verdict.PASS),
        ("vague", Verdict.PASS),
        ("raises", Verdict.PASS),
        ("nowhere", Verdict.SKIP),
    ],
)
def test_what_a_function_returns_is_its_claim(tmp_path: Path, target: str, verdict: Verdict) -> None:
    result = function_played(tmp_path, f"command: box:{target}")
    assert result.verdict is verdict, result.why


def test_a_function_may_be_named_for_one_action(tmp_path: Path) -> None:
    assert function_played(tmp_path, "actions: {off: 'box:Driver.off'}").verdict is Verdict.UNSAFE


def function_played(directory: Path, which: str) -> Result:
    (directory / "box.py").write_text(BOX)
    file = directory / "box.yaml"
    file.write_text(f"fencer: box\nadapter: python\n{which}\nlimits: {{deadline: 10}}\n")
    return played(file, "FAULT-010")
