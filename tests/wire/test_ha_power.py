"""Who is powered off, on real sockets: `fence-ha run` as a process, BMCs that note what is sent to them.

Durations are a twentieth: a round of checks every 0.2 s, `settle` 3 s.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from fencer.ha.record import HostRecord
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from tests.wire.test_ha_run import Bmc

pytestmark = pytest.mark.long

CLI = [sys.executable, "-m", "fencer.ha.cli"]
QUICK = {
    "start_quiet": 0.0, "activity_samples": 1, "recovery_attempts": 0, "request_timeout": 40.0, "lease": 100.0,
    "device_check_first": 10.0,
}  # fmt: skip


class Site:
    """Some hosts, each with a BMC that also answers its health checks as long as it is `alive`."""

    def __init__(self, path: Path, hosts: int, **policy: float) -> None:
        self.path, self.file = path, path / "ha.yaml"
        self.bmcs = [Bmc() for _ in range(hosts)]
        self.names = [f"n{index}" for index in range(hosts)]
        self.managers: list[subprocess.Popen[str]] = []
        self.config: dict[str, object] = {
            "scale": 0.05,
            "policy": {**QUICK, **policy},
            "hosts": [
                {"name": name, "bmc": {"url": bmc.url, "username": "u", "password": "p"},
                 "health": [{"kind": "http", "url": f"{bmc.url}/alive"}]}
                for name, bmc in zip(self.names, self.bmcs, strict=True)
            ],
        }  # fmt: skip
        self.write()
        with closing(SqliteStore(path / "fence-ha.db")) as store:  # all were well before
            for name in self.names:
                store.register(HostRecord(host=name, state=HAState.AVAILABLE, seen_healthy=True), [])

    def write(self) -> None:
        self.file.write_text(json.dumps(self.config))

    def start(self) -> subprocess.Popen[str]:
        words = [*CLI, "run", str(self.file), "--json"]
        manager = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
        self.managers.append(manager)
        return manager

    def say(self, *words: str) -> subprocess.CompletedProcess[str]:
        command, *rest = words
        return subprocess.run([*CLI, command, str(self.file), *rest], capture_output=True, text=True, check=False)

    @property
    def posts(self) -> list[str]:
        return [post for bmc in self.bmcs for post in bmc.posts]

    def contact(self, index: int) -> None:
        """Waits for the first read of a System: the device check."""
        assert self.bmcs[index].gets.acquire(timeout=20)

    def reads(self, index: int, count: int) -> None:
        """Waits for `count` further reads of one System."""
        while self.bmcs[index].gets.acquire(blocking=False):
            pass
        for _ in range(count):
            assert self.bmcs[index].gets.acquire(timeout=20)

    def close(self) -> None:
        for manager in self.managers:
            manager.kill()
            manager.wait()
            assert manager.stdout is not None
            manager.stdout.close()
        for bmc in self.bmcs:
            with suppress(OSError):
                bmc.close()


@contextmanager
def site(path: Path, hosts: int, **policy: float) -> Iterator[Site]:
    made = Site(path, hosts, **policy)
    try:
        yield made
    finally:
        made.close()


def until(manager: subprocess.Popen[str], **wanted: object) -> list[dict[str, object]]:
    """All lines up to the first one that has the wanted values. The test's time-out ends a wait that is in vain."""
    assert manager.stdout is not None
    seen = []
    for line in manager.stdout:
        seen.append(json.loads(line))
        if all(seen[-1].get(key) == value for key, value in wanted.items()):
            return seen
    raise AssertionError(f"{wanted} did not come; seen {seen}")


def test_a_switch_that_hides_all_hosts_costs_no_power_and_neither_does_its_slow_return(tmp_path: Path) -> None:
    with site(tmp_path, 4, brake_window=20.0) as lab:
        manager = lab.start()
        lab.contact(3)
        for bmc in lab.bmcs:
            bmc.alive = False
        until(manager, alert="FENCE_HELD")
        for bmc in lab.bmcs[:3]:
            bmc.alive = True
            lab.reads(3, 2)
        lab.reads(3, 8)  # all others are back for longer than `brake_window`, and the last one is still silent and On
        assert lab.posts == []
        lab.bmcs[3].alive = True
        until(manager, host="n3", to="Available")
        assert lab.posts == []


