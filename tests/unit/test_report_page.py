"""The HTML page: what is on it, how large it is, and that it needs nobody. A browser looks at it in tests/peers."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

import pytest

from conformance.report import html
from conformance.report.evidence import events_of
from conformance.report.swimlane import swimlane
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import Verdict
from emulator import Event, event_from_json
from tests.report_samples import finished, journal, many, sample

ONE = BY_ID["STATE-001"]


def lanes(picture: str) -> dict[str, Xml.Element]:
    root = Xml.fromstring(picture)
    return {str(group[0].text): group for group in root.findall("g")}


def words(lane: Xml.Element) -> list[str]:
    return [str(text.text) for text in lane.findall("text")[1:]]


def picture(**more: object) -> str:
    return swimlane(events_of(sample(ONE, "mine", "p", Verdict.UNSAFE, **more)), 0)


# The page


@pytest.mark.long
def test_140_scenarios_on_25_profiles_stay_below_5_mb_whatever_they_find() -> None:
    for mix in ("careful", "careless", "failing"):
        assert len(html.page(many([mix], 25)).encode()) <= 5_000_000, mix


def test_what_has_no_room_is_said_and_the_first_of_a_kind_keeps_its_picture() -> None:
    run = many(["failing"], 6, ALL[:20])
    whole, small = html.page(run), html.page(run, 330_000)
    assert "shown without their picture" not in whole
    assert len(small.encode()) <= 330_000
    lacking = re.search(r"(\d+) findings are shown without their picture", small)
    assert lacking is not None
    assert small.count("<svg ") == 120 - int(lacking[1])
    assert small.count('<details id="f') == 120
    kinds = {(r.scenario.id, r.verdict) for r in run.results}
    assert small.count("<svg ") >= len(kinds)
    smallest = html.page(run, 60_000)
    left = re.search(r"(\d+) more findings have no room", smallest)
    assert left is not None
    told = smallest.count('<details id="f')
    assert told + int(left[1]) == 120
    assert {int(n) for n in re.findall(r'href="#f(\d+)"', smallest)} == set(range(told))


def test_the_page_says_when_how_long_and_of_what_version() -> None:
    page = html.page(finished(sample(ONE, "mine", "dell-idrac9", Verdict.PASS), seed=7, strict=True))
    for part in (
        "2026-11-28 09:30 UTC",
        "took 62 s",
        "seed 7",
        "suite 1.0",
        "catalogue 2026.1",
        "strict",
        "6.00.30.00",
        "7e840b3f30e8",
    ):
        assert part in page, part
    assert "The gate passed." in page
    assert "took" not in html.page(finished(started=None))


def test_every_cell_has_a_letter_and_every_finding_a_link_to_it() -> None:
    run = many(["careful", "careless"], 3, ALL[:10])
    page = html.page(run)
    for verdict in {r.verdict for r in run.results}:
        cells = re.findall(rf'<td class="v{verdict.name}(?: b)?"[^>]*>(?:<a [^>]*>)?(.)', page)
        assert cells == [verdict.letter] * sum(r.verdict is verdict for r in run.results)
    links = re.findall(r'href="#(f\d+)"', page)
    assert sorted(links) == sorted(re.findall(r'<details id="(f\d+)"', page))
    assert len(links) == sum(r.verdict.needs_action for r in run.results)


def test_a_finding_can_be_filtered_by_fencer_profile_verdict_and_group() -> None:
    page = html.page(finished(sample(ONE, "mine", "a", Verdict.UNSAFE)))
    assert '<details id="f0" data-f="mine" data-p="a" data-v="UNSAFE" data-g="STATE">' in page
    assert re.findall(r'<select name="(\w)">', page) == ["f", "p", "v", "g"]
    assert '<form id="filter" hidden>' in page  # without scripts there is none


def test_the_page_loads_nothing() -> None:
    page = html.page(many(["careless"], 2, ALL[:6]))
    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="(?!#)|@import|url\(', page)


def test_the_page_has_one_colour_scheme_for_light_and_one_for_dark() -> None:
    """Every colour is a variable, and dark sets each of them; the colours of verdicts stand on both."""
    page = html.page(many(["careless"], 2, ALL[:6]))
    light, dark = (set(re.findall(r"(--[\w-]+):", part)) for part in re.findall(r":root\{(.*?)\}", page, re.DOTALL))
    assert light - dark == {"--off"} & light
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    rules = re.sub(r":root\{.*?\}|\.v[A-Z]+\{background:#\w+;color:#\w+\}", "", style[1], flags=re.DOTALL)
    assert not re.search(r"#[0-9a-f]{3,6}[;}]", rules)


# The picture


def test_the_picture_shows_what_was_sent_told_true_and_claimed() -> None:
    shown = picture()
    found = lanes(shown)
    assert list(found) == ["sent", "told", "rail", "claim"]
    assert words(found["sent"]) == ["ForceOff 204"]
    assert words(found["told"]) == ["On", "Off"]
    assert [rect.get("class") for rect in found["rail"].findall("rect")] == ["u", "d"]
    assert "says off" in shown


def test_the_claim_stands_before_the_fall_of_the_rail_where_it_came_too_early() -> None:
    root = Xml.fromstring(picture())
    claim = next(path for path in root.findall("path") if path.get("class") == "c")
    at = int(str(claim.get("d")).split()[0].removeprefix("M"))
    down = lanes(picture())["rail"].findall("rect")[1]
    assert at < int(down.get("x", 0))


def test_a_picture_of_ipmi_has_completion_codes() -> None:
    assert words(lanes(picture(journal=journal(protocol="ipmi")))["sent"]) == ["ForceOff 0x00"]


def test_marks_at_one_place_are_drawn_once_and_labels_do_not_overlap() -> None:
    crowded = picture(journal=journal(reads=2000))
    assert len(crowded) < 12_000
    assert words(lanes(crowded)["told"])[0] == "On"


def more_events(*lines: tuple[str, dict[str, object]], before: int = 4) -> tuple[Event, ...]:
    """The journal with more events just before its last `before` ones."""
    events = events_of(sample(ONE, "mine", "p", Verdict.UNSAFE))
    at = events[-before].t
    extra = [
        event_from_json(f'{{"seq": 0, "t": {at}, "bmc": "{bmc}", "kind": "{data.pop("kind")}", "cause": null}}')._replace(
            data=data
        )
        for bmc, data in lines
    ]
    joined = (*events[:-before], *extra, *events[-before:])
    seqs: dict[int | None, int | None] = {None: None} | {e.seq: n for n, e in enumerate(joined, 1) if e.seq}
    return tuple(e._replace(seq=n, cause=seqs.get(e.cause)) for n, e in enumerate(joined, 1))


def test_another_host_whose_rail_moved_has_a_lane_of_its_own() -> None:
    events = more_events(("a-very-long-name", {"kind": "rail", "system": "1", "rail": "down", "os": "stopped", "incarnation": 2}))
    found = lanes(swimlane(events, 0))
    assert list(found) == ["sent", "told", "rail", "a-ve…-name", "claim"]
    assert [rect.get("class") for rect in found["a-ve…-name"].findall("rect")] == ["k", "d"]
    assert words(found["a-ve…-name"])[0] == "unknown"


def test_two_systems_of_one_bmc_have_different_names() -> None:
    one = {"kind": "look", "system": "System.Embedded.12", "view": "system", "word": "Off"}
    two = {"kind": "look", "system": "System.Embedded.13", "view": "system", "word": "Off"}
    told = [words(lanes(swimlane(more_events(("target", dict(look)), before=12), 0))["told"]) for look in (one, two)]
    assert "Syst…ed.12: Off" in told[0]
    assert "Syst…ed.13: Off" in told[1]


def test_faults_that_acted_have_a_lane_and_the_gate_of_the_scenario_has_none() -> None:
    assert "fault" not in lanes(picture())
    gate: dict[str, object] = {"kind": "fault", "fault": "power.gate", "seam": "power"}
    assert "fault" not in lanes(swimlane(more_events(("target", dict(gate))), 0))
    reply: dict[str, object] = {"kind": "fault", "fault": "redfish.reply", "seam": "protocol"}
    reset: dict[str, object] = {"kind": "wire", "fault": "wire.reset", "answer": "none"}
    two = more_events(("target", dict(reply)), ("target", dict(reset)), before=12)
    found = lanes(swimlane(two, 0))
    assert list(found)[:3] == ["sent", "fault", "told"]
    assert words(found["fault"]) == ["redfish.reply"], "the second one has no room here; the chain has it"


def test_a_run_of_milliseconds_has_ticks() -> None:
    events = tuple(e._replace(t=e.t / 1000) for e in events_of(sample(ONE, "mine", "p", Verdict.UNSAFE)))
    assert len(re.findall('class="a"', swimlane(events, 0))) > 2


def test_words_of_another_view_or_system_say_whose_they_are() -> None:
    target = {"kind": "look", "system": "System.Embedded.1", "view": "chassis", "word": None}
    other = {"kind": "look", "system": "2", "view": "system", "word": "Off"}
    told = words(lanes(swimlane(more_events(("target", dict(target)), before=12), 0))["told"])
    assert "null (chassis)" in told
    assert "2: Off" in words(lanes(swimlane(more_events(("target", dict(other)), before=12), 0))["told"])


@pytest.mark.parametrize(
    ("events", "ask"),
    [
        ((), 0),
        (events_of(sample(ONE, "mine", "p", Verdict.UNSAFE)), 3),
        (events_of(sample(ONE, "mine", "p", Verdict.UNSAFE))[1:], 0),
    ],
)
def test_there_is_no_picture_of_what_the_journal_does_not_hold(events: tuple[Event, ...], ask: int) -> None:
    assert swimlane(events, ask) == ""


def test_a_fencer_that_never_answered_is_said_to_have_ended_without_an_answer() -> None:
    events = tuple(
        e._replace(data={**e.data, "claim": "none"}) if e.data.get("what") == "end" else e
        for e in events_of(sample(ONE, "m", "p", Verdict.HANG))
    )
    assert "ended without an answer" in swimlane(events, 0)


def test_a_fencer_that_was_told_nothing_is_shown_so() -> None:
    events = tuple(e for e in events_of(sample(ONE, "m", "p", Verdict.UNSAFE)) if e.kind != "look")
    assert words(lanes(swimlane(events, 0))["told"]) == ["no power word"]


def test_commands_that_follow_one_another_closely_have_their_words_in_two_rows() -> None:
    events = events_of(sample(ONE, "m", "p", Verdict.UNSAFE))
    order = next(e for e in events if e.data.get("intent") == "power-command")
    at = events.index(order) + 1
    again = [order._replace(data={**order.data, "reset": reset}) for reset in ("On", "ForceRestart")]
    found = lanes(swimlane((*events[:at], *again, *events[at:]), 0))["sent"]
    assert words(found) == ["ForceOff 204", "On 204"]  # for a third one there is no room; the chain has it
    assert [text.get("y") for text in found.findall("text")[1:]] == ["11", "23"]


def test_a_command_without_an_answer_says_so() -> None:
    events = tuple(e for e in events_of(sample(ONE, "m", "p", Verdict.HANG)) if e.data.get("status") != 204)
    assert words(lanes(swimlane(events, 0))["sent"]) == ["ForceOff no answer"]
