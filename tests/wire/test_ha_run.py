"""Two `fence-ha run` processes, a BMC on a real socket, and VMs that are real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fencer import Target
from fencer.ha.bmc import BmcReadFailed, FencedBmc
from fencer.ha.cloudstack_bmc import CloudStackBmc
from fencer.ha.observations import CommandResult
from fencer.ha.record import HostRecord
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from fencer.ha.vm_executors import ExecVmExecutor, HttpVmExecutor, StartFailed


class Bmc:
    """One System; answers 409 to any reset of a chassis that is off. `hung`: GracefulShutdown is accepted and ignored."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        """`address`: 0.0.0.0 answers on every loopback address, so that many hosts have a BMC of their own."""
        self.power, self.hung, self.status, self.posts = "On", False, 204, []  # type: ignore[var-annotated]
        self.drops = 0  # so many POSTs are executed and not answered
        self.alive, self.uuid, self.gets = True, None, threading.Semaphore(0)  # `gets`: one for each read of the System
        bmc = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                system = {"@odata.id": "/redfish/v1/Systems/1"}
                action = {"#ComputerSystem.Reset": {"target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"}}
                tree = {
                    "/redfish/v1": {"Systems": {"@odata.id": "/redfish/v1/Systems"}},
                    "/redfish/v1/Systems": {"Members": [system]},
                    "/redfish/v1/Systems/1": {
                        **system, "Id": "1", "UUID": bmc.uuid, "PowerState": bmc.power, "Actions": action,
                    },
                }  # fmt: skip
                if bmc.alive:
                    tree["/alive"] = {}
                path = self.path.rstrip("/")
                if path == "/redfish/v1/Systems/1":
                    bmc.gets.release()
                self.answer(200 if path in tree else 404, tree.get(path, {}))

            def do_POST(self) -> None:
                kind = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("ResetType")
                bmc.posts.append(kind)
                if self.path.startswith("/vms/"):
                    self.answer(bmc.status, {})
                elif bmc.power == "Off":
                    self.answer(409, {"error": {"message": "already off"}})
                else:
                    if not (bmc.hung and kind == "GracefulShutdown") and kind != "ForceRestart":
                        bmc.power = "Off"
                    self.answer(204, None)

            def answer(self, status: int, body: object) -> None:
                if self.command == "POST" and bmc.drops:
                    bmc.drops -= 1
                    self.close_connection = True
                    return
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        class OnlyLoopback(ThreadingHTTPServer):
            def verify_request(self, request: object, client_address: object) -> bool:
                return isinstance(client_address, tuple) and str(client_address[0]).startswith("127.")

        self.server = OnlyLoopback((address, 0), Handler)
        self.server.daemon_threads = True
        self.port = int(self.server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def bmc() -> Iterator[Bmc]:
    made = Bmc()
    yield made
    made.close()


VM = """#!/usr/bin/env python3
import os, subprocess, sys
what, vm, host, key = sys.argv[1:]
file = f"{vm}.{key.replace('/', '_')}.pid"
if what == "start":
    try:
        os.close(os.open(file + ".taken", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        sys.exit(0)  # this key has been started
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    open(file + ".new", "w").write(str(child.pid))
    os.rename(file + ".new", file)  # whoever sees the file can read it
"""


class Lab:
    def __init__(self, path: Path, bmc: Bmc, other: Bmc) -> None:
        self.path, self.bmc, self.other, self.managers = path, bmc, other, []  # type: ignore[var-annotated]
        (path / "vm").write_text(VM)
        (path / "vm").chmod(0o755)
        (path / "a.heartbeat").touch()
        config = {
            "scale": 0.05,
            "policy": {"start_quiet": 0.0, "activity_samples": 1, "request_timeout": 40.0, "lease": 100.0},
            "hosts": [
                {"name": "a", "bmc": {"url": bmc.url, "username": "u", "password": "p"},
                 "health": [{"kind": "exec", "argv": ["test", "-e", str(path / "a.heartbeat")]}]},
                {"name": "b", "bmc": {"url": other.url, "username": "u", "password": "p"},
                 "health": [{"kind": "http", "url": f"{other.url}/alive"}]},
            ],
            "vms": [{"name": "v1", "host": "a"}, {"name": "v2", "host": "a"}],
            "executor": {"kind": "exec", "start": [str(path / "vm"), "start", "{vm}", "{host}", "{key}"],
                         "stop": [str(path / "vm"), "stop", "{vm}", "{host}", "{key}"]},
        }  # fmt: skip
        (path / "ha.yaml").write_text(json.dumps(config))  # JSON is YAML
        with closing(SqliteStore(path / "fence-ha.db")) as store:  # a was well before: a host that never was is not fenced
            store.register(HostRecord(host="a", state=HAState.AVAILABLE, seen_healthy=True), ["v1", "v2"])

    def start(self, *options: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "fencer.ha.cli", "run", str(self.path / "ha.yaml"), "--json", *options]
        manager = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
        self.managers.append(manager)
        return manager

    @staticmethod
    def lines(manager: subprocess.Popen[str], last: str) -> list[dict[str, object]]:
        """Everything up to the first line that holds `last`. The test's time-out ends a wait that is in vain."""
        assert manager.stdout is not None
        seen = []
        for line in manager.stdout:
            seen.append(json.loads(line))
            if last in line:
                return seen
        raise AssertionError(f"{last} did not come; seen {seen}")

    def vms(self) -> list[Path]:
        return sorted(self.path.glob("*.pid"))

    def close(self) -> None:
        for manager in self.managers:
            manager.kill()
            manager.wait()
            manager.stdout.close()
        for file in self.vms():
            os.kill(int(file.read_text()), signal.SIGKILL)


@pytest.fixture
def lab(tmp_path: Path, bmc: Bmc) -> Iterator[Lab]:
    other = Bmc()
    made = Lab(tmp_path, bmc, other)
    yield made
    made.close()
    other.close()


def test_the_incident_ends_with_no_power_command_and_true_alerts(lab: Lab) -> None:
    lab.bmc.power = "Off"
    (lab.path / "a.heartbeat").unlink()
    seen = lab.lines(lab.start(), "VM_RESTART_DONE")
    assert lab.bmc.posts == []
    assert [line["alert"] for line in seen if line["kind"] == "alert"] == [
        "HEALTH_LOST",
        "FENCE_STARTED",
        "FENCED",
        "VM_RESTART_DONE",
    ]
    assert len(lab.vms()) == 2


@pytest.mark.long
def test_a_manager_killed_in_the_middle_is_followed_by_another_and_each_vm_starts_once(lab: Lab) -> None:
    lab.bmc.power = "Off"
    (lab.path / "a.heartbeat").unlink()
    first = lab.start()
    lab.lines(first, "FENCE_STARTED")
    first.kill()
    seen = lab.lines(lab.start(), "VM_RESTART_DONE")
    assert [line["how"] for line in seen if line.get("alert") == "FENCED"] == ["already-off"]
    assert len(lab.vms()) == 2
    assert lab.bmc.posts == []


@pytest.mark.long
def test_cloudstacks_rules_hammer_the_same_bmc_and_never_say_down(lab: Lab) -> None:
    lab.bmc.power = "Off"
    (lab.path / "a.heartbeat").unlink()
    manager = lab.start("--policy", "cloudstack-4.22")
    seen = lab.lines(manager, "HA_FENCE_PERFORMED")
    for _ in range(3):
        seen += lab.lines(manager, "HA_FENCE_PERFORMED")
    assert {line["to"] for line in seen if line["kind"] == "state"} >= {"Suspect", "Checking", "Recovering", "Fencing"}
    assert not [line for line in seen if line.get("to") == "Fenced"]
    assert lab.bmc.posts[0] == "ForceRestart"
    assert lab.bmc.posts[1:5] == ["GracefulShutdown"] * 4
    assert lab.vms() == []


def test_cloudstacks_rules_call_a_running_host_fenced_when_it_ignores_the_shutdown(lab: Lab) -> None:
    lab.bmc.hung = True
    client = CloudStackBmc(url=lab.bmc.url, user="u", password="p")
    assert client.off(5, lambda: True).result is CommandResult.ACCEPTED
    assert lab.bmc.power == "On"
    with pytest.raises(BmcReadFailed):
        client.read(1)


@pytest.mark.long
def test_status_and_confirm_speak_with_a_running_manager(lab: Lab) -> None:
    (lab.path / "a.heartbeat").unlink()
    lab.bmc.server.shutdown()  # accepts, never answers
    manager = lab.start()
    lab.lines(manager, "FENCE_STARTED")
    cli = [sys.executable, "-m", "fencer.ha.cli"]
    config = str(lab.path / "ha.yaml")
    status = subprocess.run([*cli, "status", config, "--json"], capture_output=True, text=True, check=True).stdout
    assert json.loads(status.splitlines()[0])["state"] == "Fencing"
    words = [*cli, "confirm", config, "a", "--reason", "cords pulled", "--who", "alice", "--fence-id"]
    wrong = subprocess.run([*words, "a-f9"], capture_output=True, text=True)
    assert (wrong.returncode, "a-f1" in wrong.stderr) == (2, True)
    right = subprocess.run([*words, "a-f1"], capture_output=True, text=True)
    assert (right.returncode, right.stdout) == (0, "a-f1 is confirmed by alice; the BMC could not say otherwise\n")
    assert lab.lines(manager, "FENCED")[-1]["how"] == "manual"
    manager.send_signal(signal.SIGTERM)
    assert manager.wait() == 0


def test_executors_say_whether_nothing_was_started(bmc: Bmc, tmp_path: Path) -> None:
    def fails(argv: list[str], timeout: float = 5.0) -> bool:
        with pytest.raises(StartFailed) as caught:
            ExecVmExecutor(start_argv=argv, stop_argv=argv, cwd=tmp_path).start("v", "h", "k", None, timeout)
        return caught.value.nothing_started

    assert [fails(["false"]), fails(["sh", "-c", "exit 75"]), fails(["/no/such"]), fails(["sleep", "9"], 0.01)] == [
        False,
        True,
        True,
        False,
    ]
    ExecVmExecutor(start_argv=["test", "{vm}-{host}-{key}-{boot}", "=", "v-h-k-b"], stop_argv=["true"], cwd=tmp_path).start(
        "v", "h", "k", "b", 5.0
    )
    agent = HttpVmExecutor(agents={"h": bmc.url, "dead": "http://127.0.0.1:1"}, token="t")
    agent.start("v", "h", "k", "b", 5.0)
    agent.stop("v", "h", "k", 5.0)
    for status, host, nothing in ((409, "h", True), (500, "h", False), (204, "dead", True)):
        bmc.status = status
        with pytest.raises(StartFailed) as caught:
            agent.start("v", host, "k", None, 5.0)
        assert caught.value.nothing_started is nothing


def test_cloudstacks_client_says_what_it_makes_of_other_answers(bmc: Bmc) -> None:
    client = CloudStackBmc(url=bmc.url, user="u", password="p")
    assert client.reset(5, lambda: True).result is CommandResult.ACCEPTED
    bmc.power = "Off"
    refused = client.off(5, lambda: True)
    assert refused.failure is not None
    assert (refused.result, refused.failure.code) == (CommandResult.REFUSED, "HTTP 409")
    assert (
        CloudStackBmc(url="http://127.0.0.1:1", user="", password="", pause_s=0.0).off(1, lambda: True).result
        is CommandResult.AMBIGUOUS
    )
    assert CloudStackBmc(url=f"{bmc.url}/x", user="", password="").off(1, lambda: True).result is CommandResult.REFUSED


def test_cloudstacks_client_repeats_a_post_blindly_after_an_io_error(bmc: Bmc) -> None:
    client = CloudStackBmc(url=bmc.url, user="u", password="p", pause_s=0.0)
    bmc.drops = 1
    refused = client.off(5, lambda: True)
    assert (refused.result, bmc.posts) == (CommandResult.REFUSED, ["GracefulShutdown"] * 2), "the first one was executed"
    bmc.drops = 3
    assert (client.off(5, lambda: True).result, len(bmc.posts)) == (CommandResult.AMBIGUOUS, 5)


def test_cloudstacks_client_does_not_repeat_after_its_time_out(bmc: Bmc) -> None:
    bmc.server.shutdown()  # accepts, never answers
    client = CloudStackBmc(url=bmc.url, user="u", password="p", pause_s=3600.0)
    assert client.off(0.05, lambda: True).result is CommandResult.AMBIGUOUS


def test_the_reference_fencer_sends_one_command_if_permitted_and_says_what_came_of_it(bmc: Bmc) -> None:
    client = FencedBmc(target=Target(host="", url=bmc.url, user="u", password="p"))
    assert client.read(5).word == "On"
    assert client.off(5, lambda: False).result is CommandResult.NOT_SENT
    assert (bmc.posts, bmc.power) == ([], "On")
    assert client.off(5, lambda: True).result is CommandResult.ACCEPTED
    assert (bmc.posts, bmc.power) == (["ForceOff"], "Off")
    gone = FencedBmc(target=Target(host="", url="http://127.0.0.1:1", user="u", password="p"))
    assert gone.off(1, lambda: True).result is CommandResult.FAILED
    with pytest.raises(BmcReadFailed):
        gone.read(1)
