"""What one client may cost the others: turns, memory, requests that two readers could read in two ways."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.background import WAITING, AtOnce, BackgroundThread
from emulator.wire.limits import FREE_BYTES, RequestMemory

MB = 1024 * 1024


def test_a_client_that_sends_ahead_takes_turns_with_the_others(lan):
    """While its first request is answered, another client's arrives: it is the next or the one after it, and not the last."""
    asked = threading.Event()

    def ask_once(environ, start_response):
        if not asked.is_set():
            asked.set()
            victim.get("/victim")
        return lan.app(environ, start_response)

    listener = lan.server.listen("turns", "127.0.5.1", 0, app=ask_once)
    greedy, victim = lan.connect(listener), lan.connect(listener)
    greedy.send(b"GET /greedy HTTP/1.1\r\nHost: x\r\n\r\n" * 400)
    assert victim.answer()[2] == b"GET /victim  "
    order = [request["PATH_INFO"] for request in lan.app.requests]
    assert order.index("/victim") <= 3
    for _ in range(400):
        assert greedy.answer()[0] == 200


def test_what_is_sent_ahead_is_answered_to_the_end_also_after_a_half_close(lan):
    client = lan.connect(lan.plain())
    client.send(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" * 5)
    client.sock.shutdown(socket.SHUT_WR)
    assert [client.answer()[0] for _ in range(5)] == [200] * 5
    assert client.rest() == b""


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused_and_closes_the_connection(lan, request_bytes, status):
    client = lan.connect(lan.plain()).send(request_bytes)
    answer, headers, _body = client.answer()
    assert (answer, headers["connection"], client.rest()) == (status, "close", b"")
    assert lan.app.requests == []


def test_unfinished_requests_share_a_memory_and_small_ones_always_have_room(lan):
    listener = lan.plain()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    clients = [lan.connect(listener).send(head + b"x" * 900_000) for _ in range(6)]
    refused = [client for client in clients if not client.is_silent()]
    assert 1 <= len(refused) <= 3  # 4 MB hold four of them
    assert all(client.answer()[0] == 503 for client in refused)
    assert (
        lan.connect(listener).send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody").answer()[2] == b"POST /  body"
    )
    for client in clients:
        client.sock.close()
    again = lan.connect(listener).send(head + b"x" * 1_000_000)
    assert again.answer()[0] == 200


# -- the memory by itself ----------------------------------------------------------------------------------------------


def test_one_listener_cannot_use_up_the_memory_of_all():
    memory = RequestMemory()
    mine = [memory.share("a") for _ in range(8)]
    assert [share.hold(MB + FREE_BYTES) for share in mine] == [True] * 4 + [False] * 4
    assert memory.share("b").hold(MB)
    mine[0].release()
    assert mine[7].hold(MB + FREE_BYTES)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3 * MB)), max_size=60))
def test_the_memory_counts_what_is_held_and_nothing_else(steps):
    memory = RequestMemory(most_bytes=4 * MB, most_per_listener_bytes=2 * MB)
    shares = [memory.share("ab"[n % 2]) for n in range(4)]
    held = [0] * 4
    for n, size in steps:
        if shares[n].hold(size):
            held[n] = max(0, size - FREE_BYTES)
        assert memory.held_bytes == sum(held) <= 4 * MB
        assert held[0] + held[2] <= 2 * MB
    for share in shares:
        share.release()
    assert memory.held_bytes == 0


# -- slow work ---------------------------------------------------------------------------------------------------------


def test_slow_jobs_run_one_after_the_other_and_too_many_are_refused():
    gate, done, begun = threading.Event(), [], threading.Semaphore(0)
    finished = threading.Event()
    worker = BackgroundThread(lambda callback: (callback(), finished.set() if len(done) == 1 + WAITING else None))

    def job():
        begun.release()
        assert gate.wait(30)
        return threading.current_thread().name

    assert worker.run(job, done.append)
    assert begun.acquire(timeout=30)
    assert [worker.run(job, done.append) for _ in range(WAITING + 1)] == [True] * WAITING + [False]
    gate.set()
    assert finished.wait(30)
    assert done == ["fencelab-background"] * (1 + WAITING)
    worker.close()


def test_a_closed_worker_tells_nobody():
    gate, told, posted = threading.Event(), [], threading.Event()
    worker = BackgroundThread(lambda callback: (callback(), posted.set()))
    worker.run(lambda: gate.wait(30), told.append)
    worker.close()
    gate.set()
    assert posted.wait(30)
    assert told == []
    assert worker._thread is not None
    worker._thread.join(30)
    assert not worker._thread.is_alive()


def test_without_threads_a_job_runs_at_once():
    told = []
    assert AtOnce().run(lambda: 7, told.append)
    AtOnce().close()
    assert told == [7]
