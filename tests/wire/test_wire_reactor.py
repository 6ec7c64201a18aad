"""The loop: order, timers, other threads, errors, the end."""

from __future__ import annotations

import socket
import threading

import pytest

from emulator.core.clock import VirtualClock
from emulator.wire.error_log import KEPT, SAME_ERROR_EVERY_S, ErrorLog
from emulator.wire.reactor import Reactor, ReactorStopped
from emulator.wire.wallclock import WallClock


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def errors():
    return []


@pytest.fixture
def reactor(clock, errors):
    reactor = Reactor(clock, errors.append)
    reactor.start()
    yield reactor
    reactor.stop()
    assert errors == []


def settle(reactor, clock, seconds):
    reactor.call(lambda: clock.advance(seconds))
    reactor.call(lambda: None)


def test_timers_run_in_the_order_of_their_instants_and_then_of_their_making(reactor, clock):
    ran = []

    def arm():
        for name, instant in (("c", 3.0), ("a1", 1.0), ("b", 2.0), ("a2", 1.0)):
            reactor.call_at(instant, lambda name=name: ran.append(name))

    reactor.call(arm)
    assert ran == []
    settle(reactor, clock, 2.0)
    assert ran == ["a1", "a2", "b"]
    settle(reactor, clock, 1.0)
    assert ran == ["a1", "a2", "b", "c"]


def test_a_cancelled_timer_never_runs_even_if_an_earlier_one_of_the_same_instant_cancels_it(reactor, clock):
    ran = []

    def arm():
        reactor.call_at(1.0, lambda: late.cancel())
        late = reactor.call_at(1.0, lambda: ran.append("late"))

    reactor.call(arm)
    settle(reactor, clock, 5.0)
    assert ran == []


def test_cancelled_timers_do_not_pile_up(reactor):
    def churn():
        for _ in range(20_000):
            reactor.call_later(75.0, list).cancel()
        return len(reactor._timers)

    assert reactor.call(churn) < 3000


def test_a_timer_that_asks_for_now_again_does_not_starve_the_loop(reactor, clock):
    def again():
        reactor.call_at(0.0, again)

    reactor.call(again)
    assert reactor.call(lambda: "still here") == "still here"


