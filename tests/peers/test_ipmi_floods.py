"""Short floods for every run; the long ones, with the time of a session, are in tests/bench."""

from __future__ import annotations

import pytest

from tests.ipmi_floods import check, flood, half_open_sessions, spoilt_packets, target

PACKETS, HALF_OPEN = 20_000, 10_000

pytestmark = pytest.mark.xdist_group("floods")


def test_spoilt_packets(tmp_path):
    with target(tmp_path) as on:
        seen = flood(on, spoilt_packets(on, PACKETS), settle=8)
        check(on, seen, PACKETS)


def test_half_open_sessions(tmp_path):
    with target(tmp_path) as on:
        seen = flood(on, half_open_sessions(HALF_OPEN), settle=12)
        check(on, seen, HALF_OPEN)
        (*_, last) = [event for event in on.events() if event.get("what") == "dropped so far"]
        assert last["abandoned"] >= HALF_OPEN * 0.9
        assert last["half_open"] == 0
