"""A real Pacemaker fences with fence_bmc: success only with the rail down, the device started afterwards, reasons in the log."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

import pytest

from tests.effort import NIGHTLY
from tests.lacking import leave_out
from tests.peers.pacemaker.page import UNSHARE, SeenRow, fence_rows
from tests.peers.pacemaker.rows import BY_ID, ROWS

CHOSEN = tuple(row for row in ROWS if NIGHTLY or row.in_ci)
TIMEOUT_S = 600  # of one cluster; usually it takes a minute

pytestmark = [pytest.mark.xdist_group("pacemaker"), pytest.mark.timeout(3 * TIMEOUT_S)]


@pytest.fixture(scope="session")
def seen() -> Mapping[str, SeenRow]:
    missing = [
        name
        for name in ("pacemakerd", "corosync", "stonith_admin")
        if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    ]
    assert not missing, f"install {missing}: tools/peers-install"
    if os.geteuid() or subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode:
        leave_out("no rights to make a network namespace")
    return fence_rows("fence_bmc", CHOSEN, TIMEOUT_S)


@pytest.mark.parametrize("name", [row.id for row in CHOSEN])
def test_success_is_logged_only_with_the_rail_down(seen: Mapping[str, SeenRow], name: str) -> None:
    row, what = BY_ID[name], seen[name]
    assert not what["early"], what["succeeded"]
    if row.fails is None:
        assert what["exit_status"] == 0, what
        assert what["rail_down"] if row.action == "off" else what["restarted"], what
        assert what["succeeded"]
    else:
        assert what["exit_status"] != 0, what
        assert what["succeeded"] == []


@pytest.mark.parametrize("name", [row.id for row in CHOSEN if row.starts])
def test_the_device_is_started_after_it_has_fenced(seen: Mapping[str, SeenRow], name: str) -> None:
    what = seen[name]
    assert what["started_before"], what
    assert what["started_after"], what


@pytest.mark.parametrize("name", [row.id for row in CHOSEN if row.fails])
def test_the_reason_of_a_failure_stands_in_the_clusters_log(seen: Mapping[str, SeenRow], name: str) -> None:
    said = seen[name]["said"]
    assert isinstance(said, list)
    assert any(line.startswith(f"fence_bmc: {BY_ID[name].fails}: ") for line in said), said
