"""Hosts that are local process groups: the truth follows what really happened to the processes."""

from __future__ import annotations

import os
import queue
import sys
import textwrap

import pytest

from emulator.backends.process import ProcessHost, ProcessHosts, live_members
from emulator.core.truth.host import News, Order

KEY = ("node1", "1")
PATIENCE = 20

# A host whose OS has started one program; it tells its pid and its child's pid through a pipe once both are there.
HOST = textwrap.dedent(
    """
    import os, signal, subprocess, sys, time
    polite, fifo = sys.argv[1], sys.argv[2]
    if polite == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(fifo, "w") as pipe:
        pipe.write(f"{os.getpid()} {child.pid}")
    time.sleep(600)
    """
)


class Site:
    def __init__(self, tmp_path, polite="polite"):
        self.fifo = tmp_path / "fifo"
        os.mkfifo(self.fifo)
        self.news = queue.Queue()
        host = ProcessHost(argv=[sys.executable, "-c", HOST, polite, str(self.fifo)], log=tmp_path / "host.log")
        self.room = ProcessHosts({KEY: host}, lambda unit, system, news, cause: self.news.put((news, cause)))

    def pids(self):
        """Blocks until the host is up."""
        return [int(word) for word in self.fifo.read_text().split()]

    def order(self, order, cause=7):
        self.room.perform(*KEY, order, cause)

    def hears(self):
        return self.news.get(timeout=PATIENCE)


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.room.close()


def test_energise_starts_the_host_and_cut_leaves_nothing_of_it(site):
    site.order(Order.ENERGISE)
    leader, child = site.pids()
    assert site.hears() == (News.CAME_UP, 7)
    assert sorted(live_members(leader)) == sorted([leader, child])
    site.order(Order.CUT, cause=8)
    assert site.hears() == (News.WENT_DOWN, 8)
    assert live_members(leader) == []


def test_a_host_that_ends_by_itself_has_gone_down_and_takes_its_programs_with_it(site):
    site.room.switch_on(*KEY)
    leader, _child = site.pids()
    os.kill(leader, 9)
    assert site.hears() == (News.WENT_DOWN, None)
    assert live_members(leader) == []


def test_a_healthy_host_follows_a_polite_request(site):
    site.room.switch_on(*KEY)
    site.pids()
    site.order(Order.ASK_SHUTDOWN)
    assert site.hears()[0] is News.WENT_DOWN


def test_a_deaf_host_ignores_a_polite_request_and_falls_to_a_cut(tmp_path):
    site = Site(tmp_path, polite="deaf")
    try:
        site.room.switch_on(*KEY)
        leader, _child = site.pids()
        site.order(Order.ASK_SHUTDOWN)
        site.order(Order.ENERGISE)  # answered after the polite request has been delivered
        assert site.hears()[0] is News.CAME_UP
        assert leader in live_members(leader)
        site.order(Order.CUT)
        assert site.hears()[0] is News.WENT_DOWN
        assert live_members(leader) == []
    finally:
        site.room.close()


def test_a_reset_is_a_new_run_of_the_host(site):
    site.room.switch_on(*KEY)
    before, _ = site.pids()
    site.order(Order.RESET)
    after, _ = site.pids()
    assert site.hears()[0] is News.WAS_RESET
    assert after != before
    assert live_members(before) == []


def test_orders_to_a_dead_host_change_nothing_and_a_cut_is_still_answered(site):
    site.order(Order.RESET)
    site.order(Order.ASK_SHUTDOWN)
    site.order(Order.CUT)
    assert site.hears() == (News.WENT_DOWN, 7)


def test_energise_twice_is_one_host(site):
    site.order(Order.ENERGISE)
    leader, _ = site.pids()
    site.order(Order.ENERGISE)
    assert [site.hears()[0], site.hears()[0]] == [News.CAME_UP, News.CAME_UP]
    assert leader in live_members(leader)


def test_closing_the_room_kills_everything_and_tells_nothing(tmp_path):
    site = Site(tmp_path)
    site.room.switch_on(*KEY)
    leader, _ = site.pids()
    site.room.close()
    assert live_members(leader) == []
    assert site.news.empty()


def test_a_healthy_host_that_is_asked_to_reboot_boots_again(site):
    site.room.switch_on(*KEY)
    before, _ = site.pids()
    site.order(Order.ASK_REBOOT)
    after, _ = site.pids()
    assert site.hears()[0] is News.OS_BOOTED
    assert after != before
    assert live_members(before) == []


def test_a_host_whose_command_cannot_be_run_stays_down_and_the_log_says_why(caplog):
    heard = queue.Queue()
    host = ProcessHost(argv=["/no/such/program"])
    room = ProcessHosts({KEY: host}, lambda unit, system, news, cause: heard.put(news))
    try:
        room.perform(*KEY, Order.ENERGISE, 1)
        assert heard.get(timeout=PATIENCE) is News.WENT_DOWN
    finally:
        room.close()
    assert "host node1 does not start: /no/such/program: No such file or directory" in caplog.text