def test_two_hosts_that_are_both_silent_get_no_command_until_an_operator_overrides(tmp_path: Path) -> None:
    with site(tmp_path, 2) as lab:
        manager = lab.start()
        for bmc in lab.bmcs:
            bmc.alive = False
        held = until(manager, alert="FENCE_HELD")[-1]
        assert "too few other hosts" in str(held["text"])
        assert lab.posts == []
        assert lab.say("override", "--hosts", "n0", "--reason", " ").returncode == 2
        said = lab.say("override", "--hosts", "n0", "--reason", "rack burns", "--who", "alice")
        assert said.returncode == 0, said.stderr
        until(manager, alert="FENCED", host="n0")
        assert (lab.bmcs[0].posts, lab.bmcs[1].posts) == (["ForceOff"], [])


def test_a_reset_waits_like_a_power_off_and_is_one_command(tmp_path: Path) -> None:
    with site(tmp_path, 3, recovery_attempts=1, start_quiet=40.0) as lab:
        lab.bmcs[0].alive = False
        manager = lab.start()
        until(manager, host="n0", to="Recovering")
        lab.reads(0, 2)
        assert lab.posts == [], "the manager is too young"
        until(manager, kind="power-command", step="reply", command="reset")
        assert lab.posts == ["ForceRestart"]


def test_one_bmc_for_two_hosts_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with site(tmp_path, 2) as lab:
        hosts = lab.config["hosts"]
        assert isinstance(hosts, list)
        hosts[1]["bmc"]["url"] = lab.bmcs[0].url.upper().replace("HTTP", "http") + "/"
        lab.write()
        said = lab.say("run")
        assert said.returncode == 2
        assert "n1 has the same BMC and System as n0" in said.stderr
        assert not lab.bmcs[0].gets.acquire(blocking=False)


def test_two_addresses_of_one_machine_are_found_at_first_contact_and_neither_is_commanded(tmp_path: Path) -> None:
    with site(tmp_path, 4) as lab:
        lab.bmcs[0].uuid, lab.bmcs[1].uuid = "4c4c4544-0042-3510-8057-b7c04f4e3333", "4C4C4544-0042-3510-8057-B7C04F4E3333"
        manager = lab.start()
        until(manager, alert="SAME_MACHINE")
        lab.bmcs[1].alive = False
        until(manager, alert="FENCE_HELD", host="n1")
        lab.bmcs[1].power = "Off"  # whose power is it?
        failed = until(manager, alert="FENCE_ATTEMPT_FAILED", host="n1")[-1]
        assert "nobody knows whose power it is" in str(failed["text"])
        assert lab.posts == []
        rows = [json.loads(line) for line in lab.say("status", "--json").stdout.splitlines()]
        assert rows[0]["remarks"] == ["same machine as n1"]
        lab.bmcs[2].alive = False
        until(manager, alert="FENCED", host="n2")
        assert lab.posts == ["ForceOff"], "the manager runs on for the others"


def test_a_bmc_that_could_not_fence_is_said_beforehand_and_by_check(tmp_path: Path) -> None:
    with site(tmp_path, 2) as lab:
        good = lab.say("check")
        assert good.returncode == 0, good.stdout
        lab.bmcs[1].close()
        bad = lab.say("check", "--json")
        rows = [json.loads(line) for line in bad.stdout.splitlines()]
        assert (bad.returncode, [row["ok"] for row in rows], rows[1]["reason"]) == (1, [True, False], "unreachable")
        said = until(lab.start(), alert="FENCING_UNAVAILABLE")[-1]
        assert (said["host"], said["reason"]) == ("n1", "unreachable")
        assert lab.posts == []


def test_a_host_that_is_down_and_on_again_is_a_loud_alert_and_a_status(tmp_path: Path) -> None:
    with site(tmp_path, 3) as lab:
        lab.bmcs[0].alive, lab.bmcs[0].power = False, "Off"
        manager = lab.start()
        until(manager, alert="FENCED", host="n0")
        lab.bmcs[0].power = "On"
        until(manager, alert="ON_AGAIN", host="n0")
        lab.bmcs[0].alive = True
        until(manager, alert="HOST_BACK", host="n0")
        rows = [json.loads(line) for line in lab.say("status", "--json").stdout.splitlines()]
        assert rows[0]["remarks"] == ["On again", "back, waits for enable"]
        assert lab.posts == []


def test_no_command_leaves_after_disable_was_answered(tmp_path: Path) -> None:
    with site(tmp_path, 3, max_fenced=1.0) as lab:
        manager = lab.start()
        lab.bmcs[0].alive = False
        until(manager, alert="FENCE_STARTED", host="n0")
        said = lab.say("disable", "n0")
        assert said.returncode == 0, said.stderr
        sent = len(lab.bmcs[0].posts)
        lab.bmcs[1].alive = False
        until(manager, alert="FENCED", host="n1")  # long enough for a command that was still waiting
        assert len(lab.bmcs[0].posts) == sent


