"""No reachable state of the HA machine is unsafe, and each planted mutant is caught."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer import proof as off_proof
from fencer.ha import fence, machine, orders, proof
from fencer.ha.fence_limiter import LIMITS
from fencer.ha.observations import (
    CancelFence,
    CommandReply,
    CommandResult,
    Disable,
    Hold,
    OrderFence,
    PowerRead,
)
from fencer.ha.policy import Policy
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState
from fencer.ha.step_builder import StepBuilder
from fencer.outcome import Reading
from tests import ha_explorer
from tests.effort import examples
from tests.ha_explorer import (
    Budget,
    Mutant,
    World,
    explore,
    lands,
    later,
    manager,
    normal,
)

NONE = Budget(fail=0, on=0, flap=0, crash=0, freeze=0, returns=0, admin=0)

WHOLE = replace(NONE, fail=1)
"""Explored to the last state, as is one without faults, which is a part of it."""

DEEP = [
    replace(NONE, freeze=1, returns=1),
    replace(NONE, on=1, fail=1, flap=1, busy=1),
    replace(NONE, crash=1, returns=1, admin=1),
    replace(NONE, crash=1),
    replace(NONE, crash=1, cancels=1),
    replace(NONE, orders=1, cancels=1, fail=1, returns=1),
]
"""Explored breadth first up to a number of states."""


@pytest.mark.parametrize("budget", [pytest.param(NONE, marks=pytest.mark.long), WHOLE], ids=["no faults", "power fails"])
def test_no_reachable_state_is_unsafe(budget: Budget) -> None:
    states, broken, way, _ = explore(budget)
    assert not broken, f"{broken}: {' > '.join(way)}"
    assert 1_000 < states < 400_000, "the whole space was to be explored, and it is not empty"


@pytest.mark.long
@pytest.mark.parametrize(
    "budget",
    DEEP,
    ids=[
        "freeze and return",
        "power on, fail, flap",
        "crash, return, disable",
        "a manager dies",
        "a manager dies, cancel",
        "order, cancel, fail, return",
    ],
)
def test_no_state_near_the_start_is_unsafe(budget: Budget) -> None:
    _, broken, way, _ = explore(budget, cap=examples(5_000))
    assert not broken, f"{broken}: {' > '.join(way)}"


def _accepted_is_off(builder: StepBuilder, observation: CommandReply) -> None:
    if observation.result is CommandResult.ACCEPTED:
        fence._commit(builder)
    else:
        _ON_REPLY(builder, observation)


def _unreachable_is_fenced(builder: StepBuilder, observation: PowerRead) -> None:
    if observation.failure is not None:
        fence._commit(builder)
    else:
        _ON_READ(builder, observation)


def _refusal_is_off(builder: StepBuilder, observation: CommandReply) -> None:
    if observation.result is CommandResult.REFUSED:
        fence._commit(builder)
    else:
        _ON_REPLY(builder, observation)


def _single_read(reads: int, first: float, last: float, stable_for: float, shaken: bool) -> bool:
    return reads >= 1


def _powering_off_is_off(judged: Reading) -> bool:
    return judged.word in ("Off", "PoweringOff")


def _begin_with_old_proof(builder: StepBuilder) -> None:
    run = builder.record.off_run
    _BEGIN(builder)
    builder.record = replace(builder.record, off_run=run)


def _any_proof(record: HostRecord, policy: Policy) -> bool:
    return proof.is_stable(record, policy)


def _aborts_after_a_command(builder: StepBuilder) -> bool:
    builder.record = (
        replace(builder.record, fence=replace(builder.record.fence, command_sent=False), inflight=None)
        if builder.record.fence
        else builder.record
    )
    return _ON_HEALTH(builder)


def _disables_at_once(builder: StepBuilder, observation: Disable) -> None:
    _DISABLE(builder, replace(observation, withdrawn=True))


def _cancels_at_once(builder: StepBuilder, observation: CancelFence) -> None:
    _ON_CANCEL(builder, replace(observation, withdrawn=True))


def _cancels_in_words(builder: StepBuilder, observation: CancelFence) -> None:
    """It answers, and the fence goes on."""
    if builder.record.fence is not None:
        builder.answer(observation.request, True, "cancelled")


def _order_is_proof(builder: StepBuilder, observation: OrderFence) -> None:
    _ON_ORDER(builder, observation)
    if builder.record.state is HAState.FENCING:
        fence._commit(builder)


def _not_forbidden(*_: object) -> None:
    return None


def _ordered_is_silent(record: HostRecord) -> bool:
    return record.healthy is False or record.ordered is not None


def _cuts_healthy(builder: StepBuilder, hold: Hold | None, what: str, key: str) -> bool:
    return builder.may_call


def _always(*_: object) -> bool:
    return True


def _never(*_: object) -> bool:
    return False


class _Without:
    """The table of limits without one of them."""

    def __init__(self, hold: Hold) -> None:
        self.hold = hold

    def __getitem__(self, hold: Hold) -> object:
        return _never if hold is self.hold else LIMITS[hold]


_DISABLE = machine._disable
_ON_CANCEL, _ON_ORDER = orders.on_cancel, orders.on_order
_ON_REPLY, _ON_READ, _BEGIN, _ON_HEALTH = fence.on_reply, fence.on_read, fence.begin, fence.on_health

MUTANTS = {
    "accepted is off": ([(fence, "on_reply", _accepted_is_off)], Mutant(), NONE, "S3"),
    "a refusal is off": ([(fence, "on_reply", _refusal_is_off)], Mutant(), replace(NONE, busy=1), "S3"),
    "unreachable is fenced": ([(fence, "on_read", _unreachable_is_fenced)], Mutant(), replace(NONE, flap=1), "S3"),
    "PoweringOff is off": ([(off_proof, "says_off", _powering_off_is_off)], Mutant(), NONE, "S3"),
    "one read is proof": ([(off_proof, "is_complete", _single_read)], Mutant(), NONE, "S3"),
    "proof from before the fence": (
        [(fence, "begin", _begin_with_old_proof), (proof, "is_proved", _any_proof)], Mutant(), replace(NONE, on=1), "S3",
    ),
    "a ledger without compare-and-swap": ([], Mutant(ledger_cas=False), replace(NONE, fail=1), "S2"),
    "no look at the lease before a command": (
        [(proof, "may_start", _always)], Mutant(lease=False), replace(NONE, freeze=1, admin=1), ("S5", "S16"),
    ),
    "disable is answered while a command leaves": (
        [(machine, "_disable", _disables_at_once)], Mutant(), replace(NONE, admin=1), "S16",
    ),
    "a command to a host that passed its last check": (
        [(fence, "may_cut", _cuts_healthy)], Mutant(), replace(NONE, returns=1, flap=1), "S19",
    ),
    "a cancel is answered while a command leaves": (
        [(orders, "on_cancel", _cancels_at_once)], Mutant(), replace(NONE, cancels=1), "S28",
    ),
    "a cancel that only says so": (
        [(orders, "on_cancel", _cancels_in_words)], Mutant(), replace(NONE, cancels=1), ("S16", "S28"),
    ),
    "a cancel that lasts until the next fence": (
        [(ha_explorer, "LIMITS", _Without(Hold.CANCELLED))], Mutant(), replace(NONE, cancels=1), "S28",
    ),
    "an order is a proof": ([(orders, "on_order", _order_is_proof)], Mutant(), replace(NONE, orders=1), "S3"),
    "an order cuts a host that answers": (
        [(orders, "_why_not", _not_forbidden), (fence, "is_taken_for_silent", _ordered_is_silent)], Mutant(),
        replace(NONE, orders=1, returns=1), "S19",
    ),
    "an abort after a command": ([(fence, "on_health", _aborts_after_a_command)], Mutant(), replace(NONE, returns=2), "S5"),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patches, mutant, budget, property_ = MUTANTS[name]
    for module, function, wrong in patches:
        monkeypatch.setattr(module, function, wrong)
    _, broken, way, _ = explore(budget, mutant, cap=120_000, starts=3 if mutant.lease else 1)
    assert broken.startswith(property_), f"{name} was not caught"
    assert len(way) <= 30


@pytest.mark.long
def test_whatever_happened_a_dead_chassis_ends_in_a_fence_and_one_start() -> None:
    """Liveness: from states all over the space, without more faults, a chassis that is Off is found out and its VM started."""
    _, _, _, worlds = explore(replace(NONE, fail=1, flap=1, crash=1), cap=12_000)
    dead = [w for w in worlds if w.power == "Off" and any(m.alive for m in w.mans)][::37]
    assert len(dead) > 50
    for w in dead:
        end = settled(replace(w, bmc=True, budget=NONE))
        assert end.rec.state is HAState.FENCED, w
        assert (end.ledger[0], end.starts, end.broken) == ("done", 1, "")


def settled(w: World) -> World:
    """Fair scheduling without faults: everything that can go on goes on, and then time passes."""
    for _ in range(60):
        for _ in range(30):
            step = next((after for name, after in _work(w) if normal(after) != w), None)
            if step is None:
                break
            w = normal(step)
        if w.ledger[0] == "done":
            break
        w = normal(later(w))
    return w


def _work(w: World):
    for op in w.ops:
        if op.stage == "wire":
            yield "lands", lands(w, op)
    for i in (0, 1):
        yield from manager(w, i, Mutant())
