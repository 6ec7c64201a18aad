"""Faults as things with an identity: when they begin and end, how often they act, and what the journal says."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.core.bmc.accounts import AuthResult
from emulator.core.errors import NoSuchFault, RackMisconfigured
from emulator.core.faults.board import Armed, Arming, Phase, RailIs, RequestCame
from emulator.core.faults.fault import LoginPoint, Seam
from emulator.core.faults.trigger import ClientRequest, Intent, When
from emulator.core.journal import EventKind
from emulator.core.power.commands import PowerCommand
from emulator.core.power.system import Look
from emulator.core.rack import HostSpec, UnitSpec
from emulator.core.truth.host import News, Order
from emulator.core.truth.virtual_hosts import VirtualHosts
from emulator.core.vocab import Rail
from emulator.faults import make_fault
from emulator.wire.ops import Close, Hang, Send, Wait, held_by, text_of
from profiles.model import View
from tests.conftest import make_bench

LOOK = ClientRequest(protocol="redfish", method="GET", path="/redfish/v1/Systems/1", system="1")
OFF = make_fault("report.says", word="Off")


def arm(bench, fault=OFF, **envelope):
    return bench.rack.arm("node1", Armed(fault=fault, **envelope))


def look(bench, view=View.SYSTEM):
    return bench.view().power("1", view, LOOK)


COMMAND = ClientRequest(protocol="redfish", method="POST", path="/x", system="1", intent=Intent.POWER_COMMAND)


def acted(bench, seam, request):
    """How many faults of the seam act on a request that a front end has journaled."""
    view = bench.view()
    return len(view.faults(seam, request, view.record_request(request, request.path)))


def looks(bench, n):
    return [look(bench) for _ in range(n)]


def phase(bench):
    return bench.rack.faults.statuses(bench.rack.units.values())[0].phase


def cut(bench):
    bench.rack.cut("node1", "1")


def power_up(bench):
    bench.rack.news("node1", "1", News.CAME_UP)


def test_armed_faults_have_short_names_that_are_never_used_twice(bench):
    assert [arm(bench), arm(bench)] == ["f1", "f2"]
    bench.rack.faults.disarm("f1")
    assert arm(bench) == "f3"
    assert [status.id for status in bench.rack.faults.statuses(bench.rack.units.values())] == ["f2", "f3"]


def test_a_list_says_how_often_each_matched_and_fired(bench):
    bench.advance(7)
    arm(bench, count=1, when=When(skip=1))
    looks(bench, 3)
    (status,) = bench.rack.faults.statuses(bench.rack.units.values())
    assert (status.id, status.bmc, status.type, status.armed_at) == ("f1", "node1", "report.says", 7)
    assert (status.matched, status.fired, status.phase) == (2, 1, Phase.SPENT)


def test_disarming_ends_it_and_an_unknown_id_is_said(bench):
    fault_id = arm(bench)
    assert look(bench) == "Off"
    bench.rack.faults.disarm(fault_id)
    assert look(bench) == "On"
    with pytest.raises(NoSuchFault, match="no fault is armed under the id 'f1'"):
        bench.rack.faults.disarm(fault_id)


def test_the_journal_says_what_was_armed_fired_and_disarmed(bench):
    arm(bench)
    look(bench)
    bench.rack.faults.disarm("f1")
    told = [event.data for event in bench.events(EventKind.ARM)]
    assert [(data["id"], data["fault"], data["what"]) for data in told] == [
        ("f1", "report.says", "armed"),
        ("f1", "report.says", "disarmed"),
    ]
    (fired,) = bench.events(EventKind.FAULT)
    assert (fired.data["id"], fired.data["seam"], fired.data["system"]) == ("f1", "report", "1")


def test_after_seconds(bench):
    arm(bench, after=5.0)
    assert (look(bench), phase(bench)) == ("On", Phase.WAITING)
    bench.advance(5)
    assert (look(bench), phase(bench)) == ("Off", Phase.ACTIVE)


def test_until_seconds(bench):
    arm(bench, until=5.0)
    assert look(bench) == "Off"
    bench.advance(5)
    assert (look(bench), phase(bench)) == ("On", Phase.OVER)


def test_after_a_rail_that_falls_and_it_stays_begun(bench):
    arm(bench, make_fault("report.says", word="Paused"), after=RailIs(Rail.DOWN))
    assert look(bench) == "On"
    cut(bench)
    assert look(bench) == "Paused"
    power_up(bench)
    assert look(bench) == "Paused"


def test_after_a_rail_that_is_so_already_begins_at_once(bench):
    arm(bench, after=RailIs(Rail.UP))
    assert look(bench) == "Off"


def test_until_a_rail_wants_a_change_after_the_beginning(bench):
    arm(bench, make_fault("report.says", word="Paused"), after=RailIs(Rail.DOWN), until=RailIs(Rail.UP))
    assert look(bench) == "On", "it is On now, and that ends nothing"
    cut(bench)
    assert look(bench) == "Paused"
    power_up(bench)
    assert (look(bench), phase(bench)) == ("On", Phase.OVER)
    cut(bench)
    assert phase(bench) is Phase.OVER, "for good"


def test_the_rail_of_the_named_system_counts(bench_of):
    bench = bench_of(HostSpec(), HostSpec())
    first, second = (system.id for system in bench.rack.unit("node1").systems)
    arm(bench, after=RailIs(Rail.DOWN, second))
    bench.rack.cut("node1", first)
    assert phase(bench) is Phase.WAITING
    bench.rack.cut("node1", second)
    assert phase(bench) is Phase.ACTIVE


def test_a_probability_is_a_share_and_the_same_for_the_same_seed(profile):
    def history(seed):
        bench = make_bench(UnitSpec(name="node1", profile=profile), seed=seed)
        arm(bench, probability=0.3)
        return looks(bench, 100)

    assert history(1) == history(1) != history(2)
    assert 15 <= history(1).count("Off") <= 45


def test_login_faults_answer_their_question_for_their_user(bench):
    view = bench.view()
    assert view.login_fault(LoginPoint.LOCKED, "root", LOOK) is None
    arm(bench, make_fault("auth.locked", user="root"))
    assert view.login_fault(LoginPoint.LOCKED, "root", LOOK) == make_fault("auth.locked", user="root")
    assert view.login_fault(LoginPoint.LOCKED, "admin", LOOK) is None
    assert view.login_fault(LoginPoint.EXPIRED, "root", LOOK) is None


def test_a_fault_of_a_port_fires_once_when_it_begins(bench):
    refuse = make_fault("wire.refuse")
    told = []
    bench.rack.faults.on_change(lambda *news: told.append(news))
    arm(bench, refuse, after=2.0, until=4.0)
    view = bench.view()
    assert (view.standing(Seam.PORT), bench.events(EventKind.FAULT)) == ((), [])
    bench.advance(2)
    assert (view.standing(Seam.PORT), len(bench.events(EventKind.FAULT))) == ((refuse,), 1)
    bench.advance(2)
    assert view.standing(Seam.PORT) == ()
    bench.rack.faults.disarm("f1")
    assert view.standing(Seam.PORT) == ()
    assert told == [("node1", "f1", False)] * 3 + [("node1", "f1", True)]


def test_a_moment_that_comes_after_the_disarm_is_nothing(bench):
    told = []
    arm(bench, after=2.0)
    bench.rack.faults.disarm("f1")
    bench.rack.faults.on_change(lambda *news: told.append(news))
    bench.advance(3)
    assert told == []


def test_reports_in_sequence_know_what_was_said_first(bench):
    arm(bench, make_fault("report.stale", reads=2))
    look(bench)
    cut(bench)
    assert looks(bench, 2) == ["On", "Off"]


# -- BMCs that come and go -------------------------------------------------------------------------------------------------


def test_a_bmc_is_added_while_the_rack_runs(bench, profile):
    came = []
    bench.rack.on_units(came.append, lambda name: None)
    bench.rack.add(UnitSpec(name="late", profile=profile), VirtualHosts(bench.rack))
    assert (came, bench.rack.unit("late").first().host.rail) == (["late"], Rail.UP)
    bench.rack.cut("late", bench.rack.unit("late").first().id)
    assert bench.rack.unit("late").first().host.rail is Rail.DOWN
    assert [event.data["what"] for event in bench.events(EventKind.UNIT)] == ["added"]


def test_a_bmc_is_removed_with_its_faults_and_late_news_of_its_host_are_ignored(bench):
    gone = []
    bench.rack.on_units(lambda name: None, gone.append)
    arm(bench, after=30.0)
    unit = bench.rack.unit("node1")
    bench.rack.order(unit, unit.first(), Order.ASK_SHUTDOWN, 0)
    bench.rack.remove("node1")
    bench.advance(60)
    assert (gone, "node1" in bench.rack.units) == (["node1"], False)
    assert [event.data["what"] for event in bench.events(EventKind.ARM)] == ["armed", "disarmed"]


def test_a_name_is_used_once(bench, profile):
    spec, driver = UnitSpec(name="node1", profile=profile), VirtualHosts(bench.rack)
    for _ in range(2):
        with pytest.raises(RackMisconfigured, match="a BMC is or was called 'node1'"):
            bench.rack.add(spec, driver)
        if "node1" in bench.rack.units:
            bench.rack.remove("node1")


def test_a_listener_that_cannot_work_with_a_new_bmc_keeps_it_out(bench, profile):
    def refuse(name):
        raise RackMisconfigured(f"{name}: not with me")

    bench.rack.on_units(refuse, lambda name: None)
    with pytest.raises(RackMisconfigured, match="late: not with me"):
        bench.rack.add(UnitSpec(name="late", profile=profile), VirtualHosts(bench.rack))
    assert "late" not in bench.rack.units


# -- who reads the journal -------------------------------------------------------------------------------------------------


def test_subscribers_of_the_journal_hear_every_event_in_order_until_they_leave(bench):
    heard = []
    leave = bench.rack.journal.subscribe(heard.append)
    arm(bench)
    look(bench)
    leave()
    look(bench)
    assert [event.kind for event in heard] == [EventKind.ARM, EventKind.FAULT]
    leave()


def test_a_subscriber_that_raises_is_dropped_and_the_journal_says_so_once(bench):
    heard = []

    def broken(event):
        raise KeyError("boom")

    bench.rack.journal.subscribe(broken)
    bench.rack.journal.subscribe(heard.append)
    looks(bench, 2)
    arm(bench)
    arm(bench)
    (notice,) = bench.events(EventKind.NOTICE)
    assert notice.data == {"what": "a subscriber of the journal was dropped", "error": "KeyError"}
    assert {event.kind for event in heard} == {EventKind.ARM, EventKind.NOTICE}


# -- plans -----------------------------------------------------------------------------------------------------------------


def test_what_a_fault_holds_back_bears_its_id_and_keeps_an_older_one():
    plan = held_by("f2", (Send(b"a"), Wait(1.0), Wait(2.0, "f1"), Hang(), Close()))
    assert plan == (Send(b"a"), Wait(1.0, "f2"), Wait(2.0, "f1"), Hang("f2"), Close())
    assert text_of(plan) == b"a"


def test_after_a_request_the_next_one_is_the_first_that_it_acts_on(bench):
    arm(bench, make_fault("power.ignore"), after=RequestCame(Intent.POWER_COMMAND))
    assert [acted(bench, Seam.POWER, request) for request in (LOOK, COMMAND, LOOK, COMMAND)] == [0, 0, 1, 1]
    assert phase(bench) is Phase.ACTIVE


def test_a_fault_of_any_seam_begins_behind_a_request_that_its_seam_never_sees(bench):
    arm(bench, after=RequestCame(Intent.POWER_COMMAND))
    assert look(bench) == "On"
    acted(bench, Seam.PROTOCOL, COMMAND)
    assert look(bench) == "Off"


def commanded(bench, path="/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"):
    """A client's ForceOff, as a front end serves it; whether the host went off."""
    view = bench.view()
    request = COMMAND._replace(path=path)
    view.command("1", PowerCommand.redfish("ForceOff"), view.record_request(request, path))
    bench.advance(30)
    return bench.rack.unit("node1").system("1").host.rail is Rail.DOWN


