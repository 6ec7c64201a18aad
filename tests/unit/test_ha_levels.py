"""Fencing levels in the pure rules: which devices are asked, when the next level is tried, and what proves that a host is off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer import proof as off_proof
from fencer.ha import levels
from fencer.ha.effects import AlertName
from fencer.ha.observations import (
    DeviceRead,
    Disable,
    Hold,
    PowerRead,
    Tick,
)
from fencer.ha.policy import Policy
from fencer.ha.record import DeviceMemory, FencePhase, HostRecord
from fencer.ha.states import HAState
from fencer.outcome import Cause, Power, Reading
from tests.ha_level_world import PDUS, LevelWorld, level_fencing

S = HAState


def down(world: LevelWorld, seconds: float = 600) -> float:
    return world.to(S.FENCED, seconds)


def test_a_host_whose_bmc_died_with_it_is_down_by_its_outlets_within_sixty_seconds() -> None:
    world = level_fencing()
    assert down(world) <= 60
    assert [devices for _, devices in world.sent] == [("pdu1", "pdu2")], "one power-off, to all outlets"
    fenced = world.said(AlertName.FENCED)[0]
    assert (fenced["how"], fenced["level"], fenced["devices"], fenced["path"]) == ("powered-off", 2, ["pdu1", "pdu2"], "pdu")
    assert "level 2 (pdu1, pdu2) proves it" in str(fenced["text"])
    assert fenced["chassis_check"] == "not-asked"
    failed = world.said(AlertName.FENCE_LEVEL_FAILED)
    assert [(one["level"], one["devices"], one["reason"]) for one in failed] == [(1, ["bmc"], "unreachable")]
    assert "level 2 (pdu1, pdu2) is tried" in str(failed[0]["text"])


def test_a_pdu_is_not_touched_when_the_bmc_proves_off() -> None:
    world = LevelWorld(own="On")
    world.obeys.add("bmc")
    world.to(S.FENCING)
    down(world)
    assert {devices for _, devices in world.sent} == {("bmc",)}
    assert {name for devices in world.asked for name in devices} == {"bmc"}
    fenced = world.said(AlertName.FENCED)[0]
    assert (fenced["level"], fenced["devices"], fenced["chassis_check"]) == (1, ["bmc"], "not-linked")


def test_outlets_that_are_off_already_get_no_command() -> None:
    world = level_fencing()
    world.says = {"pdu1": "Off", "pdu2": "Off"}
    down(world)
    assert world.sent == []
    assert world.said(AlertName.FENCED)[0]["how"] == "already-off"


@pytest.mark.parametrize("other", ["On", "some On", "PoweringOff", "", Cause.UNREACHABLE, Cause.AUTH])
@pytest.mark.parametrize("bad", ["pdu1", "pdu2"])
def test_one_device_of_a_level_that_is_not_off_means_never_down(bad: str, other: str | Cause) -> None:
    world = level_fencing()
    world.says = {"pdu1": "Off", "pdu2": "Off", bad: other}
    world.obeys = {"pdu1", "pdu2"} - {bad}
    world.run(3600)
    assert world.rec.state is S.FENCING
    assert len(world.asked) <= 3600 / world.policy.status_poll, "no device is asked more often than usual"
    world.says[bad] = "Off"
    down(world, 1200)


def test_two_pdus_that_are_off_in_turn_are_never_off_together() -> None:
    world = level_fencing()
    world.obeys = set()
    world.run(60, lambda w: w.rec.level == 2)
    for _ in range(40):
        world.says = {"pdu1": "Off", "pdu2": "On"}
        world.run(5)
        world.says = {"pdu1": "On", "pdu2": "Off"}
        world.run(5)
    assert world.rec.state is S.FENCING


def test_a_read_that_misses_one_device_is_missed_and_does_not_void_the_series() -> None:
    world = level_fencing()
    world.says = {"pdu1": "Off", "pdu2": "Off"}
    world.run(60, lambda w: w.rec.off_run is not None)
    run = world.rec.off_run
    world.says["pdu2"] = Cause.TIMEOUT
    world.run(6)
    assert world.rec.off_run == run
    world.says["pdu2"] = "Off"
    down(world)
    assert "3 reads" in str(world.said(AlertName.FENCED)[0]["text"]) or world.rec.state is S.FENCED


def test_an_on_beside_a_device_that_does_not_answer_voids_the_series() -> None:
    world = level_fencing()
    world.says = {"pdu1": "Off", "pdu2": "Off"}
    world.run(60, lambda w: w.rec.off_run is not None)
    world.says = {"pdu1": "On", "pdu2": Cause.TIMEOUT}
    world.obeys = set()
    world.run(6)
    assert world.rec.off_run is None


def test_after_the_last_level_the_first_is_tried_again_and_then_the_fence_is_blocked() -> None:
    world = level_fencing(max_attempts=6)
    world.says = {"pdu1": Cause.TIMEOUT, "pdu2": Cause.TIMEOUT}
    world.run(600)
    seen = [devices for index, devices in enumerate(world.asked) if index == 0 or devices != world.asked[index - 1]]
    assert seen[:4] == [("bmc",), ("pdu1", "pdu2"), ("bmc",), ("pdu1", "pdu2")]
    assert world.rec.fence is not None
    assert world.rec.fence.phase is FencePhase.BLOCKED
    assert world.alerts.count("FENCE_BLOCKED") == 1
    assert "tried again" in str(world.said(AlertName.FENCE_LEVEL_FAILED)[1]["text"])
    assert world.sent == []


def test_a_blocked_fence_gives_each_level_one_attempt_and_ends_by_itself_at_either() -> None:
    for name in ("bmc", "pdu"):
        world = level_fencing(max_attempts=3)
        world.says = {"pdu1": Cause.TIMEOUT, "pdu2": Cause.TIMEOUT}
        world.run(900)
        assert world.rec.fence is not None
        assert world.rec.fence.phase is FencePhase.BLOCKED
        if name == "bmc":
            world.word = "Off"
        else:
            world.says = {"pdu1": "Off", "pdu2": "Off"}
        assert down(world) <= 120


def test_a_bmc_that_accepts_and_does_nothing_costs_one_wait_and_then_the_outlets_are_cut() -> None:
    world = LevelWorld(own="On")
    world.to(S.FENCING)
    world.obeys = {"pdu1", "pdu2"}
    begun = world.now
    world.run(200, lambda w: w.rec.level == 2)
    world.word = Cause.UNREACHABLE  # the BMC loses its power with the outlets
    down(world)
    assert world.now - begun <= 100
    assert [devices for _, devices in world.sent] == [("bmc",), ("pdu1", "pdu2")]


def test_a_refused_log_in_at_one_level_does_not_hold_back_the_next() -> None:
    world = level_fencing(own=Cause.AUTH)
    assert down(world) <= 90
    assert world.rec.login_refused_at is not None
    assert len([one for one in world.asked if one == ("bmc",)]) <= 1, "no second try within auth_poll"


def test_a_level_whose_devices_refused_a_log_in_is_passed_over_while_another_can_be_asked() -> None:
    three = (("bmc",), ("pdu1",), ("pdu2",))
    record = HostRecord(
        host="h", state=S.FENCING, levels=three, level=1, devices=(DeviceMemory(name="pdu1", login_refused_at=5.0),)
    )
    assert levels._next_level(record, Policy(), 10.0) == 3
    assert levels._next_level(record, Policy(), 1000.0) == 2
    refused = replace(record, devices=(*record.devices, DeviceMemory(name="pdu2", login_refused_at=5.0)))
    assert levels._next_level(refused, Policy(), 10.0) == 2


def test_a_refused_log_in_of_a_pdu_counts_for_all_its_hosts_and_ends_with_an_answer() -> None:
    world = level_fencing()
    world.see(Tick(devices_refused_at=(("pdu1", world.now),)))
    world.see(Tick(devices_refused_at=(("pdu1", world.now - 1),)))
    assert world.rec.memory("pdu1").login_refused_at == world.now
    world.run(250)
    assert ("pdu1", "pdu2") not in world.asked
    down(world, 400)
    assert world.rec.memory("pdu1").login_refused_at is None


def test_a_level_that_waits_for_a_limit_has_not_failed() -> None:
    world = LevelWorld(own="On")
    world.to(S.FENCING)
    world.hold = Hold.TOO_MANY_LOST
    world.run(600)
    assert (world.rec.level, world.sent) == (1, [])


def test_outlets_that_are_off_while_the_bmc_says_on_are_another_hosts() -> None:
    world = level_fencing()
    world.run(60, lambda w: w.rec.level == 2)
    world.word = "On"  # it answers again, and its host has power
    world.run(120, lambda w: w.rec.level == 1)
    assert world.rec.state is S.FENCING
    assert world.own_asked > 0
    failed = [one for one in world.said(AlertName.FENCE_ATTEMPT_FAILED) if one["level"] == 2]
    assert "these may be the outlets of another host" in str(failed[-1]["text"])


@pytest.mark.parametrize("own", ["Off", Cause.UNREACHABLE, Cause.AUTH, "PoweringOff"])
def test_whatever_else_the_bmc_says_beside_its_outlets_is_no_contradiction(own: str | Cause) -> None:
    world = level_fencing()
    world.run(60, lambda w: w.rec.level == 2)
    world.word = own
    down(world, 40)
    assert world.own_asked > 0
    assert (world.rec.login_refused_at is not None) == (own is Cause.AUTH)


def test_another_machine_at_the_bmc_is_no_contradiction_of_the_outlets() -> None:
    record = HostRecord(host="h", state=S.FENCING, levels=PDUS, level=2, pinned=(("UUID", "a"),))
    other = Reading(power=Power.ON, word="On", at=0.0, path="redfish", shown=(("UUID", "b"),))
    off = Reading(power=Power.OFF, word="Off", at=0.0, path="pdu")
    read = PowerRead(
        request="1.1", epoch=1, started=0.0, reading=off, others=(DeviceRead(device="pdu2", reading=off),),
        own=DeviceRead(device="bmc", reading=other),
    )  # fmt: skip
    got = levels.judged(record, ("pdu1", "pdu2"), read, 0.0)
    assert got.read.reading is not None
    assert off_proof.says_off(got.read.reading)
    assert got.record.pinned == record.pinned


def test_a_takeover_starts_with_status_at_the_first_level_and_older_reads_are_history() -> None:
    world = level_fencing()
    world.says = {"pdu1": "Off", "pdu2": "Off"}
    world.run(60, lambda w: w.rec.off_run is not None)
    world.asked.clear()
    world.taken_over()
    assert (world.rec.level, world.rec.off_run) == (1, None)
    world.run(1)
    assert world.asked[0] == ("bmc",)
    down(world)
    assert world.sent == []


def test_an_answer_of_a_level_that_was_left_does_not_count() -> None:
    world = level_fencing()
    world.run(60, lambda w: w.rec.level == 2)
    world.silent = True
    world.run(20, lambda w: w.rec.inflight is not None)
    flight = world.rec.inflight
    assert flight is not None
    world.see(Disable(request=1))
    assert world.rec.state is S.DISABLED
    off = DeviceRead(device="pdu2", reading=Reading(power=Power.OFF, word="Off", at=0.0, path="pdu"))
    read = PowerRead(request=flight.id, epoch=1, started=world.now, reading=off.reading, others=(off,))
    world.see(read)
    assert (world.rec.inflight, world.rec.off_run) == (None, None)


def test_a_read_without_all_devices_is_no_answer_of_the_level() -> None:
    world = level_fencing()
    world.says = {"pdu1": "Off", "pdu2": "Off"}
    world.silent_names = {"pdu2"}
    world.run(300)
    assert world.rec.state is S.FENCING
    texts = [str(one["text"]) for one in world.said(AlertName.FENCE_ATTEMPT_FAILED)]
    assert any("were to be read, and not all were" in text for text in texts) or world.rec.last_error is not None
