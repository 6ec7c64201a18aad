"""Wrong files of every format, and what users read about them.

`golden/FORMAT.yaml` holds the cases. `text` follows the file's `head`; `file` is a whole file. `says` are the lines of the first
version of the readers. Where a message has become better, `now` has the lines of today and `better` says why; a change of any
other line is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, cast

import pytest
import yaml

from tests.unit.yaml.golden_readers import READERS, said

GOLDEN = Path(__file__).parent / "golden"


class Case(TypedDict, total=False):
    text: str
    file: str
    says: list[str]
    now: list[str]
    better: str


class GoldenFile(TypedDict, total=False):
    head: str
    cases: dict[str, Case]


def golden(kind: str) -> GoldenFile:
    return cast(GoldenFile, yaml.load((GOLDEN / f"{kind}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def cases() -> Iterator[tuple[str, str, Case]]:
    for kind in READERS:
        whole = golden(kind)
        for case in whole["cases"].values():
            yield kind, case.get("file", whole.get("head", "") + case.get("text", "")), case


CASES = list(cases())


@pytest.mark.parametrize(("kind", "text", "case"), CASES, ids=[f"{kind}-{n}" for n, (kind, _, _) in enumerate(CASES)])
def test_a_mistake_is_said_as_before_or_better(kind: str, text: str, case: Case) -> None:
    assert said(kind, text) == case.get("now", case["says"])


def test_there_are_many_cases_of_every_format_and_each_change_has_a_reason() -> None:
    assert len(CASES) >= 120
    for kind in READERS:
        assert len(golden(kind)["cases"]) >= 15
    for _, _, case in CASES:
        assert ("now" in case) == ("better" in case)
