"""The picture of a fencer as a Mermaid flowchart, which many pages of documentation and code hosts draw. Pure."""

from __future__ import annotations

from conformance.hunt.picture import Picture

RED = "#b94e00"


def to_mermaid(picture: Picture) -> str:
    """The text of a flowchart; unsafe edges are red and thick."""
    names = {node: f"n{number}" for number, node in enumerate(picture.nodes)}
    lines = ["flowchart TD"]
    for node, name in names.items():
        shape = f'(["{_plain(node)}"])' if node in picture.ends else f'["{_plain(node)}"]'
        lines.append(f"    {name}{shape}")
    red: list[int] = []
    for number, (before, after, told, unsafe) in enumerate(picture.arrows()):
        label = f'|"{_plain(told)}"|' if told else ""
        lines.append(f"    {names[before]} -->{label} {names[after]}")
        if unsafe:
            red.append(number)
    if red:
        lines.append(f"    linkStyle {','.join(map(str, red))} stroke:{RED},stroke-width:3px,color:{RED}")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return text.replace('"', "'").replace("|", "/")
