"""Writes docs/vocabulary.md from the table in emulator/core/vocab.py."""

from __future__ import annotations

from pathlib import Path

from emulator.core.vocab import RESET_WORDS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "vocabulary.md"


def page() -> str:
    rows = [
        "# How each world calls the same request",
        "",
        "Printed from `emulator/core/vocab.py` by `python -m tools.print_vocabulary`; a test fails when it is stale.",
        "",
        "| fence action | Redfish ResetType | IPMI Chassis Control | CloudStack | Docker |",
        "| --- | --- | --- | --- | --- |",
    ]
    for words in RESET_WORDS:
        ipmi = f"0x{words.ipmi.value:02x} {words.ipmi.key}" if words.ipmi is not None else ""
        rows.append(f"| {words.fence_action} | {words.redfish} | {ipmi} | {words.cloudstack or ''} | {words.docker or ''} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
