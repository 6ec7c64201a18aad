"""One manager on one core watches 5,000 hosts with tcp probes at default settings: a host that is off is Down within 26 s."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from tests.wire.test_ha_run import Bmc

HOSTS = 5000
BOUND_S = 26.0


class Answering:
    """A port that accepts every connection. It works in a thread of this process, on another core."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return

    def close(self) -> None:
        with suppress(OSError):  # closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def bmc() -> Iterator[Bmc]:
    with closing(Bmc("0.0.0.0")) as made:
        yield made


@pytest.mark.timeout(300)
def test_a_host_of_5000_is_down_in_time(memory_path: Path, bmc: Bmc) -> None:
    bmc.power = "Off"
    with closing(Answering()) as port, closing(Answering()) as its_port:
        lines = ["hosts:"]
        for number in range(HOSTS):
            probed = (its_port if number == HOSTS // 2 else port).port
            probe = f"{{kind: tcp, host: 127.0.0.1, port: {probed}}}"
            url = f"http://127.1.{number // 250}.{number % 250 + 1}:{bmc.port}"
            lines.append(f"  - {{name: h{number}, bmc: {{url: '{url}', username: u, password: p}}, health: [{probe}]}}")
        config = memory_path / "ha.yaml"
        config.write_text("\n".join(lines))
        store = SqliteStore(memory_path / "fence-ha.db")
        words = [sys.executable, "-m", "fencer.ha.cli", "run", str(config), "--json"]
        manager = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        os.sched_setaffinity(manager.pid, {max(os.sched_getaffinity(0))})
        try:
            host = f"h{HOSTS // 2}"
            while host not in store.hosts() or store.load(host).streak == 0:
                store.watch(1.0)
            time.sleep(10.0)  # all have been asked more than once
            its_port.close()
            died = time.monotonic()
            while store.load(host).state is not HAState.FENCED:
                store.watch(1.0)
            taken = time.monotonic() - died
        finally:
            manager.send_signal(signal.SIGTERM)
            assert manager.wait(60) == 0
            store.close()
    print(f"{taken:.1f} s of at most {BOUND_S:g} s; {os.times().children_user:.0f} s of processor time in all")
    assert taken <= BOUND_S
