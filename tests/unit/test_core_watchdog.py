"""The watchdog timer of IPMI acts on the host, by the usual orders."""

from __future__ import annotations

import pytest

from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.eventlog import LogKind
from emulator.core.bmc.watchdog import PreTimeout, TimerAction, TimerUse, WatchdogNotSet, WatchdogSetup
from emulator.core.journal import EventKind
from emulator.core.rack import HostSpec
from emulator.core.truth.host import News, host_off
from emulator.core.vocab import Os, Rail


def setup(action=TimerAction.NONE, countdown_s=30.0, **more):
    return WatchdogSetup(use=TimerUse.SMS_OS, action=action, countdown_s=countdown_s, **more)


def start(bench, wanted):
    bench.view().watchdog.set(wanted)
    bench.view().watchdog.reset()


def kinds(bench):
    return [entry.kind for entry in bench.view().log.entries()]


def test_a_watchdog_that_was_never_set_cannot_be_started(bench):
    with pytest.raises(WatchdogNotSet) as refused:
        bench.view().watchdog.reset()
    assert refused.value.completion_code == 0x80
    assert bench.view().watchdog.state().setup is None
    assert not bench.view().watchdog.was_set


def test_it_counts_down_and_a_reset_starts_it_anew(bench):
    dog = bench.view().watchdog
    dog.set(setup())
    assert (dog.was_set, dog.state().running, dog.state().left_s) == (True, False, 30.0)
    dog.reset()
    bench.advance(20)
    assert (dog.state().running, dog.state().left_s) == (True, 10.0)
    dog.reset()
    bench.advance(20)
    assert dog.state().left_s == 10.0
    bench.advance(10)
    assert (dog.state().running, dog.state().left_s, dog.state().expired) == (False, 0.0, {TimerUse.SMS_OS})
    assert (kinds(bench), bench.host().incarnation) == ([LogKind.WATCHDOG], 1)
    assert bench.view().log.entries()[0].sel.data == (0xC0, 0x04, 0xFF)


def test_an_expiry_resets_a_hung_host(bench_of):
    bench = bench_of(HostSpec(hung=True))
    start(bench, setup(TimerAction.HARD_RESET))
    bench.advance(30)
    assert (bench.host().os, bench.host().incarnation) == (Os.RUNNING, 2)
    assert bench.view().chassis.restart_cause() is RestartCause.WATCHDOG
    assert kinds(bench) == [LogKind.WATCHDOG, LogKind.RESET, LogKind.BOOT]
    expiry = next(event for event in bench.events(EventKind.WATCHDOG) if event.data["what"] == "expired")
    assert bench.events(EventKind.OS)[-1].cause == expiry.seq


def test_an_expiry_powers_down(bench):
    start(bench, setup(TimerAction.POWER_DOWN))
    bench.advance(3000)
    assert bench.host().rail is Rail.DOWN
    assert kinds(bench) == [LogKind.WATCHDOG, LogKind.POWER_OFF]


def test_an_expiry_cycles(bench):
    start(bench, setup(TimerAction.POWER_CYCLE))
    bench.advance(30)
    assert bench.host().rail is Rail.DOWN
    bench.advance(10)
    assert bench.host().rail is Rail.UP
    assert kinds(bench) == [LogKind.WATCHDOG, LogKind.POWER_CYCLE, LogKind.POWER_OFF, LogKind.POWER_ON, LogKind.BOOT]
    assert bench.view().chassis.powered_by() is RestartCause.WATCHDOG


def test_a_pre_timeout_comes_first_and_an_nmi_crashes_the_host(bench):
    start(bench, setup(TimerAction.HARD_RESET, pre=PreTimeout.NMI, pre_s=5))
    bench.advance(25)
    assert bench.host().os is Os.STOPPED
    assert kinds(bench) == [LogKind.WATCHDOG_PRETIMEOUT, LogKind.OS_CRASH]
    assert bench.view().log.entries()[0].sel.data == (0xC8, 0x24, 0xFF)
    bench.advance(5)
    assert bench.host().os is Os.RUNNING


def test_another_pre_timeout_only_leaves_a_mark_and_a_dead_host_is_left_alone(bench_of):
    bench = bench_of(HostSpec(power="off"))
    start(bench, setup(TimerAction.POWER_CYCLE, pre=PreTimeout.NMI, pre_s=50))
    bench.advance(100)
    assert bench.host() == host_off()
    assert kinds(bench) == [LogKind.WATCHDOG_PRETIMEOUT, LogKind.WATCHDOG]
    bench = bench_of()
    start(bench, setup(pre=PreTimeout.MESSAGING, pre_s=5))
    bench.advance(25)
    assert (bench.host().os, kinds(bench)) == (Os.RUNNING, [LogKind.WATCHDOG_PRETIMEOUT])


def test_one_that_must_not_log_acts_in_silence(bench):
    start(bench, setup(TimerAction.POWER_DOWN, dont_log=True))
    bench.advance(30)
    assert (bench.host().rail, kinds(bench)) == (Rail.DOWN, [LogKind.POWER_OFF])


def test_a_set_stops_a_running_timer_unless_told_not_to(bench):
    dog = bench.view().watchdog
    start(bench, setup())
    dog.set(setup(countdown_s=50, dont_stop=True))
    assert (dog.state().running, dog.state().left_s) == (True, 50.0)
    dog.set(setup(countdown_s=70))
    assert (dog.state().running, dog.state().left_s) == (False, 70.0)
    dog.set(setup(countdown_s=80, dont_stop=True))
    assert not dog.state().running, "what stands is not started"


def test_flags_stay_until_they_are_cleared(bench):
    dog = bench.view().watchdog
    start(bench, setup())
    bench.advance(30)
    dog.set(setup())
    assert dog.state().expired == {TimerUse.SMS_OS}
    dog.set(setup(), clear=frozenset({TimerUse.SMS_OS, TimerUse.OEM}))
    assert dog.state().expired == frozenset()


def test_it_stops_with_the_rail_of_the_first_system_and_no_other(bench_of):
    bench = bench_of(HostSpec(), HostSpec())
    start(bench, setup(TimerAction.HARD_RESET))
    bench.advance(10)
    bench.rack.cut("node1", "2")
    assert bench.view().watchdog.state().running
    bench.rack.news("node1", "1", News.OS_HUNG)
    assert bench.view().watchdog.state().running, "that is what it is for"
    bench.rack.cut("node1", "1")
    state = bench.view().watchdog.state()
    assert (state.running, state.left_s) == (False, 20.0)
