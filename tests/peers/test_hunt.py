"""What a hunt finds in programs that are on every fencing engineer's machine, without any scenario."""

from __future__ import annotations

import pytest

from conformance import fencers
from conformance.adapters.definition import Definition
from conformance.adapters.reading import read
from conformance.hunt import hunting, trial_run
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import Start, World
from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Ask, Protocol
from profiles import load
from tests.commands import ROOT

DELL = load("dell-idrac9")
FAR = 1e12

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("hunt-peers")]


def hunt(
    fencer: str | Definition, protocol: Protocol, depth: int, words: frozenset[str], *starts: Start, ask: Ask = Ask.OFF
) -> set[tuple[str, str, str]]:
    """Verdict, kind and deviation of every find. All deviations would take minutes, so only those of `words` are tried."""
    definition = fencers.load(fencer) if isinstance(fencer, str) else fencer
    ours = trial_run.hunted(definition, DELL, DELL.id, 0)
    search = Search([World(protocol, ask, start) for start in starts], SearchBounds(budget=1, depth=depth, only=words))
    runs: list[HuntedRun] = []
    hunting.search_through(ours, search, jobs=4, until=FAR, on_run=runs.append, on_tick=lambda: None)
    return {(run.verdict.value, run.kind, "".join(d.word for d in run.trace.deviations)) for run in runs if run.is_find}


def test_ipmitool_takes_an_accepted_command_for_done() -> None:
    found = hunt("ipmitool", Protocol.IPMI, 12, frozenset({"ignored", "conflict", "busy"}), Start.ON, Start.OFF)
    assert {("UNSAFE", "EARLY", ""), ("UNSAFE", "FALSE", "ignored"), ("STUCK", "", "")} <= found


def test_fence_ipmilan_believes_one_word_of_off_and_gives_up_on_one_answer_of_busy() -> None:
    found = hunt("fence_ipmilan", Protocol.IPMI, 12, frozenset({"early-off", "busy"}), Start.ON)
    assert ("UNSAFE", "FALSE", "early-off") in found or ("UNSAFE", "EARLY", "early-off") in found
    assert ("STUCK", "", "busy") in found


def test_fence_ipmilan_takes_an_accepted_cycle_for_a_reboot() -> None:
    cycle = read(ROOT / "tests" / "hunted" / "fence_ipmilan-cycle.yaml")
    found = hunt(cycle, Protocol.IPMI, 12, frozenset({"ignored"}), Start.ON, ask=Ask.REBOOT)
    assert any(verdict == "UNSAFE" for verdict, _, _ in found)


def test_fence_redfish_believes_one_word_of_off_and_one_lost_answer_stops_it() -> None:
    found = hunt("fence_redfish", Protocol.REDFISH, 5, frozenset({"early-off", "null", "lost-answer"}), Start.ON)
    assert ("UNSAFE", "FALSE", "early-off") in found
    assert ("UNSAFE", "EARLY", "early-off") in found


def test_cloudstack_takes_an_accepted_command_for_done_and_a_conflict_for_a_failure() -> None:
    found = hunt("cloudstack-redfish", Protocol.REDFISH, 4, frozenset({"ignored", "conflict"}), Start.ON, Start.HUNG, Start.OFF)
    assert {("UNSAFE", "FALSE", "ignored"), ("STUCK", "", "")} <= found


def test_a_conflict_is_no_off() -> None:
    found = hunt("conflict-is-off", Protocol.REDFISH, 3, frozenset({"conflict", "early-off"}), Start.ON)
    assert ("UNSAFE", "FALSE", "conflict") in found
