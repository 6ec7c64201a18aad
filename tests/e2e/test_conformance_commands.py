"""The commands around `run`: what was found is played again, compared and drawn; a run is divided, repeated and resumed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
import yaml

from conformance import templates
from conformance.adapters import registry as adapters
from conformance.adapters.reading import read
from tests.e2e.test_conformance_cli import HONEST, cli, mutant

DELL = ("--profile", "dell-idrac9")

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]


def cells(file: Path) -> list[tuple[str, str]]:
    return [(r["scenario"], r["verdict"]) for r in json.loads(file.read_text())["results"]]


def refused(*arguments: str, code: int = 2) -> str:
    """The one sentence that a command ends with."""
    done = cli(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (sentence,) = (line for line in done.stderr.splitlines() if not line.startswith("fence-conformance: warning"))
    return sentence


# -- replay ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Two findings of one fencer."""
    folder = tmp_path / "evidence"
    scenarios = "STATE-002,TRUTH-001,STATE-001"
    file = mutant(tmp_path, "ClaimOn2xx")
    done = cli("run", "--fencer", file, *DELL, "--scenario", scenarios, "--seed", "7", "--evidence", str(folder))
    assert done.returncode == 3
    assert len(list(folder.iterdir())) >= 1
    return folder


def test_evidence_is_played_again_and_every_verdict_is_compared(tmp_path: Path, evidence: Path) -> None:
    report = tmp_path / "again.json"
    again = cli("replay", str(evidence), "--json", str(report))
    assert again.returncode == 3, again.stdout + again.stderr
    count = len(list(evidence.iterdir()))
    assert "TRUTH-001  mutant x dell-idrac9  UNSAFE, the same" in again.stderr
    assert again.stderr.splitlines()[-1] == f"replayed {count}: {count} the same, 0 other"
    data = json.loads(report.read_text())
    assert (data["seed"], data["strict"], len(data["results"])) == (7, False, count)


def test_a_fencer_that_has_been_mended_is_said_to_be_other(tmp_path: Path, evidence: Path) -> None:
    (folder,) = evidence.glob("TRUTH-001*")
    again = cli("replay", str(folder), "--fencer", HONEST)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "TRUTH-001  honest x dell-idrac9  PASS, was UNSAFE" in again.stdout
    assert again.stdout.splitlines()[-1] == "replayed 1: 0 the same, 1 other"
    file = tmp_path / "mine.yaml"
    file.write_text(file.read_text() + "# changed\n")
    changed = cli("replay", str(folder))
    assert f"warning: the fencer's file has changed since: {file}" in changed.stderr


def test_runs_of_several_seeds_are_played_again_each_with_its_own(tmp_path: Path, evidence: Path) -> None:
    file = str(tmp_path / "mine.yaml")
    cli("run", "--fencer", file, *DELL, "--scenario", "TRUTH-002", "--seed", "8", "--strict", "--evidence", str(evidence))
    count = len(list(evidence.iterdir()))
    again = cli("replay", str(evidence))
    assert again.stdout.splitlines()[-1] == f"replayed {count}: {count} the same, 0 other"
    assert "a report is of one run" in refused("replay", str(evidence), "--json", "-")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"repeat": "rm -rf /"}, "its repeat line is no line of fence-conformance run: 'rm -rf /'"),
        (
            {"repeat": "fence-conformance run --fencer x --json /etc/passwd"},
            "its repeat line cannot be used: No such option",
        ),
        ({"repeat": "fence-conformance run --fencer 'x"}, "its repeat line cannot be used: No closing quotation"),
        ({"repeat": "fence-conformance run --fencer ipmitool --profile dell-idrac9"}, "names no scenario"),
        ({"repeat": "fence-conformance run --fencer nope --profile dell-idrac9 --scenario STATE-001"}, "no fencer 'nope'"),
        (
            {"repeat": "fence-conformance run --fencer ipmitool --profile all --scenario STATE-001"},
            "one fencer and one profile, not of 1 and ",
        ),
        ({"repeat": "fence-conformance run --fencer ipmitool --profile nope --scenario STATE-001"}, "no such profile"),
        ({"repeat": "fence-conformance run --fencer , --profile dell-idrac9 --scenario STATE-001"}, "not of 0 and 1"),
        ({"scenario": "STATE-002"}, "there is no scenario STATE-002 in this suite"),
        ({"scenario": 3}, "0.scenario: Input should be a valid string"),
    ],
)
def test_evidence_that_cannot_be_played_again_is_one_sentence(tmp_path: Path, change: dict[str, str], said: str) -> None:
    folder = tmp_path / "evidence"
    cell = json.loads((Path(__file__).parent / "data" / "result.json").read_text())
    folder.mkdir()
    (folder / "result.json").write_text(json.dumps([cell | change]))
    sentence = refused("replay", str(folder))
    assert said in sentence
    assert str(folder / "result.json") in sentence


