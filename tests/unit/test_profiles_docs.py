"""docs/write-a-profile.md shows what really happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import profiles
from profiles import ProfileError, lint, render

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-profile.md").read_text(encoding="utf-8")
WHOLE = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if block.startswith("schema:")]
OUTPUTS = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "acme-bmc3.yaml"


def test_the_smallest_profile_works(file: Path) -> None:
    file.write_text(WHOLE[0], encoding="utf-8")
    acme = profiles.load(file)
    outcome = acme.power.outcomes[acme.power.table["Off"]["ForceOff"].outcome]
    assert acme.replies[outcome.reply].status == 409
    assert acme.identity.vendor == "Acme"


def test_the_broken_profile_is_answered_as_shown(file: Path) -> None:
    file.write_text(WHOLE[1], encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        profiles.load(file)
    assert str(caught.value).replace(f"{file.parent}/", "") == OUTPUTS[0].strip()


def test_lint_prints_what_is_shown() -> None:
    """But for the numbers and the cells, which change whenever somebody learns more."""
    shown, printed = OUTPUTS[1].strip().splitlines(), render(lint("dell-idrac9")).splitlines()
    for ours, theirs in zip(shown, printed, strict=False):
        assert re.sub("[0-9]+", "N", theirs).partition(" power.")[0] == re.sub("[0-9]+", "N", ours).partition(" power.")[0]
