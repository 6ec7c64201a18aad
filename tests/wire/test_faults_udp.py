"""What a network does to IPMI's datagrams, on real sockets with a client that shares no code with the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fault_bench import SHORT, FaultBench, fault_bench

PING = b"\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x2a\x00\x00"
PONG_TYPE = 0x40
CHANNEL_AUTH = b"\x06\x00\xff\x07" + bytes(9) + b"\x09\x20\x18\xc8\x81\x00\x38\x8e\x04\xb5"


@pytest.fixture(scope="module")
def bench() -> Iterator[FaultBench]:
    with fault_bench() as made:
        yield made


def pongs(bench: FaultBench, *, wait: float = SHORT, most: int = 3) -> list[bytes]:
    """What comes back for one ping."""
    sock = bench.udp(wait)
    sock.send(PING)
    found: list[bytes] = []
    try:
        while len(found) < most:
            found.append(sock.recv(4096))
    except TimeoutError:
        pass
    return found


def test_without_a_fault_a_ping_has_one_pong_that_comes_whole(bench: FaultBench) -> None:
    (pong,) = pongs(bench)
    assert pong[8] == PONG_TYPE


@pytest.mark.parametrize("direction", ["in", "out"])
def test_loss(bench: FaultBench, direction: str) -> None:
    with bench.armed("udp.loss", params={"direction": direction}, count=1) as fault_id:
        assert pongs(bench) == []
        assert bench.fired(fault_id) == 1
        assert len(pongs(bench)) == 1, "it was to act once"


@pytest.mark.parametrize("direction", ["in", "out"])
def test_duplicates(bench: FaultBench, direction: str) -> None:
    with bench.armed("udp.duplicate", params={"direction": direction}):
        first, second = pongs(bench)
        assert first == second


def test_a_delayed_datagram_comes_late_and_at_once_when_the_fault_is_disarmed(bench: FaultBench) -> None:
    fault_id = bench.arm("udp.delay", params={"seconds": 600})
    sock = bench.udp(SHORT)
    sock.send(PING)
    with pytest.raises(TimeoutError):
        sock.recv(4096)
    bench.emulator.disarm(fault_id)
    sock.settimeout(10)
    assert sock.recv(4096)[8] == PONG_TYPE


def test_reordering_lets_the_second_answer_overtake_the_first(bench: FaultBench) -> None:
    sock = bench.udp(10)

    def tags() -> list[int]:
        for tag in (1, 2):
            sock.send(PING[:9] + bytes([tag]) + PING[10:])
        return [sock.recv(4096)[9] for _ in range(2)]

    assert tags() == [1, 2]
    with bench.armed("udp.reorder", params={"at_most": 600}, count=1):
        assert tags() == [2, 1]


def test_corruption_turns_one_bit_behind_the_header(bench: FaultBench) -> None:
    (whole,) = pongs(bench)
    with bench.armed("udp.corrupt", params={"direction": "out"}):
        (spoilt,) = pongs(bench)
    turned = int.from_bytes(whole) ^ int.from_bytes(spoilt)
    assert (turned.bit_count(), whole[:4]) == (1, spoilt[:4])


def test_a_share_of_loss_is_a_sequence_of_the_seed() -> None:
    def history(seed: int) -> list[int]:
        with fault_bench(seed=seed) as bench, bench.armed("udp.loss", probability=0.5, params={"direction": "in"}) as fault_id:
            counts = []
            for _ in range(12):
                bench.udp().send(PING)
                while next(s.matched for s in bench.emulator.faults() if s.id == fault_id) <= len(counts):
                    pass
                counts.append(bench.fired(fault_id))
            return counts

    assert history(1) == history(1)
    assert history(1) != history(2)
    assert 0 < history(1)[-1] < 12
