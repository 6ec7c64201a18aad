"""A BMC that serves few connections at a time, a host that is held, and input power, on real sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests

from emulator import Rail, RestorePolicy
from tests.fault_bench import SHORT, FaultBench, fault_bench


@pytest.fixture
def bench() -> Iterator[FaultBench]:
    with fault_bench(latency=False) as made:
        yield made


def test_without_a_queue_many_are_served_at_once(bench: FaultBench) -> None:
    held = [bench.tls(), bench.tls()]
    assert bench.power() == "On"
    assert len(held) == 2


def test_who_comes_second_waits_until_the_first_has_gone(bench: FaultBench) -> None:
    with bench.armed("wire.queue") as fault_id:
        first = bench.tls()
        with pytest.raises(requests.exceptions.Timeout):
            bench.ask(timeout=SHORT)
        words: list[object] = []
        waits = threading.Thread(target=lambda: words.append(bench.power()))
        waits.start()
        first.close()
        waits.join(20)
        assert words == ["On"]
        assert bench.fired(fault_id) == 1


def test_who_waits_is_served_when_the_fault_is_disarmed(bench: FaultBench) -> None:
    fault_id = bench.arm("wire.queue", params={"at_once": 2})
    held = [bench.tls(), bench.tls()]
    words: list[object] = []
    waits = threading.Thread(target=lambda: words.append(bench.power()))
    waits.start()
    bench.emulator.disarm(fault_id)
    waits.join(20)
    assert (words, len(held)) == (["On"], 2)


def test_a_queue_leaves_ipmi_alone(bench: FaultBench) -> None:
    with bench.armed("wire.queue"):
        bench.tls()
        assert bench.ipmi().login().command(0, 1) is not None


def test_a_held_host_stays_on_until_it_is_let(bench: FaultBench) -> None:
    bench.arm("power.hold")
    assert bench.reset("ForceOff").status_code < 300
    for _ in range(20):
        bench.power()
    assert bench.emulator.host("node1").rail is Rail.UP
    bench.emulator.expect_reads("node1", 2)
    bench.power()
    bench.power()
    assert bench.emulator.let_fall("node1", timeout_s=20)


@pytest.mark.long
def test_input_power_goes_and_comes_back(bench: FaultBench) -> None:
    bench.emulator.set_restore_policy("node1", RestorePolicy.ALWAYS_ON)
    bench.emulator.mains_lost("node1")
    assert bench.emulator.host("node1").rail is Rail.DOWN
    with pytest.raises(requests.exceptions.RequestException):
        bench.ask(timeout=SHORT)
    assert bench.ipmi(timeout=SHORT)._one(b"\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x00\x00\x00") is None
    bench.emulator.mains_back("node1", restore_after_reads=1)
    assert [bench.power(), bench.power()] == ["Off", "On"]
    assert bench.emulator.host("node1").rail is Rail.UP
    bench.emulator.mains_lost("node1")
    bench.emulator.mains_back("node1")  # now with the times of its profile
    with pytest.raises(requests.exceptions.RequestException):
        bench.ask(timeout=SHORT)
