"""Fencing levels in the pure rules, continued: confirmations, hosts that return, and devices that show another machine."""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import levels, proof
from fencer.ha.effects import AlertName, CallBmc, LineKind, TimelineLine
from fencer.ha.observations import (
    CommandReply,
    CommandResult,
    DeviceChecked,
    Disable,
    Health,
    ManualFence,
    Pin,
    PowerRead,
    Tick,
)
from fencer.ha.record import DeviceMemory, FencePhase, HostRecord, RequestKind
from fencer.ha.states import HAState
from fencer.outcome import Cause, Failure, Power, Reading, Witness, WitnessState
from tests.ha_level_world import PDUS, LevelWorld, level_fencing

S = HAState


def down(world: LevelWorld, seconds: float = 600) -> float:
    return world.to(S.FENCED, seconds)


def test_a_confirmation_is_checked_with_the_bmc_and_not_with_outlets() -> None:
    for own, ok in ((Cause.UNREACHABLE, True), ("On", False)):
        world = level_fencing()
        world.obeys = set()
        world.run(60, lambda w: w.rec.level == 2 and w.rec.fence is not None and w.rec.fence.phase is FencePhase.CONFIRM)
        assert world.rec.fence is not None
        world.word = own
        world.see(ManualFence(request=7, fence_id=world.rec.fence.id, who="alice", why="both cords are pulled"))
        world.run(120, lambda w: bool(w.answers))
        assert [answer.ok for answer in world.answers] == [ok]
        assert (world.rec.state is S.FENCED) == ok
        assert world.rec.level == 1


def test_a_confirmation_of_a_waiting_fence_asks_the_bmc_at_once() -> None:
    world = level_fencing()
    world.says = {"pdu1": Cause.TIMEOUT, "pdu2": Cause.TIMEOUT}
    world.run(60, lambda w: w.rec.level == 2)
    assert world.rec.fence is not None
    world.see(ManualFence(request=7, fence_id=world.rec.fence.id, who="alice", why="both cords are pulled"))
    assert world.rec.level == 1
    world.run(20, lambda w: bool(w.answers))
    assert world.rec.state is S.FENCED
    assert world.said(AlertName.FENCED)[0]["how"] == "manual"


def test_a_confirmation_is_refused_if_the_bmc_says_on_beside_a_pdu_that_does_not_answer() -> None:
    world = level_fencing((("bmc", "pdu1"),), own="On")
    world.says["pdu1"] = Cause.TIMEOUT
    assert world.rec.fence is not None
    world.see(ManualFence(request=7, fence_id=world.rec.fence.id, who="alice", why="looked"))
    world.run(30, lambda w: bool(w.answers))
    assert [answer.ok for answer in world.answers] == [False]


def test_a_fenced_host_is_read_on_at_the_level_that_fenced_it_and_an_outlet_that_is_on_is_said() -> None:
    world = level_fencing()
    down(world)
    world.asked.clear()
    world.run(20)
    assert set(world.asked) == {("pdu1", "pdu2")}
    assert proof.may_start_vms(world.rec, world.policy, world.now)
    world.says["pdu2"] = "On"
    world.run(20)
    assert world.rec.on_again_at is not None
    assert "pdu1 and pdu2 say On again" in str(world.said(AlertName.ON_AGAIN)[0]["text"])
    assert not proof.may_start_vms(world.rec, world.policy, world.now)


def test_a_fenced_host_whose_bmc_says_on_beside_dead_outlets_is_on_again() -> None:
    world = level_fencing()
    down(world)
    world.word = "On"
    world.run(20)
    assert world.rec.on_again_at is not None


def test_a_second_fence_begins_at_the_first_level_again() -> None:
    world = level_fencing()
    down(world)
    assert world.rec.level == 2
    world.see(Disable(request=1))
    world.rec = replace(world.rec, state=S.AVAILABLE, healthy=True)
    world.asked.clear()
    world.see(Health(passed=False))
    world.to(S.FENCING)
    assert world.rec.level == 1


def test_a_level_with_the_bmc_and_a_pdu_needs_both() -> None:
    world = level_fencing((("bmc", "pdu1"),), own="On")
    world.obeys = {"bmc"}
    world.run(120)
    assert world.rec.state is S.FENCING
    world.obeys = {"bmc", "pdu1"}
    down(world)
    fenced = world.said(AlertName.FENCED)[0]
    assert (fenced["path"], fenced["devices"]) == ("redfish, pdu", ["bmc", "pdu1"])
    assert world.own_asked == 0


