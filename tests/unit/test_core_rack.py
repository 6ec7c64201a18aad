"""The rack as a whole: truth, names, journal, accounts, sessions."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from emulator.core.bmc.accounts import AuthResult
from emulator.core.clock import VirtualClock
from emulator.core.errors import (
    EmulatorError,
    IllegalStimulus,
    NoSuchSystem,
    NoSuchUnit,
    RackMisconfigured,
)
from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import ClientRequest
from emulator.core.journal import EventKind, Journal, chain, event_from_json
from emulator.core.naming import derived_serial, derived_uuid, numbered
from emulator.core.power.commands import PowerCommand
from emulator.core.power.system import SystemState
from emulator.core.rack import HostSpec, Rack, UnitSpec
from emulator.core.timers import Timers
from emulator.core.truth.host import TRANSITIONS, FirstTruth, Host, News, Order, host_off, host_on, transition
from emulator.core.vocab import RESET_OF_CONTROL, ChassisControl, Os, Rail
from emulator.faults.power import Gated
from profiles.model import View
from tests.conftest import make_bench


def test_every_row_of_the_host_table_ends_in_a_possible_host():
    for row in TRANSITIONS.values():
        assert (row.rail is Rail.UP) or row.os is Os.STOPPED


def test_an_impossible_piece_of_news_is_refused_and_changes_nothing(bench_of):
    bench = bench_of(HostSpec(power="off"))
    with pytest.raises(IllegalStimulus):
        bench.rack.news("node1", "1", News.OS_HUNG)
    assert bench.host() == host_off()


def test_run_state_is_lost_exactly_once_per_end():
    host = transition(transition(host_on(), News.OS_WENT_DOWN), News.WENT_DOWN)
    assert host == Host(Rail.DOWN, Os.STOPPED, 2)
    assert transition(host, News.CAME_UP).incarnation == 2


def test_a_host_out_of_sight_is_unknown_and_never_off(bench):
    bench.rack.news("node1", "1", News.OUT_OF_SIGHT)
    look = ClientRequest(protocol="redfish", method="GET", path="/", system="1")
    assert bench.view().power("1", View.SYSTEM, look) is None
    assert bench.host().rail is Rail.UNKNOWN
    assert bench.view().command("1", PowerCommand.redfish("ForceOff"), None).reply == "ok", "an off is still tried"
    bench.rack.news("node1", "1", News.WENT_DOWN)
    assert bench.view().power("1", View.SYSTEM, look) == "Off"


def test_a_hung_host_recovers_without_losing_its_run(bench_of):
    bench = bench_of(HostSpec(hung=True))
    bench.rack.news("node1", "1", News.OS_RECOVERED)
    assert bench.host() == host_on()


def test_a_listener_hears_every_change_of_the_truth(bench):
    heard = []
    bench.rack.listen(lambda unit, system, host: heard.append((unit, system, host.rail)))
    bench.rack.cut("node1", "1")
    assert heard == [("node1", "1", Rail.DOWN)]


def test_a_holder_gets_the_orders_and_the_truth_waits_for_its_news(bench):
    orders = []

    class Slow:
        def perform(self, unit, system, order, cause):
            orders.append((unit, system, order))

    bench.rack.hold("node1", "1", Slow())
    bench.view().command("1", PowerCommand.redfish("ForceOff"), None)
    bench.advance(5)
    assert orders == [("node1", "1", Order.CUT)]
    look = ClientRequest(protocol="redfish", method="GET", path="/", system="1")
    assert bench.view().power("1", View.CHASSIS, look) == "On"
    bench.rack.news("node1", "1", News.WENT_DOWN)
    assert bench.view().power("1", View.CHASSIS, look) == "Off"
    assert bench.events(EventKind.RAIL)[-1].cause == bench.events(EventKind.COMMAND)[0].seq


def test_several_systems_have_truths_of_their_own(bench_of):
    bench = bench_of(HostSpec(), HostSpec(power="off"))
    assert [s.id for s in bench.view().systems()] == ["1", "2"]
    assert [s.chassis_id for s in bench.view().systems()] == ["chassis", "chassis2"]
    assert [bench.host(n=n).rail for n in (0, 1)] == [Rail.UP, Rail.DOWN]
    bench.view().command("2", PowerCommand.redfish("On"), None)
    bench.advance(4)
    assert [bench.host(n=n).rail for n in (0, 1)] == [Rail.UP, Rail.UP]


def test_unknown_names_are_the_callers_fault(bench):
    with pytest.raises(NoSuchSystem) as system:
        bench.view().system("9")
    assert (system.value.http_status, system.value.completion_code) == (404, 0xCB)
    with pytest.raises(NoSuchUnit):
        bench.view("nobody")
    with pytest.raises(TypeError):
        EmulatorError("nobody raises the base")


def test_a_rack_that_cannot_exist_is_refused(profile):
    def build(*units):
        clock = VirtualClock()
        return Rack(units, clock=clock, journal=Journal(clock), dice=random.Random(0), make_token=str)

    with pytest.raises(RackMisconfigured, match="two BMCs are called 'a'"):
        build(UnitSpec(name="a", profile=profile), UnitSpec(name="a", profile=profile))
    with pytest.raises(RackMisconfigured, match="at least one host"):
        build(UnitSpec(name="a", profile=profile, hosts=()))


# -- names --------------------------------------------------------------------------------------------------------------


def test_ids_count_on_from_the_first():
    assert [numbered("System.Embedded.1", n) for n in range(3)] == ["System.Embedded.1", "System.Embedded.2", "System.Embedded.3"]
    assert numbered("system", 1) == "system2"


def test_every_system_has_a_uuid_of_its_own_in_the_vendors_form():
    form = "4c4c4544-0041-4243-3132-333400000000"
    first, second = derived_uuid(form, "a"), derived_uuid(form, "b")
    assert first != second
    assert first.startswith("4c4c4544-0041-4243-3132-")
    assert derived_uuid("absent", "a") == "absent"
    assert derived_uuid("random", "a") == derived_uuid("random", "a") != derived_uuid("random", "b")
    assert derived_uuid("no uuid at all", "a") == "no uuid at all"
    assert derived_serial("a") != derived_serial("b")


def test_every_chassis_control_has_a_redfish_word():
    assert set(RESET_OF_CONTROL) == set(ChassisControl)
    assert ChassisControl.DOWN.key == "down"


# -- journal ------------------------------------------------------------------------------------------------------------


def a_run(bench_of) -> str:
    bench = bench_of()
    bench.view().command("1", PowerCommand.redfish("ForceOff"), None)
    bench.advance(50)
    bench.view().command("1", PowerCommand.redfish("On"), None)
    bench.advance(5)
    return bench.rack.journal.to_jsonl()


def test_the_same_seed_gives_the_same_bytes(bench_of):
    assert a_run(bench_of) == a_run(bench_of)


def test_a_journal_line_comes_back_as_the_event_it_was(bench_of):
    bench = bench_of()
    bench.view().command("1", PowerCommand.redfish("ForceOff"), None)
    for event in bench.rack.journal:
        assert event_from_json(event.to_json()) == event


@pytest.mark.parametrize(
    "line", ["", "nonsense", "[]", '{"seq": 1}', '{"seq": 1, "t": 0, "bmc": "", "kind": "x", "cause": null}']
)
def test_what_is_not_a_journal_line_is_refused_with_a_sentence(line):
    with pytest.raises(ValueError, match="not a journal line"):
        event_from_json(line)


def test_the_ring_forgets_the_oldest_and_the_spill_keeps_all():
    lines = []
    journal = Journal(VirtualClock(), capacity=2, spill=lines.append)
    for n in range(3):
        journal.record("a", EventKind.WIRE, n=n)
    assert (len(journal), journal.forgotten, len(lines)) == (2, 1, 3)


def test_the_journal_keeps_its_own_names_to_itself():
    with pytest.raises(ValueError, match="names these itself"):
        Journal(VirtualClock()).record("a", EventKind.WIRE, seq=3)


def test_a_chain_walks_the_causes_back_to_the_first(bench):
    bench.view().command("1", PowerCommand.redfish("ForceOff"), 0)
    bench.advance(5)
    events = {event.seq: event for event in bench.rack.journal}
    fall = bench.events(EventKind.RAIL)[-1]
    assert [event.kind for event in chain(events, fall.seq)] == [EventKind.COMMAND, EventKind.RAIL]


def test_clocks_do_not_run_backwards():
    clock = VirtualClock(5)
    with pytest.raises(ValueError, match="backwards"):
        clock.move_to(4)


# -- accounts and sessions ----------------------------------------------------------------------------------------------


def test_a_password_is_checked_and_the_journal_never_sees_it(bench):
    view = bench.view()
    assert view.verify("root", "Tr0ub4dor&3", "10.0.0.1", "basic")[0] is AuthResult.OK
    assert view.verify("root", "wrong", "10.0.0.1", "basic")[0] is AuthResult.BAD
    assert view.verify("Tr0ub4dor&3", "root", "10.0.0.1", "basic")[0] is AuthResult.BAD
    assert "Tr0ub4dor" not in bench.rack.journal.to_jsonl()
    assert [e.data["result"] for e in bench.events(EventKind.AUTH)] == ["ok", "bad", "bad"]


def test_a_password_of_ones_own_replaces_the_public_default(bench_of):
    view = bench_of(HostSpec(), password="s3cret").view()
    assert view.verify("root", "Tr0ub4dor&3", "a", "basic")[0] is AuthResult.BAD
    assert view.verify("root", "s3cret", "a", "basic")[0] is AuthResult.OK
    assert [account.name for account in view.accounts()] == ["root", "guest"]


def test_three_failures_lock_the_account_for_a_minute_whatever_the_protocol(bench):
    view = bench.view()
    view.verify("root", "no", "a", "basic")
    view.note_auth("root", "b", "rakp", ok=False)
    view.verify("root", "no", "c", "basic")
    assert view.is_locked("root", "anywhere")
    assert view.verify("root", "Tr0ub4dor&3", "a", "basic")[0] is AuthResult.LOCKED
    bench.advance(61)
    assert view.verify("root", "Tr0ub4dor&3", "a", "basic")[0] is AuthResult.OK


def test_old_failures_and_a_success_clear_the_count(bench):
    view = bench.view()
    for _ in range(2):
        view.verify("root", "no", "a", "basic")
    bench.advance(61)
    view.verify("root", "no", "a", "basic")
    assert not view.is_locked("root", "a")
    view.note_auth("root", "a", "rakp", ok=True)
    for _ in range(2):
        view.verify("root", "no", "a", "basic")
    assert not view.is_locked("root", "a")


def test_a_lockout_by_address_leaves_other_addresses_alone(profile, bench_of):

    from profiles.model import Lockout

    by_address = replace(
        profile, auth=replace(profile.auth, lockout=Lockout(by="address", failures=1, window_s=60, penalty_s=60))
    )
    view = bench_of(HostSpec()).view()
    assert not view.is_locked("root", "a")
    clock = VirtualClock()
    rack = Rack(
        [UnitSpec(name="node1", profile=by_address)], clock=clock, journal=Journal(clock), dice=random.Random(0), make_token=str
    )
    from emulator.core.bmc.view import BmcView

    view = BmcView(rack, "node1")
    view.verify("root", "no", "a", "basic")
    assert view.is_locked("guest", "a")
    assert not view.is_locked("root", "b")


def test_a_lockout_of_zero_never_locks(profile):

    from emulator.core.bmc.accounts import Accounts
    from profiles.model import Lockout

    accounts = Accounts(replace(profile.auth, lockout=Lockout(by="account", failures=0)))
    for _ in range(20):
        accounts.verify("root", "no", "a", 0.0)
    assert not accounts.is_locked("root", "a", 0.0)


def test_the_session_table_has_a_limit_and_closing_makes_room(bench):
    view = bench.view()
    account = view.account("root")
    first, second = view.open_session(account), view.open_session(account)
    assert view.open_session(account) is None
    assert view.close_session(first.id)
    assert not view.close_session(first.id)
    assert view.open_session(account) is not None
    assert second.token not in bench.rack.journal.to_jsonl()


def test_an_idle_session_ends_and_a_used_one_stays(bench):
    view = bench.view()
    idle, used = view.open_session(view.account("root")), view.open_session(view.account("root"))
    bench.advance(20)
    assert view.use_session(used.token) is used
    bench.advance(20)
    assert view.use_session(idle.token) is None
    assert [s.id for s in view.sessions()] == [used.id]
    assert view.now == 40


def test_a_session_table_without_a_limit_never_fills(profile, bench_of):
    from emulator.core.bmc.accounts import AccountSessionTable

    table = AccountSessionTable(None, 30)
    account, tokens = profile.auth.accounts[0], iter("abcdefghij")
    assert all(table.open(account, 0.0, tokens.__next__) for _ in range(10))
    assert len(table) == 10


# -- the view -----------------------------------------------------------------------------------------------------------


def test_a_front_end_knows_which_bmc_it_speaks_for(bench):
    view = bench.view()
    assert (view.name, view.profile.id, view.first_system().id) == ("node1", "tiny", "1")


def test_a_front_end_can_let_the_rack_catch_up_by_itself(bench):
    view = bench.view()
    view.command("1", PowerCommand.redfish("ForceOff"), None)
    bench.clock.advance(5)
    assert bench.host().rail is Rail.UP
    view.advance()
    assert bench.host().rail is Rail.DOWN


def test_a_system_may_be_made_with_a_report_of_its_own():
    system = SystemState("1", "c", 0, "h", host_on(), says={View.SYSTEM: "Off"})
    assert system.says == {View.SYSTEM: "Off"}


def test_a_cancelled_timer_never_fires_even_when_it_is_asked_to():
    fired = []
    timers = Timers()
    timer = timers.at(1.0, lambda: fired.append(1))
    timer.cancel()
    timer.fire()
    assert (fired, timers.next_due(), timers.pop_due(2.0)) == ([], None, None)


def test_when_nothing_has_changed_nothing_is_journaled(bench):
    before = len(bench.rack.journal)
    bench.rack.news("node1", "1", News.CAME_UP)
    assert len(bench.rack.journal) == before


def test_a_front_end_reads_no_clock_of_its_own(bench):
    bench.rack.advance(12.5)
    assert bench.view().now == 12.5
    assert bench.rack.next_due() is None


def test_a_host_that_dies_by_itself_is_not_blamed_on_an_older_order(bench):
    bench.view().command("1", PowerCommand.redfish("ForceOff"), None)
    bench.advance(50)
    bench.view().command("1", PowerCommand.redfish("On"), None)
    bench.advance(5)
    bench.rack.news("node1", "1", News.WENT_DOWN)
    fall = bench.events(EventKind.RAIL)[-1]
    assert (fall.data["rail"], fall.cause) == ("down", None)


def test_what_one_bmc_changes_no_other_has(profile):
    bench = make_bench(*(UnitSpec(name=name, profile=profile) for name in ("node1", "node2")))
    one, two = bench.view("node1"), bench.view("node2")
    account = profile.auth.accounts[0]
    one.users.create("new", "Pw-3.unguessable", "Operator")
    one.users.change(account.name, password="Pw-4.unguessable")
    for _ in range(10):
        one.verify("new", "wrong", "127.0.0.1", "test")
    one.on_log(lambda entry: None)
    one.command("1", PowerCommand.ipmi(ChassisControl.DOWN), None)
    one.reset_bmc("cold")
    bench.advance(60)
    bench.rack.arm("node1", Armed(fault=Gated()))
    assert not bench.rack.unit("node2").faults.armings
    assert [known.name for known in two.accounts()] == [known.name for known in profile.auth.accounts]
    assert two.verify(account.name, account.password, "127.0.0.1", "test")[0] is AuthResult.OK
    assert two.power("1", View.SYSTEM, ClientRequest(protocol="redfish", method="GET", path="")) == "On"
    assert (two.generation, len(two.log), bench.host("node2").rail) == (1, 0, Rail.UP)


def test_the_first_truth_of_a_host_reads_as_a_dictionary():
    first = FirstTruth("1", "node1", host_on())
    assert dict(first) == {
        "system": "1", "host": "node1", "rail": "up", "os": "running", "incarnation": 1, "was": "initial",
    }  # fmt: skip
    assert (len(first), first.get("power"), "was" in first) == (6, None, True)
