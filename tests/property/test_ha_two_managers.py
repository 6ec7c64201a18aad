"""Every interleaving of managers that share one store: together they cut no more hosts than `max_fenced` allows.

The hosts are silent, On and ready to be cut; each belongs to another manager. A manager looks at the store, decides with the real
step function and the real limits, writes, asks the limits again, and sends or withholds. Between any two of these steps any other
manager may take any of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from fencer.ha import machine
from fencer.ha.effects import CallBmc
from fencer.ha.fence_limiter import LIMITS, PASSING, ClusterView, ManagerFacts
from fencer.ha.observations import CommandReply, CommandResult, Hold
from fencer.ha.policy import Policy
from fencer.ha.record import Fence, HostRecord
from fencer.ha.states import HAState

pytestmark = pytest.mark.long


S = HAState
NOW = 1000.0
WELL = tuple(HostRecord(host=f"well{n}", state=S.AVAILABLE, healthy=True, seen_healthy=True, passed_at=NOW - 1) for n in range(4))


@dataclass(frozen=True, slots=True)
class Man:
    """What a manager has seen and not finished. `tries`: how often it may still decide."""

    step: str = "looks"
    saw: tuple[HostRecord, ...] = ()
    tries: int = 2


@dataclass(frozen=True, slots=True)
class Shared:
    """`records`: one silent host for each manager, as the store has them. `cut`: the hosts to which a command was sent."""

    records: tuple[HostRecord, ...]
    mans: tuple[Man, ...]
    cut: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Rules:
    asks_again: bool = True
    looks_again: bool = True  # it asks with what the store holds then


def silent(number: int) -> HostRecord:
    fence = Fence(id=f"h{number}-f1", started_at=NOW - 10, not_off_at=NOW - 1)
    return HostRecord(
        host=f"h{number}", state=S.FENCING, owner=f"m{number}", epoch=1, lease_until=NOW + 100, healthy=False, seen_healthy=True,
        silent_since=NOW - 60, suspect_since=NOW - 60 * number, fence=fence, next_read_at=NOW + 100, next_check_at=NOW + 100,
    )  # fmt: skip


def view(records: tuple[HostRecord, ...], manager: int, policy: Policy) -> ClusterView:
    return ClusterView((*records, *WELL), policy, NOW, ManagerFacts(owner=f"m{manager}", started=0.0))


def changed(at: Shared, index: int, man: Man, record: HostRecord | None = None) -> Shared:
    mans = (*at.mans[:index], man, *at.mans[index + 1 :])
    if record is None:
        return replace(at, mans=mans)
    return replace(at, mans=mans, records=(*at.records[:index], record, *at.records[index + 1 :]))


def steps(at: Shared, policy: Policy, rules: Rules) -> Iterator[tuple[str, Shared]]:
    for index, man in enumerate(at.mans):
        record = at.records[index]
        if man.step == "looks" and man.tries and record.inflight is None:
            yield f"{index} looks", changed(at, index, replace(man, step="decides", saw=at.records, tries=man.tries - 1))
        elif man.step == "decides":
            mine = man.saw[index]
            new, effects = machine.step(mine, view(man.saw, index, policy).tick(mine), policy, NOW)
            commands = [effect for effect in effects if isinstance(effect, CallBmc)]
            step, saw = ("asks", man.saw) if commands else ("looks", ())
            yield f"{index} writes {len(commands)} command", changed(at, index, replace(man, step=step, saw=saw), new)
        elif man.step == "asks":
            seen = at.records if rules.looks_again else man.saw
            held = rules.asks_again and view(seen, index, policy).hold(seen[index], PASSING) is not None
            done = replace(man, step="withholds" if held else "waits", saw=())
            yield f"{index} {done.step}", changed(at if held else replace(at, cut=at.cut | {index}), index, done)
        elif man.step == "withholds" and record.inflight is not None:
            reply = CommandReply(request=record.inflight.id, epoch=1, result=CommandResult.NOT_SENT)
            new, _ = machine.step(record, reply, policy, NOW)
            assert new.fence is not None
            read = replace(new.fence, not_off_at=NOW - 1)  # it was read again meanwhile
            again = replace(new, fence=read, next_read_at=NOW + 100)
            yield f"{index} goes on", changed(at, index, replace(man, step="looks"), again)


def search(managers: int, max_fenced: float, rules: Rules = Rules()) -> tuple[int, int, list[str]]:
    """The number of states, the most hosts that were cut, and the way there."""
    policy = Policy(max_fenced=max_fenced, min_healthy=0.0, brake_min=99, start_quiet=0.0, device_check=0)
    start = Shared(tuple(map(silent, range(managers))), (Man(),) * managers)
    came: dict[Shared, tuple[Shared | None, str]] = {start: (None, "start")}
    todo, worst = deque([start]), start
    while todo:
        at = todo.popleft()
        for name, after in steps(at, policy, rules):
            if after not in came:
                came[after] = (at, name)
                todo.append(after)
                worst = max(worst, after, key=lambda one: len(one.cut))
    way: list[str] = []
    back: Shared | None = worst
    while back is not None:
        back, step = came[back]
        way.append(step)
    return len(came), len(worst.cut), way[::-1]


# 6 hosts with two managers, 7 with three: a tenth is 1 host, a quarter is 2
@pytest.mark.parametrize(("managers", "max_fenced", "allowed"), [(2, 0.1, 1), (3, 0.1, 1), (3, 0.25, 2)])
def test_no_interleaving_cuts_more_hosts_than_are_allowed(managers: int, max_fenced: float, allowed: int) -> None:
    states, cut, way = search(managers, max_fenced)
    assert states > 20
    assert cut == allowed, " > ".join(way)  # not fewer either: somebody is cut


MUTANTS: dict[str, tuple[Rules, Callable[[pytest.MonkeyPatch], None]]] = {
    "nobody asks again": (Rules(asks_again=False), lambda patch: None),
    "asks again with what it saw before": (Rules(looks_again=False), lambda patch: None),
    "as many as you like": (Rules(), lambda patch: patch.setitem(LIMITS, Hold.MAX_FENCED, lambda *_: False)),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_each_rule_that_is_taken_out_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rules, plant = MUTANTS[name]
    plant(monkeypatch)
    _, cut, way = search(2, 0.1, rules)
    assert cut == 2, name
    assert len(way) <= 10
