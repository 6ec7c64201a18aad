"""The Debian package and the single file of fence_bmc on a bare Debian, by root and by Pacemaker's user, at an emulated BMC."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Emulator, HostSpec, Rail, UnitSpec
from tests.emulator_bed import quick_profile
from tools import make_deb, make_pyz

pytestmark = pytest.mark.timeout(600)

BARE = """
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update >/dev/null
apt-get install -y --no-install-recommends /built/fence-bmc_*_all.deb >/dev/null
useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin hacluster
if python3 -c 'import fencer' 2>/dev/null; then
    echo 'the package can be imported by everybody'
    exit 1
fi
"""
"""Prepares the container. What it installs is what the package asks for."""


@pytest.fixture(scope="module")
def bare(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running container with the package, and the single file in /built."""
    folder: Path = tmp_path_factory.mktemp("built")
    make_deb.make(folder)
    make_pyz.make(folder / "fence_bmc.pyz")
    folder.chmod(0o755)
    start = ["docker", "run", "-d", "--rm", "--network", "host", "-v", f"{folder}:/built", "debian:trixie-slim", "sleep", "600"]
    container = subprocess.run(start, capture_output=True, text=True, check=True).stdout.strip()
    try:
        done = subprocess.run(["docker", "exec", container, "sh", "-c", BARE], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr[-2000:]
        yield container
    finally:
        subprocess.run(["docker", "kill", container], capture_output=True, check=False)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    units = [UnitSpec(name=f"node{n}", profile=quick_profile(), hosts=(HostSpec(),)) for n in range(4)]
    with Emulator(units) as emulator:
        yield emulator


def in_container(container: str, user: str, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    line = ["docker", "exec", "-i", "-u", user, "-w", "/", container, *command.split()]
    return subprocess.run(line, input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "command", "user", "protocol"),
    [
        ("node0", "/usr/sbin/fence_bmc", "root", "redfish"),
        ("node1", "/usr/sbin/fence_bmc", "hacluster", "ipmi"),
        ("node2", "/built/fence_bmc.pyz", "hacluster", "redfish"),
        ("node3", "/built/fence_bmc.pyz", "root", "ipmi"),
    ],
)
def test_it_fences_with_nothing_else_installed(
    bare: str, emulator: Emulator, name: str, command: str, user: str, protocol: str
) -> None:
    bmc = emulator.endpoints[name]
    given = {
        "action": "off", "ip": bmc.host, "ipport": str(bmc.redfish_port if protocol == "redfish" else bmc.ipmi_port),
        "protocol": protocol, "ssl_insecure": "1", "username": bmc.username, "password": bmc.password,
    }  # fmt: skip
    result = in_container(bare, user, command, "".join(f"{key}={value}\n" for key, value in given.items()))
    assert (result.returncode, result.stdout.strip()) == (0, "Success: Powered OFF"), result.stderr
    assert emulator.host(name).rail is Rail.DOWN


def test_users_who_cannot_write_there_find_the_bytecode(bare: str) -> None:
    listed = in_container(bare, "hacluster", "find /usr/share/fence-bmc -name agent.cpython-*.pyc").stdout.split()
    assert len(listed) == 1


def test_purged_it_leaves_nothing(bare: str) -> None:
    """The last test: it takes the package away."""
    removed = in_container(bare, "root", "dpkg --purge fence-bmc")
    assert removed.returncode == 0, removed.stderr
    assert (
        in_container(bare, "root", "find / -xdev -path /proc -prune -o -name *fence[-_]bmc* -not -path /built/* -print").stdout
        == ""
    )
