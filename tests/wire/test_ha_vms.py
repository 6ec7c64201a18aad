"""Incidents with VMs, replayed with a real `fence-ha run`, BMCs and agents on real sockets.

Each node has a BMC, a health port and an agent. The agents keep the truth: which VMs run, and which starts they were asked for.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import pytest

from fencer.ha.record import HostRecord
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from tests.wire.test_ha_run import Bmc

pytestmark = pytest.mark.long

T = TypeVar("T")
CLI = [sys.executable, "-m", "fencer.ha.cli"]


class Server:
    """One HTTP server on loopback whose port stays the same over `down` and `up`."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self.handler, self.port = handler, 0
        self.server: ThreadingHTTPServer | None = None
        self.up()

    def up(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
        self.server.daemon_threads = True
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class Node:
    """A host: `runs` is the truth about its VMs. `lose`: so many answers are lost after the work is done. `refuse`: a status."""

    def __init__(self, name: str) -> None:
        self.name, self.bmc = name, Bmc()
        self.runs: set[str] = set()
        self.keys: set[str] = set()
        self.boots, self.lose, self.refuse = 1, 0, 0
        self.asked: list[tuple[str, str, str]] = []
        self.closes_after_a_loss = False
        node = self

        class Health(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Agent(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply(200, {"boot": node.boot, "vms": sorted(node.runs)})

            def do_POST(self) -> None:
                wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                what = self.path.rsplit("/", 1)[1]
                node.asked.append((what, wish["vm"], wish["key"]))
                if node.refuse:
                    self.reply(node.refuse, {})
                    return
                if what == "start" and wish.get("boot", node.boot) != node.boot:
                    self.reply(412, {})
                    return
                if what == "start" and wish["key"] not in node.keys:
                    node.runs.add(wish["vm"])
                elif what == "stop":
                    node.runs.discard(wish["vm"])
                node.keys.add(wish["key"])
                if node.lose:
                    node.lose -= 1
                    self.close_connection = True
                    if node.closes_after_a_loss:
                        threading.Thread(target=node.agent.down, daemon=True).start()
                    return
                self.reply(200, {})

            def reply(self, status: int, body: object) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.health, self.agent = Server(Health), Server(Agent)

    @property
    def boot(self) -> str:
        return f"{self.name}-boot{self.boots}"

    def dies(self) -> None:
        self.health.down()
        self.agent.down()
        self.runs.clear()
        self.bmc.power = "Off"

    def boots_again(self) -> None:
        """It may have been on all the time: then it is a quick boot that no health check noticed."""
        self.boots += 1
        self.runs.clear()
        self.bmc.power = "On"
        for server in (self.health, self.agent):
            if server.server is None:
                server.up()

    def starts(self) -> list[str]:
        return [vm for what, vm, _ in self.asked if what == "start"]

    def close(self) -> None:
        self.health.down()
        self.agent.down()
        self.bmc.close()


class Site:
    def __init__(self, path: Path) -> None:
        self.config = path / "ha.yaml"
        self.nodes = {name: Node(name) for name in "abc"}
        self.manager: subprocess.Popen[str] | None = None
        self.lines: list[dict[str, object]] = []
        self.store = SqliteStore(path / "fence-ha.db")

    def __getattr__(self, name: str) -> Node:
        return self.nodes[name]

    def begin(self, vms: list[dict[str, object]], *, running: str = "a", **more: object) -> None:
        """Writes the configuration, starts the manager, and returns when it owns all hosts and has asked their agents."""
        hosts = [
            {
                "name": node.name, "agent": f"http://127.0.0.1:{node.agent.port}",
                "bmc": {"url": node.bmc.url, "username": "u", "password": "p"},
                "health": [{"kind": "http", "url": f"http://127.0.0.1:{node.health.port}/"}],
                **({"capacity": 0} if node.name in str(more.get("full", "")) else {}),
            }
            for node in self.nodes.values()
        ]  # fmt: skip
        policy = {
            "start_quiet": 0.0, "activity_samples": 1, "recovery_attempts": 0, "request_timeout": 40.0, "lease": 100.0,
            "vm_retry_first": 8.0,
        }  # fmt: skip
        config = {
            "scale": 0.05, "policy": policy, "hosts": hosts, "vms": vms, "executor": {"kind": "http"},
            **{key: value for key, value in more.items() if key != "full"},
        }  # fmt: skip
        self.config.write_text(json.dumps(config))
        for vm in vms:
            self.nodes[running].runs.add(str(vm["name"]))
        words = [*CLI, "run", str(self.config), "--json"]
        self.manager = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()
        self.wait(
            lambda: all(row.get("owner") and row["state"] == "Available" for row in self.status()) and len(self.status()) == 3
        )

    def read(self) -> None:
        assert self.manager is not None
        assert self.manager.stdout is not None
        with self.manager.stdout as lines:
            self.lines += (json.loads(line) for line in lines)

    def status(self) -> list[dict[str, object]]:
        done = subprocess.run([*CLI, "status", str(self.config), "--json"], capture_output=True, text=True, check=False)
        return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else [{}]

    def state(self, host: str) -> object:
        return next(row["state"] for row in self.status() if row["host"] == host)

    def say(self, *words: str) -> tuple[int, str]:
        done = subprocess.run([*CLI, words[0], str(self.config), *words[1:]], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def saw(self, **wanted: object) -> dict[str, object]:
        """Waits for a line of the manager."""
        return self.wait(lambda: next((line for line in self.lines if wanted.items() <= line.items()), None))

    def wait(self, ask: Callable[[], T], seconds: float = 40.0) -> T:
        """Asks after each change of the state file, and returns the first answer that is true."""
        until = time.monotonic() + seconds
        while not (answer := ask()):
            assert time.monotonic() < until, "in vain"
            self.store.watch(0.5)
        return answer

    def running(self, vm: str) -> list[str]:
        return [name for name, node in self.nodes.items() if vm in node.runs]

    def close(self) -> None:
        if self.manager is not None:
            self.manager.kill()
            self.manager.wait()
        with ExitStack() as stack:
            stack.callback(self.store.close)
            for node in self.nodes.values():
                stack.enter_context(closing(node))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


V1: dict[str, object] = {"name": "v1", "host": "a"}


def test_a_lost_answer_and_then_refused_connections_never_start_the_vm_elsewhere(site: Site) -> None:
    site.begin([V1], full="c")
    site.b.lose, site.b.closes_after_a_loss = 1, True
    site.a.dies()
    site.saw(kind="vm", step="failed", target="b")
    site.wait(lambda: sum(line.get("step") == "failed" for line in site.lines) >= 3)
    assert site.c.starts() == []
    assert site.running("v1") == ["b"]
    assert {line["key"] for line in site.lines if line.get("step") == "starting"} == {site.b.asked[0][2]}
    site.b.agent.up()
    site.saw(kind="vm", step="started", target="b")
    assert len(site.b.keys) == 1


def test_a_host_that_certainly_started_nothing_is_left_at_once(site: Site) -> None:
    site.begin([V1])
    site.b.refuse = 409
    site.a.dies()
    started = site.saw(kind="vm", step="started", target="c")
    failed = site.saw(kind="vm", step="failed", target="b")
    assert float(str(started["t"])) - float(str(failed["t"])) < 8.0 * 0.05 * 4
    assert "nothing was started there" in str(failed["text"])
    assert site.running("v1") == ["c"]


def test_a_vm_that_may_run_on_a_disabled_host_is_started_nowhere_else_and_that_is_said(site: Site) -> None:
    site.begin([V1], full="c")
    site.b.lose, site.b.closes_after_a_loss = 1, True
    site.a.dies()
    site.saw(kind="vm", step="failed", target="b")
    assert site.say("disable", "b")[0] == 0
    said = site.saw(alert="VM_UNWATCHED")
    assert said["text"] == "v1 belongs to b, which is Disabled: it is started nowhere else"
    assert (site.running("v1"), site.c.starts()) == (["b"], [])


def test_a_vm_of_a_host_that_left_the_file_is_started_nowhere_else_and_that_is_said(site: Site) -> None:
    site.begin([V1])
    site.store.register(HostRecord(host="old", state=HAState.AVAILABLE), ["v9"])
    said = site.saw(alert="VM_UNWATCHED")
    assert said["text"] == "v9 belongs to old, which is not in the file any more: it is started nowhere else"
    assert [node.starts() for node in site.nodes.values()] == [[], [], []]


def test_a_host_that_boots_too_fast_to_be_missed_gets_its_vms_back(site: Site) -> None:
    site.begin([V1])
    site.wait(lambda: site.a.boots == 1 and site.state("a") == "Available")
    site.wait(lambda: _seen_boot(site, "v1") == "a-boot1")
    site.a.boots_again()
    site.saw(alert="VM_MISSING")
    site.saw(kind="vm", step="started")
    site.wait(lambda: len(site.running("v1")) == 1)
    assert site.a.bmc.posts == []


def _seen_boot(site: Site, vm: str) -> object:
    code, text = site.say("vms", "--json")
    assert code == 0, text
    return next(json.loads(line)["boot"] for line in text.splitlines() if json.loads(line)["vm"] == vm)


def test_a_host_that_returns_is_let_in_only_when_every_stop_is_confirmed(site: Site) -> None:
    site.begin([V1, {"name": "v2", "host": "a"}])
    site.a.dies()
    site.saw(alert="VM_RESTART_DONE")
    site.a.refuse = 500
    site.a.boots_again()
    site.saw(alert="VM_STOP_FAILED", host="a")
    code, text = site.say("enable", "a")
    assert (code, "a has not confirmed that v1, v2 is stopped there" in text) == (2, True)
    site.a.refuse = 0
    site.wait(lambda: sum(line.get("step") == "stopped" for line in site.lines) == 2)
    assert site.say("enable", "a")[0] == 0
    assert {what for what, _, _ in site.a.asked} == {"stop"}


def test_vms_that_wait_survive_disable_enable_and_another_death_and_say_why_they_wait(site: Site) -> None:
    site.begin([{**V1, "hosts": ["a"]}])
    site.a.dies()
    said = site.saw(alert="VM_RESTART_FAILED")
    assert said["text"] == "v1 waits: 2 host(s) Available, none of them is allowed (a)"
    assert site.say("disable", "a")[0] == 0
    site.a.boots_again()
    site.wait(lambda: site.say("enable", "a")[0] == 0)
    site.saw(kind="vm", step="started", target="a")
    assert site.running("v1") == ["a"]


def test_a_drain_moves_the_vms_one_stop_before_each_start_and_takes_the_host_out(site: Site) -> None:
    site.begin([V1, {"name": "v2", "host": "a", "apart": "web"}, {"name": "v3", "host": "a", "apart": "web"}])
    code, text = site.say("drain", "a")
    assert (code, "3 VM(s) move" in text) == (0, True)
    site.wait(lambda: site.state("a") == "Ineligible")
    assert site.a.runs == set()
    assert {len(site.running(vm)) for vm in ("v1", "v2", "v3")} == {1}
    assert site.running("v2") != site.running("v3")
    assert site.say("enable", "a")[0] == 0
    site.wait(lambda: site.state("a") == "Available")


def test_vms_come_from_agents_and_are_added_moved_retried_and_removed_at_run_time(site: Site) -> None:
    site.begin([], adopt_vms=True)
    site.b.runs.add("found")
    site.saw(kind="vm", vm="found", step="adopted", target="b")
    assert site.say("vms", "--move", "found", "--to", "c")[0] == 0
    site.wait(lambda: site.running("found") == ["c"])
    assert site.say("vms", "--add", "new", "--on-hosts", "b,a")[0] == 0
    site.wait(lambda: site.running("new") == ["b"])
    assert site.say("retry", "new")[0] == 0
    assert site.say("vms", "--remove", "new")[0] == 0
    assert site.say("vms", "--remove", "new")[0] == 2
    assert site.running("new") == ["b"]
    code, text = site.say("vms")
    assert (code, "found" in text, "new" in text) == (0, True, False)
