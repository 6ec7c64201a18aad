"""fence-ha on a virtual clock and network: its whole manager with its rules, VM restarts and BMC clients, in one thread.

Replaced are the store (in memory), the thread pools and the probe loop (work is done between two rounds of the manager, one piece
after the other), connections to agents, and what `fence_bmc_on_transport` replaces. It runs with its own times, not scaled.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from fence_bmc_on_transport import put_on

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from fencer.ha import assembly, cloudstack_bmc, level_calls, vm_executors  # noqa: F401  (imported so that their clocks are replaced)
from fencer.ha.config import load_config
from fencer.ha.event_lines import as_json
from fencer.ha.manager import Manager
from fencer.ha.probes import AnyProbe, ProbeFinding
from fencer.ha.restarts import Restarts
from fencer.ha.states import HAState
from fencer.transport import redfish  # noqa: F401
from tests.ha_memory_store import MemoryStore, SharedMemory

ROUND_S = 0.25


class Store(MemoryStore):
    def __init__(self, clock: Any) -> None:
        super().__init__(SharedMemory())
        self._clock = clock

    def now(self) -> float:
        return 1000.0 + float(self._clock.now())


class Work:
    """Stands in for thread pools and for the probe loop."""

    def __init__(self, transport: Any, store: Store) -> None:
        self._transport, self._store = transport, store
        self._jobs: deque[Callable[[], None]] = deque()

    def submit(self, pool: str, work: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        def job() -> None:
            try:
                result = work()
            except Exception as error:  # noqa: BLE001 - it goes to whoever asked
                done(None, error)
            else:
                done(result, None)

        self._jobs.append(job)

    def ask(self, wanted: Sequence[AnyProbe], timeout: float, found: Callable[[ProbeFinding], None]) -> None:
        def job() -> None:
            began = self._store.now()
            (probe,) = wanted  # each host has one, over HTTP
            try:
                answer = self._transport.http("GET", probe.url, {}, None, timeout).status == probe.status  # type: ignore[union-attr]
            except OSError:
                answer = False
            found(ProbeFinding(began=began, answer=answer))

        self._jobs.append(job)

    def do(self) -> None:
        for _ in range(len(self._jobs)):
            self._jobs.popleft()()


def connection(transport: Any) -> Callable[[str, float], Any]:
    """Stands in for a connection to an agent: it is opened with its one request."""

    def opened(url: str, timeout: float) -> Any:
        asked: list[Any] = []

        def request(method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> None:
            asked.append(transport.http(method, url, dict(headers or {}), body, timeout))

        def getresponse() -> Any:
            return SimpleNamespace(status=asked[0].status, read=lambda most: asked[0].body[:most])

        return SimpleNamespace(connect=lambda: None, request=request, getresponse=getresponse, close=lambda: None)

    return opened


def configuration(site: Any, policy: str) -> dict[str, object]:
    """The file ha.yaml, as conformance/fencers/fence-ha.yaml writes it."""
    hosts = [
        {
            "name": name,
            "agent": host["agent"],
            "bmc": {
                "host": host["bmc"]["host"],
                "port": int(host["bmc"]["port"]),
                "username": host["bmc"]["user"],
                "password_file": host["bmc"]["password_file"],
                "system": host["bmc"]["system_uri"],
                "verify_tls": False,
            },
            "health": [{"kind": "http", "url": f"{host['agent']}/health"}],
        }
        for name, host in site.hosts.items()
    ]
    return {
        "state_file": "unused.db",
        "policy": {"name": policy, "activity_samples": 1, "recovery_attempts": 0, "start_quiet": 0.0},
        "executor": {"kind": "http"},
        "hosts": hosts,
        "vms": [{"name": vm, "host": name} for name, host in site.hosts.items() for vm in host["vms"]],
    }


def watch(action: str, bmc: Mapping[str, str], *, transport: Any, clock: Any, site: Any, policy: str) -> None:
    put_on(transport, clock)
    vm_executors._connection = connection(transport)
    file = Path("ha.yaml").resolve()
    file.write_text(yaml.safe_dump(configuration(site, policy)))
    config = load_config(file)
    store = Store(clock)
    work = Work(transport, store)
    restarts = Restarts(config, store, store, assembly.make_executor(config), work)
    lines: list[str] = []
    manager = Manager(
        config, store, store, assembly.make_bmcs(config), restarts, work, work, lambda event: lines.append(as_json(event)), "one"
    )  # fmt: skip
    try:
        while not site.over:
            manager.run_round()
            records = [store.snapshot().record(name) for name in config.host_names]
            if all(record.seen_healthy for record in records):
                site.taken_up()
            for record in records:
                if record.state is HAState.FENCED:
                    site.called_down(record.host)
            work.do()
            clock.sleep(ROUND_S)
    finally:
        print("\n".join(line for line in lines if json.loads(line)["host"] == site.target), file=sys.stderr)
