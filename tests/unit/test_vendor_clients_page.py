"""docs/vendor-clients.md: marks, reasons, and every profile."""

from __future__ import annotations

import re

from profiles import names
from tests.peers.vendors.bed import ClientResult, ExpectedStop
from tests.peers.vendors.clients import CLIENTS
from tools.vendor_clients import PAGE, surprises, text

STOP = ExpectedStop("powerman", ("hpe-ilo5",), "status 1", "It does not follow redirects.", "iLO 5 docs")


def test_what_works_what_stops_and_what_is_wrong_are_told_apart() -> None:
    rows = {
        "dmtf-generic": [ClientResult("curl", True, "", None), ClientResult("powerman", True, "", None)],
        "hpe-ilo5": [ClientResult("curl", False, "broken | pipe", None), ClientResult("powerman", False, "exit status 1", STOP)],
    }
    page = text(rows, ["curl 1"])
    marks = {line.split(" | ")[0]: line for line in page.splitlines() if line.startswith("| [")}
    assert marks["| [dmtf-generic](profiles/dmtf-generic.md)"].count("| y |") == 2
    assert "| **n**: broken / pipe |" in marks["| [hpe-ilo5](profiles/hpe-ilo5.md)"]
    assert "1. powerman: It does not follow redirects. Source: iLO 5 docs." in page
    assert "Versions: curl 1." in page


def test_only_what_nobody_expects_is_a_surprise() -> None:
    assert surprises("hpe-ilo5", [ClientResult("powerman", False, "exit status 1", STOP)]) == []
    assert surprises("hpe-ilo5", [ClientResult("curl", False, "no", None)]) == ["hpe-ilo5: curl is stopped: no"]


def test_the_page_shows_profiles_and_every_client_and_nothing_unexplained() -> None:
    """Those that there were when it was written: a change of nothing but profiles plays no clients."""
    page = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[([a-z0-9-]+)\]\(profiles/\1\.md\) \|", page, re.MULTILINE)
    assert len(rows) > 20
    assert set(rows) <= set(names())
    assert f"| profile | {' | '.join(client.name for client in CLIENTS)} |" in page
    assert "**n**" not in page
