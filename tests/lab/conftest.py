"""A Docker engine, a project of the tests' own, and the image. Without an engine everything here fails, loudly and at once."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.wire.ports import free_ports
from lab import engine

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 30.0


def lab_command(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`python -m lab ...`, which is what `make` runs."""
    return subprocess.run(
        [sys.executable, "-m", "lab", *words],
        cwd=ROOT,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture
def run_lab() -> Callable[..., subprocess.CompletedProcess[str]]:
    return lab_command


@pytest.fixture(scope="session")
def docker_engine() -> None:
    if subprocess.run(["sh", "-c", "docker info"], capture_output=True, check=False).returncode != 0:
        command = os.environ.get("DOCKER_ENGINE_UP", "").strip()
        if not command:
            pytest.fail("no Docker engine answers, and DOCKER_ENGINE_UP names no command that starts one", pytrace=False)
        started = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
        if started.returncode != 0:
            pytest.fail(f"no Docker engine answers, and `{command}` failed: {started.stderr.strip()[-300:]}", pytrace=False)
    engine.require_engine()


@pytest.fixture(scope="session")
def project(docker_engine: None) -> Iterator[str]:
    """A compose project beside any lab that already runs here, on ports of its own."""
    ports = free_ports(6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSE_PROJECT_NAME", f"fencelab-test-{os.getpid()}")
        patch.setenv("LAB_IMAGE", "fencelab:test")
        for n in range(3):
            patch.setenv(f"BMC{n + 1}_REDFISH", str(ports[n]))
            patch.setenv(f"BMC{n + 1}_IPMI", str(ports[n + 3]))
        yield os.environ["COMPOSE_PROJECT_NAME"]
        down = lab_command("down")
        assert down.returncode == 0, down.stdout


@pytest.fixture(scope="session")
def image(project: str) -> str:
    engine.compose("build", "-q", "emulator")
    return os.environ["LAB_IMAGE"]


@pytest.fixture(scope="session")
def ready_after(image: str) -> float:
    """Seconds from `up` to healthy, once the image is there: the better of two tries, if the first is slow."""
    taken = _up()
    if taken > READY_WITHIN:
        engine.compose("down", "--volumes", "--timeout", "1")
        taken = min(taken, _up())
    return taken


def _up() -> float:
    since = time.monotonic()
    engine.compose("up", "-d", "--wait", "--wait-timeout", "90")
    return time.monotonic() - since
