"""Rules of the source tree that no linter knows: short files, no sleeping tests, no clock on the wall in an assertion."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.source_tree import parsed, python_files, relative

MOST_LINES = 400
CLOCKS = {"time", "monotonic", "perf_counter", "monotonic_ns", "perf_counter_ns", "time_ns"}

SLEEPERS: dict[str, str] = {
    "tests/bad_fencers/honest.py": "a fencer, and fencers pause between two looks at a real BMC",
    "tests/bad_fencers/careful.py": "the same, for a BMC with bad days",
    "tests/bad_fencers/mutants_of_faults.py": "its defects: it waits for a task, or too long",
    "tests/bad_fencers/mutants.py": "the fencer that never ends",
    "tests/bad_fencers/mutants_state.py": "fencers that pause between two looks, and look wrongly",
    "tests/bad_fencers/mutants_of_drivers.py": "fencers that wait for a restart, or for a session, and read nothing meanwhile",
    "tests/bad_fencers/styles.py": "careful fencers that look less often, and longer",
    "tests/bad_fencers/honest_ipmi.py": "the same over IPMI, where a BMC is busy or nothing listens",
    "tests/bad_fencers/mutants_ipmi.py": "its defects: it tries for ever",
    "tests/ha_chaos.py": "gives processes that are killed and stopped time to do something wrong",
    "tests/ha_chaos_troubles.py": "the same; no event says that a manager has opened its store",
    "tests/peers/vendors/bed.py": "real programs switch the host, and the rail falls on the machine's clock",
    "tests/ipmi_floods.py": "paces its packets, and looks at the memory some seconds after the flood",
    "tests/peers/pacemaker/cluster.py": "asks a cluster, which has no event for it, until it is ready",
    "tests/lab/test_lab_docker.py": "asks a Docker engine, which has no event for it, until something holds",
}
"""Tests that call time.sleep, and why each may."""


def called_clocks(node: ast.AST) -> Iterator[ast.Call]:
    """Calls of a clock: `time.monotonic()`, or `monotonic()` where a name is imported from `time`."""
    for inner in ast.walk(node):
        match inner:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="time"), attr=name)) if name in CLOCKS:
                yield inner
            case ast.Call(func=ast.Name(id=name)) if name in CLOCKS - {"time"}:
                yield inner


def sleeps(tree: ast.Module) -> list[int]:
    """Lines that call time.sleep."""
    bare = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for name in node.names
        if name.name == "sleep"
    }
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="time"), attr="sleep")):
                found.append(node.lineno)
            case ast.Call(func=ast.Name(id=name)) if name in bare:
                found.append(node.lineno)
    return found


def timed_assertions(tree: ast.Module) -> list[int]:
    """Lines with an assertion about a difference of clocks: in the assertion itself, or in a variable of the same function."""
    found = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        durations = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and _is_difference(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Assert):
                names = {inner.id for inner in ast.walk(node.test) if isinstance(inner, ast.Name)}
                if _is_difference(node.test) or names & durations:
                    found.append(node.lineno)
    return sorted(set(found))


def _is_difference(node: ast.AST) -> bool:
    """Whether a clock's time is subtracted somewhere in there."""
    return any(
        isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub) and any(called_clocks(inner)) for inner in ast.walk(node)
    )


def outside_bench(*words: str) -> list[tuple[str, ast.Module]]:
    """Tests that have one of these words in their text, without tests/bench."""
    files = [path for path in python_files("tests") if not PurePosixPath(relative(path)).is_relative_to("tests/bench")]
    return [(relative(path), parsed(path)) for path in files if any(word in path.read_text("utf-8") for word in words)]


def test_no_file_is_longer_than_it_may_be() -> None:
    lines = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {file: count for file, count in lines.items() if count > MOST_LINES} == {}, "one job each: split it"


def test_no_test_sleeps() -> None:
    found = {file: sleeps(tree) for file, tree in outside_bench("sleep") if sleeps(tree)}
    assert {file: lines for file, lines in found.items() if file not in SLEEPERS} == {}, "wait for an event, or turn a clock"
    assert set(SLEEPERS) <= set(found), "a reason has outlived its sleep"


def test_no_assertion_looks_at_the_clock_on_the_wall() -> None:
    found = {file: timed_assertions(tree) for file, tree in outside_bench(*CLOCKS - {"time"}, "time.time")}
    assert {file: lines for file, lines in found.items() if lines} == {}, "claims about time are for tests/bench"


# -- controls ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["import time\ntime.sleep(1)\n", "from time import sleep\nsleep(1)\n", "from time import sleep as nap\nnap(1)\n"]
)
def test_control_a_sleep_is_found(text: str) -> None:
    assert len(sleeps(ast.parse(text))) == 1


@pytest.mark.parametrize("text", ["clock.sleep(1)\n", "def sleep(s): ...\nsleep(1)\n", "run('import time; time.sleep(60)')\n"])
def test_control_what_only_looks_like_a_sleep_is_none(text: str) -> None:
    assert sleeps(ast.parse(text)) == []


@pytest.mark.parametrize(
    "body",
    [
        "assert time.monotonic() - began < 5",
        "assert 5 > perf_counter() - began",
        "taken = time.perf_counter() - began\n    assert taken < 5",
        "taken = max(0.0, time.time() - began)\n    assert 1 < taken",
    ],
)
def test_control_an_assertion_about_elapsed_time_is_found(body: str) -> None:
    assert len(timed_assertions(ast.parse(f"def test():\n    {body}\n"))) == 1


@pytest.mark.parametrize("body", ["assert time.monotonic() < until", "assert clock.now() - began < 5", "assert taken < 5"])
def test_control_a_guard_against_hanging_and_a_virtual_clock_are_allowed(body: str) -> None:
    assert timed_assertions(ast.parse(f"def test():\n    {body}\n")) == []
