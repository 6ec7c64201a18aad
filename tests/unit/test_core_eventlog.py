"""The log that a BMC keeps of its machine."""

from __future__ import annotations

import pytest

from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.eventlog import LogKind, Overflow, SelFields, Severity
from emulator.core.errors import RackMisconfigured
from emulator.core.journal import EventKind
from emulator.core.power.commands import PowerCommand
from emulator.core.truth.host import Host, News
from emulator.core.vocab import ChassisControl, Os, Rail

OUT_OF_SIGHT = Host(Rail.UNKNOWN, Os.STOPPED)


def kinds(bench):
    return [entry.kind for entry in bench.view().log.entries()]


def test_a_power_off_and_on_are_written_with_time_cause_and_sel_fields(bench):
    bench.rack.log_writer._epoch = 1_700_000_000.0
    bench.view().command("1", PowerCommand.redfish("ForceOff"), None)
    bench.advance(4)
    bench.advance(40)
    bench.view().command("1", PowerCommand.redfish("On"), None)
    bench.advance(4)
    off, on, boot = bench.view().log.entries()
    assert (off.kind, on.kind, boot.kind) == (LogKind.POWER_OFF, LogKind.POWER_ON, LogKind.BOOT)
    assert (off.t, off.wall, off.id, off.system) == (4.0, 1_700_000_004.0, 1, "1")
    assert off.cause == bench.events(EventKind.RAIL)[1].seq
    assert off.sel == SelFields(0x09, 0x40, (0x00, 0xFF, 0xFF))
    assert not on.sel.asserted, "power on is the end of power off"
    assert boot.sel.data == (0xF7, RestartCause.CHASSIS_CONTROL, 0x01)


def test_the_journal_knows_no_wall_time(bench):
    bench.rack.log_writer._epoch = 1_700_000_000.0
    bench.rack.cut("node1", "1")
    assert "17000000" not in bench.rack.journal.to_jsonl()


def test_a_cycle_is_told_once_with_its_fall_and_rise(bench):
    bench.view().command("1", PowerCommand.ipmi(ChassisControl.CYCLE), None)
    bench.advance(13)
    assert kinds(bench) == [LogKind.POWER_CYCLE, LogKind.POWER_OFF, LogKind.POWER_ON, LogKind.BOOT]
    bench.rack.cut("node1", "1")
    assert kinds(bench)[4:] == [LogKind.POWER_OFF]


def test_a_cut_in_the_middle_of_a_cycle_is_no_cycle(bench):
    bench.view().command("1", PowerCommand.ipmi(ChassisControl.CYCLE), None)
    bench.rack.cut("node1", "1")
    assert kinds(bench) == [LogKind.POWER_OFF]
    assert bench.view().chassis.powered_by() is RestartCause.UNKNOWN


def test_reset_shutdown_and_crash_are_told_and_a_hang_is_not_noticed(bench):
    bench.view().command("1", PowerCommand.redfish("ForceRestart"), None)
    bench.advance(1)
    assert kinds(bench) == [LogKind.RESET, LogKind.BOOT]
    bench.rack.news("node1", "1", News.OS_HUNG)
    bench.rack.news("node1", "1", News.OS_RECOVERED)
    assert len(bench.view().log) == 2
    bench.view().command("1", PowerCommand.redfish("Nmi"), None)
    assert kinds(bench)[2:] == [LogKind.OS_CRASH]
    bench.rack.news("node1", "1", News.CAME_UP)
    bench.view().command("1", PowerCommand.redfish("GracefulShutdown"), None)
    bench.advance(21)
    assert kinds(bench)[3:] == [LogKind.BOOT, LogKind.OS_SHUTDOWN, LogKind.POWER_OFF]


def test_a_host_that_is_out_of_sight_and_found_as_it_was_leaves_no_entry(bench):
    for news in (News.OUT_OF_SIGHT, News.CAME_UP):
        bench.rack.news("node1", "1", news)
    assert kinds(bench) == []
    for news in (News.OUT_OF_SIGHT, News.WENT_DOWN):
        bench.rack.news("node1", "1", news)
    assert kinds(bench) == [LogKind.POWER_OFF]


