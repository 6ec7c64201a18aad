"""Every fault, armed without any condition, as an outside client meets it; and the same client where nothing is armed.

A row says what the client sees without the fault and with it. A fault that is not in the table fails a test, and so does one that
did not act, or whose effect stays when it has been taken away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
import requests

from emulator import Os, PowerAction, fault_names
from emulator.faults.registry import fault_class
from tests.fault_bench import PATIENCE, SHORT, FaultBench, fault_bench
from tests.ipmi_client import Refused

NODE = "node1"
PING = bytes.fromhex("0600ff06000011be80000000")
PONG = bytes.fromhex("0600ff06000011be40000010000011be000000008100000000000000")
LONG = 3600
Sees = Callable[[FaultBench, float], str]
"""What a client sees, in one word or two; the number is how many seconds it waits."""


@dataclass(frozen=True)
class Row:
    fault: str
    client: Sees
    without: str
    armed: str
    params: Mapping[str, object] = field(default_factory=dict)
    when: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.fault, *(f"{key}={value}" for key, value in {**self.params, **self.when}.items())])


# -- clients -----------------------------------------------------------------------------------------------------------


def read(bench: FaultBench, timeout: float, **more: object) -> str:
    """The System's PowerState, or what went wrong."""
    try:
        answer = bench.ask(timeout=timeout, **more)
    except requests.exceptions.SSLError:
        return "tls"
    except requests.exceptions.Timeout:
        return "timeout"
    except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return "broken off"
    if answer.status_code >= 300:
        return str(answer.status_code)
    try:
        body = json.loads(answer.content)
    except ValueError:
        return "no JSON"
    return str(body.get("PowerState", "no word")) if isinstance(body, dict) else "no object"


def read_in_session(bench: FaultBench, timeout: float) -> str:
    return read(bench, timeout, auth=None, headers={"X-Auth-Token": bench.log_in().headers["X-Auth-Token"]})


def reads_twice(bench: FaultBench, timeout: float) -> str:
    """Twice in a row; a short answer goes on the wire before anything else can happen."""
    first = read(bench, PATIENCE)
    later(bench)
    return f"{first}, {read(bench, timeout)}"


def log_in(bench: FaultBench, timeout: float) -> str:
    return str(bench.log_in().status_code)


def members(bench: FaultBench, timeout: float) -> str:
    return str(len(bench.ask(path="/redfish/v1/Systems").json()["Members"]))


def target(bench: FaultBench, timeout: float) -> str:
    path: str = bench.ask().json()["Actions"]["#ComputerSystem.Reset"]["target"]
    return path.removeprefix(f"{bench.system}/Actions/")


def force_off(bench: FaultBench, timeout: float) -> str:
    """The answer, and a minute later the rail and what the System says."""
    return _command(bench, "ForceOff")


def force_off_hung(bench: FaultBench, timeout: float) -> str:
    bench.emulator.power(NODE, PowerAction.HANG)
    return _command(bench, "ForceOff")


def switch_on(bench: FaultBench, timeout: float) -> str:
    bench.emulator.power(NODE, PowerAction.OFF)
    later(bench)
    return _command(bench, "On")


def _command(bench: FaultBench, word: str) -> str:
    status = bench.reset(word).status_code
    if status not in (200, 202, 204):
        return str(status)
    later(bench)
    rail = bench.emulator.host(NODE).rail.value
    return f"{status} {rail} {read(bench, PATIENCE)}"


def status(bench: FaultBench, timeout: float) -> str:
    return str(bench.reset("ForceOff").status_code)


def cut_between_reads(bench: FaultBench, timeout: float) -> str:
    read(bench, PATIENCE)
    bench.emulator.power(NODE, PowerAction.OFF)
    later(bench)
    return read(bench, PATIENCE)


def look(bench: FaultBench, timeout: float) -> str:
    """A client reads; a minute later the truth."""
    read(bench, PATIENCE)
    later(bench)
    host = bench.emulator.host(NODE)
    return f"{host.rail.value} {host.os.value}"


