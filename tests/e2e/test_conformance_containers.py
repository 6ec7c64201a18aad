"""Fencers in containers, with an engine of the test's own in place of docker: what it is told, and what becomes of the answer."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from conformance.adapters import definition
from conformance.adapters.reading import FencerFileError, read
from conformance.result import Result
from conformance.runner import MatrixCell, run_cell
from conformance.scenarios import BY_ID
from conformance.vocabulary import Protocol, Verdict
from profiles import load

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

AGENT = """\
fencer: boxed
adapter: container
engine: ./engine
image: registry.example/my-fencer:1
command: [my-fencer]
params: {ip: "{bmc.host}", ipport: "{bmc.port}", password: "{bmc.password}", password_file: "{bmc.password_file}"}
mounts: {./conf: /etc/my-fencer}
limits: {deadline: 5}
"""
TOOL = """\
fencer: boxed
adapter: container
engine: ./engine
image: my-tool
actions:
  "off":
    {argv: [tool, "{bmc.url}", "off"], stdin: "{bmc.password}", env: {SECRET: "{bmc.password}"}, claim: {stdout: "refused: none"}}
limits: {deadline: 5}
"""
ENGINE = """\
#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case $1 in
version) %(version)s;;
image) %(image)s;;
rm) exit 0;;
run) %(run)s;;
esac
"""


def boxed(tmp_path: Path, file: str, *, version: str = "echo 28", image: str = "exit 0", run: str = "exit 1") -> Path:
    engine = tmp_path / "engine"
    engine.write_text(ENGINE % {"version": version, "image": image, "run": run})
    engine.chmod(0o755)
    path = tmp_path / "boxed.yaml"
    path.write_text(file)
    return path


def played(file: Path, scenario: str = "FAULT-010") -> Result:
    return run_cell(MatrixCell(read(file), load("dmtf-generic"), BY_ID[scenario]), threading.Event())


def calls(tmp_path: Path, word: str) -> list[list[str]]:
    lines = (line.split() for line in (tmp_path / "calls").read_text().splitlines())
    return [line for line in lines if line[0] == word]


REFUSED = "echo 'connection refused' >&2; exit 1"


def test_the_engine_runs_the_image_in_the_network_of_the_host(tmp_path: Path) -> None:
    assert played(boxed(tmp_path, AGENT, run=REFUSED)).verdict is Verdict.PASS
    line = calls(tmp_path, "run")[0]
    assert line[:5] == ["run", "--rm", "--interactive", "--pull", "never"]
    assert line[line.index("--network") + 1] == "host"
    assert line[line.index("--volume") + 1] == f"{tmp_path}/conf:/etc/my-fencer:ro"
    assert line[-2:] == ["registry.example/my-fencer:1", "my-fencer"]


def test_the_program_is_told_on_standard_input_and_by_names_of_variables(tmp_path: Path) -> None:
    heard = 'read -r word; [ "$word" = "$SECRET" ] && [ -n "$word" ] && echo "connection refused: both" >&2; exit 1'
    result = played(boxed(tmp_path, TOOL, run=heard))
    assert "refused: both" in result.said
    line = calls(tmp_path, "run")[0]
    assert line[line.index("--env") + 1] == "SECRET"
    assert line[-3] == "tool"
    assert result.verdict is Verdict.PASS, result.why  # so no password was seen in any command line


def test_a_password_file_is_seen_under_the_same_path(tmp_path: Path) -> None:
    file = boxed(tmp_path, AGENT + "capabilities: [off, status, password-file, redfish]\n", run="cat >/dev/null; exit 1")
    played(file, "AUTH-009")
    volumes = [word for line in calls(tmp_path, "run") for word in line if word.endswith(":ro")]
    source, to, _ = next(word for word in volumes if "my-fencer" not in word).split(":")
    assert source == to


def test_the_signs_of_an_action_decide_on_the_claim(tmp_path: Path) -> None:
    result = played(boxed(tmp_path, TOOL, run="echo 'refused: none'"), "STATE-016")
    assert result.verdict is Verdict.UNSAFE


@pytest.mark.long
def test_a_container_that_goes_on_at_the_cap_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition, "LEAST_GRACE_S", 0.5)
    result = played(boxed(tmp_path, AGENT.replace("deadline: 5", "deadline: 1"), run="while :; do sleep 1; done"))
    assert result.verdict is Verdict.HANG
    started, removed = calls(tmp_path, "run"), calls(tmp_path, "rm")
    assert [line[-1] for line in removed] == [line[line.index("--name") + 1] for line in started]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            {"version": "echo 'Cannot connect to the daemon' >&2; exit 1"},
            "no container engine answers to ./engine: Cannot connect",
        ),
        ({"image": "exit 1"}, "the image registry.example/my-fencer:1 is not here"),
        (
            {"run": "echo 'engine: no space left' >&2; exit 125"},
            "./engine cannot start registry.example/my-fencer:1: engine: no space",
        ),
    ],
)
def test_what_the_machine_lacks_is_one_sentence_and_no_verdict(tmp_path: Path, parts: dict[str, str], said: str) -> None:
    result = played(boxed(tmp_path, AGENT, **parts))
    assert result.verdict is Verdict.SKIP
    assert said in result.why


def test_an_engine_that_is_not_installed_is_named(tmp_path: Path) -> None:
    file = boxed(tmp_path, AGENT.replace("./engine", "no-such-engine"))
    assert read(file).ways[Protocol.REDFISH].missing() == "no-such-engine is not installed"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (AGENT.replace("image: registry.example/my-fencer:1\n", ""), "'image' is missing: the adapter container needs it"),
        (AGENT.replace("command: [my-fencer]\n", ""), "'command' is missing: the program in the image"),
        (
            AGENT.replace("[my-fencer]", '[my-fencer, "{bmc.password}"]'),
            "{bmc.password} would stand in the command line of the engine",
        ),
        (TOOL.replace('"{bmc.url}", "off"', '"{bmc.url}", "-p{bmc.password}"'), "{bmc.password} would stand in the command line"),
        (TOOL + "command: [x]\n", "command: not beside actions"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, file: str, said: str) -> None:
    with pytest.raises(FencerFileError) as caught:
        read(boxed(tmp_path, file))
    assert said in str(caught.value)
