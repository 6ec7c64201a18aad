"""Texts and bodies of a profile against what a BMC sends."""

from __future__ import annotations

import pytest

from emulator.profile_tools.message_text import json_fits
from profiles.data import frozen

MERGED = [{"Version": "{firmware}", "Languages": [{"Language": "en"}], "FQDN": None}]


@pytest.mark.parametrize(
    ("sent", "fits"),
    [
        ([{"Version": "2.72", "Languages": [{"Language": "en"}], "FQDN": None}], True),
        ([{"Version": "2.72", "Languages": [{"Language": "ja"}], "FQDN": None}], False),
        ([{"Version": "2.72", "Languages": [{"Language": "en"}]}], False),
        ([{"Version": "2.72", "Languages": "en", "FQDN": None}], False),
    ],
)
def test_lists_of_objects_with_lists_in_them_are_compared_as_a_profile_holds_them(sent: list[object], fits: bool) -> None:
    """A loaded profile is frozen: its maps are no dicts."""
    assert json_fits(frozen(MERGED), sent) is fits
    assert json_fits(MERGED, sent) is fits
