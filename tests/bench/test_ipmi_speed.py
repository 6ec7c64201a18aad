"""IPMI beside pyghmi's own server and OpenIPMI's ipmi_sim, in the same run on the same machine.

Short slices of the servers alternate, so that a machine that changes its pace changes it for all of them; what is compared are
the medians of the slices, by the wall. The server's own processor time for a session, its children's included, is printed beside
it: the load generator shares the machine's cores and hides half of every difference.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.bench.ipmi_load import Line, LostAnswer, Server, command_p50, sessions_in, whole_session

ROOT = Path(__file__).resolve().parents[2]
SLICES, SLICE_S = 50, 0.25
COMMANDS = 1000
MANY = 10_000
START_WITHIN = 90.0

FASTER_THAN_PYGHMI = 1.2
SAME_AT_MANY = 0.15
MEMORY_PER_BMC = 2048
"""Bytes of an idle BMC: the machine, and IPMI once somebody has used it."""
PROCESS_PER_BMC = 1600
"""Bytes of the whole process that a BMC costs which nobody has spoken to yet: both protocols, with sockets."""
COMMAND_P50_S = 0.001

LAN_CONF = """\
name "bmc"
set_working_mc 0x20
startlan 1
  addr 127.0.97.3 {port}
  priv_limit admin
  allowed_auths_admin none md5 straight
  guid a123456789abcdefa123456789abcdef
endlan
chassis_control "{script} 0x20"
user 1 true "" "test" user 10 none md5 straight
user 2 true "root" "calvin" admin 10 none md5 straight
"""
SIM_EMU = "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nmc_enable 0x20\n"
SCRIPT = "#!/bin/sh\necho power:1\n"


def free_udp_port(address: str) -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


def processor_seconds(pid: int) -> float:
    """Of a process and of those children of its that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(argv: list[str], server: Server) -> Iterator[tuple[Server, int]]:
    """A server that answers a whole session on its last address, and its process."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    try:
        until = time.monotonic() + START_WITHIN
        while True:
            try:
                with Line() as line:
                    whole_session(line, server, server.addresses[-1])
                break
            except (OSError, AssertionError, LostAnswer):
                assert process.poll() is None, f"{server.name} ended"
                assert time.monotonic() < until, f"{server.name} does not answer"
                time.sleep(0.2)
        yield server, process.pid
    finally:
        process.kill()
        process.wait()


def ours(count: int, network: str) -> tuple[list[str], Server]:
    third, last = network.split(".")[1], count
    addresses = [f"127.{third}.{n >> 8}.{n & 255}" for n in range(1, last + 1)]
    port = free_udp_port(addresses[0])
    argv = [sys.executable, "-m", "emulator", "run", "--profile", "dell-idrac9", "--count", str(count), "--plain-http"]
    argv += ["--address-per-bmc", f"{network}/16", "--ipmi-port", str(port), "--redfish-port", str(port)]
    return argv, Server(f"fencelab, {count} BMCs", addresses, port, "root", "calvin")


def pyghmis() -> tuple[list[str], Server]:
    port = free_udp_port("127.0.97.2")
    script = str(ROOT / "tests" / "bench" / "ipmi_pyghmi_server.py")
    return [sys.executable, script, "127.0.97.2", str(port)], Server("pyghmi", ["127.0.97.2"], port, "root", "calvin")


def openipmis(directory: Path) -> tuple[list[str], Server]:
    port = free_udp_port("127.0.97.3")
    script = directory / "power.sh"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    (directory / "lan.conf").write_text(LAN_CONF.format(port=port, script=script))
    (directory / "sim.emu").write_text(SIM_EMU)
    state = directory / "state"
    state.mkdir()
    argv = ["ipmi_sim", "-c", str(directory / "lan.conf"), "-f", str(directory / "sim.emu"), "-s", str(state), "-n"]
    return argv, Server("ipmi_sim", ["127.0.97.3"], port, "root", "calvin")


@pytest.mark.timeout(600)
def test_sessions_and_commands_beside_pyghmi_and_ipmi_sim(tmp_path):
    assert shutil.which("ipmi_sim"), "ipmi_sim is missing: tools/peers-install"
    with ExitStack() as stack:
        one, many, theirs, sim = (
            stack.enter_context(running(argv, server))
            for argv, server in (ours(1, "127.95.0.0"), ours(MANY, "127.96.0.0"), pyghmis(), openipmis(tmp_path))
        )
        processes = {server.name: pid for server, pid in (one, many, theirs, sim)}
        servers = [server for server, _ in (one, many, theirs, sim)]
        rates: dict[str, list[float]] = {name: [] for name in processes}
        done, spent, lost = dict.fromkeys(processes, 0), dict.fromkeys(processes, 0.0), dict.fromkeys(processes, 0)
        for n in range(SLICES):
            for server in servers:
                before = processor_seconds(processes[server.name])
                try:
                    sessions, took = sessions_in(server, SLICE_S, seed=n)
                except LostAnswer:
                    lost[server.name] += 1
                    continue
                spent[server.name] += processor_seconds(processes[server.name]) - before
                done[server.name] += sessions + 1  # the one that warms up costs as much
                rates[server.name].append(sessions / took)
        wall = {name: statistics.median(each) for name, each in rates.items()}
        cpu_us = {name: spent[name] / done[name] * 1e6 for name in processes}
        p50 = {server.name: min(command_p50(server, COMMANDS) for _ in range(3)) for server in servers}
    for name in processes:
        print(
            f"{name:24} {wall[name]:6.0f} sessions/s  {cpu_us[name]:5.0f} us of processor time each  "
            f"chassis status p50 {p50[name] * 1000:.2f} ms  {lost[name]} answers lost"
        )
    mine, fleet, pyghmi, openipmi = (server.name for server in servers)
    assert lost[mine] == lost[fleet] == 0
    assert wall[mine] >= FASTER_THAN_PYGHMI * wall[pyghmi]
    assert abs(wall[fleet] / wall[mine] - 1) <= SAME_AT_MANY
    assert wall[mine] >= wall[openipmi]
    assert p50[mine] <= COMMAND_P50_S
    assert p50[fleet] <= COMMAND_P50_S


def test_memory_of_an_idle_bmc():
    argv = [sys.executable, "-m", "tests.bench.ipmi_fleet_memory", str(MANY)]
    answer = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    machine, ipmi = (int(word) for word in answer.split())
    print(
        f"an idle BMC of {MANY}: {machine + ipmi} bytes, {ipmi} of them for IPMI, {machine} for the machine behind it"
        " (power, log, accounts, faults)"
    )
    assert machine + ipmi <= MEMORY_PER_BMC


def resident(count: int, network: str) -> int:
    """Bytes of a whole process whose BMCs are all ready and not used yet. What sockets take in the kernel is not in it."""
    argv, _ = ours(count, network)
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            for _ in range(count):
                assert process.stdout.readline().startswith("ready "), "it ended"
            status = Path(f"/proc/{process.pid}/status").read_text()
            return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        finally:
            process.kill()


def test_memory_of_a_whole_fleet():
    one, many = resident(1, "127.93.0.0"), resident(MANY, "127.94.0.0")
    per_bmc = (many - one) // (MANY - 1)
    print(
        f"a process with Redfish and IPMI: {one >> 20} MiB with one BMC, {many >> 20} MiB with {MANY}: {per_bmc} bytes for each"
    )
    assert per_bmc <= PROCESS_PER_BMC
