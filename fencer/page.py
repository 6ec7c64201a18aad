"""Writes the tables of docs/fence_bmc.md: python -m fencer.page. A test fails when they are stale.

The text around the tables is written by hand; what stands between the two marks is replaced.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fencer.drop_in import PROGRAMS
from fencer.metadata import ACTIONS, EXIT_CODES, parameter_table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "fence_bmc.md"
BEGIN, END = "<!-- tables: python -m fencer.page -->", "<!-- end of tables -->"


def tables() -> str:
    lines = ["## Actions", "", "| action | what it does |", "| --- | --- |"]
    lines += [f"| `{name}` | {text} |" for name, text in ACTIONS.items()]
    lines += ["", "| exit status | means |", "| --- | --- |"]
    lines += [f"| {code} | {text} |" for code, text in EXIT_CODES.items()]
    lines += ["", "## Links", "", "| called as | protocol |", "| --- | --- |"]
    lines += [f"| `{name}` | {protocol} |" for name, protocol in PROGRAMS.items()]
    lines += [
        "",
        "## Parameters",
        "",
        "`+` marks parameters that fence_redfish and fence_ipmilan do not have.",
        "",
        parameter_table(),
    ]
    return "\n".join(lines)


def rewritten(page: str) -> str:
    """Returns the page with fresh tables. Raises ValueError if it has no marks."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no marks for the tables")
    return f"{head}{BEGIN}\n\n{tables()}\n\n{END}{tail}"


def main() -> int:
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
