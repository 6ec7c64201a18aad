from __future__ import annotations

import pytest

from fencer.outcome import Action, FenceVerdict, Outcome, Power, power_of


def test_nothing_is_confirmed_without_evidence() -> None:
    with pytest.raises(ValueError, match="without evidence"):
        Outcome(verdict=FenceVerdict.CONFIRMED, action=Action.OFF)


@pytest.mark.parametrize("verdict", [FenceVerdict.REFUTED, FenceVerdict.UNKNOWN])
def test_nothing_else_ends_without_a_reason(verdict: FenceVerdict) -> None:
    with pytest.raises(ValueError, match="no reason"):
        Outcome(verdict=verdict, action=Action.OFF)


@pytest.mark.parametrize(
    ("word", "chassis", "power"),
    [
        ("On", None, Power.ON),
        ("Off", None, Power.OFF),
        ("Off", "Off", Power.OFF),
        ("Off", "On", Power.UNKNOWN),
        ("Off", "PoweringOff", Power.UNKNOWN),
        ("off", None, Power.UNKNOWN),
        ("PoweringOff", "Off", Power.UNKNOWN),
        (None, None, Power.UNKNOWN),
    ],
)
def test_only_exact_words_count(word: str | None, chassis: str | None, power: Power) -> None:
    assert power_of(word, chassis) is power
