"""How fast the Redfish service is, through Flask and TLS with nothing bypassed, beside sushy-tools in the same run.

Rules
  1. The load comes from `wrk`, a process of its own, over loopback. The service is `bmc-emulator run`.
  2. "per core" is requests per second of processor time that the server used. Other work on the machine slows a run down and
     does not spoil that figure; what the clock on the wall says stands beside it.
  3. Rounds are interleaved and the best of each counts: the claim is what the server can do.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import requests

from tests.peers.redfish.served import Served, environment, served

pytestmark = pytest.mark.timeout(300)

PROFILE: Final = "dmtf-generic"
ROUNDS: Final = 3
SECONDS: Final = 3
CONNECTIONS: Final = 8
TICK: Final = os.sysconf("SC_CLK_TCK")

FLIP: Final = """
local n = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function request()
  n = n + 1
  return wrk.format(nil, nil, nil, n % 2 == 0 and '{"ResetType": "ForceOff"}' or '{"ResetType": "ForceRestart"}')
end
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests per second by the clock on the wall, and per second of the server's processor time."""

    wall: float
    core: float


@dataclass(frozen=True, slots=True)
class Load:
    name: str
    url: str
    pid: int
    options: tuple[str, ...] = ()

    def run(self) -> Rate:
        """Raises AssertionError if any answer was no success: a fast refusal is no speed."""
        before = _processor_seconds(self.pid)
        argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", *self.options, self.url]
        done = subprocess.run(argv, env=environment(), capture_output=True, text=True, timeout=60, check=True)
        used = _processor_seconds(self.pid) - before
        assert "Non-2xx" not in done.stdout, done.stdout
        found = re.search(r"(\d+) requests in [\d.]+s", done.stdout)
        assert found is not None, done.stdout
        rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
        assert rate is not None, done.stdout
        return Rate(float(rate[1]), int(found[1]) / used)


def _processor_seconds(pid: int) -> float:
    """User and system time of a process, all its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _authorization(service: Served) -> str:
    return "Authorization: Basic " + base64.b64encode(f"{service.user}:{service.password}".encode()).decode()


@contextmanager
def sushy_tools(directory: Path) -> Iterator[Load]:
    """The fake driver as a user starts it, without TLS and without authentication: its fastest."""
    program = Path(sysconfig.get_path("scripts")) / "sushy-emulator"
    process = subprocess.Popen(
        [str(program), "--fake", "-i", "127.0.0.1", "-p", "0"],
        env=environment(TMPDIR=str(directory), PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log: threading.Thread | None = None
    try:
        assert process.stdout is not None
        address = next((found[0] for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line))), None)
        assert address is not None, "sushy-emulator did not come up"
        log = threading.Thread(target=process.stdout.read)  # its log of requests must not fill the pipe and stop it
        log.start()
        with requests.Session() as session:
            session.trust_env = False
            member = session.get(f"{address}/redfish/v1/Systems", timeout=30).json()["Members"][0]["@odata.id"]
        yield Load("sushy-tools: GET System, plain HTTP, no auth", address + member, process.pid)
    finally:
        process.terminate()
        process.wait(20)
        if log is not None:
            log.join()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def rates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rate]:
    if shutil.which("wrk") is None:
        pytest.fail("wrk is missing: tools/peers-install wrk")
    directory = tmp_path_factory.mktemp("bench")
    script = directory / "flip.lua"
    script.write_text(FLIP, encoding="ascii")
    with sushy_tools(directory) as theirs, served(PROFILE, journalled=False) as service:
        who = ("-H", _authorization(service))
        reset = f"{service.url}{service.system}/Actions/ComputerSystem.Reset"
        loads = {
            "theirs": theirs,
            "get": Load("GET System, TLS, keep-alive, auth", service.url + service.system, service.pid, who),
            "reset": Load("POST Reset, TLS, keep-alive, auth", reset, service.pid, (*who, "-s", str(script))),
            "handshake": Load(
                "TLS handshake and GET System, auth", service.url + service.system, service.pid, (*who, "-H", "Connection: close")
            ),
        }
        runs: dict[str, list[Rate]] = {key: [] for key in loads}
        for _ in range(ROUNDS):
            for key, load in loads.items():
                runs[key].append(load.run())
    best = {key: Rate(max(r.wall for r in rounds), max(r.core for r in rounds)) for key, rounds in runs.items()}
    print(f"\n\n{'':50} {'per second':>12} {'per core':>12}")
    for key, load in loads.items():
        print(f"{load.name:50} {best[key].wall:12.0f} {best[key].core:12.0f}")
    return best


@pytest.mark.parametrize(("key", "least"), [("get", 2000), ("reset", 1000), ("handshake", 300)])
def test_it_is_fast_enough_on_one_core(rates: dict[str, Rate], key: str, least: int) -> None:
    assert rates[key].core >= least


def test_reading_with_tls_and_auth_is_ten_times_sushy_tools_without(rates: dict[str, Rate]) -> None:
    assert rates["get"].core >= 10 * rates["theirs"].core


def test_it_is_ten_times_by_the_clock_on_the_wall_too(rates: dict[str, Rate]) -> None:
    if rates["get"].wall < 0.9 * rates["get"].core:
        pytest.skip(
            f"other work took {1 - rates['get'].wall / rates['get'].core:.0%} of the service's core: no figure by the wall"
        )
    assert rates["get"].wall >= 10 * rates["theirs"].wall
