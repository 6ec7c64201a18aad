"""What changed between two hunts of a fencer: finds, what it does after what it was told, and how far each hunt came. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from conformance.hunt.picture import Picture, PictureEdge, picture_of
from conformance.hunt.result_file import HuntResult
from conformance.hunt.shrink import FindClass, class_of

MOST_EDGES: Final = 40


@dataclass(frozen=True, slots=True)
class HuntDiff:
    """`worse`: there is a find that the older hunt does not have."""

    lines: tuple[str, ...]
    worse: bool


def diff(old: HuntResult, new: HuntResult) -> HuntDiff:
    before, after = _finds(old), _finds(new)
    appeared = [found for found in after if found not in before]
    gone = [found for found in before if found not in after]
    lines = [
        f"old  {old.fencer} on {old.profile}: {old.radius}",
        f"new  {new.fencer} on {new.profile}: {new.radius}",
        *(f"+    {after[found]}" for found in appeared),
        *(f"-    {before[found]}" for found in gone),
    ]
    edges = tuple(_changed(picture_of(old.runs), picture_of(new.runs)))
    lines += edges[:MOST_EDGES]
    if len(edges) > MOST_EDGES:
        lines.append(f"     {len(edges) - MOST_EDGES} more changes of what it does")
    if not appeared and not gone and not edges:
        lines.append("     nothing has changed")
    return HuntDiff(tuple(lines), worse=bool(appeared))


def _finds(result: HuntResult) -> dict[FindClass, str]:
    runs = [find.run for find in result.finds if find.replays == find.of]
    return {class_of(run): f"{' '.join(filter(None, (run.verdict, run.kind)))}  {run.trace}" for run in runs}


def _changed(old: Picture, new: Picture) -> Iterator[str]:
    before, after = dict(old.edges), dict(new.edges)
    for edge in sorted(after.keys() - before.keys()):
        yield f"+    {_sentence(edge)}{' (unsafe)' if edge in new.unsafe else ''}"
    for edge in sorted(before.keys() - after.keys()):
        yield f"-    {_sentence(edge)}{' (unsafe)' if edge in old.unsafe else ''}"
    for edge in sorted(after.keys() & before.keys()):
        if edge in new.unsafe and edge not in old.unsafe:
            yield f"+    {_sentence(edge)} is unsafe now"
        elif edge in old.unsafe and edge not in new.unsafe:
            yield f"-    {_sentence(edge)} is no longer unsafe"


def _sentence(edge: PictureEdge) -> str:
    return f"{edge.before}, is told {edge.told or 'nothing yet'}: {edge.after}"
