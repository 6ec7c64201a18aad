"""The manager's worker threads: answers come back, errors too, and the end of a manager is quiet."""

from __future__ import annotations

import threading
from contextlib import closing

from fencer.ha.workers import Pools


def test_an_answer_or_an_error_comes_back_to_whoever_asked():
    came, both = [], threading.Semaphore(0)

    def done(answer, error):
        came.append((answer, str(error or "")))
        both.release()

    def fails():
        raise OSError("no route")

    with closing(Pools(bmc=1, probe=1, vm=1)) as pools:
        pools.submit("bmc", lambda: 7, done)
        pools.submit("vm", fails, done)
        assert both.acquire(timeout=10)
        assert both.acquire(timeout=10)
    assert sorted(came, key=str) == [(7, ""), (None, "no route")]


def test_what_still_waits_when_a_manager_stops_is_dropped_without_a_word(caplog):
    began, may_end, came = threading.Event(), threading.Event(), []
    pools = Pools(bmc=1, probe=1, vm=1)

    def holds_the_thread():
        began.set()
        return may_end.wait(10)

    pools.submit("bmc", holds_the_thread, lambda answer, _error: came.append(answer))
    assert began.wait(10)
    pools.submit("bmc", lambda: "never runs", lambda answer, _error: came.append(answer))
    pools.close()  # does not wait for what is held
    pools.submit("bmc", lambda: "never runs either", lambda answer, _error: came.append(answer))
    may_end.set()
    for thread in threading.enumerate():
        if thread.name.startswith("bmc-"):
            thread.join(10)
    assert came == [True]
    assert caplog.text == ""
