"""What a hunt writes: the result and its state, the difference of two, the pictures, the scenario."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from conformance.hunt.diff import diff
from conformance.hunt.picture import picture_of
from conformance.hunt.picture_mermaid import to_mermaid
from conformance.hunt.picture_svg import to_svg
from conformance.hunt.plan import id_of, scenario_of
from conformance.hunt.result_file import ConfirmedFind, HuntFileUnreadable, HuntResult, known_runs, read, to_json, write
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import PlacedDeviation, Start, Trace, World
from conformance.hunt.verdict import HuntedRun
from conformance.scenario_files.reading import read as read_scenario
from conformance.scenario_files.writing import text_of
from conformance.vocabulary import Ask, Protocol, Verdict
from tests.hunt_runs import REDFISH, hunted, placed, searched

LIE = Trace(REDFISH, (placed(3, "early-off", 2),))
SVG = "{http://www.w3.org/2000/svg}"


def result(*finds: HuntedRun, runs: tuple[HuntedRun, ...] = ()) -> HuntResult:
    return HuntResult(
        fencer="mine", fencer_digest="a", profile="dell-idrac9", profile_digest="b", seed=0, budget=1, depth=12, seconds=1.0,
        radius="safety radius: x", runs=(*runs, *finds), left_out={"two": "why"},
        finds=tuple(ConfirmedFind(run=run, scenario=id_of(run.trace), replays=3, of=3) for run in finds),
    )  # fmt: skip


def unsafe() -> HuntedRun:
    return hunted(LIE, Verdict.UNSAFE, "FALSE", why="claimed off")


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    search = Search([REDFISH], SearchBounds(budget=2, depth=3))
    searched(search)
    told = result(unsafe(), runs=tuple(search.runs))
    write(told, tmp_path / "hunt.json")
    assert read(tmp_path / "hunt.json") == told
    assert [file.name for file in tmp_path.iterdir()] == ["hunt.json"]
    assert set(known_runs(told)) == {run.trace for run in told.runs}


def test_answers_that_were_assumed_are_kept_and_an_older_result_has_none(tmp_path: Path) -> None:
    write(result(replace(unsafe(), assumed=2)), tmp_path / "new.json")
    assert [run.assumed for run in read(tmp_path / "new.json").runs] == [2]
    told = json.loads(to_json(result(unsafe())))
    told["runs"] = [run[:9] for run in told["runs"]]
    (tmp_path / "old.json").write_text(json.dumps(told))
    assert [run.assumed for run in read(tmp_path / "old.json").runs] == [0]


def test_runs_that_could_not_be_played_are_tried_again() -> None:
    assert not known_runs(result(runs=(replace(hunted(Trace(REDFISH)), verdict=Verdict.ERROR),)))


def test_a_device_is_no_result_and_is_not_read() -> None:
    """/dev/zero, as a state file, would fill the memory."""
    with pytest.raises(HuntFileUnreadable, match="it is a device"):
        read(Path("/dev/null"))


@pytest.mark.parametrize("numbers", [[-1], [999]])
def test_a_run_with_a_step_that_is_not_there_is_damaged(tmp_path: Path, numbers: list[int]) -> None:
    told = json.loads(to_json(result(unsafe())))
    told["runs"][0][1] = numbers
    (tmp_path / "x.json").write_text(json.dumps(told))
    with pytest.raises(HuntFileUnreadable, match=f"is damaged: there is no step {numbers[0]}$"):
        read(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "is not JSON"),
        ("[]", "in the form hunt/1"),
        ('{"format": "hunt/2"}', "in the form hunt/1"),
        ('{"format": "hunt/1"}', "is damaged: 'left_out' is missing"),
    ],
)
def test_a_file_that_is_no_result_is_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(HuntFileUnreadable, match=words):
        read(tmp_path / "x.json")
    with pytest.raises(HuntFileUnreadable, match="cannot be read"):
        read(tmp_path / "nowhere.json")


@pytest.mark.parametrize("place", ["runs", "steps", "finds", "seed", "left_out"])
def test_a_damaged_result_is_refused_in_one_sentence(tmp_path: Path, place: str) -> None:
    told = json.loads(to_json(result(unsafe())))
    for wrong in ([[["redfish", "off", "nowhere", []], [0]]], "text", [1], {"a": 1}, None):
        if place == "left_out" and isinstance(wrong, dict):
            continue
        (tmp_path / "x.json").write_text(json.dumps({**told, place: wrong}))
        with pytest.raises(HuntFileUnreadable, match="is damaged"):
            read(tmp_path / "x.json")


def test_a_new_find_is_worse_and_a_find_that_is_gone_is_not() -> None:
    plain = hunted(Trace(REDFISH))
    worse = diff(result(runs=(plain,)), result(unsafe(), runs=(plain,)))
    assert worse.worse
    assert "+    UNSAFE FALSE  off over redfish, host on: early-off at request 3" in worse.lines
    assert "+    then reads System, is told early-off: then reads System (unsafe)" not in worse.lines
    better = diff(result(unsafe(), runs=(plain,)), result(runs=(plain,)))
    assert not better.worse
    assert "-    UNSAFE FALSE  off over redfish, host on: early-off at request 3" in better.lines
    assert "-    then reads System, is told Off: claims off is no longer unsafe" in better.lines
    assert "+    then reads System, is told Off: claims off is unsafe now" in worse.lines
    assert diff(result(runs=(plain,)), result(runs=(plain,))).lines[-1].strip() == "nothing has changed"


def test_a_find_that_did_not_come_out_the_same_each_time_is_no_change_for_the_worse() -> None:
    told = result(unsafe())
    flaky = replace(told, finds=tuple(replace(find, replays=2) for find in told.finds))
    assert not diff(result(), flaky).worse


def test_the_picture_shows_what_it_does_after_what_it_was_told_and_unsafe_ends_in_red() -> None:
    picture = picture_of([hunted(Trace(REDFISH)), unsafe()])
    assert picture.nodes[0] == "starts"
    assert picture.nodes[-1] == "claims off"
    assert {edge.after for edge in picture.unsafe} == {"claims off"}
    arrows = picture.arrows()
    assert ("sends ForceOff", "then reads System", "HTTP 204", False) in arrows
    mermaid = to_mermaid(picture)
    assert mermaid.startswith("flowchart TD\n")
    assert mermaid.count("linkStyle") == 1
    svg = Xml.fromstring(to_svg(picture, "a <title>"))
    words = [text.text for text in svg.iter(f"{SVG}text")]
    assert "told HTTP 204: then reads System" in words
    assert [text.text for text in svg.iter(f"{SVG}text") if text.get("class") == "x"] == ["told Off: claims off"]
    assert len([line for line in svg.iter(f"{SVG}path") if line.get("class") == "r"]) == 1


def test_a_picture_without_a_false_claim_has_nothing_red() -> None:
    picture = picture_of([hunted(Trace(REDFISH)), replace(unsafe(), undetectable=True)])
    assert not picture.unsafe
    assert "linkStyle" not in to_mermaid(picture)


WORLDS = [
    World(Protocol.REDFISH, Ask.OFF, Start.TWO),
    World(Protocol.REDFISH, Ask.REBOOT, Start.HUNG),
    World(Protocol.IPMI, Ask.OFF, Start.OFF),
]


@pytest.mark.parametrize("world", WORLDS, ids=str)
@pytest.mark.parametrize("verdict", [Verdict.UNSAFE, Verdict.STUCK, Verdict.HANG])
def test_every_deviation_can_be_written_as_a_scenario_and_is_read_back(world: World, verdict: Verdict) -> None:
    from conformance.hunt.deviation import DEVIATIONS

    for deviation in DEVIATIONS:
        form = deviation.form(world.protocol)
        if form is None:
            continue
        what = {Protocol.REDFISH: "power-read", Protocol.IPMI: "chassis-status"}[world.protocol]
        view = next(iter(form.views), "")
        trace = Trace(world, (PlacedDeviation(1, deviation.word, 12, what, view),))
        scenario = scenario_of(trace, verdict, "/redfish/v1/Systems/2")
        assert read_scenario(text_of(scenario).encode(), "x.yaml") == scenario


def test_a_trace_has_one_id_wherever_it_is_found() -> None:
    assert id_of(LIE) == id_of(Trace(REDFISH, (placed(3, "early-off", 2),)))
    assert id_of(LIE) != id_of(Trace(REDFISH, (placed(1, "early-off"),)))
