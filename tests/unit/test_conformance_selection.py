"""The scenarios of the suite as people read and pick them."""

from __future__ import annotations

import re

import pytest

from conformance import requirement as req
from conformance import selection
from conformance.givens.given import GivenOrigin
from conformance.givens.profile_answers import ProfileAnswers
from conformance.play_scenario import planned
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import Level
from profiles import load


@pytest.mark.parametrize(("group", "count"), [("STATE", 22), ("TRUTH", 22), ("PROFILE", 6), ("AUTH", 11), ("TLS", 6), ("ID", 27)])
def test_a_group_is_complete(group: str, count: int) -> None:
    assert [s.id for s in ALL if s.group == group] == [f"{group}-{n:03}" for n in range(1, count + 1)]


GENERIC = load("dmtf-generic")


@pytest.mark.parametrize("scenario", ALL, ids=[s.id for s in ALL])
def test_every_scenario_can_be_read_by_people(scenario: object) -> None:
    entry = BY_ID[scenario.id]  # type: ignore[attr-defined]
    assert entry.requirement in req.ALL
    assert all(given.sentence and given.origin is GivenOrigin.INJECTED for given in entry.given)
    assert all(word.phrase() for step in entry.steps for word in step.expect)
    names = {unit.name for unit in planned(entry, GENERIC, "secret").units}
    assert {step.bmc for step in entry.steps} <= names


def test_requirements_are_numbered_once_and_their_level_is_in_their_sentence() -> None:
    assert len({r.id for r in req.ALL}) == len(req.ALL)
    assert all(r.level in r.sentence for r in req.ALL)
    assert all((Level.MUST in r.sentence) == (r.level is Level.MUST) for r in req.ALL)


def test_a_precondition_of_a_profile_holds_or_says_why_not() -> None:
    dell = load("dell-idrac9")
    assert ProfileAnswers("Off", "ForceOff", 409).missing_in(dell) is None
    assert "HTTP 409, not 204" in str(ProfileAnswers("Off", "ForceOff", 204).missing_in(dell))
    assert ProfileAnswers("Off", "ForceOff", 409).origin is GivenOrigin.PROFILE


def test_scenarios_are_picked_by_id_group_and_tier() -> None:
    picked = [s.id for s in selection.pick_scenarios(("truth,ID-001",))]
    assert picked == [s.id for s in ALL if s.group == "TRUTH" or s.id == "ID-001"]
    assert {s.tier for s in selection.pick_scenarios((), tier=0)} == {0}
    assert selection.pick_scenarios((), tier=2) == ALL


@pytest.mark.parametrize(
    ("words", "said"), [(("STAT-001",), "did you mean STATE-001"), (("zzz",), "there are the groups STATE, TRUTH")]
)
def test_an_unknown_scenario_gets_a_hint(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(selection.BadSelection, match=re.escape(said)):
        selection.pick_scenarios(words)


def test_unknown_profiles_and_fencers_are_one_sentence() -> None:
    with pytest.raises(selection.BadSelection, match="dell-idrac9"):
        selection.pick_profiles(("dell-idrac",))
    with pytest.raises(selection.BadSelection, match="no fencer 'nope'"):
        selection.pick_fencers(("nope",))


def test_all_means_every_profile_that_a_bmc_can_have() -> None:
    assert set(selection.pick_profiles(("all",))) >= {"dell-idrac9", "dmtf-generic", "openbmc-x86"}


def test_a_pdu_is_no_bmc_to_be_judged() -> None:
    with pytest.raises(selection.BadSelection, match="pdu-generic is a PDU, and every scenario is about a BMC"):
        selection.pick_profiles(("pdu-generic",))
    assert "pdu-generic" not in selection.pick_profiles(("all",))
