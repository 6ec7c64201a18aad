"""Fleets in one process with 4,096 descriptors: memory, descriptors, and how long until every BMC has been told to be ready."""

from __future__ import annotations

import json
import os
import random
import resource
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator.ready import GET_CHANNEL_AUTH_CAPABILITIES

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTORS = 4096
FIFTY_THOUSAND, MEMORY_MB, READY_S, IDLE_DESCRIPTORS = 50_000, 400, 15.0, 64
ASKED = 10


@dataclass(frozen=True)
class Figures:
    ready_s: float
    processor_s: float
    memory_mb: float
    descriptors: int


def allow() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


@contextmanager
def fleet(count: int, network: str) -> Iterator[tuple[Figures, list[dict[str, object]]]]:
    """A running fleet, its figures, and what it tells of some of its BMCs."""
    argv = [sys.executable, "-m", "emulator", "run", "--profile", "dell-idrac9", "--count", str(count), "--no-control", "--json"]
    began = time.monotonic()
    argv += ["--address-per-bmc", network]
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=ROOT, preexec_fn=allow
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(count)]
            ready_s = time.monotonic() - began
            assert lines[-1], "it ended"
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
            ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            yield (
                Figures(
                    ready_s,
                    sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
                    peak / 1024,
                    len(os.listdir(f"/proc/{process.pid}/fd")),
                ),
                [json.loads(line) for line in random.sample(lines[:-1], ASKED) + lines[-1:]],
            )
        finally:
            process.kill()


def answers(told: dict[str, object]) -> None:
    """Both protocols answer at the address of a BMC."""
    host = str(told["ipmi_host"])
    insecure = ssl.create_default_context()
    insecure.check_hostname, insecure.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(f"https://{host}/redfish/v1/", timeout=10, context=insecure) as answer:
        assert answer.status == 200
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(GET_CHANNEL_AUTH_CAPABILITIES, (host, 623))
        assert client.recvfrom(1024)[1] == (host, 623)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("count", "network"), [(FIFTY_THOUSAND, "127.98.0.0/16"), (100_000, "127.100.0.0/15"), (131_070, "127.102.0.0/15")]
)
def test_a_fleet_in_one_process(count: int, network: str) -> None:
    with fleet(count, network) as (figures, some):
        for told in some:
            answers(told)
    print(
        f"{count} BMCs: ready after {figures.ready_s:.1f} s ({figures.processor_s:.1f} s of processor time), "
        f"{figures.memory_mb:.0f} MiB at most, {figures.descriptors} descriptors"
    )
    assert figures.descriptors <= IDLE_DESCRIPTORS
    if count == FIFTY_THOUSAND:
        assert figures.memory_mb <= MEMORY_MB
        assert figures.ready_s <= READY_S
