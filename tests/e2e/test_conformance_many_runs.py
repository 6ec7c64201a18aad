"""In-process fencers whose file says `keeps: nothing`: which runs share a process, and what ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.adapters.base import CannotStart
from conformance.adapters.reading import read
from conformance.in_process import workers
from conformance.in_process.player import MOST_RUNS
from conformance.play_scenario import Play, Played
from conformance.runner import MatrixCell, fit
from conformance.scenarios import BY_ID
from profiles import load

FILE = "fencer: mine\nadapter: python-transport\ncommand: many:fence\nkeeps: nothing\nlimits: {deadline: 1}\n"
MODULE = """
import os, signal, subprocess, threading

def fence(action, bmc, transport, clock, does):
    transport.http("GET", bmc["url"] + "/redfish", timeout=1)
    print(os.getpid())
    if does == "counts":
        fence.calls = getattr(fence, "calls", 0) + 1
        clock.sleep(fence.calls)
    elif does == "waits for ever":
        while True:
            clock.sleep(1)
    elif does == "hangs":
        signal.pause()
    elif does == "leaves a thread":
        threading.Thread(target=signal.sigwait, args=[{signal.SIGUSR1}], daemon=True).start()
    elif does == "leaves a file open":
        os.dup(1)
    elif does == "leaves a process":
        subprocess.Popen(["sleep", "60"], start_new_session=True)
    elif does == "ends its process":
        os._exit(0)
    return False
"""
Ask = Callable[..., Played]

pytestmark = pytest.mark.xdist_group("conformance-many-runs")


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Plays one scenario to a fencer that does what it is told, in one worker for all tests."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "many.py").write_text(MODULE)
    (folder / "mine.yaml").write_text(FILE)
    definition = read(folder / "mine.yaml")

    def play(does: str = "", *, alone: bool = False, keeps: bool = False) -> Played:
        ways = {
            protocol: replace(way, params={"does": does}, keeps_nothing=not keeps)  # type: ignore[call-arg]
            for protocol, way in definition.ways.items()
        }
        fencer = replace(definition, ways=ways)
        how = fit(MatrixCell(fencer, load("dell-idrac9"), BY_ID["STATE-016"]))
        what = Play(
            scenario=BY_ID["STATE-016"], steps=how.steps, profile=load("dell-idrac9"), definition=how.definition,
            protocol=how.protocol, looks_for_leaks=False, alone=alone,
        )  # fmt: skip
        return workers.play(what, threading.Event())

    return play


def process(played: Played) -> str:
    """The process in which the fencer was called, as it has said itself."""
    return played.outcomes[0].stdout.strip()


def test_runs_that_need_not_be_alone_share_a_process(ask: Ask) -> None:
    assert process(ask()) == process(ask())


@pytest.mark.parametrize(("alone", "keeps"), [(True, False), (False, True)], ids=["alone", "keeps something"])
def test_others_have_a_process_each(ask: Ask, alone: bool, keeps: bool) -> None:
    shared = process(ask())
    assert len({shared, process(ask(alone=alone, keeps=keeps)), process(ask(alone=alone, keeps=keeps)), process(ask())}) == 4


def test_a_process_is_left_after_so_many_runs(ask: Ask) -> None:
    ask(alone=True)
    processes = [process(ask()) for _ in range(MOST_RUNS + 2)]
    assert [len(set(processes)), len(set(processes[:MOST_RUNS]))] == [2, 1]


@pytest.mark.parametrize("does", ["leaves a thread", "leaves a file open", "leaves a process", "waits for ever"])
def test_a_run_that_leaves_something_is_the_last_of_its_process(ask: Ask, does: str) -> None:
    before, left, after = ask(), ask(does), ask()
    assert process(before) == process(left) != process(after)
    assert left.outcomes[0].leftover == (("sleep",) if does == "leaves a process" else ())
    assert left.outcomes[0].timed_out == (does == "waits for ever")


@pytest.mark.parametrize("does", ["hangs", "ends its process"])
def test_a_run_that_never_ends_is_ended_and_the_next_one_is_played(ask: Ask, does: str) -> None:
    before, hung, after = ask(), ask(does), ask()
    assert hung.outcomes[0].timed_out
    assert process(before) != process(after) != ""
    assert before.events == after.events


def test_a_fencer_that_keeps_something_all_the_same_is_found_out(ask: Ask) -> None:
    ask(alone=True)
    first = [ask("counts") for _ in range(3)]
    assert len({process(played) for played in first}) == 1
    with pytest.raises(
        CannotStart, match="keeps nothing, but played again in the same process the first of 4 runs came out otherwise"
    ):
        ask("counts")
    assert ask("counts").outcomes[0].duration == first[0].outcomes[0].duration, "the next one begins anew"
