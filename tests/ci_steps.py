"""Runs the steps of a composite action of GitHub (action.yml) as far as a machine without GitHub can.

`run` steps are executed with bash, in order, with inputs, `env`, `if`, step outputs and the step summary. `uses` steps are not
run: they are listed, with what they would have been given. Knows of expressions what our templates use: `inputs.x`,
`steps.id.outputs.x`, `github.action_path`, `runner.temp`, texts in quotes, `==`, `!=`, `&&`, `||`, `always()` and `success()`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

PATIENCE_S = 400
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
TOKEN = re.compile(r"\s*(==|!=|&&|\|\||'[^']*'|[A-Za-z_][\w.-]*(?:\(\))?)")
HANDED_ON = ("PIP_", "SSL_", "REQUESTS_")
"""Variables that say where packages come from: a machine of GitHub needs none of them."""


class NotAnExpression(Exception):
    """The template uses something that this runner does not know."""


@dataclass
class ActionRun:
    """What has happened. `not_run` are the `uses` steps: the action and its `with`, filled in."""

    failed: bool = False
    exit_code: int = 0
    log: str = ""
    summary: str = ""
    ran: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    not_run: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    outputs: Mapping[str, str] = field(default_factory=dict)


def evaluate(text: str, names: Mapping[str, str], *, failed: bool) -> str:
    """The value of an expression; a comparison is `true` or `false`. Raises NotAnExpression."""
    tokens, end = [], 0
    while text[end:].strip():
        found = TOKEN.match(text, end)
        if found is None:
            raise NotAnExpression(text)
        tokens.append(found[1])
        end = found.end()
    value = _any_of(tokens, names, failed)
    if tokens:
        raise NotAnExpression(text)
    return value


def _any_of(tokens: list[str], names: Mapping[str, str], failed: bool) -> str:
    value = _all_of(tokens, names, failed)
    while tokens and tokens[0] == "||":
        tokens.pop(0)
        other = _all_of(tokens, names, failed)
        value = value if _truth(value) else other
    return value


def _all_of(tokens: list[str], names: Mapping[str, str], failed: bool) -> str:
    value = _compared(tokens, names, failed)
    while tokens and tokens[0] == "&&":
        tokens.pop(0)
        other = _compared(tokens, names, failed)
        value = other if _truth(value) else value
    return value


def _compared(tokens: list[str], names: Mapping[str, str], failed: bool) -> str:
    value = _atom(tokens, names, failed)
    if tokens and tokens[0] in ("==", "!="):
        equal = tokens.pop(0) == "=="
        return str((value == _atom(tokens, names, failed)) is equal).lower()
    return value


def _atom(tokens: list[str], names: Mapping[str, str], failed: bool) -> str:
    if not tokens:
        raise NotAnExpression("an expression ends too early")
    token = tokens.pop(0)
    if token.startswith("'"):
        return token[1:-1]
    if token == "always()":
        return "true"
    if token == "success()":
        return str(not failed).lower()
    if token.startswith("steps."):
        return names.get(token, "")  # as on GitHub: a step that did not run has no outputs
    if token not in names:
        raise NotAnExpression(f"nothing is called {token}")
    return names[token]


def _truth(value: str) -> bool:
    return value not in ("", "false", "0")


def filled(text: str, names: Mapping[str, str], *, failed: bool = False) -> str:
    return EXPRESSION.sub(lambda found: evaluate(found[1], names, failed=failed), text)


def clean_environment(home: Path) -> dict[str, str]:
    """What `env -i` leaves, a home of its own, and where packages come from."""
    inherited = {name: value for name, value in os.environ.items() if name.startswith(HANDED_ON)}
    return inherited | {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8"}


def run_action(action: Path, given: Mapping[str, str], workspace: Path, scratch: Path, home: Path) -> ActionRun:
    """Runs action.yml in `workspace`. `scratch` takes what a runner keeps beside it; pip's cache is in `home`, which several runs
    may share. An input that is required must be given."""
    document = yaml.safe_load(action.read_text(encoding="utf-8"))
    names = {"github.action_path": str(action.parent), "runner.temp": str(scratch / "temp")}
    (scratch / "temp").mkdir(parents=True)
    for name, declared in document["inputs"].items():
        names[f"inputs.{name}"] = given[name] if declared.get("required") else given.get(name, declared.get("default", ""))
    assert set(given) <= set(document["inputs"]), "an input that the action does not have"
    run = ActionRun()
    for number, step in enumerate(document["runs"]["steps"]):
        condition = str(step.get("if", "success()"))
        asked = EXPRESSION.fullmatch(condition)
        wanted = evaluate(asked[1] if asked else condition, names, failed=run.failed)
        # As on GitHub: a condition without a status function holds only while nothing has failed.
        if not _truth(wanted) or (run.failed and "always()" not in condition):
            run.left_out.append(step["name"])
        elif "uses" in step:
            run.not_run.append((step["uses"], {key: filled(str(value), names) for key, value in step["with"].items()}))
        else:
            _run_step(run, step, names, workspace, scratch / str(number), home)
    run.outputs = {name: filled(declared["value"], names) for name, declared in document.get("outputs", {}).items()}
    return run


def _run_step(
    run: ActionRun, step: Mapping[str, object], names: dict[str, str], workspace: Path, scratch: Path, home: Path
) -> None:
    assert step["shell"] == "bash"
    scratch.mkdir()
    script, summary, output = str(step["run"]), scratch / "summary", scratch / "output"
    assert not EXPRESSION.search(script), "an input in the text of a script can become a command"
    summary.touch()
    output.touch()
    declared = step.get("env", {})
    assert isinstance(declared, Mapping)
    env = clean_environment(home) | {key: filled(str(value), names) for key, value in declared.items()}
    env |= {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true", "CI": "true"}
    done = _bash(["--noprofile", "--norc", "-eo", "pipefail", "-c", script], workspace, env)
    run.ran.append(str(step["name"]))
    run.log += done.stdout
    run.summary += summary.read_text(encoding="utf-8")
    for line in output.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        names[f"steps.{step['id']}.outputs.{name}"] = value
    if done.returncode != 0 and not run.failed:
        run.failed, run.exit_code = True, done.returncode


def _bash(arguments: Sequence[str], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", *arguments], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
