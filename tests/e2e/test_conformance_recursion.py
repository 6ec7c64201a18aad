"""A fencer's module that runs the suite when it is imported, as a script without a main guard does, starts no more workers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os
from pathlib import Path
from conformance import runner
from conformance.adapters.reading import read
from conformance.scenarios import BY_ID
from profiles import load

with open("imported", "a") as file:
    file.write(f"{os.getpid()}\\n")
fencer = read(Path("fencer.yaml").absolute())
results = runner.run(runner.matrix((fencer,), {"dell-idrac9": load("dell-idrac9")}, (BY_ID["STATE-001"],)))
print(*(f"{result.verdict}: {result.why}" for result in results))


def fence(action, bmc, transport, clock):
    return "failed"
"""
FENCER = """
fencer: script
adapter: python-transport
command: "script:fence"
limits: {deadline: 5}
capabilities: ["off", "on", status, redfish]
"""


def test_it_ends_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "fencer.yaml").write_text(FENCER, encoding="utf-8")
    done = subprocess.run(
        (sys.executable, "script.py"), cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )  # the first line of a script's sys.path is its folder
    imported = (tmp_path / "imported").read_text(encoding="utf-8").split()
    assert len(set(imported)) <= 3, "the script, the worker, and the child that calls the fencer"
    assert done.returncode == 0, done.stderr
    assert "STUCK" in done.stdout or "ERROR" in done.stdout
