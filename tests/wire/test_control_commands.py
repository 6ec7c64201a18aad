"""Every fault from the shell, against a running emulator: its example as words, armed, listed and taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import arming_from_mapping, fault_names, mapping_from_arming
from emulator.cli import cli
from emulator.faults.registry import example_of
from tests.control_bed import ControlBed, control_bed


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlBed]:
    with pytest.MonkeyPatch.context() as patch, control_bed(patch, tmp_path_factory.mktemp("runtime")) as bed:
        yield bed


def types(*words: str) -> object:
    """What a user types behind `bmc-emulator`, with --json."""
    result = CliRunner().invoke(cli, [*words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if result.stdout else None


def word(value: object) -> str:
    match value:
        case None | bool() | dict():
            return json.dumps(value)
        case list():
            return ",".join(word(each) for each in value)
        case _:
            return str(value)


@pytest.mark.parametrize("name", fault_names())
def test_every_fault_from_the_shell(bed: ControlBed, name: str, tmp_path: Path) -> None:
    wanted = mapping_from_arming(arming_from_mapping(example_of(name)))
    params = [f"{key}={word(value)}" for key, value in dict(wanted.get("params", {})).items()]  # type: ignore[call-overload]
    when = [f"{key}={word(value)}" for key, value in dict(wanted.get("when", {})).items()]  # type: ignore[call-overload]
    options = [part for each in when for part in ("--when", each)]
    for key in ("count", "until", "probability"):
        options += [f"--{key}", str(wanted[key])] if key in wanted else []
    if isinstance(after := wanted.get("after"), dict):
        options += ["--after", ",".join(f"{key}={value}" for key, value in after.items())]
    armed = types("fault", "add", "node1", name, *params, *options)
    assert isinstance(armed, dict)
    assert armed["fault"] == wanted
    assert [each["id"] for each in types("fault", "ls")] == [armed["id"]]  # type: ignore[attr-defined]
    types("fault", "rm", armed["id"])
    assert types("fault", "ls") == []
    described = types("fault", "types", name)
    assert isinstance(described, dict)
    assert described["description"].startswith(f"### {name}")