def test_a_cancelled_fence_sends_nothing_until_it_is_ordered_again(tmp_path: Path) -> None:
    with site(tmp_path, 2) as lab:
        manager = lab.start()
        lab.contact(1)
        for bmc in lab.bmcs:
            bmc.alive = False
        until(manager, alert="FENCE_HELD", host="n0")
        assert lab.say("cancel", "n0", "--reason", "").returncode == 2
        said = lab.say("cancel", "n0", "--reason", "the switch was rebooted", "--who", "alice")
        assert (said.returncode, "no power-off of it was sent" in said.stdout) == (0, True), said.stderr
        lab.bmcs[1].alive = True  # nothing but the cancel holds the power-off of n0 now
        until(manager, host="n1", to="Available")
        lab.reads(0, 8)
        rows = [json.loads(line) for line in lab.say("status", "--json").stdout.splitlines()]
        assert (rows[0]["remarks"], lab.posts) == (["fence cancelled by alice: no power command"], [])
        assert lab.say("fence", "n0", "--reason", "it is dead", "--who", "alice").returncode == 0
        until(manager, alert="FENCED", host="n0")
        assert (lab.bmcs[0].posts, lab.bmcs[1].posts) == (["ForceOff"], [])


def test_an_ordered_fence_waits_for_no_samples_and_passes_no_limit(tmp_path: Path) -> None:
    with site(tmp_path, 3, activity_samples=9, max_fenced=0.1) as lab:
        manager = lab.start()
        lab.contact(2)
        said = lab.say("fence", "n0", "--reason", "looks bad")
        assert (said.returncode, "passed its last health check" in said.stderr) == (2, True)
        lab.bmcs[0].alive = False
        until(manager, alert="HEALTH_LOST", host="n0")
        assert lab.say("fence", "n0", "--reason", "its console is dead").returncode == 0
        until(manager, alert="FENCED", host="n0")
        lab.bmcs[1].alive = False
        until(manager, alert="HEALTH_LOST", host="n1")
        assert lab.say("fence", "n1", "--reason", "dead too").returncode == 0
        held = until(manager, alert="FENCE_HELD", host="n1")[-1]
        lab.reads(1, 4)
        assert [bmc.posts for bmc in lab.bmcs] == [["ForceOff"], [], []], held


def test_a_silent_witness_holds_a_power_off_also_while_other_hosts_answer(tmp_path: Path) -> None:
    """A manager that runs on a host sees that host whatever it is cut off from."""
    with site(tmp_path, 3) as lab:
        gateway = Bmc()
        lab.config["witness"] = [{"kind": "http", "url": f"{gateway.url}/alive"}]
        lab.write()
        manager = lab.start()
        lab.contact(2)
        gateway.close()
        lab.bmcs[0].alive = False
        held = until(manager, alert="FENCE_HELD", host="n0")[-1]
        assert "the witness probes of this manager do not pass" in str(held["text"])
        lab.reads(0, 4)
        assert lab.posts == []
        lab.bmcs[0].power = "Off"
        until(manager, alert="FENCED", host="n0")
        assert lab.posts == []


def test_a_confirmation_that_nobody_answered_is_withdrawn(tmp_path: Path) -> None:
    with site(tmp_path, 2) as lab:
        said = lab.say("confirm", "n0", "--fence-id", "n0-f1", "--reason", "saw it", "--who", "alice", "--wait", "0.1")
        assert (said.returncode, "is withdrawn" in said.stderr) == (2, True)
        assert lab.say("confirm", "n0", "--fence-id", "n0-f1", "--reason", "").returncode == 2
        with closing(SqliteStore(tmp_path / "fence-ha.db")) as store:
            assert store.open_requests("n0") == []


def test_the_bmc_of_a_replaced_board_is_not_believed_until_it_is_pinned(tmp_path: Path) -> None:
    with site(tmp_path, 3) as lab:
        lab.bmcs[0].uuid = "4c4c4544-0042-3510-8057-000000000001"
        manager = lab.start()
        lab.contact(0)
        lab.bmcs[0].uuid = "4c4c4544-0042-3510-8057-000000000002"
        lab.bmcs[0].alive, lab.bmcs[0].power = False, "Off"
        failed = until(manager, alert="FENCE_ATTEMPT_FAILED", host="n0")[-1]
        assert "fence-ha pin" in str(failed["text"])
        assert lab.say("pin", "n0", "--reason", "new board", "--who", "alice").returncode == 0
        until(manager, alert="FENCED", host="n0")
        assert lab.posts == []
