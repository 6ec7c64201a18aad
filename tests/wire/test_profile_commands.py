"""`bmc-emulator profile ...`: list, show, diff, new, lint, check and schema, as a user types them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emulator.cli import cli
from emulator.profile_commands.check import checked
from emulator.profile_commands.checked_cell import CheckedCell
from profiles import load
from profiles.loader import path as shipped

OURS = """schema: profile/1
id: ours
title: Ours
extends: dell-idrac9
firmware: {modelled_on: x}
sources: {lab: {ref: our lab}}
power:
  table:
    Off: {ForceOff: [no_op, captured, lab], Nmi: "?"}
"""


def ask(*words: str) -> Result:
    return CliRunner().invoke(cli, ["profile", *words])


@pytest.fixture
def ours(tmp_path: Path) -> str:
    file = tmp_path / "ours.yaml"
    file.write_text(OURS, encoding="utf-8")
    return str(file)


def test_the_list_tells_own_cells_from_inherited_and_unknown_ones(ours: str) -> None:
    (told,) = json.loads(ask("list", ours, "--json").output)
    assert (told["id"], told["kind"], told["extends"]) == ("ours", "bmc", ["dell-idrac9"])
    assert told["cells"]["own"] == 1
    (parent,) = json.loads(ask("list", "dell-idrac9", "--json").output)
    its_own = not load("dell-idrac9").power.table["Off"]["Nmi"].assumed
    assert told["cells"]["unknown"] == parent["cells"]["unknown"] + its_own
    everything = {each["id"]: each["kind"] for each in json.loads(ask("list", "--json").output)}
    assert everything["pdu-generic"] == "pdu"
    assert everything["enclosure-generic"] == "enclosure"
    assert everything["openbmc"] == "base"


def test_a_folder_is_listed_and_an_empty_one_is_said(ours: str, tmp_path: Path) -> None:
    assert "ours" in ask("list", str(Path(ours).parent)).output
    (tmp_path / "empty").mkdir()
    result = ask("list", str(tmp_path / "empty"))
    assert (result.exit_code, "no .yaml file in this folder" in result.output) == (2, True)


def test_show_tells_where_each_value_comes_from(ours: str) -> None:
    lines = ask("show", ours, "power.table.Off").output.splitlines()
    origins = {line.split()[0]: line.rpartition("# ")[2] for line in lines}
    assert origins["power.table.Off.ForceOff"] == "ours.yaml:9"
    assert re.fullmatch(r"dell-idrac9\.yaml:\d+", origins["power.table.Off.On"])
    assert re.fullmatch(r"dmtf-generic\.yaml:\d+", origins["power.table.Off.ForceOn"])
    told = [json.loads(line) for line in ask("show", ours, "title", "--json").output.splitlines()]
    assert told == [{"path": "title", "value": "Ours", "file": ours, "line": 3}]
    result = ask("show", ours, "powr")
    assert (result.exit_code, "did you mean" in result.output) == (2, True)


def test_diff_shows_the_outcome_that_differs_and_no_evidence_unless_asked(ours: str) -> None:
    result = ask("diff", "dell-idrac9", ours)
    paths = [line.partition(":")[0] for line in result.output.splitlines()]
    assert result.exit_code == 1
    assert "power.table.Off.ForceOff" in paths
    assert "power.table.Off.On" not in paths
    assert not [path for path in paths if path.startswith("sources.")]
    assert "sources.lab.ref" in ask("diff", "dell-idrac9", ours, "--evidence").output
    assert ask("diff", ours, ours).exit_code == 0


def test_new_writes_a_profile_that_lints_and_behaves_as_its_parent(tmp_path: Path) -> None:
    result = ask("new", "our-board", "--extends", "openbmc-x86", "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    file = tmp_path / "our-board.yaml"
    assert load(file).power.table == load("openbmc-x86").power.table
    assert ask("lint", str(file)).exit_code == 0
    again = ask("new", "our-board", "--extends", "openbmc-x86", "--out", str(tmp_path))
    assert (again.exit_code, "exists already" in again.output) == (2, True)


def test_new_may_extend_a_file(ours: str, tmp_path: Path) -> None:
    result = ask("new", "child", "--extends", ours, "--out", str(tmp_path / "deeper"))
    assert result.exit_code == 0, result.output
    assert load(tmp_path / "deeper" / "child.yaml").power.table["Off"]["ForceOff"].outcome == "no_op"


@pytest.mark.parametrize("name", ["Our Board", "../x", ""])
def test_new_refuses_a_name_that_is_none(name: str, tmp_path: Path) -> None:
    result = ask("new", name, "--extends", "openbmc-x86", "--out", str(tmp_path))
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])


def test_lint_tells_all_mistakes_with_places_as_json(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(OURS.replace("no_op", "nop").replace("title: Ours", "titel: Ours"), encoding="utf-8")
    result = ask("lint", str(file), "--json")
    told = json.loads(result.output)
    assert (result.exit_code, told["ok"]) == (2, False)
    assert {(p["line"], p["path"]) for p in told["problems"]} >= {(3, "titel"), (9, "power.table.Off.ForceOff[0]")}
    assert json.loads(ask("lint", "dell-idrac9", "--json").output)["cells"]["total"] > 10


def test_the_schema_is_json() -> None:
    assert json.loads(ask("schema").output)["$id"] == "profile/1"


def test_a_mistake_in_a_profile_ends_each_command_with_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("schema: profile/1\nid: bad\n", encoding="utf-8")
    for words in (("list", str(file)), ("show", str(file)), ("diff", str(file), "dell-idrac9"), ("check", str(file))):
        result = ask(*words)
        assert (result.exit_code, "bad.yaml" in result.output, "Traceback" in result.output) == (2, True, False), words


# -- check -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cells() -> list[CheckedCell]:
    return list(checked(load("dell-idrac9")))


@pytest.mark.long
def test_the_service_does_what_the_file_says_over_both_protocols(cells: list[CheckedCell]) -> None:
    assert [cell for cell in cells if not cell.ok] == []
    paths = {cell.path for cell in cells}
    assert {"power.table.On.ForceOff", "power.table.Off.ForceOff", "ipmi.chassis.On.soft", "ipmi.chassis.Off.up"} <= paths
    assert next(cell for cell in cells if cell.path == "power.table.Off.ForceOff").found.startswith("HTTP 409, ")


def test_what_has_no_systems_cannot_be_checked() -> None:
    result = ask("check", "pdu-generic")
    assert (result.exit_code, "pdu-generic is a PDU" in result.output) == (2, True)
    assert shipped("pdu-generic").is_file()


def test_a_system_without_a_reset_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "mute.yaml"
    file.write_text(
        "schema: profile/1\nid: mute\ntitle: t\nextends: dmtf-generic\nsources: {me: {ref: our lab}}\n"
        "resources:\n  merge: {/redfish/v1/Systems/437XR1138R2: {Actions: {'#ComputerSystem.Reset': null}}}\n"
        "  evidence: {merge: [captured, me]}\n"
    )
    result = ask("check", str(file))
    assert result.exit_code == 2
    assert "shows no ComputerSystem.Reset (HTTP 200)" in result.output