def test_a_second_bmc_must_show_the_identity_that_it_was_given() -> None:
    record = HostRecord(host="h", state=S.FENCING, levels=(("bmc",), ("second",)), level=2)
    off = Reading(power=Power.OFF, word="Off", at=0.0, path="ipmi", identity_missing=True)
    hidden = levels.judged(record, ("second",), PowerRead(request="1.1", epoch=0, started=0.0, reading=off), 0.0)
    failure = proof.obstacle(hidden.record)
    assert failure is not None
    assert failure.text.startswith("second of h says Off and does not show")
    shown = levels.judged(
        record, ("second",), PowerRead(request="1.1", epoch=0, started=0.0, reading=replace(off, identity_missing=False)), 0.0
    )
    assert proof.obstacle(shown.record) is None


def test_a_second_bmc_that_shows_another_machine_is_a_failure_with_its_name_until_it_is_pinned() -> None:
    memory = DeviceMemory(name="second", pinned=(("UUID", "a"),))
    record = HostRecord(host="h", state=S.FENCING, levels=(("bmc",), ("second",)), level=2, devices=(memory,))
    other = Reading(power=Power.OFF, word="Off", at=0.0, path="ipmi", shown=(("UUID", "b"),))
    read = PowerRead(request="1.1", epoch=0, started=0.0, reading=other)
    got = levels.judged(record, ("second",), read, 0.0)
    assert got.read.failure is not None
    assert got.read.contradicts
    assert got.read.failure.text.startswith("second: second of h shows UUID b")
    world = LevelWorld()
    world.rec = record
    world.see(Pin(request=1, who="alice", why="new board"))
    assert world.rec.memory("second").pinned == ()


def test_outlets_prove_also_where_two_bmcs_show_one_machine() -> None:
    record = HostRecord(host="h", state=S.FENCING, levels=PDUS, level=2, same_machine=("other",))
    record = replace(record, devices=tuple(DeviceMemory(name=name, identity_shown=True) for name in PDUS[1]))
    assert proof.obstacle(record) is None
    assert proof.obstacle(replace(record, level=1)) is not None


def test_the_word_of_several_devices_names_the_one_that_is_not_off() -> None:
    world = level_fencing()
    world.obeys = set()
    world.says = {"pdu1": "Off", "pdu2": "some On"}
    world.run(60, lambda w: w.rec.level == 2)
    world.run(2)
    assert world.rec.last_read == "pdu2 some On"
    lines = [effect.detail for effect in world.effects if isinstance(effect, TimelineLine) and effect.kind is LineKind.POWER_READ]
    assert [(one["level"], one["devices"]) for one in lines][-1] == (2, ["pdu1", "pdu2"])


def test_a_chassis_that_speaks_for_the_first_time_at_a_second_bmc_begins_a_new_series() -> None:
    record = HostRecord(host="h", state=S.FENCING, epoch=1, levels=(("bmc",), ("second",)), level=2)
    witness = Witness(uri="/c", state=WitnessState.SAYS, word="Off")
    off = Reading(power=Power.OFF, word="Off", at=0.0, path="redfish", witnesses=(witness,))
    read = PowerRead(request="1.1", epoch=1, started=1.0, reading=off)
    first = levels.judged(record, ("second",), read, 0.0).record
    assert first.memory("second").witnesses.spoken == {"/c"}
    assert first.witnesses == record.witnesses, "the memory of its own BMC is another one"


def test_the_device_check_remembers_which_device_refused_the_log_in() -> None:
    world = LevelWorld()
    world.silent = True
    world.rec = replace(world.rec, next_check_at=0.0)
    world.see(Tick())
    check = world.rec.check
    assert check is not None
    assert check.devices == ("bmc", "pdu1", "pdu2")
    failure = Failure(cause=Cause.AUTH, text="pdu1: refused")
    world.see(DeviceChecked(request=check.id, epoch=1, started=world.now, failure=failure, device="pdu1"))
    assert (world.rec.login_refused_at, world.rec.memory("pdu1").login_refused_at) == (None, world.now)
    world.rec = replace(world.rec, check=check)
    world.see(DeviceChecked(request=check.id, epoch=1, started=world.now))
    assert world.rec.memory("pdu1").login_refused_at is None


def test_a_refused_log_in_of_a_command_is_remembered_for_its_device() -> None:
    world = level_fencing()
    world.run(60, lambda w: w.rec.level == 2)
    world.silent = True
    world.rec = replace(world.rec, inflight=None)
    request = next(e.request for e in world.see(Tick()) if isinstance(e, CallBmc)) if world.rec.inflight is None else None
    assert request is not None
    world.rec = replace(world.rec, inflight=replace(request, ask=RequestKind.OFF))
    failure = Failure(cause=Cause.AUTH, text="pdu2: refused")
    world.see(CommandReply(request=request.id, epoch=1, result=CommandResult.FAILED, failure=failure, device="pdu2"))
    assert (world.rec.login_refused_at, world.rec.memory("pdu2").login_refused_at) == (None, world.now)
