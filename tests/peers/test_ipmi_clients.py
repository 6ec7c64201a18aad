"""Real IPMI clients against fresh BMCs on port 623: every cell of the table in `tools.ipmi_client_table`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.ipmi_client_cell import ClientCell
from tools.ipmi_client_table import CELLS
from tools.ipmi_clients import PORT, Bed, bed

FIRST_FREE_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")

pytestmark = [
    pytest.mark.skipif(
        # In CI a machine without the port is a broken machine: there the tests run, and say so.
        "CI" not in os.environ and os.geteuid() != 0 and int(FIRST_FREE_PORT.read_text()) > PORT,
        reason=f"port {PORT} takes root, and clients know no other",
    ),
]


@pytest.fixture(scope="module")
def laid() -> Iterator[Bed]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    with bed(CELLS, f"127.94.{worker * 16}.0/20") as made:
        yield made


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_the_client_does_what_it_is_told(laid: Bed, cell: ClientCell):
    outcome = laid.run(cell)
    assert outcome.works, f"{' '.join(cell.argv)}: {outcome.why}"


def test_a_cell_that_says_the_wrong_thing_or_leaves_the_wrong_rail_does_not_pass(laid: Bed):
    from dataclasses import replace

    status = next(cell for cell in CELLS if cell.id == "ipmitool lanplus: power status, on")
    assert not laid.run(replace(status, says="Chassis Power is off")).works
    assert not laid.run(replace(status, code=2)).works
    assert not laid.run(replace(status, rail="down")).works
