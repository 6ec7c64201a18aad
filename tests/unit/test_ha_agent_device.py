"""A fence agent as a device: a scripted one, which notes how it is called and says what its test wants."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

import pytest

from fencer.ha.agent_device import MOST_OUTPUT, FenceAgent
from fencer.ha.bmc import BmcReadFailed
from fencer.ha.observations import CommandResult
from fencer.outcome import Cause, Power

PASSWORD = "kept-out-of-sight"
AGENT = """#!{python} -SI
import os, sys
given = dict(line.split("=", 1) for line in sys.stdin.read().splitlines())
with open("calls", "a") as file:
    words = [given["action"], given.get("plug", "-"), *sys.argv[1:]]
    file.write(" ".join(words) + " |" + given.get("password", "") + "\\n")
state = "state" + given.get("plug", "")
power = open(state).read().strip() if os.path.exists(state) else "ON"
{body}
if given["action"] == "status":
    print("Status: " + power)
    sys.exit(2 if power == "OFF" else 0)
if not os.path.exists("deaf"):
    open(state, "w").write("OFF")
print("Success: Powered OFF")
"""


def agent(path: Path, body: str = "", plugs: tuple[str, ...] = (), password: str = PASSWORD) -> FenceAgent:
    file = path / "fence_scripted"
    file.write_text(AGENT.format(python=sys.executable, body=body))
    file.chmod(0o755)
    return FenceAgent(command=str(file), options={"ip": "192.0.2.1"}, password=password, plugs=plugs, cwd=path)


def calls(path: Path) -> list[str]:
    return (path / "calls").read_text().splitlines()


def failure(device: FenceAgent, timeout: float = 20.0) -> tuple[Cause, str]:
    with pytest.raises(BmcReadFailed) as caught:
        device.read(timeout)
    return caught.value.failure.cause, caught.value.failure.text


def test_the_password_and_the_plug_go_to_standard_input_and_nothing_to_the_arguments(tmp_path: Path) -> None:
    assert agent(tmp_path, plugs=("3",)).read(20.0).power is Power.ON
    assert calls(tmp_path) == [f"status 3 |{PASSWORD}"]
    assert PASSWORD not in repr(agent(tmp_path))


def test_status_comes_first_then_off_and_the_agents_own_success_is_only_accepted(tmp_path: Path) -> None:
    (tmp_path / "deaf").touch()
    device = agent(tmp_path, plugs=("3",))
    assert device.off(20.0, lambda: True).result is CommandResult.ACCEPTED
    assert device.read(20.0).power is Power.ON, "it said success and nothing happened"
    assert [call.split()[0] for call in calls(tmp_path)] == ["status", "off", "status"]


def test_all_plugs_of_a_host_are_one_device(tmp_path: Path) -> None:
    device = agent(tmp_path, plugs=("3", "4"))
    (tmp_path / "state3").write_text("OFF")
    reading = device.read(20.0)
    assert (reading.power, reading.word) == (Power.MIXED, "some On")
    assert device.off(20.0, lambda: True).result is CommandResult.ACCEPTED
    assert device.read(20.0).power is Power.OFF


def test_nothing_is_sent_without_a_permit_nor_to_a_host_that_is_off_nor_blindly(tmp_path: Path) -> None:
    device = agent(tmp_path)
    assert device.off(20.0, lambda: False).result is CommandResult.NOT_SENT
    (tmp_path / "state").write_text("OFF")
    assert device.off(20.0, lambda: True).result is CommandResult.NOT_SENT
    (tmp_path / "state").unlink()
    assert agent(tmp_path, "sys.exit(1)").off(20.0, lambda: True).result is CommandResult.FAILED
    assert {call.split()[0] for call in calls(tmp_path)} == {"status"}


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("sys.exit(2)", "Off is believed if it ends with 2 and says 'Status: OFF'"),
        ("print('Status: OFF'); sys.exit(0)", "ended with 0 and said 'Status: OFF'"),
        ("print('Status: ON'); sys.exit(2)", "said 'Status: ON'"),
        ("print('Status: ON'); print('Status: OFF'); sys.exit(2)", "ended with 2"),
        ("print('Status: OFF'); sys.exit(1)", "ended with 1"),
        ("print('usage: off'); sys.exit(2)", "ended with 2"),
        ("sys.stderr.write('Unable to connect/login to fencing device\\n'); sys.exit(1)", "Unable to connect/login"),
    ],
)
def test_only_exit_2_with_the_word_is_off(tmp_path: Path, body: str, part: str) -> None:
    cause, text = failure(agent(tmp_path, body))
    assert (cause, part in text) == (Cause.UNREACHABLE, True), text


def test_a_refused_log_in_is_told_so_that_no_account_is_locked(tmp_path: Path) -> None:
    body = "sys.stderr.write('ERROR: 401 for password=' + given['password'] + '\\n'); sys.exit(1)"
    cause, text = failure(agent(tmp_path, body))
    assert cause is Cause.AUTH
    assert PASSWORD not in text


def ends(pid: int) -> bool:
    """Whether a process that was killed is gone, or will be at once: a signal takes its time on a busy machine."""
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([end], [], [], 20.0)[0])
    finally:
        os.close(end)


def test_an_agent_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    body = "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\nopen('child', 'w').write(str(child.pid))\nchild.wait()"
    cause, text = failure(agent(tmp_path, body), timeout=3.0)
    assert (cause, "did not end in its time" in text) == (Cause.TIMEOUT, True)
    child = int((tmp_path / "child").read_text())
    assert ends(child)


def test_an_agent_that_writes_without_end_fills_no_memory(tmp_path: Path) -> None:
    device = agent(tmp_path, "for _ in range(64): print('x' * 65536)\nsys.exit(1)")
    ended = device._run("status", "", 20.0)
    assert (ended.code, len(ended.out)) == (1, MOST_OUTPUT)


def test_an_agent_that_cannot_be_run_says_so(tmp_path: Path) -> None:
    device = FenceAgent(command="/no/such/agent", options={}, password="", plugs=(), cwd=tmp_path)
    cause, text = failure(device)
    assert (cause, "ended with 127" in text) == (Cause.UNREACHABLE, True)
    assert device.check(20.0).failure is not None
    assert agent(tmp_path).check(20.0).failure is None
    gone = FenceAgent(command="/no/such/agent", options={}, password="", plugs=(), cwd=tmp_path / "gone")
    assert "No such file" in failure(gone)[1]


def test_an_off_that_failed_may_have_worked_and_a_reset_is_not_known(tmp_path: Path) -> None:
    device = agent(tmp_path, "if given['action'] == 'off': sys.exit(1)")
    assert device.off(20.0, lambda: True).result is CommandResult.AMBIGUOUS
    assert device.reset(20.0, lambda: True).result is CommandResult.FAILED


def test_a_run_is_bounded_also_if_this_program_stands_still(tmp_path: Path) -> None:
    """The limit is kept by another process, which is the parent of the agent."""
    body = "open('parent', 'w').write(open(f'/proc/{os.getppid()}/comm').read())"
    agent(tmp_path, body).read(20.0)
    assert (tmp_path / "parent").read_text().strip() == "timeout"
