"""Hosts that are containers, on an engine that these tests are: slow, gone, and with containers that die by themselves.

No Docker, no socket. Every wait is for something that must come; where nothing may come, a later order is the fence behind it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest

from emulator.backends.container import (
    ContainerHosts,
    ContainerState,
    DockerHost,
    Engine,
    LabAction,
    NotOurs,
    OrderRefused,
    OutOfSight,
)
from emulator.core.power.commands import PowerCommand
from emulator.core.truth.host import TRANSITIONS, News, Order, host_on, transition

KEY = ("bmc1", "1")
LABEL = "node1"
PATIENCE = 10.0
"""Seconds after which a test that waits in vain fails."""


@dataclass
class World:
    """What an engine would know of one container. `obeys_stop` is whether its operating system listens."""

    seen: ContainerState | None = field(default_factory=lambda: ContainerState(id="c1", running=True, life="1"))
    gone: bool = False
    stranger: bool = False
    refuses: bool = False
    obeys_stop: bool = True
    calls: list[str] = field(default_factory=list)
    slow: threading.Event | None = None
    lives: Iterator[int] = field(default_factory=lambda: count(2))
    happened: queue.Queue[str | None] = field(default_factory=queue.Queue)
    followed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def change(self, **to: object) -> None:
        assert self.seen is not None
        self.seen = replace(self.seen, **to)  # type: ignore[arg-type]

    def by_itself(self, **to: object) -> None:
        """Something happens to the container, and the engine's event stream says so."""
        self.change(**to)
        self.happened.put(LABEL)

    def boots(self) -> None:
        self.change(running=True, paused=False, life=str(next(self.lives)))


class FakeEngine:
    def __init__(self, world: World) -> None:
        self.world = world

    def _reach(self) -> World:
        if self.world.slow is not None and not self.world.slow.wait(PATIENCE):
            raise AssertionError("the test never let the engine answer")
        if self.world.gone:
            raise OutOfSight("the Docker engine cannot be asked: no such socket")
        return self.world

    def find(self, host: DockerHost) -> ContainerState:
        world = self._reach()
        if world.stranger:
            raise NotOurs("container db does not carry the label")
        if world.seen is None:
            raise OutOfSight("the engine has no container")
        return world.seen

    def _call(self, name: str) -> World:
        world = self._reach()
        world.calls.append(name)
        if world.refuses:
            raise OrderRefused("driver failed programming external connectivity")
        return world

    def start(self, container: str) -> None:
        self._call("start").boots()

    def kill(self, container: str) -> None:
        self._call("kill").change(running=False, paused=False)

    def ask_down(self, container: str) -> None:
        world = self._call("ask_down")
        if world.obeys_stop:
            world.change(running=False)

    def crash(self, container: str) -> None:
        self._call("crash").change(running=False, paused=False)

    def pause(self, container: str) -> None:
        self._call("pause").change(paused=True)

    def unpause(self, container: str) -> None:
        self._call("unpause").change(paused=False)

    def changes(self) -> Iterator[str]:
        if self.world.gone:
            raise OutOfSight("the Docker engine cannot be asked: no such socket")
        self.world.followed.release()
        while (label := self.world.happened.get()) is not None:
            yield label

    def close(self) -> None:
        self.world.happened.put(None)


class Lab:
    def __init__(self, world: World) -> None:
        self.world = world
        self.news: queue.Queue[tuple[News, int | None]] = queue.Queue()
        connect: Callable[[], Engine] = lambda: FakeEngine(world)  # noqa: E731 - the annotation is the point
        self.room = ContainerHosts({KEY: DockerHost(label=LABEL)}, self._take, connect, inspect_every_s=0.05)

    def _take(self, unit: str, system: str, news: News, cause: int | None) -> None:
        self.news.put((news, cause))

    def order(self, order: Order, cause: int = 7) -> None:
        self.room.perform(*KEY, order, cause)

    def told(self) -> tuple[News, int | None]:
        return self.news.get(timeout=PATIENCE)

    def told_nothing_before_the_answer_to(self, order: Order) -> News:
        """Sends an order that is always answered, and insists that its answer is the next thing told."""
        self.order(order, cause=99)
        news, cause = self.told()
        assert cause == 99, news
        return news


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def make(world: World) -> Iterator[Callable[[], Lab]]:
    made: list[Lab] = []

    def start() -> Lab:
        made.append(Lab(world))
        return made[-1]

    yield start
    world.slow = None
    for lab in made:
        lab.room.close()