def test_what_holds_no_evidence_is_one_sentence(tmp_path: Path) -> None:
    assert "holds no evidence" in refused("replay", str(tmp_path))
    assert "is no folder" in refused("replay", str(tmp_path / "none"))


# -- compare, badge --------------------------------------------------------------------------------------------------------


def test_two_runs_are_compared(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    for fencer, report in ((HONEST, good), (mutant(tmp_path, "ClaimOn2xx"), bad)):
        text = Path(fencer).read_text()
        file = Path(fencer).with_name("one.yaml") if fencer != HONEST else Path(fencer)
        file.write_text(text) if fencer != HONEST else None
        cli("run", "--fencer", str(file), *DELL, "--scenario", "TRUTH-001,STATE-001", "--json", str(report))
    renamed = json.loads(bad.read_text())
    for result in renamed["results"]:
        result["fencer"] = "honest"
    bad.write_text(json.dumps(renamed))
    worse = cli("compare", str(good), str(bad))
    assert worse.returncode == 1, worse.stdout + worse.stderr
    assert worse.stdout.splitlines()[0].startswith(
        "worse   TRUTH-001  honest x dell-idrac9  UNSAFE (FALSE), was PASS: claimed off"
    )
    assert worse.stdout.splitlines()[-1] == "1 worse, 0 better, 0 kind, 0 new, 0 gone, 1 same"
    better = cli("compare", str(bad), str(good), "--json")
    assert better.returncode == 0
    data = json.loads(better.stdout)
    assert (data["schema"], data["exit_code"], data["same"], data["worse"]) == ("fencelab.compare/1", 0, 1, [])
    assert [(c["scenario"], c["old"]["verdict"], c["new"]["verdict"]) for c in data["better"]] == [
        ("TRUTH-001", "UNSAFE", "PASS")
    ]


def test_a_report_that_cannot_be_read_ends_with_two(tmp_path: Path) -> None:
    (tmp_path / "o.json").write_text("{}")
    assert "o.json is not a report of run --json" in refused("compare", str(tmp_path / "o.json"), str(tmp_path / "o.json"))
    assert "cannot read none.json" in refused("compare", "none.json", "none.json")
    assert "cannot read none.json" in refused("run", "--fencer", HONEST, *DELL, "--only-failed", "none.json")


def test_a_badge_is_drawn_of_a_report(tmp_path: Path) -> None:
    report, badge, direct = tmp_path / "o.json", tmp_path / "new" / "o.svg", tmp_path / "direct.svg"
    cli("run", "--fencer", HONEST, *DELL, "--scenario", "STATE-001", "--json", str(report), "--badge", str(direct))
    assert cli("badge", str(report), "--out", str(badge)).returncode == 0
    assert Xml.parse(badge).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert badge.read_text() == direct.read_text(), "the same as the run itself draws"
    assert "cannot read none.json" in refused("badge", "none.json", "--out", "-")


# -- parts, repeats, what failed -------------------------------------------------------------------------------------------


def test_three_parts_hold_exactly_the_cells_of_the_whole(tmp_path: Path) -> None:
    def played(name: str, *more: str) -> list[tuple[str, str]]:
        file = tmp_path / name
        done = cli("run", "--fencer", HONEST, *DELL, "--scenario", "ID-001,ID-002,STATE-001,AGENT", "--json", str(file), *more)
        assert done.returncode == 0, done.stdout + done.stderr
        return cells(file)

    whole = played("whole.json")
    parts = [played(f"{part}.json", "--shard", f"{part}/3") for part in (1, 2, 3)]
    assert sorted(cell for part in parts for cell in part) == sorted(whole)
    many = [played(f"{part}of9.json", "--shard", f"{part}/9", "--scenario", "STATE-001") for part in (1, 2)]
    assert all(len(part) < len(whole) for part in many)


def test_an_empty_part_writes_its_report_and_passes(tmp_path: Path) -> None:
    codes = set()
    for part in range(1, 4):
        file = tmp_path / f"{part}.json"
        done = cli("run", "--fencer", HONEST, *DELL, "--scenario", "AGENT-003", "--shard", f"{part}/3", "--json", str(file))
        codes.add((done.returncode, len(cells(file))))
    assert codes == {(0, 0), (0, 1)}, "the only cell is N/A: alone that would be 4"


def test_a_cell_is_repeated_and_what_differs_is_flaky(tmp_path: Path) -> None:
    """A fencer that works every second time: it counts its starts in a file. It has one cell, because starts of two would mix."""
    (tmp_path / "moody.sh").write_text(
        'n=$(cat "$0.n" 2>/dev/null || echo 0); echo $((n + 1)) > "$0.n"\n'
        '[ $((n % 2)) = 0 ] && exit 0; echo "authentication failed" >&2; exit 1\n'
    )
    file = tmp_path / "moody.yaml"
    file.write_text(
        "fencer: moody\nadapter: exec\nlimits: {deadline: 10}\n"
        'actions:\n  "off": {argv: [sh, ' + str(tmp_path / "moody.sh") + ', "{bmc.url}"], claim: {exit: 0}}\n'
    )
    report = tmp_path / "o.json"
    done = cli("run", "--fencer", str(file), *DELL, "--scenario", "STATE-001", "--repeat", "3", "--json", str(report))
    [result] = json.loads(report.read_text())["results"]
    assert result["verdict"] == "FLAKY", done.stdout
    assert [run["verdict"] for run in result["runs"]][:2] == ["HYGIENE", "STUCK"]
    assert len(result["runs"]) >= 3, "a run on a late machine is played once more"
    assert "3 repeats: " in done.stdout
    assert "--repeat 3" in result["repeat"]


def test_only_what_failed_is_run_again_and_how_many_passed_is_said(tmp_path: Path) -> None:
    file, first, second = mutant(tmp_path, "ClaimOn2xx"), tmp_path / "1.json", tmp_path / "2.json"
    line = ("run", "--fencer", file, *DELL, "--scenario", "STATE-001,TRUTH-001,ID-002")
    done = cli(*line, "--json", str(first), "--rate")
    failed = [scenario for scenario, verdict in cells(first) if verdict not in ("PASS", "N/A")]
    assert "TRUTH-001" in failed
    assert f"rate  {3 - len(failed)} of 3 passed" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("mutant x dell-idrac9: 3 run"), "the last line stays the one for grep"
    cli(*line, "--only-failed", str(first), "--json", str(second))
    assert [scenario for scenario, _ in cells(second)] == failed
    assert "the selection holds none of them" in refused(*line[:-1], "STATE-002", "--only-failed", str(first))
    passed = tmp_path / "3.json"
    cli("run", "--fencer", HONEST, *DELL, "--scenario", "STATE-001", "--json", str(passed))
    assert "every cell of" in refused("run", "--fencer", HONEST, *DELL, "--only-failed", str(passed), code=4)


def test_a_run_that_was_stopped_goes_on_with_what_was_left(tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    cli("run", "--fencer", HONEST, *DELL, "--scenario", "STATE-001", "--json", str(first))
    data = json.loads(first.read_text()) | {"interrupted": True, "not_run": ["honest x dell-idrac9 ID-002"]}
    first.write_text(json.dumps(data))
    done = cli("run", "--fencer", HONEST, *DELL, "--only-failed", str(first), "--json", str(second))
    assert done.returncode == 0
    assert cells(second) == [("ID-002", "PASS")]


# -- init ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("adapter", adapters.REGISTRY.shipped)
def test_every_adapter_has_a_sample_that_loads(adapter: str, tmp_path: Path) -> None:
    file = tmp_path / "fencer.yaml"
    file.write_text(templates.fencer_file(adapter))
    definition = read(file)
    assert type(next(iter(definition.ways.values()))).name == adapter
    assert definition.asks
    assert file.read_text().startswith("# ")
    assert "fence-conformance run --fencer ./fencer.yaml" in file.read_text()


def test_a_sample_is_printed_or_written_with_a_file_for_ci_and_never_over_one(tmp_path: Path) -> None:
    assert cli("init", "--adapter", "exec").stdout == templates.fencer_file("exec")
    done = cli("init", "--adapter", "exec", "--out", str(tmp_path / "new"))
    assert done.returncode == 0, done.stderr
    file, workflow = tmp_path / "new" / "fencer.yaml", tmp_path / "new" / ".github" / "workflows" / "fencing.yml"
    steps = yaml.safe_load(workflow.read_text())["jobs"]["fencing"]["steps"]
    assert any("fence-conformance run --fencer ./fencer.yaml" in step.get("run", "") for step in steps)
    file.write_text("mine")
    assert f"{file} is there already" in refused("init", "--adapter", "exec", "--out", str(tmp_path / "new"))
    file.unlink()
    assert f"{workflow} is there already" in refused("init", "--adapter", "exec", "--out", str(tmp_path / "new"))
    assert not file.exists(), "nothing is written where not all can be"


@pytest.mark.parametrize("system", templates.CI)
def test_the_command_in_a_file_for_ci_is_one_that_run_takes(system: str, tmp_path: Path) -> None:
    done = cli("init", "--adapter", "fence-agent", "--out", str(tmp_path), "--ci", system)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / templates.CI[system].file).read_text().replace("\\\n", " ")
    if system != "jenkins":
        yaml.safe_load(text)
    line = " ".join(text[text.index("fence-conformance run") :].split("--evidence evidence")[0].split())
    words = line.replace("${{ matrix.part }}", "1").replace('"$CI_NODE_INDEX/$CI_NODE_TOTAL"', "2/3").split()[1:]
    (tmp_path / "fencer.yaml").write_text(Path(HONEST).read_text().replace("command: [", f"command: [{Path(HONEST).parent}/"))
    done = cli(*words, "--scenario", "AGENT-003", cwd=tmp_path)
    assert done.returncode in (0, 4), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("init", "--adapter", "exce"), "no adapter 'exce'; did you mean 'exec'?"),
        (("init", "--adapter", "exec", "--ci", "gitlab"), "--ci needs --out DIR"),
        (("init", "--adapter", "exec", "--out", "/proc/none"), "cannot write /proc/none/fencer.yaml"),
        (("run", "--fencer", HONEST, "--shard", "4/3"), "--shard: '4/3' is no part of a whole"),
        (("run", "--fencer", HONEST, "--cluster", "tcp://127.0.0.1:1", "--jobs", "3"), "--jobs has no part"),
        (("run", "--fencer", HONEST, "--cluster", "nonsense://x"), "'nonsense://x' is no address of a scheduler"),
    ],
)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(*arguments)


@pytest.mark.parametrize(
    "command", ["run", "list", "explain", "replay", "compare", "init", "badge", "schema", "completion", "scenario"]
)
def test_every_command_has_examples(command: str) -> None:
    done: subprocess.CompletedProcess[str] = cli(command, "--help")
    assert done.returncode == 0
    assert "Examples:" in done.stdout
    assert f"fence-conformance {command}" in done.stdout