def test_a_power_fault_does_not_act_on_the_command_behind_which_it_begins(bench):
    arm(bench, make_fault("power.ignore"), after=RequestCame(Intent.POWER_COMMAND))
    assert commanded(bench)
    power_up(bench)
    assert not commanded(bench), "the second one is ignored"


@pytest.mark.parametrize(
    ("when", "goes_off"),
    [
        (When(path="*/ComputerSystem.Reset"), False),
        (When(path="*/Oem*"), True),
        (When(method="POST"), False),
        (When(method="GET"), True),
    ],
)
def test_a_power_fault_may_depend_on_how_the_command_was_written(bench, when, goes_off):
    arm(bench, make_fault("power.ignore"), when=when)
    assert commanded(bench) is goes_off


def test_what_waits_for_another_request_keeps_waiting(bench):
    arm(bench, after=RequestCame(Intent.LOGIN))
    acted(bench, Seam.PROTOCOL, COMMAND)
    assert (look(bench), phase(bench)) == ("On", Phase.WAITING)


def test_a_port_shuts_behind_a_request_and_its_listeners_hear_of_it(bench):
    heard = []
    bench.rack.faults.on_change(lambda bmc, fault_id, gone: heard.append((bmc, fault_id, gone)))
    arm(bench, make_fault("wire.refuse"), after=RequestCame(Intent.POWER_COMMAND))
    heard.clear()
    acted(bench, Seam.PROTOCOL, COMMAND)
    assert heard == [("node1", "f1", False)]
    assert [event.data["fault"] for event in bench.events(EventKind.FAULT)] == ["wire.refuse"]


