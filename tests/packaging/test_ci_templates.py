"""The templates for other people's CI, and the workflows of our own.

action.yml is run step by step where nothing of this checkout is installed: see tests/ci_steps.py. Not run: the upload of SARIF
and of the artifact, which only GitHub can take.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.ci_steps import ActionRun, NotAnExpression, clean_environment, evaluate, run_action
from tests.commands import PATIENCE, ROOT
from tests.packaging.conftest import Environment

ACTION, GITLAB, JENKINS = ROOT / "action.yml", ROOT / "templates" / "gitlab.yml", ROOT / "templates" / "Jenkinsfile"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[a-z-]+/[a-z-]+(/[a-z-]+)*@v\d+")
UPLOADS = {"github/codeql-action/upload-sarif@v4", "actions/upload-artifact@v4"}
pytestmark = [pytest.mark.xdist_group("ci-templates"), pytest.mark.timeout(900)]


def document(file: Path) -> dict[str, object]:
    read = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(read, dict)
    return read


def used(node: object) -> Iterator[str]:
    """Every action that a template uses."""
    if isinstance(node, Mapping):
        if isinstance(node.get("uses"), str):
            yield node["uses"]
        for value in node.values():
            yield from used(value)
    elif isinstance(node, list):
        for value in node:
            yield from used(value)


@pytest.mark.parametrize("file", [ACTION, *WORKFLOWS], ids=lambda file: file.name)
def test_actions_of_others_are_pinned_to_a_major_version(file: Path) -> None:
    names = list(used(document(file)))
    assert names
    assert [name for name in names if not PINNED.fullmatch(name)] == []


def test_the_workflows_run_the_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = {name for file in WORKFLOWS for name in re.findall(r"\bmake ([a-z-]+)$", file.read_text("utf-8"), re.MULTILINE)}
    assert called == {"check", "test", "peers", "lab-test", "profiles"}
    assert called <= targets


def test_a_change_of_profiles_alone_runs_the_small_workflow_and_not_the_large_one() -> None:
    (large,), (small,) = ([file.read_text("utf-8") for file in WORKFLOWS if file.stem == name] for name in ("ci", "profiles"))
    paths = '["profiles/vendors/**", "profiles/checked.json", "docs/profiles/**", "docs/wanted.md"]'
    assert large.count(f"paths-ignore: {paths}") == small.count(f"paths: {paths}") == 2


@pytest.mark.parametrize("file", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda file: file.name)
def test_an_issue_template_is_a_form_as_github_reads_it(file: Path) -> None:
    form = document(file)
    if file.stem == "config":
        assert form == {"blank_issues_enabled": True}
        return
    assert {"name", "description", "body"} <= form.keys()
    body = form["body"]
    assert isinstance(body, list)
    ids = [field["id"] for field in body]
    assert len(set(ids)) == len(ids)
    for field in body:
        assert field["type"] in {"input", "textarea", "dropdown", "checkboxes"}
        assert field["attributes"]["label"]
        assert ("options" in field["attributes"]) == (field["type"] in {"dropdown", "checkboxes"})


def test_the_templates_name_commands_and_pages_that_there_are() -> None:
    for file in (ROOT / ".github").rglob("*"):
        text = file.read_text("utf-8") if file.suffix in {".yml", ".md"} and "workflows" not in file.parts else ""
        for page in re.findall(r"docs/[a-z-]+\.md", text):
            assert (ROOT / page).is_file(), f"{file}: {page}"


# -- GitHub ----------------------------------------------------------------------------------------------------------------

FENCER = """fencer: theirs
adapter: exec
actions:
  "off": {argv: [/bin/sh, -c, "exit CODE"], env: {WHERE: "{bmc.url}"}}