def look_at_one_that_is_off(bench: FaultBench, timeout: float) -> str:
    bench.emulator.power(NODE, PowerAction.OFF)
    later(bench)
    return look(bench, timeout)


def second_connection(bench: FaultBench, timeout: float) -> str:
    """One client keeps its connection; whether another one is served."""
    held = bench.tls()
    held.sendall(b"GET /redfish/v1/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert held.recv(12) == b"HTTP/1.1 200"
    try:
        return read(bench, timeout)
    finally:
        held.close()


def ipmi(bench: FaultBench, timeout: float) -> str:
    try:
        told = bench.ipmi(timeout).login().command(0, 1)
    except Refused as refused:
        return f"refused {refused.status:#x}"
    except AssertionError:
        return "silence"
    return "silence" if told is None else f"code {told[0]:#x}"


def pings(bench: FaultBench, timeout: float) -> str:
    sock = bench.udp(timeout)
    sock.send(PING)
    found: list[bytes] = []
    try:
        while len(found) < 3:
            found.append(sock.recv(4096))
            sock.settimeout(SHORT)
    except TimeoutError:
        pass
    return " ".join("pong" if data == PONG else "noise" for data in found) or "silence"


def later(bench: FaultBench) -> None:
    bench.emulator.set_clock(step_s=60)


# -- the table ---------------------------------------------------------------------------------------------------------

ROWS = (
    Row("wire.cut", read, "On", "broken off", {"keep": 300}),
    Row("wire.delay", read, "On", "timeout", {"seconds": LONG}),
    Row("wire.drip", read, "On", "timeout", {"every": LONG}),
    Row("wire.garbage", read, "On", "broken off"),
    Row("wire.hang", read, "On", "timeout"),
    Row("wire.reset", read, "On", "broken off"),
    Row("wire.truncate", read, "On", "broken off", {"keep": 300}),
    Row("wire.blackhole", read, "On", "timeout"),
    Row("wire.blackhole", ipmi, "code 0x0", "silence"),
    Row("wire.refuse", read, "On", "broken off"),
    Row("wire.queue", second_connection, "On", "timeout"),
    Row("tls.certificate", read, "On", "tls"),
    Row("tls.certificate", read, "On", "tls", {"kind": "wrong-name"}),
    Row("tls.eof", read, "On", "tls"),
    Row("tls.old", read, "On", "tls"),
    Row("tls.plain-http", read, "On", "tls"),
    Row("tls.stall", read, "On", "timeout"),
    Row("redfish.action-target", target, "ComputerSystem.Reset", "Oem/Power.Reset"),
    Row("redfish.body", read, "On", "no JSON"),
    Row("redfish.body", read, "On", "no JSON", {"kind": "empty"}),
    Row("redfish.body", read, "On", "no object", {"kind": "list"}),
    Row("redfish.body-of", read, "On", "no word", {"path": "/redfish/v1/"}),
    Row("redfish.if-match", status, "204", "428"),
    Row("redfish.members", members, "1", "0"),
    Row("redfish.property", read, "On", "no word"),
    Row("redfish.property", read, "On", "None", {"what": "null"}),
    Row("redfish.property", read, "On", "on", {"what": "lower"}),
    Row("redfish.redirect", read, "On", "302", {"location": "/redfish/v1/"}),
    Row("redfish.reply", read, "On", "503", {"status": 503}),
    Row("redfish.sessions-full", log_in, "201", "503"),
    Row("redfish.strict-headers", read, "On", "406"),
    Row("redfish.task", status, "204", "202"),
    Row("redfish.trailing-slash", read, "On", "308"),
    Row("auth.locked", read, "On", "401"),
    Row("auth.locked", ipmi, "code 0x0", "refused 0xf"),
    Row("auth.locked", reads_twice, "On, On", "On, 401", when={"every": 2}),
    Row("auth.password-expired", read, "On", "403"),
    Row("auth.session-expired", read_in_session, "On", "401"),
    Row("ipmi.completion", ipmi, "code 0x0", "refused 0x1", {"code": 1}),
    Row("ipmi.completion", ipmi, "code 0x0", "refused 0x12", {"code": 0x12}, {"path": "rakp1"}),
    Row("ipmi.silence", ipmi, "code 0x0", "silence"),
    Row("ipmi.sessions-full", ipmi, "code 0x0", "refused 0x1"),
    Row("report.says", read, "On", "Off", {"word": "Off"}),
    Row("report.says", read, "On", "On", {"word": "Off", "views": ["ipmi"]}),
    Row("report.flap", reads_twice, "On, On", "Off, On"),
    Row("report.stale", cut_between_reads, "Off", "On"),
    Row("power.as-button", force_off_hung, "204 down Off", "204 up On"),
    Row("power.bounce", force_off, "204 down Off", "204 up On"),
    Row("power.early-word", force_off, "204 down Off", "204 up Off", {"seconds": LONG}),
    Row("power.gate", force_off, "204 down Off", "204 up On", {"gate": 50}),
    Row("power.glitch", force_off, "204 down Off", "204 up Off"),
    Row("power.hold", force_off, "204 down Off", "204 up On"),
    Row("power.ignore", force_off, "204 down Off", "204 up On"),
    Row("power.late", force_off, "204 down Off", "204 up On", {"seconds": LONG}),
    Row("power.passing", force_off, "204 down Off", "204 up PoweringOff"),
    Row("power.stuck-on", force_off, "204 down Off", "204 up Off"),
    Row("power.swallow-on", switch_on, "204 up On", "204 down Off"),
    Row("bmc.restart", reads_twice, "On, On", "On, timeout", {"outage_s": LONG}),
    Row("host.os-crashed", look, "up running", "up stopped"),
    Row("host.power-lost", look, "up running", "down stopped"),
    Row("host.power-restored", look_at_one_that_is_off, "down stopped", "up running"),
    Row("udp.corrupt", pings, "pong", "noise", {"direction": "out"}),
    Row("udp.delay", pings, "pong", "silence", {"seconds": LONG}),
    Row("udp.duplicate", pings, "pong", "pong pong", {"direction": "out"}),
    Row("udp.loss", pings, "pong", "silence"),
    Row("udp.reorder", pings, "pong", "silence", {"at_most": LONG}),
)


def test_every_fault_is_in_the_table() -> None:
    ours = {name for name in fault_names() if fault_class(name).__module__.startswith("emulator.")}  # others are plugged in
    assert {row.fault for row in ROWS} == ours


@pytest.fixture(scope="module")
def shared() -> Iterator[FaultBench]:
    with fault_bench() as bench:
        yield bench


@pytest.fixture
def bench(shared: FaultBench) -> FaultBench:
    begin_anew(shared)
    return shared


def begin_anew(bench: FaultBench) -> None:
    """Nothing is armed, the BMC answers, the host is on and its operating system runs."""
    for armed in bench.emulator.faults():
        bench.emulator.disarm(armed.id)
    bench.emulator.set_clock(step_s=2 * LONG)
    bench.emulator.forget_open_gate(NODE)
    bench.emulator.power(NODE, PowerAction.ON)
    later(bench)
    if bench.emulator.host(NODE).os is not Os.RUNNING:
        bench.emulator.power(NODE, PowerAction.BOOT)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_with_the_fault_and_without(bench: FaultBench, row: Row) -> None:
    assert row.client(bench, PATIENCE) == row.without
    begin_anew(bench)
    waits = SHORT if "timeout" in row.armed or "silence" in row.armed else PATIENCE
    envelope = {"when": dict(row.when)} if row.when else {}
    fault_id = bench.arm(row.fault, params=dict(row.params), **envelope)
    assert row.client(bench, waits) == row.armed
    assert bench.fired(fault_id) > 0 or row.params.get("views") == ["ipmi"], "it never acted"
    begin_anew(bench)
    assert row.client(bench, PATIENCE) == row.without