def test_a_full_log_drops_its_oldest_and_ids_count_on(bench_of):
    bench = bench_of(log_limit=3)
    for _ in range(3):
        bench.view().command("1", PowerCommand.ipmi(ChassisControl.RESET), None)
        bench.advance(1)
    log = bench.view().log
    assert [entry.id for entry in log.entries()] == [4, 5, 6]
    assert (len(log), log.limit, log.lost, log.overflow) == (3, 3, 3, Overflow.DROP_OLDEST)


def test_a_full_log_may_refuse_and_listeners_hear_nothing_then(bench_of):
    bench = bench_of(log_limit=1, log_overflow=Overflow.REFUSE)
    heard = []
    bench.view().on_log(heard.append)
    bench.view().command("1", PowerCommand.ipmi(ChassisControl.RESET), None)
    bench.advance(1)
    assert [entry.kind for entry in heard] == kinds(bench) == [LogKind.RESET]
    assert bench.view().log.add("no room", SelFields(1, 1, (0, 0, 0))) is None
    assert bench.view().log.lost == 2


def test_a_log_without_room_is_refused(bench_of):
    with pytest.raises(RackMisconfigured, match="hold nothing"):
        bench_of(log_limit=0)


def test_clear_leaves_its_own_trace_and_a_deletion_takes_one(bench):
    log = bench.view().log
    bench.rack.cut("node1", "1")
    bench.advance(5)
    log.clear()
    assert kinds(bench) == [LogKind.LOG_CLEARED]
    assert (log.last_erased, log.last_added, log.wall()) == (5.0, 5.0, 5.0)
    cleared = log.entries()[0]
    assert cleared.id == 2
    assert log.entry(2) is cleared
    assert not log.delete(1)
    assert log.delete(2)
    assert (log.entry(2), len(log)) == (None, 0)
    assert [event.data["what"] for event in bench.events(EventKind.SETTING)] == ["log cleared", "log entry deleted"]


def test_a_client_may_add_entries_of_its_own(bench):
    fields = SelFields(0x12, 0x99, (1, 2, 3), event_type=0x70, asserted=False)
    entry = bench.view().log.add("from outside", fields, severity=Severity.CRITICAL)
    assert (entry.kind, entry.sel, entry.severity, entry.system) == (LogKind.ADDED, fields, Severity.CRITICAL, "1")


def test_a_listener_hears_entries_until_it_is_taken_off(bench):
    heard = []
    stop = bench.view().on_log(heard.append)
    bench.rack.cut("node1", "1")
    stop()
    stop()
    bench.view().log.clear()
    assert [entry.kind for entry in heard] == [LogKind.POWER_OFF]


def test_failed_logins_and_lockouts_are_told_and_a_flood_fills_no_log(bench):
    view = bench.view()
    view.verify("root", "Tr0ub4dor&3", "a", "basic")
    for _ in range(3):
        view.verify("nobody", "x", "a", "basic")
        view.verify("root", "x", "a", "basic")
    view.note_auth("root", "a", "rakp", ok=False)
    told = [(entry.kind, entry.text) for entry in view.log.entries()]
    assert told == [
        (LogKind.LOGIN_FAILED, "A login was refused."),
        (LogKind.LOGIN_FAILED, "A login was refused. User: root."),
        (LogKind.LOCKOUT, "Logins are locked after too many failures."),
        (LogKind.LOCKOUT, "Logins are locked after too many failures. User: root."),
    ]
    assert [entry.sel.data[1] for entry in view.log.entries()] == [0, 2, 0, 2]
    view.log.clear()
    view.verify("root", "x", "a", "basic")
    assert kinds(bench) == [LogKind.LOG_CLEARED, LogKind.LOGIN_FAILED]
