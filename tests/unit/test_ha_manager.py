"""Managers over one SQLite store, with a virtual clock and workers that run when the test says so."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from fencer.device_check import DeviceCheck
from fencer.ha.bmc import BmcReadFailed, CommandAnswer, CommandPermit
from fencer.ha.config import load_config
from fencer.ha.entries import StoredEvent
from fencer.ha.event_lines import as_json, as_text
from fencer.ha.manager import Manager
from fencer.ha.observations import CommandResult
from fencer.ha.probes import AnyProbe, ProbeFinding
from fencer.ha.record import HostRecord
from fencer.ha.restarts import Restarts
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from fencer.ha.store import StoreError
from fencer.ha.vm_executors import AgentReport, ListFailed, StartFailed
from fencer.ha.vm_record import VmPhase
from fencer.outcome import Cause, Failure, Power, Reading
from tests.ha_world import checked

T = TypeVar("T")


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time


class Bench:
    """Work that waits until `run` is called; `crash` forgets it, as a kill would."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, Callable[[], None]]] = []

    def submit(self, pool: str, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        def job() -> None:
            try:
                result = work()
            except (StartFailed, RuntimeError) as error:
                done(None, error)
            else:
                done(result, None)

        self.jobs.append((pool, job))

    def run(self, *pools: str) -> None:
        mine = [job for job in self.jobs if not pools or job[0] in pools]
        self.jobs = [job for job in self.jobs if job not in mine]
        for _, job in mine:
            job()


class FakeBmc:
    def __init__(self, word: str = "On") -> None:
        self.word, self.commands = word, 0
        self.error: Exception | None = None

    def read(self, timeout: float) -> Reading:
        if self.error:
            raise self.error
        power = {"On": Power.ON, "Off": Power.OFF}.get(self.word, Power.UNKNOWN)
        return Reading(power=power, word=self.word, at=0.0, path="redfish")

    def check(self, timeout: float) -> DeviceCheck:
        return checked(lambda: self.read(timeout))

    def off(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        assert permit()
        self.commands += 1
        self.word = "Off"
        return CommandAnswer(result=CommandResult.ACCEPTED)

    def reset(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        self.commands += 1
        return CommandAnswer(result=CommandResult.ACCEPTED)


class FakeExecutor:
    """A node agent that keeps its promise: two starts with one key are one start."""

    def __init__(self) -> None:
        self.running: dict[str, tuple[str, str]] = {}
        self.calls: list[tuple[str, str, str]] = []
        self.stops: list[tuple[str, str]] = []
        self.fail: StartFailed | None = None

    lists, names_boot = False, False

    def running(self, host: str, timeout: float) -> AgentReport:
        raise ListFailed("nobody asks")

    def start(self, vm: str, host: str, key: str, boot: str | None, timeout: float) -> None:
        if self.fail:
            raise self.fail
        self.calls.append((vm, host, key))
        assert self.running.get(vm, (host, key)) == (host, key) or self.running[vm][1] != key
        self.running[vm] = (host, key)

    def stop(self, vm: str, host: str, key: str, timeout: float) -> None:
        if self.fail:
            raise self.fail
        self.stops.append((vm, host))


class BenchProber:
    """Answers a round of probes when the bench runs, by what `Cluster.probes` says then."""

    def __init__(self, cluster: Cluster, bench: Bench) -> None:
        self.cluster, self.bench = cluster, bench

    def ask(self, wanted: Sequence[AnyProbe], timeout: float, found: Callable[[ProbeFinding], None]) -> None:
        def work() -> ProbeFinding:
            return ProbeFinding(began=self.cluster.clock.now(), answer=self.cluster.probes(list(wanted), timeout))

        self.bench.submit("probe", work, lambda finding, _: found(finding or ProbeFinding(began=None, answer=None)))


CONFIG = """
policy: {start_quiet: 4, recovery_attempts: 0, activity_samples: 1%s}
hosts:
  - {name: a, bmc: {host: 127.0.0.2}, health: [{kind: tcp, host: 127.0.0.1, port: 1}]%s}
  - {name: b, capacity: 3, bmc: {host: 127.0.0.3}, health: [{kind: tcp, host: 127.0.0.1, port: 1}]}
  - {name: c, capacity: 1, bmc: {host: 127.0.0.4}, health: [{kind: tcp, host: 127.0.0.1, port: 1}]}
vms:
  - {name: v1, host: a}
  - {name: v2, host: a, hosts: [c, b], priority: 5}
  - {name: router, host: a, system: true}
executor: {kind: exec, start: [x], stop: [x]}
"""


class Cluster:
    def __init__(self, path: Path, policy: str = "", host: str = "") -> None:
        self.file = path / "ha.yaml"
        self.file.write_text(CONFIG % (policy, host))
        self.config = load_config(self.file)
        self.clock, self.executor = Clock(), FakeExecutor()
        self.bmcs = {name: FakeBmc() for name in "abc"}
        self.dead: set[str] = set()
        self.lines: list[StoredEvent] = []
        self.stores: list[SqliteStore] = []

    def manager(self, owner: str) -> tuple[Manager, Bench]:
        store, bench = SqliteStore(self.config.state_file), Bench()
        self.stores.append(store)
        restarts = Restarts(self.config, store, self.clock, self.executor, bench)
        manager = Manager(
            self.config, store, self.clock, self.bmcs, restarts, BenchProber(self, bench), bench, self.lines.append, owner
        )
        for host in self.config.host_names:
            store.register(HostRecord(host=host, state=HAState.AVAILABLE, since=self.clock.now(), seen_healthy=True), [])
        return manager, bench

    def probes(self, probes: list[object], timeout: float) -> bool | None:
        return None  # replaced per host by `Probed`

    @property
    def store(self) -> SqliteStore:
        return self.stores[0]

    def key(self, name: str) -> str:
        return f"{self.store.store_id}/{name}"

    def state(self, host: str = "a") -> HAState:
        return self.store.load(host).state

    def alerts(self) -> list[str]:
        return [str(line.detail["alert"]) for line in self.lines if line.kind == "alert"]


@pytest.fixture
def cluster(memory_path: Path) -> Iterator[Cluster]:
    made = Cluster(memory_path)
    made.probes = _probing(made)  # type: ignore[method-assign]
    yield made
    for store in made.stores:
        store.close()


def _probing(cluster: Cluster) -> Callable[[list[object], float], bool | None]:
    by_probe = {id(host.health[0]): host.name for host in cluster.config.part.hosts}
    return lambda probes, timeout: by_probe[id(probes[0])] not in cluster.dead


def run(cluster: Cluster, seconds: float, *managers: tuple[Manager, Bench], until: Callable[[], bool] = lambda: False) -> float:
    begun = cluster.clock.time
    while cluster.clock.time - begun <= seconds and not until():
        for manager, bench in managers:
            manager.run_round()
            bench.run()
            manager.wait(0.0)
        cluster.clock.time += 0.25
    return cluster.clock.time - begun


def test_a_host_that_is_off_is_down_in_time_and_each_vm_starts_once_in_order(cluster: Cluster) -> None:
    one = cluster.manager("one")
    run(cluster, 70, one)
    assert cluster.state() is HAState.AVAILABLE
    cluster.dead.add("a")
    cluster.bmcs["a"].word = "Off"
    assert run(cluster, 40, one, until=lambda: cluster.state() is HAState.FENCED) <= 26
    run(cluster, 3, one)
    assert cluster.bmcs["a"].commands == 0
    assert [vm for vm, _, _ in cluster.executor.calls] == ["router", "v2", "v1"]
    assert cluster.executor.running["v2"] == ("c", cluster.key("a-f1/v2"))
    assert cluster.alerts() == ["HEALTH_LOST", "FENCE_STARTED", "FENCED", "VM_RESTART_DONE"]
    assert {vm: host for vm, host in cluster.store.placements().items() if host is None} == {}


def test_every_line_has_its_time_kind_and_host_and_can_be_read(cluster: Cluster) -> None:
    one = cluster.manager("one")
    cluster.dead.add("a")
    run(cluster, 120, one, until=lambda: "VM_RESTART_DONE" in cluster.alerts())
    assert {str(line.kind) for line in cluster.lines} == {"state", "alert", "vm", "power-command", "power-read"}
    for line in cluster.lines:
        assert '"t": 10' in as_json(line)
        assert line.host in as_text(line)
    assert [line.seq for line in cluster.lines if line.host == "a"] == sorted(
        line.seq for line in cluster.lines if line.host == "a"
    )


def test_a_killed_managers_fence_is_finished_by_another_without_a_second_command(cluster: Cluster) -> None:
    one = cluster.manager("one")
    cluster.dead.add("a")
    run(cluster, 70, one, until=lambda: cluster.bmcs["a"].commands == 1)
    two = cluster.manager("two")
    assert run(cluster, 60, two, until=lambda: cluster.state() is HAState.FENCED) <= 30 + 12
    run(cluster, 5, two)
    assert cluster.bmcs["a"].commands == 1
    assert len(cluster.executor.calls) == 3


@pytest.mark.parametrize("when", ["claimed", "started"])
def test_a_manager_killed_around_a_vm_start_costs_a_repetition_never_a_second_vm(cluster: Cluster, when: str) -> None:
    one, bench = cluster.manager("one")
    cluster.dead.add("a")
    cluster.bmcs["a"].word = "Off"
    for _ in range(400):
        one.run_round()
        bench.run("bmc", "probe")
        one.wait(0.0)
        cluster.clock.time += 0.25
        if any(pool == "vm" for pool, _ in bench.jobs):
            break
    if when == "started":
        bench.run("vm")  # it runs, but nobody noted it
    two = cluster.manager("two")
    run(cluster, 60, two)
    assert {vm: key for vm, (_, key) in cluster.executor.running.items()} == {
        v: cluster.key(f"a-f1/{v}") for v in ("router", "v1", "v2")
    }
    assert len({(vm, host, key) for vm, host, key in cluster.executor.calls}) == 3, "a repetition keeps host and key"
    assert {record.phase for record in cluster.store.snapshot().vms()} == {VmPhase.RUNNING}


def test_two_managers_share_the_hosts_and_only_the_owner_acts(cluster: Cluster) -> None:
    one, two = cluster.manager("one"), cluster.manager("two")
    run(cluster, 70, one, two)
    cluster.dead.add("a")
    run(cluster, 120, one, two)
    assert cluster.state() is HAState.FENCED
    assert cluster.bmcs["a"].commands == 1
    assert cluster.alerts().count("FENCED") == 1
    assert len(cluster.executor.calls) == 3


def test_a_frozen_managers_command_is_withheld_after_its_lease(cluster: Cluster) -> None:
    one, bench = cluster.manager("one")
    cluster.dead.add("a")
    for _ in range(400):
        one.run_round()
        if any("OFF" in repr(event.detail) or event.detail.get("command") == "off" for event in cluster.lines):
            break
        bench.run()
        one.wait(0.0)
        cluster.clock.time += 0.25
    cluster.clock.time += 25  # frozen: the command waits in the pool, the lease runs out
    bench.run()
    assert cluster.bmcs["a"].commands == 0
    two = cluster.manager("two")
    run(cluster, 90, two, (one, bench))
    assert cluster.bmcs["a"].commands == 1
    assert cluster.state() is HAState.FENCED


def test_a_vm_that_certainly_did_not_start_may_go_elsewhere_and_the_failure_is_said_once(cluster: Cluster) -> None:
    one = cluster.manager("one")
    cluster.executor.fail = StartFailed("no room", nothing_started=True)
    cluster.dead.add("a")
    cluster.bmcs["a"].word = "Off"
    run(cluster, 300, one)
    assert set(cluster.store.placements().values()) == {None}
    assert cluster.alerts().count("VM_RESTART_FAILED") == 3
    cluster.executor.fail = None
    run(cluster, 700, one)
    assert {record.phase for record in cluster.store.snapshot().vms()} == {VmPhase.RUNNING}


def test_a_start_that_nobody_knows_of_keeps_its_host_until_that_host_is_fenced(cluster: Cluster) -> None:
    one = cluster.manager("one")
    cluster.executor.fail = StartFailed("timed out", nothing_started=False)
    cluster.dead.add("a")
    cluster.bmcs["a"].word = "Off"
    run(cluster, 100, one)
    assert cluster.store.placements()["v2"] == "c"
    cluster.dead.add("c")
    cluster.bmcs["c"].word = "Off"
    cluster.executor.fail = None
    run(cluster, 200, one)
    assert cluster.executor.running["v2"] == ("b", cluster.key("c-f1/v2"))


def test_a_vm_without_room_anywhere_is_reported_and_starts_when_there_is(cluster: Cluster) -> None:
    one = cluster.manager("one")
    cluster.dead |= {"a", "b"}
    for name in "ab":
        cluster.bmcs[name].word = "Off"
    run(cluster, 60, one)
    assert len(cluster.executor.running) == 1
    assert cluster.alerts().count("VM_RESTART_FAILED") == 2
    cluster.dead.discard("b")
    run(cluster, 10, one)
    cluster.store.add_request("b", "enable", {}, cluster.clock.now())
    run(cluster, 130, one)
    assert len(cluster.executor.running) == 3


def test_a_returned_host_stops_what_moved_away_and_is_let_in_by_an_operator(cluster: Cluster) -> None:
    one = cluster.manager("one")
    cluster.dead.add("a")
    cluster.bmcs["a"].word = "Off"
    run(cluster, 60, one)
    cluster.dead.clear()
    run(cluster, 10, one)
    assert sorted(cluster.executor.stops) == [("router", "a"), ("v1", "a"), ("v2", "a")]
    assert cluster.state() is HAState.FENCED
    request = cluster.store.add_request("a", "enable", {}, cluster.clock.now())
    run(cluster, 2, one)
    assert cluster.store.operator_request(request).ok
    assert cluster.state() is HAState.AVAILABLE
    request = cluster.store.add_request("a", "disable", {}, cluster.clock.now())
    run(cluster, 2, one)
    assert cluster.state() is HAState.DISABLED


def test_an_operators_confirmation_survives_a_crash_and_is_decided_by_a_live_read(cluster: Cluster) -> None:
    one = cluster.manager("one")
    cluster.dead.add("a")
    cluster.bmcs["a"].error = BmcReadFailed(Failure(cause=Cause.UNREACHABLE, text="no route"))
    run(cluster, 60, one)
    detail = {"fence_id": "a-f1", "who": "alice", "why": "cords pulled"}
    request = cluster.store.add_request("a", "confirm", detail, cluster.clock.now())
    one[0].run_round()
    assert cluster.store.operator_request(request).ok is None
    two = cluster.manager("two")
    run(cluster, 60, two)
    assert cluster.store.operator_request(request).ok
    assert cluster.state() is HAState.FENCED


def test_a_bmc_client_that_breaks_is_reported_and_the_watch_goes_on(cluster: Cluster) -> None:
    one = cluster.manager("one")
    cluster.dead.add("a")
    cluster.bmcs["a"].error = RuntimeError("boom")
    run(cluster, 30, one)
    assert any("RuntimeError: boom" in str(line.detail.get("text")) for line in cluster.lines)
    cluster.bmcs["a"].error = None
    cluster.bmcs["a"].word = "Off"
    run(cluster, 60, one)
    assert cluster.state() is HAState.FENCED


def test_a_rack_of_lost_hosts_that_run_is_not_switched_off(cluster: Cluster) -> None:
    one = cluster.manager("one")
    run(cluster, 70, one)
    cluster.dead |= {"a", "b", "c"}
    run(cluster, 300, one)
    assert sum(bmc.commands for bmc in cluster.bmcs.values()) == 0
    assert cluster.alerts().count("FENCE_HELD") == 3
    cluster.bmcs["b"].word = "Off"
    run(cluster, 30, one, until=lambda: cluster.state("b") is HAState.FENCED)
    assert cluster.state("b") is HAState.FENCED


def test_a_manager_that_stops_gives_its_leases_up(cluster: Cluster) -> None:
    one = cluster.manager("one")
    run(cluster, 2, one)
    one[0].stop()
    two = cluster.manager("two")
    two[0].run_round()
    assert cluster.store.load("a").owner == "two"
    assert 0 < two[0].idle <= 0.25


def test_the_state_file_is_its_owners_alone_and_a_foreign_file_is_refused(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "s.db")) as store:
        assert stat.S_IMODE((tmp_path / "s.db").stat().st_mode) == 0o600
        assert 1e9 < store.now() <= store.now()
        with pytest.raises(KeyError):
            store.load("nobody")
    (tmp_path / "text").write_text("no database\n" * 100)
    with pytest.raises(StoreError, match="not a state file"):
        SqliteStore(tmp_path / "text")
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore(tmp_path / "no" / "folder")
