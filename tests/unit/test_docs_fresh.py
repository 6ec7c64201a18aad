"""Pages that are printed from tables are printed from the present tables."""

from __future__ import annotations

from emulator.core.vocab import RESET_WORDS
from tools.print_vocabulary import PAGE, page


def test_the_vocabulary_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.print_vocabulary"


def test_the_page_has_a_row_for_every_word() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| ")][2:]
    assert len(rows) == len(RESET_WORDS)
    assert all(f"| {words.redfish} |" in row for words, row in zip(RESET_WORDS, rows, strict=True))
