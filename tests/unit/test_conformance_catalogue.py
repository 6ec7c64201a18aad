"""The pinned catalogue, the citable requirements, and what `explain` knows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import catalogues, requirement, selection
from conformance.adapters.reading import FencerFileError, read
from conformance.catalogues import NEWEST, Catalogue, CatalogueLevel, is_informational
from conformance.explanations import Unexplained, explain
from conformance.runner import RunOptions, catalogue_of
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import Aspect, FindingKind, Verdict
from tools.print_requirements import PAGE, page

PER_GROUP = {
    "STATE": 21, "PROFILE": 6, "TRUTH": 19, "FAULT": 25, "FLAKY": 3, "ASYNC": 6, "TIME": 9, "AUTH": 11, "TLS": 6, "ID": 19,
    "IPMI": 17, "AGENT": 9, "MAINS": 4, "CONC": 4, "HA": 10,
}  # fmt: skip

NOT_YET_AT_MOST = 0
"""How many scenarios of 2026.1 there may be that the suite does not have yet. It only ever gets smaller."""


def test_the_catalogue_is_pinned() -> None:
    assert NEWEST.name == "2026.1"
    assert Counter(name.partition("-")[0] for name in NEWEST.entries) == PER_GROUP
    assert "TIME-007" not in NEWEST.entries, "it is reserved"
    assert Counter(entry.tier for entry in NEWEST.entries.values()) == {0: 80, 1: 84, 2: 5}
    informational = [name for name, entry in NEWEST.entries.items() if entry.level is CatalogueLevel.INFORMATIONAL]
    assert informational == ["TRUTH-004", "TRUTH-015"]


def test_our_scenarios_have_the_tier_that_the_catalogue_gives_them() -> None:
    assert {s.id: s.tier for s in ALL if s.id in NEWEST.entries} == {
        name: entry.tier for name, entry in NEWEST.entries.items() if name in BY_ID
    }


def test_what_is_missing_gets_less() -> None:
    missing = sorted(set(NEWEST.entries) - set(BY_ID))
    assert len(missing) <= NOT_YET_AT_MOST, missing


def test_a_scenario_that_the_catalogue_does_not_hold_is_informational() -> None:
    one = BY_ID["STATE-001"]
    assert not is_informational(one, NEWEST)
    assert is_informational(one, Catalogue("older", {}))
    fyi = replace(NEWEST.entries["STATE-001"], level=CatalogueLevel.INFORMATIONAL)
    assert is_informational(one, Catalogue("other", {"STATE-001": fyi}))


def test_a_scenario_of_another_distribution_always_counts() -> None:
    assert not is_informational(replace(BY_ID["STATE-001"], id="THEIRS-001"), NEWEST)


def test_a_catalogue_is_picked_by_name() -> None:
    assert selection.pick_catalogue(None) is None
    assert selection.pick_catalogue("2026.1") is catalogues.ALL["2026.1"]
    with pytest.raises(selection.BadSelection, match=r"no catalogue '2027'; there are: 2026\.1"):
        selection.pick_catalogue("2027")


def test_a_fencer_file_pins_a_catalogue_and_the_command_line_wins(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = "fencer: mine\nadapter: fence-agent\ncommand: [x]\nparams: {ip: '{bmc.host}', port: '{bmc.port}'}\n"
    file.write_text(text)
    assert catalogue_of(read(file), RunOptions()) is NEWEST
    file.write_text(f"{text}catalogue: 2026.1\n")
    assert read(file).catalogue is NEWEST
    other = Catalogue("other", {})
    assert catalogue_of(read(file), RunOptions(catalogue=other)) is other
    for wrong in ("2026.2", "[2026.1]"):
        file.write_text(f"{text}catalogue: {wrong}\n")
        with pytest.raises(FencerFileError, match=r"mine\.yaml:5:12: catalogue: must be '2026\.1', not"):
            read(file)


# -- requirements ----------------------------------------------------------------------------------------------------------


def test_the_page_of_requirements_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.print_requirements"


def test_requirements_are_numbered_without_a_gap() -> None:
    assert [r.id for r in requirement.ALL] == [f"FENCE-{n}" for n in range(1, len(requirement.ALL) + 1)]
    assert [i.id for i in requirement.INVARIANTS] == [f"G{n}" for n in range(1, 10)]
    assert "309 POSTs" in requirement.FEW_COMMANDS.source
    assert requirement.FEW_LOGINS.sentence == "A fencer MUST NOT repeat refused credentials more than once."


# -- explain ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("FENCE-2", ("whatever the BMC answers to a reset", "MUST", "STATE-001", "Liveness")),
        ("fence-15", ("G3 in every scenario",)),
        ("FENCE-23", ("every scenario",)),
        ("FENCE-13", ("tested by    expectations of scenarios",)),
        ("FENCE-11", ("STATE-012, TRUTH-011",)),
        ("G6", ("Only the power of the target", "FENCE-16", "every scenario")),
        ("g4", ("SHOULD",)),
        ("STUCK", ("reported no success", "exit code    1")),
        ("xpass", ("0 (6 with --strict-waivers)",)),
        ("n/a", ("nothing that the scenario could try",)),
        ("FLAKY", ("depends on the clock",)),
        ("not-tried", ("before it met",)),
        ("L", ("Liveness",)),
        ("STATE-007", ("FENCE-3", "2026.1: counts", "KVM session")),
    ],
)
def test_every_word_of_a_report_can_be_explained(word: str, parts: tuple[str, ...]) -> None:
    text = "\n".join(explain(word))
    for part in parts:
        assert part in text, text


def test_all_of_the_vocabulary_is_explained() -> None:
    for word in (*Verdict, *FindingKind, *Aspect, *requirement.BY_ID, *(i.id for i in requirement.INVARIANTS), *BY_ID):
        assert explain(word)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("FENCE-99", "there are FENCE-1 to FENCE-[0-9]+ and G1 to G9"),
        ("G17", "no requirement or invariant"),
        ("STATE", "is a group"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(word: str, said: str) -> None:
    with pytest.raises(Unexplained, match=said):
        explain(word)


def test_a_slip_in_an_id_gets_a_hint() -> None:
    with pytest.raises(selection.BadSelection, match="did you mean STATE-001"):
        explain("STAT-001")
