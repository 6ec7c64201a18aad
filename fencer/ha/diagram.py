"""Draws the transition table as a Mermaid diagram for docs/ha.md. A test checks that the page has the current diagram."""

from __future__ import annotations

from fencer.ha.states import TRANSITIONS


def mermaid() -> str:
    """Returns the diagram: one line per transition that changes the state. The others are in `fence-ha explain-transitions`."""
    lines = ["stateDiagram-v2"]
    for row in TRANSITIONS:
        if row.source is row.target:
            continue
        mark = row.rule or ("" if row.origin == "cloudstack" else row.origin)
        lines.append(f"    {row.source} --> {row.target}: {row.event}{f' ({mark})' if mark else ''}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(mermaid())