def test_before_that_request_it_waits(bench):
    arm(bench, after=RequestCame(Intent.LOGIN))
    assert (look(bench), phase(bench)) == ("On", Phase.WAITING)


# -- what front ends ask ---------------------------------------------------------------------------------------------------


def test_a_locked_account_is_refused_before_its_password_is_looked_at_and_the_journal_says_so(bench):
    view, account = bench.view(), next(iter(bench.view().accounts()))
    arm(bench, make_fault("auth.locked"), count=2)
    assert view.verify(account.name, account.password, "192.0.2.1", "redfish", None, LOOK) == (AuthResult.LOCKED, None)
    assert view.verify("nobody", "x", "192.0.2.1", "redfish", None, LOOK) == (AuthResult.LOCKED, None)
    assert [event.data["user"] for event in bench.events(EventKind.AUTH)] == [account.name, None], "invented names stay out"
    assert view.verify(account.name, account.password, "192.0.2.1", "redfish", None, LOOK) == (AuthResult.OK, account)


def test_a_view_knows_whether_anything_is_armed(bench):
    assert not bench.view().has_faults
    arm(bench)
    assert bench.view().has_faults


@given(st.floats(0, 1e6), st.floats(0.001, 1e4))
@example(1.1, 0.2)
@example(8.3, 0.2)
def test_a_fault_has_changed_its_phase_when_the_timer_that_tells_of_it_fires(since, seconds):
    """The timer is due at `since + seconds`, which is a rounded number."""
    ends = Arming("f1", Armed(fault=OFF, until=seconds), since)
    begins = Arming("f2", Armed(fault=OFF, after=seconds), since)
    assert (ends.phase(since + seconds), begins.phase(since + seconds)) == (Phase.OVER, Phase.ACTIVE)


def test_a_host_moves_while_steps_are_to_come_or_a_gate_holds_them(bench):
    system = bench.rack.unit("node1").system("1")
    assert not system.moves
    arm(bench, make_fault("power.gate", gate=2))
    view = bench.view()
    view.command("1", PowerCommand.redfish("ForceOff"), view.record_request(COMMAND, "/x"))
    assert system.moves
    for _ in range(2):
        view.told([Look("1", View.SYSTEM, "On")], None)
    bench.advance(30)
    assert (system.moves, system.host.rail) == (False, Rail.DOWN)
