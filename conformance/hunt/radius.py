"""The safety radius: the fewest deviations that make a fencer claim what is not true, or how far the search came without one.

Pure. It never says that a fencer is proved safe: a search says what it has tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.hunt.search import LevelCount, SearchBounds
from conformance.hunt.verdict import HuntedRun, smallest
from conformance.vocabulary import Verdict


def radius_sentence(finds: Sequence[HuntedRun], levels: Mapping[int, LevelCount], bounds: SearchBounds, shaky: int = 0) -> str:
    """One sentence without a full stop at its end. `finds` are those that count; `shaky` counts UNSAFE ones that do not, because
    they came out otherwise when they were played again."""
    unsafe = [run for run in finds if run.verdict is Verdict.UNSAFE]
    if unsafe:
        run = smallest(unsafe)
        count = len(run.trace.deviations)
        number = "no deviation" if not count else "1 deviation" if count == 1 else f"{count} deviations"
        return f"safety radius: {number} ({run.trace})"
    whole = [level for level in sorted(levels) if all(_is_whole(levels[n]) for n in levels if n <= level)]
    runs = sum(level.done for level in levels.values())
    if not whole:
        return f"safety radius: unknown, {runs} runs of {levels[0].planned} without a deviation"
    tried = [levels[n] for n in levels if n <= whole[-1]]
    sentence = (
        f"safety radius: none up to {whole[-1]} within the first {bounds.depth} requests: "
        f"{sum(level.done for level in tried)} runs, all combinations"
    )
    if missed := sum(level.missed for level in tried):
        sentence += f", of which {missed} went another way than the deviation needs"
    part = whole[-1] + 1
    if part in levels and levels[part].done:
        sentence += f"; with {part}: {levels[part].done} runs of {levels[part].planned} planned"
    if unplayed := sum(level.unplayed for level in levels.values()):
        sentence += f"; {unplayed} could not be played"
    if shaky:
        sentence += f"; {shaky} UNSAFE came out otherwise when played again, and {'does' if shaky == 1 else 'do'} not count"
    return sentence


def _is_whole(level: LevelCount) -> bool:
    return level.done == level.planned and not level.unplayed
