"""The regression fencer with CloudStack's conclusions: what it makes of the words for power."""

from __future__ import annotations

import pytest

from conformance.fencers.cloudstack_redfish import RedfishError, _status


@pytest.mark.parametrize(("word", "answer"), [("On", "on"), ("PoweringOn", "on"), ("Off", "off"), ("PoweringOff", "off")])
def test_four_words_are_known(word: str, answer: str) -> None:
    assert _status(word) == answer


@pytest.mark.parametrize("word", [None, "Paused", "Unknown", "off", 1])
def test_every_other_word_and_null_are_errors(word: object) -> None:
    with pytest.raises(RedfishError):
        _status(word)
