"""Fencers as strangers write them: odd programs, odd endings, odd places. Each gets the verdict that it deserves."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from conformance.adapters.reading import read
from conformance.result import Result
from conformance.runner import Cell, run_cell
from conformance.scenarios import BY_ID
from conformance.vocabulary import Verdict
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
    return run_cell(Cell(read(file), load("dmtf-generic"), BY_ID[scenario]), threading.Event())


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
