"""Completion as a user of a shell meets it: the words that a real bash, zsh or fish offers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT, command, environment
from tests.lacking import leave_out

BASH = """
eval "$(fence-conformance completion bash)"
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_fence_conformance_completion fence-conformance "${{COMP_WORDS[COMP_CWORD]}}" 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with the command of this environment first."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "fence-conformance"
    script.write_text(f'#!/bin/sh\nexec {" ".join(command("fence-conformance"))} "$@"\n')
    script.chmod(0o755)
    return f"{folder}:{Path(sys.executable).parent}:/usr/bin:/bin"


def said(shell: str, path: str, script: str, *arguments: str) -> list[str]:
    if shutil.which(shell, path=path) is None:
        leave_out(f"{shell} is not installed")
    done = subprocess.run(
        [shell, *arguments, "-c", script], capture_output=True, text=True, env=environment(PATH=path), cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.split()


def in_bash(path: str, *words: str) -> list[str]:
    return said("bash", path, BASH.format(words=" ".join(f"'{word}'" for word in ("fence-conformance", *words))))


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("comp",), ["compare", "completion"]),
        (("run", "--fencer", "fence_r"), ["fence_redfish"]),
        (("run", "--fencer", "ipmitool,fence_b"), ["ipmitool,fence_bmc"]),
        (("run", "--profile", "dell"), ["dell-idrac9"]),
        (("run", "--scenario", "STAT"), ["STATE"]),
        (("run", "--scenario", "truth-00"), [f"TRUTH-00{n}" for n in range(1, 10)]),
        (("run", "--catalogue", ""), ["2026.1"]),
        (("explain", "STU"), ["STUCK"]),
        (("init", "--adapter", "fence"), ["fence-agent"]),
        (("init", "--ci", "gi"), ["github", "gitlab"]),
        (("run", "--only-f"), ["--only-failed"]),
    ],
)
def test_bash_completes_names(path: str, words: tuple[str, ...], offered: list[str]) -> None:
    found = in_bash(path, *words)
    assert set(offered) <= set(found)
    assert all(word.lower().startswith(words[-1].lower()) for word in found)


def test_bash_completes_files_where_no_name_fits(path: str) -> None:
    """The function asks readline for file names with compopt, which only a shell that is typed into has: so its call is seen."""
    script = 'compopt() { echo "files: $*" >&3; }\n' + BASH.format(words="fence-conformance run --fencer ./tests/bad_fencers/ho")
    assert said("bash", path, f"exec 3>&1\n{script}")[:3] == ["files:", "-o", "default"]


def test_zsh_takes_the_script_and_completes_names(path: str) -> None:
    script = """
    autoload -Uz compinit; compinit -u -D
    eval "$(fence-conformance completion zsh)"
    compadd() { print -l -- "${@[-1]}" ${(P)@[-1]} }
    _describe() { for each in ${(P)@[-1]}; do print -- ${each%%:*}; done }
    _path_files() { : }
    words=(fence-conformance run --profile dell); CURRENT=4
    _fence_conformance_completion
    """
    assert "dell-idrac9" in said("zsh", path, script, "-f")


def test_fish_takes_the_script_and_completes_names(path: str) -> None:
    script = 'fence-conformance completion fish | source; complete -C "fence-conformance run --profile dell"'
    assert "dell-idrac9" in said("fish", path, script, "--no-config")


def test_another_shell_is_refused_in_one_sentence() -> None:
    done = subprocess.run(
        [*command("fence-conformance"), "completion", "tcsh"], capture_output=True, text=True, env=environment(), timeout=60
    )
    assert done.returncode == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.stderr
    assert "Traceback" not in done.stderr
