"""Long floods: 100,000 random and spoilt packets, 20,000 half-open sessions; a real session takes at most a second."""

from __future__ import annotations

import pytest

from tests.ipmi_floods import MEGABYTE, check, flood, half_open_sessions, spoilt_packets, target

PACKETS, HALF_OPEN = 100_000, 20_000
SLOWEST_S = 1.0


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kind", "count"), [("spoilt", PACKETS), ("half-open", HALF_OPEN)])
def test_a_flood(tmp_path, kind, count):
    with target(tmp_path) as on:
        packets = spoilt_packets(on, count) if kind == "spoilt" else half_open_sessions(count)
        seen = flood(on, packets, settle=12)
        slowest = max(seconds for _, seconds in seen.sessions)
        print(
            f"{kind}: {seen.sent} packets, {len(seen.sessions)} real sessions, slowest {slowest:.2f} s, "
            f"{(seen.most - seen.before) / MEGABYTE:+.1f} MB at most, {(seen.after - seen.before) / MEGABYTE:+.1f} MB after"
        )
        check(on, seen, count)
        assert slowest <= SLOWEST_S, seen.sessions
