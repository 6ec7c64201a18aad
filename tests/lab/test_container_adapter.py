"""A fencer in a container of a real engine: judged like any other, and gone at its cap."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from conformance.adapters.reading import read
from conformance.result import Result
from conformance.runner import MatrixCell, run_cell
from conformance.scenarios import BY_ID
from conformance.vocabulary import Verdict
from profiles import load

FILE = """\
fencer: boxed
adapter: container
image: "{image}"
command: {command}
params: {{ip: "{{bmc.host}}", ipport: "{{bmc.port}}", username: "{{bmc.user}}", password: "{{bmc.password}}",
         ssl_insecure: "{{bmc.insecure}}", systems_uri: "{{bmc.system_uri}}"}}
limits: {{deadline: {deadline}}}
"""


def played(folder: Path, image: str, scenario: str, *, command: str = "[fence_bmc]", deadline: int = 50) -> Result:
    file = folder / "boxed.yaml"
    file.write_text(FILE.format(image=image, command=command, deadline=deadline))
    return run_cell(MatrixCell(read(file), load("dell-idrac9"), BY_ID[scenario]), threading.Event())


@pytest.mark.parametrize("scenario", ["STATE-001", "STATE-016", "AUTH-001"])
def test_a_fencer_in_a_container_is_judged_like_any_other(tmp_path: Path, image: str, scenario: str) -> None:
    result = played(tmp_path, image, scenario)
    assert result.verdict is Verdict.PASS, result.why


def test_nothing_is_left_of_a_container_that_does_not_end(tmp_path: Path, image: str) -> None:
    assert played(tmp_path, image, "STATE-001", command="[sleep, '600']", deadline=2).verdict is Verdict.HANG
    names = subprocess.run(["docker", "ps", "--all", "--format", "{{.Names}}"], capture_output=True, text=True, check=True).stdout
    assert not [name for name in names.split() if name.startswith("fencelab-") and "test" not in name]


def test_an_image_that_is_not_here_is_one_sentence(tmp_path: Path, image: str) -> None:
    result = played(tmp_path, "no-such-image", "STATE-001")
    assert (result.verdict, "the image no-such-image is not here" in result.why) == (Verdict.SKIP, True)
