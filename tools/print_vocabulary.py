"""Writes the table of reset words in docs/vocabulary.md from `RESET_WORDS`. The rest of the page is written by hand."""

from __future__ import annotations

from pathlib import Path

from emulator.core.vocab import RESET_WORDS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "vocabulary.md"
BEGIN, END = "<!-- printed from here -->\n", "<!-- to here -->\n"


def table() -> str:
    rows = [
        "| fence action | Redfish ResetType | IPMI Chassis Control | CloudStack | Docker |",
        "| --- | --- | --- | --- | --- |",
    ]
    for words in RESET_WORDS:
        ipmi = f"0x{words.ipmi.value:02x} {words.ipmi.key}" if words.ipmi is not None else ""
        rows.append(f"| {words.fence_action} | {words.redfish} | {ipmi} | {words.cloudstack or ''} | {words.docker or ''} |")
    return "\n".join(rows) + "\n"


def page(present: str) -> str:
    """`present`, the text of the page, with the table as it is now. Raises ValueError where the two marks are not there."""
    before, begin, rest = present.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE}: the table stands between {BEGIN.strip()} and {END.strip()}")
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
