"""`bmc-emulator profile probe` on real sockets, as a user types it: against an emulator that stands in for hardware."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emulator import Emulator, HostSpec, UnitSpec
from emulator.cli import cli
from emulator.core.journal import EventKind
from profiles import lint, load
from profiles.scale import at_scale
from tests.emulator_bed import of_kind

pytestmark = pytest.mark.long


PASSWORD = "c4nary-Passw0rd!"
QUICK = ("--interval", "0.02", "--settle", "0.3", "--patience", "20", "--boot", "0")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A Dell with few ResetTypes and times of a hundredth."""
    dell = at_scale(load("dell-idrac9"), 0.01)
    few = replace(dell, power=replace(dell.power, reset_types=("On", "ForceOff", "ForceRestart")))
    with Emulator([UnitSpec(name="node1", profile=few, hosts=(HostSpec(),), password=PASSWORD)], latency=False) as running:
        yield running


def probe(emulator: Emulator, out: Path, name: str, typed: str, *more: str) -> Result:
    endpoint = emulator.endpoints["node1"]
    words = ["profile", "probe", endpoint.redfish_url, "--i-will-power-cycle", name, "--out", str(out)]
    words += ["--user", endpoint.username, "--insecure", "--ipmi-port", str(endpoint.ipmi_port), *QUICK, *more]
    return CliRunner(env={"BMC_PASSWORD": PASSWORD}).invoke(cli, words, input=typed)


def commands(emulator: Emulator) -> int:
    return len(of_kind(emulator, EventKind.COMMAND))


@pytest.mark.long
def test_a_probe_writes_a_profile_whose_cells_are_captured(emulator: Emulator, tmp_path: Path) -> None:
    out = tmp_path / "our-board.yaml"
    name = emulator.endpoints["node1"].systems[0].id
    result = probe(emulator, out, name, f"{name}\n")
    assert result.exit_code == 0, result.output
    assert "On  ForceOff: HTTP 204; " in result.output
    assert "Off ipmi down: code 0x" in result.output
    assert "the machine is On, as it was found" in result.output
    assert PASSWORD not in out.read_text() + result.output
    assert lint(out).ok
    found, source = load(out), load("dell-idrac9")
    assert found.extends == ("dell-idrac9",)
    for word in ("On", "ForceOff"):
        cell, expected = found.power.table["Off"][word], source.power.table["Off"][word]
        assert cell.evidence.sources == ("probe",)
        assert found.power.outcomes[cell.outcome].reply == source.power.outcomes[expected.outcome].reply
    code = source.ipmi.chassis["Off"]["down"].completion_code
    assert found.ipmi.chassis["Off"]["down"].completion_code == code


@pytest.mark.parametrize("typed", ["", "\n", "yes\n", "y\n"])
def test_nothing_is_sent_unless_the_name_is_typed(emulator: Emulator, tmp_path: Path, typed: str) -> None:
    name = emulator.endpoints["node1"].systems[0].id
    result = probe(emulator, tmp_path / "x.yaml", name, typed, "--no-ipmi")
    assert (result.exit_code, "that is not the name: nothing was sent" in result.output) == (2, True), result.output
    assert commands(emulator) == 0
    assert list(tmp_path.iterdir()) == []


def test_another_machine_is_left_alone(emulator: Emulator, tmp_path: Path) -> None:
    result = probe(emulator, tmp_path / "x.yaml", "prod-db", "prod-db\n", "--no-ipmi")
    assert (result.exit_code, "no system of this BMC is 'prod-db'" in result.output) == (2, True), result.output
    assert commands(emulator) == 0


def test_there_is_no_option_that_says_yes(emulator: Emulator, tmp_path: Path) -> None:
    result = probe(emulator, tmp_path / "x.yaml", "x", "", "--yes")
    assert (result.exit_code, "No such option" in result.output) == (2, True), result.output


def test_a_file_that_cannot_be_the_profile_is_said_before_anything_is_sent(emulator: Emulator, tmp_path: Path) -> None:
    taken = tmp_path / "taken.yaml"
    taken.write_text("mine")
    for out, said in (
        (taken, "exists already"),
        (tmp_path / "Our Board.yaml", "a file such as"),
        (tmp_path / "no/x.yaml", "no folder"),
    ):
        result = probe(emulator, out, "x", "x\n")
        assert (result.exit_code, said in result.output) == (2, True), result.output
    assert taken.read_text() == "mine"


def test_a_wrong_ipmi_port_is_said_before_anything_is_sent(emulator: Emulator, tmp_path: Path) -> None:
    name = emulator.endpoints["node1"].systems[0].id
    result = probe(emulator, tmp_path / "x.yaml", name, f"{name}\n", "--ipmi-port", "9")
    assert (result.exit_code, "give --no-ipmi to probe Redfish alone" in result.output) == (2, True), result.output
    assert commands(emulator) == 0
