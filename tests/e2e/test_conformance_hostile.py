"""Fencers that misbehave as processes: each ends in bounded time, is told what it did, and harms nobody.

Each test is played as the suite runs where a machine allows everything, and as it falls back where it does not.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.adapters import process, process_table, subreaper
from conformance.adapters.process import Ended
from conformance.adapters.subreaper import CONFINED, ISOLATED, OPEN
from tests import watched_runs
from tests.commands import environment
from tests.lacking import leave_out
from tests.watched_runs import MODES, Runner

PROTECTED = (ISOLATED, CONFINED)
CAP_S = 1.0


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    return watched_runs.runner_in(tmp_path, monkeypatch)


def protects(mode: str, ended: Ended) -> bool:
    """Whether this machine gave what the mode asks for."""
    lacking = "no PID namespace" if mode == ISOLATED else "no limit to signals"
    return not any(lacking in sentence for sentence in ended.unprotected)


@pytest.fixture(params=PROTECTED)
def protected(request: pytest.FixtureRequest, play: Runner) -> str:
    mode: str = request.param
    if not protects(mode, play("true", mode=mode)):
        why = f"this machine cannot run a fencer {mode}"
        pytest.skip(why) if mode == CONFINED else leave_out(why)  # Landlock's signal scopes came with Linux 6.12
    return mode


@pytest.mark.parametrize("mode", MODES)
def test_a_fencer_that_behaves_is_told_nothing(play: Runner, mode: str) -> None:
    ended = play("echo hello > $HOME/log; mkdir $TMPDIR/x; (sleep 0.1) ; exit 2", mode=mode)
    assert (ended.exit, ended.conduct, ended.leftover) == (2, (), ())


def test_a_fencer_cannot_kill_its_watcher(play: Runner, protected: str) -> None:
    ended = play("kill -9 $PPID; echo alive; exit 4", mode=protected)
    assert (ended.exit, ended.stdout) == (4, "alive\n")


def test_a_fencer_that_signals_everybody_reaches_only_its_own(play: Runner, protected: str) -> None:
    bystander = subprocess.Popen(["/bin/sleep", "600"])
    try:
        ended = play(f"kill -0 {os.getpid()} && exit 99; sleep 600 & kill -9 -1; exit 4", mode=protected)
        assert ended.exit == 4
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_signal_to_the_watcher_is_told(play: Runner) -> None:
    assert play("kill -TERM $PPID; sleep 0.2; exit 4", mode=OPEN).conduct == ("sent SIGTERM to the process that watches it",)


def test_without_any_protection_the_watcher_can_be_killed_and_the_claim_is_still_judged(play: Runner) -> None:
    ended = play("kill -9 $PPID; sleep 0.3; exit 4", mode=OPEN)
    assert (ended.exit, ended.conduct) == (4, ("killed the process that watches it",))


def test_without_any_protection_both_watchers_can_be_killed_and_nothing_is_left(play: Runner, tmp_path: Path) -> None:
    killer = "read a b c outer rest < /proc/$PPID/stat; kill -9 $outer $PPID; sleep 600"
    ended = play(killer, mode=OPEN)
    assert ended.conduct == ("killed the process that watches it",)
    assert not ended.answered
    assert ended.exit == -signal.SIGKILL
    assert process_table.with_environment(str(tmp_path)) == ()


@pytest.mark.parametrize("mode", MODES)
def test_a_fencer_that_stops_itself_is_ended_at_the_cap(play: Runner, mode: str) -> None:
    ended = play("kill -STOP $$", mode=mode, cap=CAP_S)
    assert (ended.exit, ended.conduct) == (None, ("had been stopped by a signal (SIGSTOP) when its time was over",))
    assert watched_runs.left_over() == ()


def test_watchers_that_were_stopped_are_ended_as_well(play: Runner) -> None:
    ended = play("read a b c outer rest < /proc/$PPID/stat; kill -STOP $PPID $outer; sleep 600", mode=OPEN, cap=CAP_S)
    assert ended.exit is None
    assert watched_runs.left_over() == ()


@pytest.mark.parametrize("mode", MODES)
def test_a_fencer_that_ignores_signals_is_ended_at_the_cap(play: Runner, mode: str) -> None:
    ended = play("trap '' TERM INT HUP QUIT; while :; do sleep 1; done", mode=mode, cap=CAP_S)
    assert ended.exit is None
    assert ended.conduct == ()
    assert watched_runs.left_over() == ()


@pytest.mark.parametrize("mode", MODES)
def test_a_crowd_of_processes_is_ended_long_before_the_cap(play: Runner, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PROCESSES", 20)
    ended = play("for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do sleep 600 & done; wait", mode=mode, cap=60.0)
    assert ended.conduct == ("had more than 20 processes at once; the suite ended it",)
    assert not ended.answered
    assert watched_runs.left_over() == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="the kernel does not count root's processes")
def test_the_kernel_refuses_an_ordinary_user_more_processes_than_the_limit(play: Runner) -> None:
    ended = play("ulimit -u || ulimit -p", argv=("/bin/bash", "-c", "ulimit -u"), mode=ISOLATED)
    if not protects(ISOLATED, ended):
        leave_out("no PID namespace here")
    assert ended.stdout == f"{subreaper.REFUSED_BEYOND}\n"


@pytest.mark.parametrize("mode", MODES)
def test_a_file_without_end_is_cut_off(play: Runner, mode: str) -> None:
    ended = play(f"exec truncate -s {subreaper.FILE_BYTES + 1} $HOME/big", mode=mode)
    assert ended.exit == -signal.SIGXFSZ
    assert ended.conduct == ("wrote a file of more than 256 MiB",)


def test_a_home_that_fills_the_disk_ends_the_run(play: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "DISK_BYTES", 1 << 20)
    ended = play("cd $HOME; mkdir a; head -c 2000000 /dev/zero > a/b; sleep 600", cap=60.0)
    assert ended.conduct == ("filled its HOME with more than 1 MiB; the suite ended it",)


def test_output_without_end_ends_the_run(play: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "OUTPUT_BYTES", 1 << 20)
    ended = play("yes", cap=60.0)
    assert ended.conduct == ("wrote more than 1 MiB to its output; the suite ended it",)
    assert len(ended.stdout) <= process.KEPT_BYTES


@pytest.mark.parametrize("mode", MODES)
def test_a_fencer_that_closes_its_streams_is_waited_for(play: Runner, mode: str) -> None:
    ended = play("exec <&- >&- 2>&-; sleep 0.3; exit 3", mode=mode)
    assert (ended.exit, ended.conduct) == (3, ())
    assert ended.duration >= 0.3


def test_no_core_with_a_password_is_written(play: Runner) -> None:
    assert play("ulimit -c").stdout == "0\n"


def test_nonsense_in_the_pipe_of_the_watcher_is_told(play: Runner) -> None:
    write = r"case $(readlink $fd) in pipe:*) printf 'exit no\nsignal 7777\n' > $fd;; esac"
    ended = play(f"for fd in /proc/$PPID/fd/*; do {write}; done; exit 3", mode=OPEN)
    assert (ended.exit, ended.conduct) == (3, ("wrote into the pipe of the process that watches it",))


def test_records_replaced_by_a_pipe_do_not_block(play: Runner) -> None:
    ended = play("rm -f $FENCELAB_ARGV; mkfifo $FENCELAB_ARGV; exit 3")
    assert ended.exit == 3


@pytest.mark.parametrize("mode", MODES)
def test_what_is_missing_on_this_machine_is_said(play: Runner, mode: str) -> None:
    lacking = " ".join(play("true", mode=mode).unprotected)
    assert ("no PID namespace" in lacking) is (mode != ISOLATED) or mode == ISOLATED
    assert ("no limit to signals" in lacking) or mode != OPEN


def test_a_machine_without_namespaces_is_asked_once(play: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = process.SUBREAPER.read_text()
    copy = tmp_path / "subreaper.py"
    copy.write_text(text.replace("libc.unshare(CLONE_NEWPID", "libc.unshare(-1 & ~CLONE_NEWPID"))
    monkeypatch.setattr(process, "SUBREAPER", copy)
    monkeypatch.setattr(process, "_refusal", process._Refusal())
    for _ in range(2):
        ended = play("exit 3")
        assert ended.exit == 3
        assert any("no PID namespace" in s and "Invalid argument" in s for s in ended.unprotected)


def test_the_kernel_tells_what_a_fencer_executes(play: Runner) -> None:
    """A program that ends as soon as its command line stands in the record, which sampling does not write."""
    record = "${FENCELAB_ARGV%argv}executed"
    wait = f"while :; do read -r line < {record}; case $line in *secret[7]*) exit 0;; esac; done"
    ended = play(f"/bin/sh -c '{wait}' -P secret''7", mode=ISOLATED, cap=5.0)
    if any("(the kernel tells no" in sentence or "(they are" in sentence for sentence in ended.unprotected):
        leave_out("no process events here")
    assert ended.exit == 0
    assert any(line[-2:] == ("-P", "secret7") for line in ended.argv[1:])


@pytest.mark.parametrize("mode", MODES)
def test_a_stand_in_is_never_the_culprit(play: Runner, tmp_path: Path, mode: str) -> None:
    ended = play("ipmitool -P secret; ipmitool -P secret", mode=mode)
    assert "tool ran: -P secret" in ended.stdout
    assert ("ipmitool", "-P", "secret") in ended.argv
    assert not any(word.startswith(str(tmp_path / "run-0" / "watch")) for line in ended.argv[1:] for word in line)


def test_nothing_survives_a_suite_that_is_killed(play: Runner, tmp_path: Path) -> None:
    """The fencer holds a pipe open; its end is the end of whoever holds it."""
    if not protects(ISOLATED, play("true", mode=ISOLATED)):
        leave_out("no PID namespace here")
    line = tmp_path / "line"
    os.mkfifo(line)
    suite = (
        "import pathlib, pytest\n"
        "from tests.watched_runs import runner_in\n"
        f"play = runner_in(pathlib.Path({str(tmp_path / 'other')!r}), pytest.MonkeyPatch())\n"
        f"play('exec 3>{line}; echo up >&3; setsid sleep 600', cap=600.0)\n"
    )
    (tmp_path / "other").mkdir()
    running = subprocess.Popen([sys.executable, "-c", suite], env=environment())
    try:
        with line.open() as held:
            assert held.readline() == "up\n"
            running.kill()
            assert held.read() == ""
    finally:
        running.kill()
        running.wait()


def test_the_fencer_sees_only_its_own_processes(play: Runner) -> None:
    ended = play("cat /proc/$$/comm; ls /proc | grep -c '^[0-9]'", mode=ISOLATED)
    if not protects(ISOLATED, ended):
        leave_out("no PID namespace here")
    name, count = ended.stdout.split()
    assert name == "sh"
    assert int(count) < 6