limits: {deadline: 10}
capabilities: ["off", redfish]
"""


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ActionRun]:
    """`play(exit_code, **inputs)`: the action in a new workspace, for a fencer that ends with this code at once."""

    home = tmp_path_factory.mktemp("home")

    def play(exit_code: int, **inputs: str) -> ActionRun:
        folder = tmp_path_factory.mktemp("github")
        workspace = folder / "workspace"
        (workspace / "ci").mkdir(parents=True)
        (workspace / "ci" / "fencer.yaml").write_text(FENCER.replace("CODE", str(exit_code)))
        given = {"fencer": "ci/fencer.yaml", "profiles": "dmtf-generic", "scenarios": "TRUTH-001", "python": sys.executable}
        played = run_action(
            ACTION, given | {name.replace("_", "-"): value for name, value in inputs.items()}, workspace, folder, home
        )
        shutil.rmtree(folder / "temp")
        played.outputs = {k: str(workspace / v) if k != "exit-code" and v else v for k, v in played.outputs.items()}
        return played

    return play


@pytest.fixture(scope="module")
def of_a_liar(play: Callable[..., ActionRun]) -> ActionRun:
    """It says that it is done, and has sent nothing: UNSAFE."""
    return play(0)


@pytest.mark.long
def test_the_action_fails_as_the_gate_fails(of_a_liar: ActionRun) -> None:
    assert of_a_liar.ran == ["Install fencelab", "Run fence-conformance", "End as the gate ended"], of_a_liar.log
    assert (of_a_liar.failed, of_a_liar.exit_code, of_a_liar.outputs["exit-code"]) == (True, 3, "3"), of_a_liar.log


@pytest.mark.long
def test_the_action_writes_every_report_that_it_names(of_a_liar: ActionRun) -> None:
    paths = {name: Path(path) for name, path in of_a_liar.outputs.items() if name != "exit-code"}
    assert json.loads(paths["json"].read_text("utf-8"))["summary"]["exit_code"] == 3
    assert ElementTree.parse(paths["junit"]).find(".//failure") is not None
    assert json.loads(paths["sarif"].read_text("utf-8"))["runs"][0]["results"][0]["level"] == "error"
    assert "TRUTH-001" in paths["html"].read_text("utf-8")
    assert of_a_liar.summary == paths["markdown"].read_text("utf-8")
    assert "TRUTH-001" in of_a_liar.summary
    assert "::error " in of_a_liar.log


@pytest.mark.long
def test_what_only_github_can_run_is_uploads_and_knows_the_files(of_a_liar: ActionRun) -> None:
    given = dict(of_a_liar.not_run)
    assert set(given) == UPLOADS
    assert given["github/codeql-action/upload-sarif@v4"]["sarif_file"] == "fencing-report/fencing.sarif"
    assert given["actions/upload-artifact@v4"] == {"name": "fencing-report", "path": "fencing-report"}


@pytest.mark.long
def test_the_action_ends_well_for_a_gate_that_passes_and_takes_every_input(play: Callable[..., ActionRun]) -> None:
    """`fence_bmc` comes with the suite: nothing in the workspace is used."""
    passed = play(
        0, fencer="fence_bmc", scenarios="STATE-001,STATE-002", tier="1", seed="7", jobs="2", strict="true",
        strict_waivers="true", artifact="", upload_sarif="false", report_directory="reports/of this run",
    )  # fmt: skip
    assert (passed.failed, passed.outputs["exit-code"], passed.not_run) == (False, "0", []), passed.log
    assert passed.outputs["junit"].endswith("/reports/of this run/fencing.xml")
    assert json.loads(Path(passed.outputs["json"]).read_text("utf-8"))["seed"] == 7


@pytest.mark.long
def test_a_value_with_shell_syntax_is_a_value(play: Callable[..., ActionRun]) -> None:
    refused = play(0, scenarios='STATE-001"; touch pwned; $(touch pwned) #')
    assert (refused.failed, refused.outputs["exit-code"]) == (True, "2"), refused.log
    assert "Traceback" not in refused.log
    assert refused.outputs["sarif"] == ""
    assert "pwned" in refused.log, "the suite names what it does not know"
    assert [name for name, _ in refused.not_run] == ["actions/upload-artifact@v4"]


NAMES = {"inputs.a": "true", "inputs.b": ""}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inputs.a == 'true' && inputs.b == ''", "true"),
        ("inputs.a == 'true' && inputs.b != ''", "false"),
        ("inputs.b || 'other'", "other"),
        ("success()", "false"),
        ("always() && steps.none.outputs.x != ''", "false"),
    ],
)
def test_control_the_runner_evaluates_as_github_does(text: str, value: str) -> None:
    assert evaluate(text, NAMES, failed=True) == value


@pytest.mark.parametrize("text", ["inputs.none", "inputs.a ==", "contains(inputs.a, 'x')", "inputs.a inputs.b"])
def test_control_what_the_runner_does_not_know_is_no_value(text: str) -> None:
    with pytest.raises(NotAnExpression):
        evaluate(text, NAMES, failed=False)


# -- GitLab and Jenkins ----------------------------------------------------------------------------------------------------


def in_shell(script: str, folder: Path, installed: Environment, **variables: str) -> int:
    env = clean_environment(folder) | variables
    env["PATH"] = f"{installed.home / 'bin'}:{env['PATH']}"
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=4 * PATIENCE,
        check=False,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return done.returncode


@pytest.mark.long
def test_the_jobs_of_gitlab_play_every_cell_once(installed: Environment, tmp_path: Path) -> None:
    job = document(GITLAB)["fencing"]
    assert isinstance(job, dict)
    variables = {**job["variables"], "FENCER": "fence_bmc", "PROFILES": "dmtf-generic", "CI_NODE_TOTAL": str(job["parallel"])}
    played: list[str] = []
    for node in range(1, job["parallel"] + 1):
        script = "\n".join(job["script"]).replace("--tier", "--scenario STATE-001,STATE-002,STATE-003,STATE-004 --tier")
        assert in_shell(script, tmp_path, installed, **variables, CI_NODE_INDEX=str(node)) == 0
        report = json.loads((tmp_path / "fencing-report" / f"fencing-{node}.json").read_text("utf-8"))
        played += [result["scenario"] for result in report["results"]]
    assert sorted(played) == ["STATE-001", "STATE-002", "STATE-003", "STATE-004"]
    assert len(list(tmp_path.glob("fencing-report/fencing-*.xml"))) == job["parallel"]


def test_gitlab_finds_the_reports_where_the_script_writes_them() -> None:
    job = document(GITLAB)["fencing"]
    assert isinstance(job, dict)
    assert job["artifacts"] == {"when": "always", "paths": ["$REPORTS"], "reports": {"junit": "$REPORTS/fencing-*.xml"}}
    assert job["image"] == {"name": "$FENCELAB_IMAGE", "entrypoint": [""]}


@pytest.mark.long
def test_the_shell_step_of_jenkins_runs(installed: Environment, tmp_path: Path) -> None:
    (script,) = re.findall(r"sh '''(.*?)'''", JENKINS.read_text("utf-8"), re.DOTALL)
    settings = dict(re.findall(r"^ +([A-Z]+) = '([^']*)'$", JENKINS.read_text("utf-8"), re.MULTILINE))
    assert set(settings) == {"FENCER", "PROFILES", "TIER"}
    settings |= {"FENCER": "fence_bmc", "PROFILES": "dmtf-generic"}
    assert in_shell(script.replace("--tier", "--scenario STATE-001 --tier"), tmp_path, installed, **settings) == 0
    assert (tmp_path / "fencing-report" / "fencing.xml").exists()
