"""Faults of answers, of what the BMC says and of what its commands do; every test has its twin without the fault."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest
import requests

from emulator import Host, Rail
from tests.fault_bench import SHORT, FaultBench, fault_bench

READ = {"method": "GET"}


@pytest.fixture(scope="module")
def shared() -> Iterator[FaultBench]:
    with fault_bench() as made:
        yield made


@pytest.fixture
def bench(shared: FaultBench) -> FaultBench:
    """Nothing is armed, and it works."""
    for status in shared.emulator.faults():
        shared.emulator.disarm(status.id)
    assert shared.power() == "On"
    return shared


@pytest.fixture
def fresh() -> Iterator[FaultBench]:
    """For tests that move the rail."""
    with fault_bench() as made:
        yield made


# -- the wire ----------------------------------------------------------------------------------------------------------


def test_garbage(bench: FaultBench) -> None:
    with bench.armed("wire.garbage"), pytest.raises(requests.exceptions.ConnectionError, match=r"(?i)bad ?status ?line|not HTTP"):
        bench.ask()


def test_a_cut_answer_begins_and_is_reset(bench: FaultBench) -> None:
    with bench.armed("wire.cut", params={"keep": 40}):
        sock = bench.tls()
        sock.sendall(b"GET /redfish/v1/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
        with pytest.raises(ConnectionResetError):
            socket.socket.recv(sock, 100)  # below TLS: OpenSSL in Python 3.11 shows a reset as an end of file


@pytest.mark.parametrize("fault", ["wire.delay", "wire.drip"])
def test_a_disarmed_delay_lets_the_answer_go(bench: FaultBench, fault: str) -> None:
    params = {"seconds": 3600} if fault == "wire.delay" else {"size": 100, "every": 3600}
    fault_id = bench.arm(fault, params=params)
    words: list[object] = []
    client = threading.Thread(target=lambda: words.append(bench.power()))
    client.start()
    while bench.fired(fault_id) < 1:
        pass
    bench.emulator.disarm(fault_id)
    client.join(20)
    assert words == ["On"]


def test_a_disarmed_hang_closes_the_connection(bench: FaultBench) -> None:
    with bench.armed("wire.hang"):
        sock = bench.tls()
        sock.sendall(b"GET /redfish/v1/ HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.settimeout(SHORT)
        with pytest.raises(TimeoutError):
            sock.recv(1)
    sock.settimeout(20)
    assert sock.recv(1) == b""


# -- Redfish -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "begins", "media"),
    [
        ("html", "<!DOCTYPE", "text/html"),
        ("empty", "", "application/json"),
        ("half", "{", "application/json"),
        ("bom", "\ufeff{", "application/json"),
        ("text-type", "{", "text/plain"),
    ],
)
def test_a_body_that_cannot_be_read(bench: FaultBench, kind: str, begins: str, media: str) -> None:
    with bench.armed("redfish.body", params={"kind": kind}, when=READ):
        answer = bench.ask()
        assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, media)
        assert answer.content.decode().startswith(begins)
        if kind != "text-type":
            with pytest.raises(ValueError, match=r"."):
                json.loads(answer.content.decode())
    assert bench.ask().headers["Content-Type"].startswith("application/json")


def test_an_object_inside_a_list(bench: FaultBench) -> None:
    with bench.armed("redfish.body", params={"kind": "list"}):
        assert bench.ask().json()[0]["PowerState"] == "On"


@pytest.mark.parametrize(
    ("what", "word"), [("missing", "-"), ("null", None), ("lower", "on"), ("upper", "ON"), ("blanks", " On "), ("value", "Sleep")]
)
def test_a_property_that_is_not_as_it_should_be(bench: FaultBench, what: str, word: object) -> None:
    with bench.armed("redfish.property", params={"what": what, "value": "Sleep"}):
        assert bench.ask().json().get("PowerState", "-") == word
        assert "PowerState" not in bench.ask(path="/redfish/v1/").json()
        assert bench.ask(path="/redfish/v1/$metadata").content.startswith(b"<?xml")


def test_a_redirect(bench: FaultBench) -> None:
    with bench.armed("redfish.redirect", params={"location": "/redfish/v1/", "status": 307}):
        answer = bench.ask()
        assert (answer.status_code, answer.headers["Location"]) == (307, "/redfish/v1/")


def test_a_reply_with_a_body_of_its_own_and_one_of_the_profile(bench: FaultBench) -> None:
    with bench.armed("redfish.reply", params={"status": 200, "body": {"Members": []}}):
        assert bench.ask().json() == {"Members": []}
    with bench.armed("redfish.reply", params={"reply": "accepted"}):
        assert bench.ask().status_code == 204


# -- IPMI --------------------------------------------------------------------------------------------------------------


def test_completion_codes_and_silence(bench: FaultBench) -> None:
    session = bench.ipmi().login()
    with bench.armed("ipmi.completion", params={"code": 0xC0}, when={"path": "chassis-status"}):
        assert session.command(0, 1) == (0xC0, b"")
    answer = session.command(0, 1)
    assert answer is not None
    assert answer[0] == 0
    quick = bench.ipmi(timeout=SHORT).login()
    with bench.armed("ipmi.silence", when={"path": "chassis-status"}):
        assert quick.command(0, 1) is None


# -- what is said ------------------------------------------------------------------------------------------------------


def test_a_stale_report_says_the_old_word_for_so_many_reads(fresh: FaultBench) -> None:
    with fresh.armed("report.stale", params={"reads": 3}):
        assert fresh.power() == "On"
        fresh.emulator.cut("node1")
        assert [fresh.power() for _ in range(3)] == ["On", "On", "Off"]


def test_a_flapping_report(bench: FaultBench) -> None:
    with bench.armed("report.flap", params={"reads": 2}):
        assert [bench.power() for _ in range(5)] == ["Off", "Off", "On", "On", "Off"]


# -- what is done ------------------------------------------------------------------------------------------------------


def rails(bench: FaultBench, *wanted: Rail) -> threading.Event:
    """Set when the rail has gone through these states."""
    seen: list[Rail] = []
    done = threading.Event()

    def watch(_unit: str, _system: str, host: Host) -> None:
        if host.rail is not (seen or [Rail.UP])[-1]:
            seen.append(host.rail)
        if seen == list(wanted):
            done.set()

    bench.emulator.call(lambda rack: rack.listen(watch))
    return done


@pytest.mark.long
def test_a_welded_relay(fresh: FaultBench) -> None:
    fresh.arm("power.gate", params={"gate": 1}, must_fire=False)
    down = rails(fresh, Rail.DOWN)
    with fresh.armed("power.stuck-on", count=1):
        assert fresh.reset("ForceOff").status_code == 204
        while fresh.power() != "Off":
            pass
        assert fresh.emulator.host("node1").rail is Rail.UP
    fresh.reset("GracefulShutdown")
    assert down.wait(20)


@pytest.mark.long
def test_power_that_comes_back(fresh: FaultBench) -> None:
    back = rails(fresh, Rail.DOWN, Rail.UP)
    with fresh.armed("power.bounce", params={"seconds": 0.1}):
        fresh.reset("ForceOff")
        assert back.wait(20)


def test_an_on_that_is_swallowed(fresh: FaultBench) -> None:
    fresh.emulator.cut("node1")
    with fresh.armed("power.swallow-on"):
        assert fresh.reset("On").status_code == 204
        assert fresh.emulator.host("node1").rail is Rail.DOWN
