"""What reports say of a run that met unknown cells of a profile, and of a profile of which nothing but the identity is known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final
from xml.etree import ElementTree as Xml

import pytest

from conformance.finding import PowerCellMet
from conformance.report import html, junit, markdown, model, terminal
from conformance.result import Result
from conformance.scenarios import BY_ID
from conformance.vocabulary import Verdict
from tests.report_samples import FORMS, finished, sample

MET: Final = "3 power commands in 1 cells met an answer that nobody has seen of this BMC"


def cell(scenario: str, profile: str, *assumed: int, identity_only: bool = False) -> Result:
    """A cell that passed; `assumed` are the commands that met unknown cells, ask by ask."""
    known = sample(BY_ID[scenario], "mine", profile, Verdict.PASS)
    facts = tuple(replace(known.facts[0], assumed=each) for each in assumed) or known.facts
    return replace(known, facts=facts, identity_only=identity_only)


GUESSED: Final = cell("STATE-001", "supermicro-x12", 2, 1, identity_only=True)
KNOWN: Final = cell("STATE-002", "dmtf-generic")


@pytest.mark.parametrize("form", FORMS)
def test_every_report_says_assumed_and_identity_only_of_such_a_profile_and_of_no_other(form: str) -> None:
    text = FORMS[form](finished(GUESSED, KNOWN))
    assert f"supermicro-x12: {MET}" in text
    assert f"supermicro-x12: {model.IDENTITY_ONLY}" in text
    assert "dmtf-generic: 3 power" not in text
    assert f"dmtf-generic: {model.IDENTITY_ONLY}" not in text


@pytest.mark.parametrize("form", FORMS)
def test_no_report_says_so_where_everything_is_known(form: str) -> None:
    text = FORMS[form](finished(KNOWN))
    assert "nobody has" not in text
    assert form == "json" or "assumed" not in text
    assert form == "json" or "identity only" not in text


def test_a_cell_that_met_assumed_answers_is_marked() -> None:
    run = finished(GUESSED, KNOWN)
    told = json.loads(model.to_json(run))
    assert [each["assumed_cells"] for each in told["results"]] == [3, 0]
    assert told["summary"]["assumed"] == [f"supermicro-x12: {MET}"]
    assert [case.get("name", "").split()[0] for case in Xml.fromstring(junit.to_junit(run)).iter("testcase") if len(case)] == [
        "STATE-001"
    ]
    assert html.page(run).count('title="assumed: 3 power commands met') == 1
    assert "assumed     3 power commands met" in terminal.plain(GUESSED)
    assert "assumed" not in terminal.plain(KNOWN)


def test_a_step_summary_stays_short_with_very_many_profiles() -> None:
    results = [cell("STATE-001", f"of-mine-{number}", 1, identity_only=True) for number in range(markdown.MOST_RESERVATIONS + 2)]
    text = markdown.to_markdown(finished(*results))
    assert text.count(model.IDENTITY_ONLY) == markdown.MOST_RESERVATIONS
    assert "- identity only: 2 more" in text


def test_the_report_names_the_cells_of_the_power_table_that_commands_met() -> None:
    known = sample(BY_ID["STATE-001"], "mine", "dell-idrac9", Verdict.PASS)
    met = PowerCellMet("redfish", "Off", "ForceOff", 409, "none", assumed=True)
    reported = json.loads(model.to_json(finished(replace(known, facts=(replace(known.facts[0], cells=(met,)),)))))
    assert reported["results"][0]["power_cells"] == [
        {"via": "redfish", "row": "Off", "reset": "ForceOff", "code": 409, "effect": "none", "assumed": True}
    ]
