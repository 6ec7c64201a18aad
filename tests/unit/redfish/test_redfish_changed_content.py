"""What a client has been told of power by an answer that a fault has changed: looks follow the bytes, not the profile."""

from __future__ import annotations

import pytest

from emulator.faults import make_fault


def words(bmc) -> list[object]:
    return [data["word"] for data in bmc.events("look")]


@pytest.mark.parametrize(
    ("what", "told"), [("missing", []), ("null", [None]), ("upper", ["ON"]), ("value", ['"Sleep"']), ("json", ["Sleep"])]
)
def test_a_changed_property_is_the_word_that_was_told(generic, what: str, told: list[object]) -> None:
    generic.arm(make_fault("redfish.property", what=what, value='"Sleep"'))
    generic.get(generic.system)
    assert words(generic) == told


@pytest.mark.parametrize(
    ("kind", "told"), [("html", []), ("half", []), ("empty", []), ("list", []), ("bom", ["On"]), ("text-type", ["On"])]
)
def test_a_body_that_cannot_be_read_tells_nothing(generic, kind: str, told: list[object]) -> None:
    generic.arm(make_fault("redfish.body", kind=kind))
    generic.get(generic.system)
    assert words(generic) == told


def test_without_a_fault_the_word_is_told(generic) -> None:
    generic.get(generic.system)
    assert words(generic) == ["On"]


def test_an_expanded_answer_keeps_the_words_of_its_members(generic) -> None:
    generic.arm(make_fault("redfish.property", property="Name", what="null"))
    generic.get("/redfish/v1/Systems?$expand=.")
    assert words(generic) == ["On"]
