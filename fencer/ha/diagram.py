"""The table of states as a Mermaid diagram, for docs/ha.md."""

from __future__ import annotations

from fencer.ha.states import TRANSITIONS


def mermaid() -> str:
    """One line per step that changes the state; steps that stay are in `fence-ha explain-transitions`."""
    lines = ["stateDiagram-v2"]
    for row in TRANSITIONS:
        if row.source is row.target:
            continue
        mark = row.rule or ("" if row.origin == "cloudstack" else row.origin)
        lines.append(f"    {row.source} --> {row.target}: {row.event}{f' ({mark})' if mark else ''}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(mermaid())