@pytest.fixture
def lab(make: Callable[[], Lab], world: World) -> Lab:
    """A host that runs, and has been seen to."""
    lab = make()
    assert lab.told() == (News.CAME_UP, None)
    assert world.followed.acquire(timeout=PATIENCE)
    return lab


def test_what_the_engine_says_at_first_becomes_the_truth(world: World, make: Callable[[], Lab]) -> None:
    world.change(running=False)
    assert make().told() == (News.WENT_DOWN, None)


def test_a_host_that_was_frozen_before_we_came_is_hung(world: World, make: Callable[[], Lab]) -> None:
    world.change(paused=True)
    lab = make()
    assert [lab.told()[0], lab.told()[0]] == [News.CAME_UP, News.OS_HUNG]


@pytest.mark.parametrize(
    ("order", "calls", "news"),
    [
        (Order.CUT, ["kill"], News.WENT_DOWN),
        (Order.RESET, ["kill", "start"], News.WAS_RESET),
        (Order.CRASH, ["crash"], News.WENT_DOWN),
        (Order.ASK_SHUTDOWN, ["ask_down"], News.WENT_DOWN),
        (Order.ASK_REBOOT, ["ask_down", "start"], News.OS_BOOTED),
        (Order.ENERGISE, [], News.CAME_UP),
    ],
)
def test_an_order_becomes_the_engines_call_and_its_effect_is_told(
    lab: Lab, world: World, order: Order, calls: list[str], news: News
) -> None:
    lab.order(order)
    assert lab.told() == (news, 7)
    assert world.calls == calls


def test_a_hung_os_survives_a_polite_request_and_dies_of_a_cut(lab: Lab, world: World) -> None:
    world.obeys_stop = False
    lab.order(Order.ASK_SHUTDOWN)
    assert lab.told_nothing_before_the_answer_to(Order.CUT) is News.WENT_DOWN
    assert world.calls == ["ask_down", "kill"]


def test_nothing_is_sent_to_a_frozen_container_but_a_cut_reaches_it(lab: Lab, world: World) -> None:
    lab.room.lab(*KEY, LabAction.HANG)
    assert lab.told()[0] is News.OS_HUNG
    lab.order(Order.ASK_SHUTDOWN)
    lab.order(Order.ASK_REBOOT)
    assert lab.told_nothing_before_the_answer_to(Order.CUT) is News.WENT_DOWN
    assert world.calls == ["pause", "kill"]


def test_a_frozen_host_can_be_thawed(lab: Lab) -> None:
    lab.room.lab(*KEY, LabAction.HANG)
    lab.room.lab(*KEY, LabAction.RECOVER)
    assert [lab.told()[0], lab.told()[0]] == [News.OS_HUNG, News.OS_RECOVERED]


def test_a_container_that_dies_by_itself_is_a_host_that_went_down(lab: Lab, world: World) -> None:
    world.by_itself(running=False)
    assert lab.told() == (News.WENT_DOWN, None)


def test_a_container_that_somebody_else_starts_again_lives_a_new_life(lab: Lab, world: World) -> None:
    world.by_itself(life="other")
    assert lab.told() == (News.WAS_RESET, None)


def test_a_late_event_of_an_old_life_does_not_switch_off_a_new_one(lab: Lab, world: World) -> None:
    lab.order(Order.CUT)
    assert lab.told()[0] is News.WENT_DOWN
    lab.order(Order.ENERGISE)
    assert lab.told()[0] is News.CAME_UP
    world.happened.put(LABEL)  # the `die` of the cut arrives only now
    assert lab.told_nothing_before_the_answer_to(Order.ENERGISE) is News.CAME_UP


def test_a_host_that_is_off_answers_a_cut_and_ignores_the_rest(lab: Lab, world: World) -> None:
    lab.order(Order.CUT)
    assert lab.told() == (News.WENT_DOWN, 7)
    for order in (Order.RESET, Order.CRASH, Order.ASK_SHUTDOWN, Order.ASK_REBOOT):
        lab.order(order)
    assert lab.told_nothing_before_the_answer_to(Order.CUT) is News.WENT_DOWN
    assert world.calls == ["kill"]


