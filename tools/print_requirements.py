"""Prints docs/requirements.md from the tables of the suite: `python -m tools.print_requirements`."""

from __future__ import annotations

from pathlib import Path

from conformance import catalogues, requirement, scenarios
from conformance.explanations import scenarios_about

PAGE = Path(__file__).resolve().parent.parent / "docs" / "requirements.md"
HEAD = """# What is required of a fencer

The list to cite. FENCE-n are requirements: each finding quotes the one that was broken. G-n are invariants: they are checked in
every scenario. An id keeps its meaning for ever. `fence-conformance explain FENCE-2` prints the same. MUST and SHOULD are those
of RFC 2119; a broken SHOULD is a note, and a finding with `--strict`.

This page is printed by `python -m tools.print_requirements`; a test fails when it is out of date.
"""


def page() -> str:
    """The whole page."""
    lines = [HEAD, "## Requirements", "", "| id | level | sentence | source | scenarios |", "| --- | --- | --- | --- | --- |"]
    for each in requirement.ALL:
        checked = [f"{i.id} (every scenario)" for i in requirement.INVARIANTS if each in i.requirements]
        tested = ", ".join((*checked, *scenarios_about(each))) or "expectations"
        lines.append(f"| {each.id} | {each.level} | {_cell(each.sentence)} | {_cell(each.source)} | {tested} |")
    lines += ["", "## Invariants", "", "| id | level | sentence | requirements |", "| --- | --- | --- | --- |"]
    for invariant in requirement.INVARIANTS:
        quoted = ", ".join(each.id for each in invariant.requirements)
        lines.append(f"| {invariant.id} | {invariant.level} | {_cell(invariant.sentence)} | {quoted} |")
    lines += ["", "## Scenarios", "", f"Catalogue {catalogues.NEWEST.name}.", ""]
    lines += ["| id | tier | title | requirement | counts |", "| --- | --- | --- | --- | --- |"]
    for scenario in scenarios.ALL:
        counts = "informational" if catalogues.is_informational(scenario, catalogues.NEWEST) else "yes"
        lines.append(f"| {scenario.id} | {scenario.tier} | {_cell(scenario.title)} | {scenario.requirement.id} | {counts} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
