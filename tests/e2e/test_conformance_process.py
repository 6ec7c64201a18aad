"""Programs under observation: nothing is missed, nothing is left behind, and nothing waits longer than the cap."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from conformance.adapters.base import CannotStart, Interrupted
from conformance.adapters.programs import RECORDED_TOOLS, find, lack
from tests import watched_runs
from tests.watched_runs import MODES, Runner


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.setenv("SECRET_OF_THE_USER", "x")
    return watched_runs.runner_in(tmp_path, monkeypatch)


def test_output_exit_code_and_input_come_through(play: Runner) -> None:
    ended = play("read line; echo out $line; echo err >&2; exit 3", stdin="hello\n")
    assert (ended.exit, ended.stdout, ended.stderr, ended.leftover) == (3, "out hello\n", "err\n", ())


def test_the_environment_is_clean(play: Runner) -> None:
    stdout = play("env").stdout
    assert "GIVEN=yes" in stdout
    assert "SECRET_OF_THE_USER" not in stdout


def test_the_end_is_stamped_before_anything_else(play: Runner) -> None:
    stamps: list[str] = []
    ended = play("sleep 0.3", on_end=lambda: stamps.append("ended"))
    assert stamps == ["ended"]
    assert ended.duration >= 0.3


def test_at_the_cap_the_whole_group_is_killed(play: Runner) -> None:
    ended = play("sleep 600 & sleep 600", cap=0.5)
    assert ended.exit is None
    assert watched_runs.left_over() == ()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "how",
    [
        "sleep 600 &",
        "setsid sleep 600 >/dev/null 2>&1 &",
        "env -i setsid sleep 600 >/dev/null 2>&1 &",
        "(env -i setsid sleep 600 &)",
        "exec <&- >&- 2>&-; sleep 600 & exit 0",
    ],
)
def test_what_outlives_the_fencer_is_named_and_ended(play: Runner, how: str, mode: str) -> None:
    ended = play(how, mode=mode)
    assert ended.leftover == ("sleep",)
    assert watched_runs.left_over() == ()  # and its watchers, which saw them all end, are gone


def test_a_child_that_is_just_ending_is_no_leftover(play: Runner) -> None:
    assert play("sleep 0.2 &").leftover == ()


def test_the_command_line_of_the_shortest_lived_tool_is_recorded(play: Runner) -> None:
    tool = RECORDED_TOOLS[0]
    ended = play(f"{tool} -P 'se cret' ''; {tool} again")
    assert (tool, "-P", "se cret", "") in ended.argv
    assert (tool, "again") in ended.argv
    assert "tool ran: -P se cret" in ended.stdout


def test_a_tool_that_nobody_thought_of_is_seen_while_it_runs(play: Runner) -> None:
    ended = play("sleep 0.4; true")
    assert ("sleep", "0.4") in ended.argv


def test_a_fencer_that_does_not_listen_is_not_an_error(play: Runner) -> None:
    assert play("exit 0", stdin="x" * 200_000).exit == 0


def test_endless_output_neither_blocks_nor_fills_the_memory(play: Runner) -> None:
    ended = play("head -c 3000000 /dev/zero; exit 0")
    assert ended.exit == 0
    assert len(ended.stdout) < 300_000


def test_a_user_who_wants_out_ends_the_fencer(play: Runner) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    with pytest.raises(Interrupted):
        play("sleep 600", stop=stop, cap=60)
    timer.join()


def test_programs_are_found_by_name_and_beside_the_fencer_file(tmp_path: Path) -> None:
    script = tmp_path / "agent"
    script.write_text("#!/bin/sh\n")
    assert find("./agent", tmp_path) is None  # not executable
    script.chmod(0o755)
    assert find("./agent", tmp_path) == str(tmp_path / "agent")
    assert find("sh", tmp_path) is not None
    assert find("no-such-program-anywhere", tmp_path) is None


def test_a_program_beside_the_fencer_file_needs_no_slash(tmp_path: Path) -> None:
    script = tmp_path / "sh-of-mine"
    script.write_text("#!/bin/sh\n")
    assert lack("sh-of-mine", tmp_path) == f"{script} is not executable (chmod +x)"
    script.chmod(0o755)
    assert find("sh-of-mine", tmp_path) == str(script)
    assert lack("no-such-program-anywhere", tmp_path) == "no-such-program-anywhere is not installed"


@pytest.mark.parametrize(
    ("script", "said"), [("echo no first line", "begins with #!"), ("#!/no/such/shell\n", "the interpreter")]
)
def test_a_program_that_cannot_be_started_says_why(play: Runner, tmp_path: Path, script: str, said: str) -> None:
    program = tmp_path / "agent"
    program.write_text(script)
    program.chmod(0o755)
    with pytest.raises(CannotStart, match=said):
        play("", argv=(str(program),))


def test_the_signal_that_ended_it_is_told(play: Runner) -> None:
    assert play("kill -SEGV $$").exit == -11


def test_signals_are_as_any_program_expects_them(play: Runner) -> None:
    assert play("yes | head -1; sleep 0", cap=5).stdout == "y\n"


@pytest.mark.parametrize("mode", MODES)
def test_sigterm_goes_to_the_fencer_and_to_nobody_below_it(play: Runner, mode: str, tmp_path: Path) -> None:
    due, ready = threading.Event(), tmp_path / "ready"

    def watch() -> None:
        while not ready.exists():
            pass
        due.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    child = "sh -c 'trap \"echo the child too\" TERM; while :; do sleep 0.1; done' &"
    ended = play(f"trap 'echo told; exit 3' TERM; {child} touch {ready}; wait", sigterm=due, mode=mode)
    watcher.join(20)
    assert (ended.exit, ended.stdout, ended.conduct) == (3, "told\n", ())
    assert "sh" in ended.leftover
    assert ended.sigterm_at is not None
    assert ended.sigterm_at <= ended.duration


def test_without_an_event_there_is_no_sigterm(play: Runner) -> None:
    assert play("exit 0").sigterm_at is None
