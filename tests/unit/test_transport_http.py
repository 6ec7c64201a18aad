"""HTTP without sockets: what a client meets is what a socket would show it, and time is exact."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from emulator import Armed, EventKind, OutOfTime, SocketlessEmulator, UnitSpec, When, make_fault
from emulator.core.clock import VirtualClock
from tests.virtual_bmc import DELL, NAME, REUSED, VirtualBmc, virtual_bmc

TRIP_S = 0.004


@pytest.fixture
def bmc() -> Iterator[VirtualBmc]:
    with virtual_bmc() as made:
        yield made


def fault(name: str, **params: object) -> Armed:
    return Armed(fault=make_fault(name, **params))


def test_an_exchange_is_one_request_and_takes_one_round_trip(bmc: VirtualBmc) -> None:
    answer = bmc.ask("GET", bmc.system)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert json.loads(answer.body)["PowerState"] == "On"
    assert bmc.elapsed() == TRIP_S


def test_a_power_command_is_journaled_and_the_rail_falls_in_virtual_time(bmc: VirtualBmc) -> None:
    assert bmc.reset().status == 204
    bmc.clock.sleep(30)
    assert bmc.power() == "Off"
    kinds = [event.kind for event in bmc.emulator.events()]
    assert kinds.index(EventKind.COMMAND) < kinds.index(EventKind.RAIL, kinds.index(EventKind.COMMAND))
    assert 30 <= bmc.elapsed() < 31


def test_a_body_and_a_query_arrive(bmc: VirtualBmc) -> None:
    assert bmc.ask("PATCH", bmc.system, {"AssetTag": "shelf 4"}).status in (200, 204)
    assert json.loads(bmc.ask("GET", f"{bmc.system}?$select=AssetTag").body)["AssetTag"] == "shelf 4"
    assert bmc.transport.http("GET", bmc.url.removesuffix("/"), timeout=1).status in (301, 308, 404)


# -- answers that are late, broken or missing ----------------------------------------------------------------------------------


def test_a_late_answer_comes_exactly_then(bmc: VirtualBmc) -> None:
    bmc.arm(fault("wire.delay", seconds=4))
    assert bmc.ask("GET", bmc.system, timeout=5).status == 200
    assert bmc.elapsed() == 4 + TRIP_S / 2


def test_a_time_out_ends_the_call_exactly_then(bmc: VirtualBmc) -> None:
    bmc.arm(fault("wire.delay", seconds=4))
    with pytest.raises(TimeoutError, match="timed out"):
        bmc.ask("GET", bmc.system, timeout=3)
    assert bmc.elapsed() == 3


def test_a_hung_answer_takes_the_time_out_and_no_longer(bmc: VirtualBmc) -> None:
    bmc.arm(fault("wire.hang"))
    with pytest.raises(TimeoutError):
        bmc.ask("GET", bmc.system, timeout=2.5)
    assert bmc.elapsed() == 2.5


def test_a_time_out_counts_for_the_whole_of_a_dripping_answer(bmc: VirtualBmc) -> None:
    bmc.arm(fault("wire.drip", size=100, every=0.5))
    with pytest.raises(TimeoutError):
        bmc.ask("GET", bmc.system, timeout=3)
    assert bmc.elapsed() == 3
    assert bmc.ask("GET", bmc.system, timeout=60).status == 200
    assert bmc.elapsed() > 15


def test_a_disarmed_fault_lets_its_answer_go(bmc: VirtualBmc) -> None:
    bmc.disarm_after(1.0, bmc.arm(fault("wire.delay", seconds=50)))
    assert bmc.ask("GET", bmc.system, timeout=60).status == 200
    assert bmc.elapsed() == 1.0
    bmc.disarm_after(1.0, bmc.arm(fault("wire.hang")))
    with pytest.raises(http.client.RemoteDisconnected):
        bmc.ask("GET", bmc.system, timeout=60)


@pytest.mark.parametrize(
    ("name", "params", "error"),
    [
        ("wire.reset", {}, ConnectionResetError),
        ("wire.cut", {"keep": 400}, ConnectionResetError),
        ("wire.truncate", {"keep": 0}, http.client.RemoteDisconnected),
        ("wire.truncate", {"keep": 400}, http.client.IncompleteRead),
        ("wire.garbage", {}, http.client.BadStatusLine),
        ("wire.refuse", {}, ConnectionRefusedError),
    ],
)
def test_a_broken_answer_raises_what_a_socket_raises(
    bmc: VirtualBmc, name: str, params: dict[str, object], error: type[Exception]
) -> None:
    bmc.arm(fault(name, **params))
    with pytest.raises(error):
        bmc.ask("GET", bmc.system)
    assert bmc.elapsed() <= TRIP_S


def test_a_command_whose_answer_is_lost_was_executed(bmc: VirtualBmc) -> None:
    bmc.arm(Armed(fault=make_fault("wire.reset", executed=True), when=When(method="POST"), count=1))
    with pytest.raises(ConnectionResetError):
        bmc.reset()
    bmc.clock.sleep(30)
    assert bmc.power() == "Off"


# -- ports ---------------------------------------------------------------------------------------------------------------------


def test_a_swallowed_connect_runs_into_its_time_out(bmc: VirtualBmc) -> None:
    bmc.arm(fault("wire.blackhole"))
    with pytest.raises(TimeoutError):
        bmc.ask("GET", bmc.system, timeout=5)
    assert bmc.elapsed() == 5


def test_a_connect_that_was_swallowed_gets_in_with_the_next_syn(bmc: VirtualBmc) -> None:
    bmc.disarm_after(2.0, bmc.arm(fault("wire.blackhole")))
    assert bmc.ask("GET", bmc.system, timeout=10).status == 200
    assert bmc.elapsed() == 3 + TRIP_S


def test_nobody_listens_at_another_port_and_nobody_is_at_another_address(bmc: VirtualBmc) -> None:
    with pytest.raises(ConnectionRefusedError):
        bmc.transport.http("GET", "https://198.18.0.1:8443/", timeout=1)
    with pytest.raises(OSError, match="No route to host"):
        bmc.transport.http("GET", "https://192.0.2.7/", timeout=1)
    with pytest.raises(socket.gaierror):
        bmc.transport.http("GET", "https://bmc.invalid/", timeout=1)
    with pytest.raises(ValueError, match="not an http or https URL"):
        bmc.transport.http("GET", "gopher://198.18.0.1/", timeout=1)


def test_localhost_is_a_name_for_every_bmc(bmc: VirtualBmc) -> None:
    ca_file = bmc.emulator.endpoints[NAME].ca_file
    assert bmc.transport.http("GET", "https://localhost/redfish", timeout=1, ca_file=ca_file).status == 200


def test_a_bmc_that_nothing_listens_for_refuses() -> None:
    with virtual_bmc(refuse=True) as bmc:
        with pytest.raises(ConnectionRefusedError):
            bmc.ask("GET", bmc.system)
        with pytest.raises(TimeoutError):
            bmc.transport.datagram(b"?", 1)


def test_a_bmc_that_resets_itself_is_away_and_comes_back(bmc: VirtualBmc) -> None:
    manager = f"{DELL.ids.manager}"
    path = f"/redfish/v1/Managers/{manager}/Actions/Manager.Reset"
    assert bmc.ask("POST", path, {"ResetType": "GracefulRestart"}).status in (200, 202, 204)
    bmc.clock.sleep(1)
    with pytest.raises(TimeoutError):
        bmc.ask("GET", bmc.system, timeout=5)
    bmc.clock.sleep(500)
    assert bmc.power() == "On"


def test_a_connection_breaks_when_its_bmc_goes_away_meanwhile(bmc: VirtualBmc) -> None:
    bmc.arm(Armed(fault=make_fault("wire.delay", seconds=30), when=When(method="GET")))
    bmc.emulator.call(lambda rack: rack.after(1.0, lambda: rack.faults.arm(rack.unit(NAME), fault("wire.refuse"))))
    with pytest.raises(ConnectionResetError):
        bmc.ask("GET", bmc.system, timeout=60)
    assert bmc.elapsed() == 1.0


# -- TLS -----------------------------------------------------------------------------------------------------------------------


def test_the_bmcs_certificate_is_accepted_with_its_own_authority_only(bmc: VirtualBmc) -> None:
    ca_file = bmc.emulator.endpoints[NAME].ca_file
    assert bmc.ask("GET", bmc.system, ca_file=ca_file).status == 200
    bmc.arm(fault("tls.certificate", kind="unknown-ca"))
    with pytest.raises(ssl.SSLCertVerificationError, match="issuer"):
        bmc.ask("GET", bmc.system, ca_file=ca_file)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("expired", "has expired"),
        ("not-yet-valid", "not yet valid"),
        ("wrong-name", "198.18.0.1"),
        ("weak-key", "key too weak|key too small"),
    ],
)
def test_a_flawed_certificate_fails_where_the_client_verifies(bmc: VirtualBmc, kind: str, word: str) -> None:
    bmc.arm(fault("tls.certificate", kind=kind))
    with pytest.raises(ssl.SSLCertVerificationError, match=word):
        bmc.ask("GET", bmc.system, ca_file=bmc.emulator.endpoints[NAME].ca_file)
    assert not [event for event in bmc.emulator.events() if event.kind is EventKind.REQUEST]
    if kind != "weak-key":  # which OpenSSL refuses without verifying as well
        assert bmc.ask("GET", bmc.system).status == 200


@pytest.mark.parametrize(
    ("name", "word"), [("tls.old", "PROTOCOL"), ("tls.plain-http", "WRONG_VERSION|RECORD_LAYER|wrong version")]
)
def test_a_port_that_speaks_no_tls_of_today_fails_for_everybody(bmc: VirtualBmc, name: str, word: str) -> None:
    bmc.arm(fault(name))
    with pytest.raises(ssl.SSLError, match=word):
        bmc.ask("GET", bmc.system)


def test_plain_http_on_a_tls_port_is_not_http(bmc: VirtualBmc) -> None:
    with pytest.raises(http.client.BadStatusLine):
        bmc.transport.http("GET", bmc.url.replace("https", "http"), timeout=1)
    bmc.arm(fault("tls.plain-http"))
    assert bmc.transport.http("GET", f"{bmc.url}/redfish".replace("https", "http"), timeout=1).status == 200


def test_a_handshake_that_never_begins_takes_the_time_out(bmc: VirtualBmc) -> None:
    bmc.arm(fault("tls.stall", seconds=None))
    with pytest.raises(TimeoutError):
        bmc.ask("GET", bmc.system, timeout=3)
    assert bmc.elapsed() == 3


def test_a_late_handshake_is_late(bmc: VirtualBmc) -> None:
    bmc.arm(fault("tls.stall", seconds=2.0))
    assert bmc.ask("GET", bmc.system, timeout=3).status == 200
    assert bmc.elapsed() == 2 + TRIP_S


# -- streams -------------------------------------------------------------------------------------------------------------------


def test_an_answer_without_an_end_runs_into_the_time_out(bmc: VirtualBmc) -> None:
    stream = json.loads(bmc.ask("GET", "/redfish/v1/EventService").body)["ServerSentEventUri"]
    began = bmc.emulator.now()
    with pytest.raises(TimeoutError):
        bmc.ask("GET", stream, timeout=20)
    assert bmc.emulator.now() - began == pytest.approx(20)


def test_a_stream_tells_what_happens_meanwhile_and_ends_with_its_bmc(bmc: VirtualBmc) -> None:
    stream = json.loads(bmc.ask("GET", "/redfish/v1/EventService").body)["ServerSentEventUri"]
    bmc.emulator.call(lambda rack: rack.after(2.0, lambda: rack.cut(NAME, rack.unit(NAME).first().id)))
    bmc.emulator.call(lambda rack: rack.after(5.0, lambda: rack.faults.arm(rack.unit(NAME), fault("wire.refuse"))))
    with pytest.raises(ConnectionResetError):
        bmc.ask("GET", stream, timeout=20)
    assert bmc.elapsed() == 5 + TRIP_S


# -- time and chance -----------------------------------------------------------------------------------------------------------


def test_latency_is_the_vendors_on_the_virtual_clock() -> None:
    with virtual_bmc(latency=True) as bmc:
        bmc.power()
        low_s = DELL.timing.latency_ms.get("min", 0.0) / 1000
        assert low_s <= bmc.elapsed() - TRIP_S / 2 <= 10


def story(seed: int) -> str:
    with virtual_bmc(seed=seed, latency=True) as bmc:
        bmc.arm(Armed(fault=make_fault("wire.reset", executed=True), probability=0.4))
        bmc.arm(Armed(fault=make_fault("udp.loss"), probability=0.3))
        for _ in range(6):
            try:
                bmc.reset()
                bmc.power()
            except ConnectionResetError:
                bmc.clock.sleep(1)
            try:
                bmc.transport.datagram(bytes.fromhex("0600ff0700000000000000000009200018c88100388e0476"), 0.5)
            except TimeoutError:
                continue
        return bmc.emulator.journal.to_jsonl()


def test_one_seed_makes_one_journal_byte_for_byte_and_another_seed_another() -> None:
    assert story(5) == story(5)
    assert len({story(seed) for seed in range(3)}) == 3


def test_who_waits_beyond_the_limit_is_out_of_time_for_good() -> None:
    with virtual_bmc(limit_s=10) as bmc:
        bmc.arm(fault("wire.hang"))
        with pytest.raises(OutOfTime):
            bmc.ask("GET", bmc.system, timeout=None)
        assert bmc.clock.is_over
        assert bmc.elapsed() == 10
        for again in (bmc.clock.now, bmc.clock.monotonic, lambda: bmc.clock.sleep(0), lambda: bmc.transport.datagram(b"?", 1)):
            with pytest.raises(OutOfTime):
                again()
        with pytest.raises(OutOfTime):
            bmc.ask("GET", bmc.system)


def test_a_sleep_beyond_the_limit_ends_at_the_limit_and_a_busy_wait_ends_too() -> None:
    with virtual_bmc(limit_s=1) as bmc, pytest.raises(OutOfTime):
        bmc.clock.sleep(5)
    with virtual_bmc(limit_s=0.01) as bmc, pytest.raises(OutOfTime):
        all(bmc.clock.now() >= 0 for _ in range(10_000))


def test_negative_times_are_refused_as_by_the_standard_library(bmc: VirtualBmc) -> None:
    with pytest.raises(ValueError, match="non-negative"):
        bmc.clock.sleep(-1)
    with pytest.raises(ValueError, match="Timeout value out of range"):
        bmc.ask("GET", bmc.system, timeout=-1)
    with pytest.raises(TimeoutError):
        bmc.ask("GET", bmc.system, timeout=0)


def test_another_thread_is_told_that_there_is_only_one(bmc: VirtualBmc) -> None:
    said: list[str] = []

    def other() -> None:
        try:
            bmc.power()
        except RuntimeError as error:
            said.append(str(error))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert said == ["transport and clock may be used in one thread only: the one in which the fencer was called"]


def test_bmcs_come_and_go() -> None:
    with SocketlessEmulator([UnitSpec(name="a", profile=DELL)], reused=REUSED) as emulator:
        at = emulator.add(UnitSpec(name="b", profile=DELL))
        transport, clock = emulator.client("b")
        assert at.host == "198.18.0.2"
        assert transport.http("GET", f"{at.redfish_url}/redfish", timeout=1).status == 200
        emulator.remove("b")
        with pytest.raises(ConnectionRefusedError):
            transport.http("GET", f"{at.redfish_url}/redfish", timeout=1)
        emulator.advance(5)
        assert clock.now() > 5


def test_a_rail_that_falls_late_is_waited_for_in_virtual_time(bmc: VirtualBmc) -> None:
    bmc.arm(Armed(fault=make_fault("power.late", seconds=8.0)))
    bmc.reset()
    assert bmc.emulator.let_fall(NAME, timeout_s=20)
    assert 8 <= bmc.elapsed() < 12


def test_the_virtual_clock_is_a_clock_of_the_core() -> None:
    clock = VirtualClock()
    clock.advance(2)
    assert clock.now() == 2


def test_a_wrong_password_may_be_answered_late_and_locks_nobody_out() -> None:
    lockout = replace(DELL.auth.lockout, failures=0, delay_s=10.0, delay_after=1)
    with virtual_bmc(replace(DELL, auth=replace(DELL.auth, lockout=lockout))) as bmc:
        wrong = {"Authorization": "Basic " + base64.b64encode(b"root:wrong").decode()}
        took: list[float] = []
        for _ in range(3):
            before = bmc.elapsed()
            assert bmc.transport.http("GET", bmc.url + bmc.system, wrong, None, 30).status == 401
            took.append(round(bmc.elapsed() - before))
        assert took == [0, 10, 10]
        assert bmc.ask("GET", bmc.system).status == 200
