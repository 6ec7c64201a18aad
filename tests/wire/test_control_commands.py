"""Every fault from the shell, against a running emulator: its example as words, armed, listed and taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import UnitSpec, arming_from_mapping, fault_names, mapping_from_arming
from emulator.cli import cli
from emulator.faults.registry import example_of
from profiles import load
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


def test_a_pdu_is_listed_by_its_outlets_and_switched_by_their_names(bed: ControlBed) -> None:
    bed.emulator.add(UnitSpec(name="pdu1", profile=load("pdu-generic")))
    shown = types("power", "pdu1/B2", "off")
    assert isinstance(shown, dict)
    assert (shown["kind"], {each["id"]: each["rail"] for each in shown["systems"]}["B2"]) == ("pdu", "down")
    text = CliRunner().invoke(cli, ["show", "pdu1"]).stdout
    assert "outlet    pdu1/B2: rail down, says Off, feeds nothing" in text
    lines = [line.split() for line in CliRunner().invoke(cli, ["ls"]).stdout.splitlines()]
    assert ["pdu1/B2", "down", "-", "Off"] in [line[3:7] for line in lines]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("pdu2", "off"), "pdu2 is a PDU: say which outlet, such as pdu2/A1"),
        (("pdu2/Z1", "off"), "pdu2 has no outlet 'Z1'"),
        (("pdu2/A1", "on", "--system", "A2"), "pdu2/A1 names a system already: leave --system out"),
        (("pdu2/A1", "hang"), "its outlets can be switched on and off, and hang is for hosts"),
    ],
)
def test_what_cannot_be_done_at_a_pdu_is_one_sentence(bed: ControlBed, words: tuple[str, ...], sentence: str) -> None:
    if "pdu2" not in bed.emulator.endpoints:
        bed.emulator.add(UnitSpec(name="pdu2", profile=load("pdu-generic")))
    result = CliRunner().invoke(cli, ["power", *words])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert sentence in result.stderr
