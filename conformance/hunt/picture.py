"""What a fencer does after what it was told, as a graph. Pure; made from the runs of a hunt, equal beginnings merged.

A node is what the fencer did, before or after its first power command. An edge is what it was told, and leads to what it did
next. An edge is unsafe where a run went over it into a false claim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Verdict

START: Final = "starts"
AFTER: Final = "then "
"""Before the name of what a fencer does after its first power command."""
MOST_WORDS: Final = 4


@dataclass(frozen=True, slots=True, order=True)
class PictureEdge:
    """`told` is what it was told at `before`, empty for the start."""

    before: str
    told: str
    after: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes in the order in which they were first met, and how many runs went over each edge, and over it into a false claim."""

    nodes: tuple[str, ...]
    edges: tuple[tuple[PictureEdge, int], ...]
    unsafe: frozenset[PictureEdge]
    ends: frozenset[str]

    def arrows(self) -> tuple[tuple[str, str, str, bool], ...]:
        """One for each pair of nodes and kind: from, to, what was told, unsafe. The words that were told most come first."""
        words: dict[tuple[str, str, bool], list[tuple[int, str]]] = {}
        for edge, count in self.edges:
            words.setdefault((edge.before, edge.after, edge in self.unsafe), []).append((-count, edge.told))
        return tuple((before, after, _label(told), unsafe) for (before, after, unsafe), told in words.items())


def picture_of(runs: Iterable[HuntedRun]) -> Picture:
    """Undetectable lies are no fault of the fencer: their last edge is not unsafe."""
    counts: Counter[PictureEdge] = Counter()
    unsafe: set[PictureEdge] = set()
    ends: set[str] = set()
    for run in runs:
        edges = tuple(_edges(run))
        if not edges:
            continue
        counts.update(edges)
        ends.add(edges[-1].after)
        if run.verdict is Verdict.UNSAFE and run.is_find:
            unsafe.add(edges[-1])
    nodes = dict.fromkeys(node for edge in counts for node in (edge.before, edge.after) if node not in ends)
    return Picture(
        nodes=(*nodes, *sorted(ends)), edges=tuple(sorted(counts.items())), unsafe=frozenset(unsafe), ends=frozenset(ends)
    )


def _edges(run: HuntedRun) -> Iterator[PictureEdge]:
    before, told, prefix = START, "", ""
    for step in run.steps:
        name = f"{prefix}{step.did}"
        yield PictureEdge(before, told, name)
        before, told = name, step.told
        if step.did.startswith("sends "):
            prefix = AFTER
    if run.end:
        yield PictureEdge(before, told, run.end)


def _label(told: Sequence[tuple[int, str]]) -> str:
    words = [word for _, word in sorted(told) if word]
    return " / ".join(words[:MOST_WORDS]) + (f" / {len(words) - MOST_WORDS} more" if len(words) > MOST_WORDS else "")
