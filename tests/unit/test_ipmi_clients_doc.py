"""docs/ipmi-clients.md shows the clients' table as it is, and no cell that does not work."""

from __future__ import annotations

from tools.ipmi_client_table import CELLS
from tools.ipmi_clients import DOCUMENT, ClientOutcome, text


def lines(document: str) -> list[str]:
    """Without the paragraph that carries versions and counts."""
    return [line for line in document.splitlines() if " work. Versions: " not in line]


def test_the_document_is_fresh():
    works = {cell.id: ClientOutcome(True, "", 0.0) for cell in CELLS}
    assert lines(text(works, [])) == lines(DOCUMENT.read_text(encoding="utf-8")), "python -m tools.ipmi_clients writes it anew"


def test_a_cell_that_does_not_work_is_shown_with_its_reason():
    outcomes = {cell.id: ClientOutcome(True, "", 0.0) for cell in CELLS}
    outcomes[CELLS[0].id] = ClientOutcome(False, "said: no | really", 0.0)
    document = text(outcomes, ["ipmitool 1"])
    assert "**n**: said: no / really" in document
    assert f"{len(CELLS) - 1} of {len(CELLS)} work. Versions: ipmitool 1." in document


def test_what_a_client_cannot_do_on_any_bmc_is_shown_as_its_own_with_the_place():
    document = text({cell.id: ClientOutcome(True, "", 0.0) for cell in CELLS}, [])
    own = [cell for cell in CELLS if cell.theirs]
    assert own
    for cell in own:
        assert f"- {cell.what}: {cell.theirs}" in document
    assert document.count(" own |") == len(own)


def test_every_cell_has_a_name_of_its_own():
    assert len({cell.id for cell in CELLS}) == len(CELLS)
