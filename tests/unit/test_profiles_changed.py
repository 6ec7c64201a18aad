"""Which profiles a change of profiles plays tier 0 on."""

from __future__ import annotations

from pathlib import Path

import pytest

from profiles.loader import VENDORS, names
from tools.changed_profiles import made_of, touched

pytestmark = pytest.mark.long


def test_a_changed_profile_is_touched_and_no_other() -> None:
    assert touched(names(), [VENDORS / "openbmc-x86.yaml"]) == ["openbmc-x86"]
    assert "openbmc-x86" not in touched(names(), [VENDORS / "dell-idrac9.yaml"])


def test_a_changed_parent_touches_its_children() -> None:
    assert "openbmc-x86" in touched(names(), [VENDORS / "openbmc.yaml"])
    assert touched(names(), [VENDORS / "dmtf-generic.yaml"]) == list(names())


def test_other_files_touch_nothing() -> None:
    assert touched(names(), [Path(__file__)]) == []
    assert touched(names(), []) == []


def test_a_profile_is_made_of_its_file_and_its_parents() -> None:
    assert made_of("openbmc-x86") == {VENDORS / f"{name}.yaml" for name in ("openbmc-x86", "openbmc", "dmtf-generic")}
