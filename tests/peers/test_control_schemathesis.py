"""Schemathesis against the control listener: whatever its OpenAPI document allows and forbids, the answers are as it says.

Every example is a request over a socket. The operations that would end the emulator, wait for ever, or make one BMC after another
are left out; the tests of tests/wire have them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

if "CI" in os.environ:
    import schemathesis  # CI must run this test
else:
    schemathesis = pytest.importorskip("schemathesis", reason="belongs to the peers: make peers")

from hypothesis import HealthCheck, settings

from tests.control_bed import ControlBed, control_bed
from tests.effort import examples

LEFT_OUT = ["stop", "addBmc", "removeBmc", "setClock"]


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlBed]:
    runtime: Path = tmp_path_factory.mktemp("runtime")
    with pytest.MonkeyPatch.context() as patch, control_bed(patch, runtime) as bed:
        bed.listener.api.ready = True
        yield bed


@pytest.fixture
def api_schema(bed: ControlBed):
    return schemathesis.openapi.from_url(f"{bed.listener.url}/openapi.json").exclude(operation_id=LEFT_OUT)


schema = schemathesis.pytest.from_fixture("api_schema")

pytestmark = pytest.mark.timeout(600)  # some hundred requests for the faults alone


@schema.parametrize()
@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
def test_the_document_and_the_listener_agree(case, bed: ControlBed) -> None:
    if case.operation.path == "/v1/journal" and "follow" in (case.query or {}):
        case.query.pop("follow")
    case.call_and_validate(base_url=bed.listener.url, headers={"Authorization": f"Bearer {bed.listener.token}"}, timeout=20)
    for fault in bed.client.faults():
        bed.client.disarm(fault["id"])
