"""No reachable state of a host with two levels of devices is unsafe, each mutant is caught, and dead hosts are found out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer import proof as off_proof
from fencer.ha import fence, levels
from fencer.ha.observations import CommandReply, CommandResult, DeviceRead, PowerRead
from fencer.ha.record import HostRecord, LastError
from fencer.ha.states import HAState
from fencer.ha.step_builder import StepBuilder
from tests.effort import examples
from tests.ha_level_explorer import Budget, World, explore, settled, start

pytestmark = pytest.mark.long


WAYS = {
    "all is well": [start(Budget())],
    "the BMC goes away": [start(Budget(dark=1))],
    "the BMC is away, and a person switches on": [start(Budget(on=1), here=(False, True, True))],
    "the BMC is away, one outlet does not obey": [start(Budget(), here=(False, True, True), obeys=(True, True, False))],
    "the BMC is away, a PDU comes or goes": [start(Budget(gone=1), here=(False, True, True))],
    "the BMC does not obey, a takeover": [start(Budget(takeover=1), obeys=(False, True, True))],
    "one outlet does not obey, a takeover": [start(Budget(takeover=1, dark=1), obeys=(True, False, True))],
}


@pytest.mark.parametrize("name", WAYS)
def test_no_state_near_the_start_is_unsafe(name: str) -> None:
    states, broken, way, _ = explore(WAYS[name], cap=examples(2_500))
    assert not broken, f"{broken}: {' > '.join(way)}"
    assert states > 50


def _first_is_enough(record: HostRecord, reads: list[DeviceRead], read: PowerRead) -> PowerRead:
    return _TOGETHER(record, reads[:1], read)


def _last_is_enough(record: HostRecord, reads: list[DeviceRead], read: PowerRead) -> PowerRead:
    return _TOGETHER(record, reads[-1:], read)


def _silent_is_off(record: HostRecord, reads: list[DeviceRead], read: PowerRead) -> PowerRead:
    return _TOGETHER(record, [one for one in reads if one.reading is not None] or reads, read)


def _failed_is_fenced(builder: StepBuilder, error: LastError) -> None:
    fence._commit(builder)


def _accepted_is_off(builder: StepBuilder, observation: CommandReply) -> None:
    if observation.result is CommandResult.ACCEPTED:
        fence._commit(builder)
    else:
        _ON_REPLY(builder, observation)


def _single_read(reads: int, first: float, last: float, stable_for: float, shaken: bool) -> bool:
    return reads >= 1


_TOGETHER, _ON_REPLY = levels._together, fence.on_reply
DARK = Budget()
AWAY = {"here": (False, True, True)}

MUTANTS = {
    "the first device is enough": (levels, "_together", _first_is_enough, [start(DARK, **AWAY, obeys=(True, True, False))]),
    "the last device is enough": (levels, "_together", _last_is_enough, [start(DARK, **AWAY, obeys=(True, False, True))]),
    "a device that does not answer is off": (levels, "_together", _silent_is_off, [start(Budget(gone=1), **AWAY)]),
    "a level that failed is fenced": (fence, "_pass_on", _failed_is_fenced, [start(DARK, **AWAY)]),
    "accepted is off": (fence, "on_reply", _accepted_is_off, [start(DARK, **AWAY, obeys=(True, False, False))]),
    "one read is proof": (off_proof, "is_complete", _single_read, [start(DARK, **AWAY)]),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, function, wrong, worlds = MUTANTS[name]
    _, unbroken, _, _ = explore(worlds, cap=1_500)
    assert not unbroken, "the twin without the mutant is safe"
    monkeypatch.setattr(module, function, wrong)
    _, broken, way, _ = explore(worlds, cap=40_000)
    assert broken.startswith("S29"), f"{name} was not caught"
    assert len(way) <= 40


@pytest.mark.parametrize(
    "name", ["the BMC goes away", "the BMC is away, a PDU comes or goes", "the BMC does not obey, a takeover"]
)
def test_whatever_happened_a_host_whose_devices_work_again_ends_down(name: str) -> None:
    """Liveness: from states all over the space, with the PDUs there and obeying and no more faults."""
    _, _, _, worlds = explore(WAYS[name], cap=examples(1_500))
    some = [w for w in worlds if w.rec.state is HAState.FENCING][::23]
    assert len(some) > 5
    for w in some:
        end = settled(_mended(w))
        assert (end.rec.state, end.broken) == (HAState.FENCED, ""), w


def _mended(w: World) -> World:
    return replace(w, here=(w.here[0], True, True), obeys=(w.obeys[0], True, True), budget=Budget())
