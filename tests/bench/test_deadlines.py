"""That things end when they promise to, by the clock on the wall."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fencer import Cause, FenceError, Limits, Protocol, Target, fence, read
from tests.commands import Serving, run
from tests.outsiders import IPMITOOL, ipmitool
from tests.redfish_service import LIMITS, Handler, Service, cause, on, serve, target


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    taken = time.monotonic() - began
    print(f"{taken:.2f} s of at most {seconds} s")
    assert taken < seconds


@pytest.fixture
def service() -> Iterator[Service]:
    yield from serve()


def test_the_fencer_ends_by_its_deadline_where_redfish_is_silent(service: Service) -> None:
    service.special = on("GET", None, lambda it: service.released.wait() and None)
    with within(2.5):
        assert cause(fence(target(service), replace(LIMITS, deadline=1.2))) is Cause.TIMEOUT


def test_the_fencer_ends_by_its_deadline_where_redfish_drips(service: Service) -> None:
    def drip(it: Handler) -> None:
        it.send_response(200)
        it.send_header("Content-Length", "1000")
        it.end_headers()
        while not service.released.wait(0.05):
            it.wfile.write(b" ")
            it.wfile.flush()

    service.special = on("GET", None, drip)
    with within(1.5), pytest.raises(FenceError):
        read(target(service), 0.5)


def test_the_fencer_ends_by_its_deadline_where_ipmi_is_silent() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        aim = Target(host="127.0.0.1", port=silent.getsockname()[1], user="a", password="b", protocol=Protocol.IPMI)
        with within(3):
            assert cause(fence(aim, Limits(deadline=1.5, stable_for=0.1, poll=0.05, poll_max=0.1))) is Cause.UNREACHABLE


@contextmanager
def agent_at_a_silent_bmc(action: str, deadline: int) -> Iterator[subprocess.Popen[str]]:
    """fence_bmc, waiting in a TLS handshake that nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        process = subprocess.Popen(
            [sys.executable, "-m", "fencer.agent"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(
            f"ip=127.0.0.1\nipport={server.getsockname()[1]}\nusername=a\npassword=b\naction={action}\ndeadline={deadline}\n"
        )
        process.stdin.close()
        with closing(server.accept()[0]):
            yield process


@pytest.mark.parametrize("action", ["off", "status"])
def test_fence_bmc_ends_by_its_deadline_in_a_stalled_handshake(action: str) -> None:
    with agent_at_a_silent_bmc(action, 2) as process, within(4):
        assert process.wait(20) == 1


def test_fence_bmc_ends_at_once_by_a_signal() -> None:
    with agent_at_a_silent_bmc("off", 60) as process, within(5):
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_emulator_ends_at_once_by_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with Serving(tmp_path, "--profile", "dmtf-generic") as serving, within(10):
        assert serving.end(number) == (0, "")


HANGS = """\
fencer: hangs
adapter: fence-agent
command: [./hangs.sh]
params: {ip: "{bmc.host}", ipport: "{bmc.port}"}
limits: {deadline: 5}
"""


def test_the_suite_ends_a_fencer_that_never_ends_at_its_cap(tmp_path: Path) -> None:
    """The cap is the deadline and 5 s; a child that holds its pipes open does not prolong that."""
    script = tmp_path / "hangs.sh"
    script.write_text("#!/bin/sh\nsetsid sleep 600 &\nsleep 600\n")
    script.chmod(0o755)
    (tmp_path / "hangs.yaml").write_text(HANGS)
    chosen = ("--fencer", str(tmp_path / "hangs.yaml"), "--profile", "dmtf-generic", "--scenario", "STATE-016")
    with within(25):
        assert "HANG" in run("fence-conformance", "run", *chosen).stdout


@pytest.mark.parametrize("password", [None, "not-the-password"], ids=["right", "wrong"])
def test_ipmitool_waits_for_nothing(tmp_path: Path, password: str | None) -> None:
    """Neither the choice of a cipher suite nor a refusal is a time-out: those take seconds each."""
    with Serving(tmp_path, "--profile", "dmtf-generic") as serving:
        bmc = serving.ready[0]
        assert IPMITOOL.read(bmc) == "On"
        with within(2):
            assert (ipmitool(bmc, "chassis", "power", "status", password=password).returncode == 0) is (password is None)
