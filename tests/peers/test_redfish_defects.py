"""The zeros mean something: every planted defect is found, and without one nobody complains."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.exceptions import InsecureRequestWarning

from profiles.model import Tool
from tests.peers.redfish.checks import ALL, Check
from tests.peers.redfish.defects import OWN_DEFECTS, PROTOCOL_DEFECTS, SERVICE_DEFECTS, Defect, spoiled
from tests.peers.redfish.validators import Result, judge

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def unchecked_certificates() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureRequestWarning)
        yield


def test_there_are_twenty_defects_and_more() -> None:
    everything = [*SERVICE_DEFECTS, *PROTOCOL_DEFECTS, *OWN_DEFECTS]
    assert len({defect.name for defect in everything}) == len(everything) >= 20


@pytest.mark.parametrize("defect", SERVICE_DEFECTS, ids=str)
def test_the_service_validator_finds(defect: Defect, tmp_path: Path) -> None:
    assert defect.at is not None
    with spoiled(defect, tmp_path / "journal.jsonl") as service:
        outcome = judge(Tool.SERVICE, service, tmp_path, "--payload", "Single", defect.at)
    assert outcome.of(Result.FAIL, Result.WARN) != []


@pytest.mark.parametrize("path", sorted({str(defect.at) for defect in SERVICE_DEFECTS}))
def test_the_service_validator_is_content_without_them(path: str, tmp_path: Path) -> None:
    with spoiled(None, tmp_path / "journal.jsonl") as service:
        outcome = judge(Tool.SERVICE, service, tmp_path, "--payload", "Single", path)
    assert (outcome.of(Result.FAIL, Result.WARN), outcome.counts[Result.PASS] > 10) == ([], True)


@pytest.mark.parametrize("defect", PROTOCOL_DEFECTS, ids=str)
def test_the_protocol_validator_finds(defect: Defect, tmp_path: Path) -> None:
    with spoiled(defect, tmp_path / "journal.jsonl") as service:
        outcome = judge(Tool.PROTOCOL, service, tmp_path)
    assert (outcome.counts[Result.FAIL] > 0, outcome.code) == (True, 1)


@pytest.mark.parametrize("defect", OWN_DEFECTS, ids=str)
def test_our_own_checks_find(defect: Defect, tmp_path: Path) -> None:
    assert not isinstance(defect.found_by, Tool)
    with spoiled(defect, tmp_path / "journal.jsonl") as service:
        assert defect.found_by(service) != []


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
def test_our_own_checks_are_content_without_them(check: Check, tmp_path: Path) -> None:
    with spoiled(None, tmp_path / "journal.jsonl") as service:
        assert check(service) == []