def test_an_engine_that_goes_away_makes_the_host_unknown_never_off(lab: Lab, world: World) -> None:
    world.gone = True
    lab.order(Order.CUT)
    assert lab.told()[0] is News.OUT_OF_SIGHT
    assert world.calls == []


def test_an_engine_that_comes_back_is_asked_again(lab: Lab, world: World) -> None:
    world.gone = True
    world.happened.put(None)  # the event stream breaks
    assert lab.told() == (News.OUT_OF_SIGHT, None)
    world.change(running=False)
    world.gone = False
    assert lab.told() == (News.WENT_DOWN, None)


def test_a_silent_engine_is_noticed_without_any_order_or_event(lab: Lab, world: World) -> None:
    world.gone = True
    assert lab.told() == (News.OUT_OF_SIGHT, None)


def test_a_container_that_is_removed_is_out_of_sight(lab: Lab, world: World) -> None:
    world.seen = None
    world.happened.put(LABEL)
    assert lab.told() == (News.OUT_OF_SIGHT, None)


def test_an_order_never_waits_for_a_slow_engine(lab: Lab, world: World) -> None:
    world.slow = threading.Event()
    lab.order(Order.CUT)  # returns while the engine has not answered anything
    assert lab.news.empty()
    world.slow.set()
    assert lab.told() == (News.WENT_DOWN, 7)


def test_an_engine_that_says_no_leaves_the_truth_to_the_next_look(lab: Lab, world: World) -> None:
    world.refuses = True
    lab.order(Order.CUT)
    assert lab.told_nothing_before_the_answer_to(Order.ENERGISE) is News.CAME_UP


def test_a_container_without_the_labs_label_is_refused_at_the_start(world: World) -> None:
    world.stranger = True
    with pytest.raises(NotOurs):
        Lab(world)


def test_a_container_that_loses_its_label_is_not_touched_any_more(lab: Lab, world: World) -> None:
    world.stranger = True
    lab.order(Order.CUT)
    assert lab.told()[0] is News.OUT_OF_SIGHT
    assert world.calls == []


def test_a_missing_engine_at_the_start_is_waited_for(world: World, make: Callable[[], Lab]) -> None:
    world.gone = True
    lab = make()
    world.gone = False
    assert lab.told() == (News.CAME_UP, None)


def test_a_reboot_that_was_asked_for_is_forgotten_when_the_power_is_cut(lab: Lab, world: World) -> None:
    world.obeys_stop = False
    lab.order(Order.ASK_REBOOT)
    assert lab.told_nothing_before_the_answer_to(Order.CUT) is News.WENT_DOWN
    world.happened.put(LABEL)
    assert lab.told_nothing_before_the_answer_to(Order.CUT) is News.WENT_DOWN
    assert "start" not in world.calls


@pytest.mark.parametrize("hung", [False, True])
def test_every_news_of_a_container_is_one_that_a_host_can_have(lab: Lab, world: World, hung: bool) -> None:
    """The truth starts unseen, and the rack refuses news that its table does not know."""
    host = transition(transition(host_on(), News.OUT_OF_SIGHT), News.CAME_UP)
    if hung:
        lab.room.lab(*KEY, LabAction.HANG)
        host = transition(host, lab.told()[0])
    for order in (Order.RESET, Order.CUT, Order.CUT, Order.ENERGISE, Order.ENERGISE, Order.CRASH, Order.ENERGISE):
        lab.order(order)
        news, _ = lab.told()
        assert (host.rail, host.os, news) in TRANSITIONS
        host = transition(host, news)


class Nobody:
    """A holder that takes orders and does nothing: the news are the test's."""

    def perform(self, unit: str, system: str, order: Order, cause: int) -> None:
        return


def test_what_an_order_would_have_made_the_bmc_say_is_forgotten_when_the_host_goes_out_of_sight(bench: Any) -> None:
    """The engine goes away after a ForceOff and comes back, the container still runs: a BMC that then says Off would lie."""
    bench.rack.hold("node1", "1", Nobody())
    bench.view().command("1", PowerCommand.redfish("ForceOff"), None)
    bench.advance(60)
    bench.rack.news("node1", "1", News.OUT_OF_SIGHT)
    bench.rack.news("node1", "1", News.CAME_UP)
    assert set(bench.rack.unit("node1").system("1").says.values()) == {"On"}