def test_call_returns_the_result_and_raises_the_error_of_the_loop(reactor):
    assert reactor.call(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        reactor.call(lambda: 1 // 0)
    assert reactor.call(lambda: reactor.call(lambda: "nested")) == "nested"


def test_call_works_before_the_loop_runs():
    reactor = Reactor(VirtualClock())
    assert reactor.call(threading.get_ident) == threading.get_ident()
    reactor.stop()


def test_posts_from_many_threads_all_run_in_the_loop(reactor):
    ran = []
    threads = [
        threading.Thread(target=lambda: [reactor.post(lambda: ran.append(threading.get_ident())) for _ in range(200)])
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reactor.call(lambda: None)
    assert len(ran) == 2000
    assert set(ran) == {reactor.call(threading.get_ident)}


@pytest.mark.parametrize("where", ["post", "timer", "socket", "next_due", "advance"])
def test_a_callback_that_raises_is_reported_and_the_loop_goes_on(reactor, clock, errors, where):
    def fail(*_):
        raise RuntimeError(where)

    one, other = socket.socketpair()
    one.setblocking(False)
    match where:
        case "post":
            reactor.post(fail)
        case "timer":
            reactor.call(lambda: reactor.call_at(0.0, fail))
        case "socket":
            watch = reactor.call(lambda: reactor.add(one, lambda: (one.recv(10), fail())))
            other.send(b"x")
            while not errors:
                reactor.call(lambda: None)
            reactor.call(watch.close)
        case "next_due":
            reactor.call(lambda: reactor.drive(fail, lambda now: None))
        case "advance":
            reactor.call(lambda: reactor.drive(lambda: 0.0, fail))
    settle(reactor, clock, 0.05)
    assert reactor.call(lambda: "alive") == "alive"
    assert {str(error) for error in errors} == {where}
    one.close()
    other.close()
    errors.clear()
    reactor._sources.clear()


def test_a_reporter_that_raises_does_not_end_the_loop_either(caplog):
    def fail(error):
        raise RuntimeError("broken reporter")

    reactor = Reactor(VirtualClock(), fail)
    reactor.start()
    reactor.post(lambda: 1 // 0)
    assert reactor.call(lambda: "alive") == "alive"
    reactor.stop()
    assert "broken reporter" in caplog.text


def test_without_a_reporter_errors_are_logged(caplog):
    reactor = Reactor(VirtualClock())
    reactor.start()
    reactor.post(lambda: 1 // 0)
    reactor.call(lambda: None)
    reactor.stop()
    assert "division" in caplog.text


def test_a_driven_source_is_advanced_when_its_time_has_come_and_before_any_posted_call(reactor, clock):
    due = [2.0, 5.0]
    advanced = []

    def advance(now):
        advanced.append(now)
        while due and due[0] <= now:
            due.pop(0)

    reactor.call(lambda: reactor.drive(lambda: due[0] if due else None, advance))
    settle(reactor, clock, 1.0)
    assert advanced == []
    settle(reactor, clock, 1.0)
    assert advanced == [2.0]
    settle(reactor, clock, 10.0)
    assert advanced == [2.0, 12.0]


def test_a_source_that_raises_is_asked_again_a_moment_later(reactor, clock, errors):
    calls = []

    def advance(now):
        calls.append(now)
        if len(calls) == 1:
            raise RuntimeError("once")

    reactor.call(lambda: reactor.drive(lambda: 0.0 if len(calls) < 2 else None, advance))
    reactor.call(lambda: None)
    settle(reactor, clock, 0.05)
    assert calls == [0.0]
    settle(reactor, clock, 0.1)
    assert len(calls) == 2
    assert [str(error) for error in errors] == ["once"]
    errors.clear()


def test_on_a_wall_clock_timers_and_sources_come_by_themselves():
    reactor = Reactor(WallClock(rate=100.0))
    fired, driven = threading.Event(), threading.Event()
    due = [3.0]

    def advance(now):
        due.clear()
        driven.set()

    reactor.call_at(2.0, fired.set)
    reactor.drive(lambda: due[0] if due else None, advance)
    reactor.start()
    assert fired.wait(10)
    assert driven.wait(10)
    reactor.stop()


def test_stop_closes_every_watched_socket_and_refuses_further_calls(clock):
    reactor = Reactor(clock)
    one, other = socket.socketpair()
    reactor.add(one)
    reactor.start()
    reactor.stop()
    reactor.stop()
    assert one.fileno() == -1
    assert other.recv(10) == b""
    other.close()
    for use in (reactor.wake, lambda: reactor.post(list), lambda: reactor.call(list)):
        with pytest.raises(ReactorStopped):
            use()
    with pytest.raises(RuntimeError, match="runs once"):
        reactor.start()


def test_a_loop_that_never_ran_can_be_stopped(clock):
    reactor = Reactor(clock)
    one, other = socket.socketpair()
    reactor.add(one)
    reactor.stop()
    assert one.fileno() == -1
    other.close()


def test_calls_that_wait_when_the_loop_ends_are_refused_and_do_not_hang(clock):
    reactor = Reactor(clock)
    reactor.start()
    inside, go = threading.Event(), threading.Event()
    outcomes = []

    def hold():
        inside.set()
        go.wait(10)
        reactor.stop()  # from inside: the loop ends after this callback

    def ask():
        try:
            outcomes.append(reactor.call(lambda: "ran"))
        except ReactorStopped:
            outcomes.append("refused")

    reactor.post(hold)
    assert inside.wait(10)
    asker = threading.Thread(target=ask)
    asker.start()
    while not reactor._posted:
        pass
    go.set()
    asker.join(10)
    reactor.stop()
    assert outcomes == ["refused"]


def test_run_uses_the_callers_thread(clock):
    reactor = Reactor(clock)
    seen = []
    reactor.post(lambda: (seen.append(threading.get_ident()), reactor.stop()))
    reactor.run()
    assert seen == [threading.get_ident()]


def test_a_socket_closed_by_an_earlier_callback_of_the_same_turn_is_left_alone(reactor):
    pairs = [socket.socketpair() for _ in range(2)]
    ran = []
    watches = []

    def close_both(number):
        ran.append(number)
        for watch in watches:
            watch.close()

    def arrange():
        for number, (one, other) in enumerate(pairs):
            one.setblocking(False)
            watches.append(reactor.add(one, lambda number=number: close_both(number)))
            other.send(b"x")

    reactor.call(arrange)
    reactor.call(lambda: None)
    assert len(ran) == 1
    for _one, other in pairs:
        other.close()


class Looks:
    """An epoll that remembers how long it was told to wait; `asleep` is set once that is without end."""

    def __init__(self, real):
        self._real = real
        self.patience: list[float | None] = []
        self.asleep = threading.Event()

    def poll(self, timeout, most):
        self.patience.append(timeout)
        if timeout is None:
            self.asleep.set()
        return self._real.poll(timeout, most)

    def __getattr__(self, name):
        return getattr(self._real, name)


def test_a_loop_that_was_busy_looks_again_for_a_moment_and_then_sleeps(clock):
    reactor = Reactor(clock)
    looks = reactor._epoll = Looks(reactor._epoll)
    reactor.start()
    try:
        assert looks.asleep.wait(10)
        looks.asleep.clear()
        del looks.patience[:]
        reactor.call(lambda: None)  # wakes it
        assert looks.asleep.wait(10)
        assert looks.patience.count(None) == 1, "asleep once, until something happens"
        assert looks.patience[0] == 0, "the first look after it was woken does not wait"
    finally:
        reactor.stop()


def test_a_callback_that_raises_drops_its_socket_where_the_owner_asks_for_that(reactor, errors):
    ours, theirs = socket.socketpair()
    dropped = threading.Event()

    def broken():
        raise RuntimeError("the callback is broken")

    def watch():
        made = reactor.add(ours, broken)
        made.on_failed = lambda: (made.close(), dropped.set())

    reactor.call(watch)
    theirs.send(b"x")
    assert dropped.wait(10)
    with pytest.raises(ConnectionResetError):  # what was sent is lost with the socket
        theirs.recv(1)
    assert [str(error) for error in errors] == ["the callback is broken"]
    errors.clear()
    theirs.close()


def test_the_same_error_is_logged_once_per_interval(caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("emulator.wire.error_log.time.monotonic", lambda: now[0])
    log = ErrorLog()
    for _ in range(1000):
        log(RuntimeError("again"))
    log(RuntimeError("another"))
    now[0] = SAME_ERROR_EVERY_S
    log(RuntimeError("again"))
    for n in range(3 * KEPT):
        log(RuntimeError(f"number {n}"))
    assert len(log._silent_until) <= KEPT
    texts = [record.getMessage() for record in caplog.records]
    assert texts[:3] == [
        "a callback of the wire loop failed: again",
        "a callback of the wire loop failed: another (999 more since the last line)",
        "a callback of the wire loop failed: again",
    ]
