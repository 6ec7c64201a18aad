"""A badge for a README: an SVG picture, or as `.json` the endpoint form that badge servers such as shields.io read.

Rules
  1. It speaks of a tier, a set of profiles and a version of the suite, and never of more: nothing is certified.
  2. A tier is named only if every scenario of the catalogue up to that tier was put to every fencer on every profile.
  3. A run that was interrupted, or in which nothing could be tried, has no colour of success.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TextIO
from xml.sax.saxutils import escape, quoteattr

from conformance import catalogues
from conformance.catalogues import CatalogueLevel
from conformance.report.report import FinishedRun, ReportFormat
from conformance.report.text_width import FONT_SIZE_PX, width_px
from conformance.result import counts
from conformance.vocabulary import Verdict

HEIGHT, PADDING, BASELINE = 20, 6, 14
LABEL_COLOUR: Final = "#444444"
GREEN, AMBER, RED, GREY = "#00714f", "#8a5200", "#b33000", "#5b6270"
"""White text stands on each of them with a contrast of more than 4.5 to 1."""
NOTHING_RAN: Final = 4
MOST_NAMES: Final = 2
"""So many profiles are named; more are counted."""


@dataclass(frozen=True, slots=True)
class BadgeWords:
    """`label` stands on the left, `message` on the right, `sentence` is for those who hear it."""

    label: str
    message: str
    colour: str
    sentence: str


def words(run: FinishedRun) -> BadgeWords:
    found = counts(run.results)
    tried = sum(number for verdict, number in found.items() if verdict.ran)
    passed = found[Verdict.PASS] + found[Verdict.XPASS]
    scope = _scope(run)
    others = sum(found[verdict] for verdict in Verdict if verdict.is_defect and verdict is not Verdict.UNSAFE)
    parts = [f"{passed}/{tried} pass"]
    parts += [
        f"{number} {word}"
        for number, word in (
            (found[Verdict.UNSAFE], "UNSAFE"),
            (others, "other finding" if others == 1 else "other findings"),
            (found[Verdict.ERROR], "ERROR"),
            (found[Verdict.WAIVED], "waived"),
            (found[Verdict.SKIP], "skipped"),
        )
        if number
    ]
    if run.interrupted:
        parts, colour = ["interrupted"], GREY
    elif found[Verdict.UNSAFE]:
        colour = RED
    elif others or found[Verdict.ERROR]:
        colour = AMBER
    elif not tried or run.exit_code == NOTHING_RAN:
        parts, colour = ["not tested"], GREY
    else:
        colour = AMBER if run.exit_code else GREEN
    result = ", ".join(parts)
    profiles = ", ".join(run.profiles) if len(run.profiles) <= MOST_NAMES else f"{len(run.profiles)} profiles"
    several = f"{len(run.fencers)} fencers, " if len(run.fencers) > 1 else ""
    return BadgeWords(
        label=f"fencing {scope}",
        message=" · ".join(part for part in (result, f"{several}{profiles}", f"suite {run.version}") if part),
        colour=colour,
        sentence=f"{', '.join(run.fencers)}, {scope} of catalogue {run.catalogue}, profiles {', '.join(run.profiles)}, "
        f"fencelab {run.version}: {result}",
    )


def _scope(run: FinishedRun) -> str:
    """What was tried: the tiers that are whole, else a number of scenarios."""
    catalogue = catalogues.ALL.get(run.catalogue)
    asked: dict[tuple[str, str], set[str]] = {}
    for result in run.results:
        asked.setdefault((result.fencer, result.profile), set()).add(result.scenario.id)
    scenarios = set().union(*asked.values())
    if catalogue is None or not asked:
        return f"{len(scenarios)} scenarios"
    counted = {name: entry.tier for name, entry in catalogue.entries.items() if entry.level is not CatalogueLevel.INFORMATIONAL}
    whole = -1
    for tier in sorted(set(counted.values())):
        needed = {name for name, its_tier in counted.items() if its_tier <= tier}
        if not all(needed <= ids for ids in asked.values()):
            break
        whole = tier
    if whole < 0:
        return f"{len(scenarios)} {'scenario' if len(scenarios) == 1 else 'scenarios'}"
    return "tier 0" if whole == 0 else f"tiers 0 to {whole}"


def to_svg(run: FinishedRun) -> str:
    """The badge as a picture. Each text is given its width, so that it fits whatever font stands in for Verdana."""
    said = words(run)
    left, right = _box(said.label), _box(said.message)
    whole = left + right
    texts = "".join(
        f'<text x="{x + PADDING}" y="{BASELINE}" textLength="{width - 2 * PADDING}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(text)}</text>"
        for x, width, text in ((0, left, said.label), (left, right, said.message))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{HEIGHT}" role="img" '
        f"aria-label={quoteattr(said.sentence)}>"
        f"<title>{escape(said.sentence)}</title>"
        f'<clipPath id="r"><rect width="{whole}" height="{HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="{HEIGHT}" fill="{LABEL_COLOUR}"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{said.colour}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="{FONT_SIZE_PX}">{texts}</g></svg>\n'
    )


def to_endpoint(run: FinishedRun) -> str:
    """The endpoint form: what a badge server draws."""
    said = words(run)
    told = {"schemaVersion": 1, "label": said.label, "message": said.message, "color": said.colour.removeprefix("#")}
    return (
        json.dumps({**told, "labelColor": LABEL_COLOUR.removeprefix("#"), "isError": said.colour == RED}, ensure_ascii=False)
        + "\n"
    )


def _box(text: str) -> int:
    return round(width_px(text)) + 2 * PADDING


def _write_svg(run: FinishedRun, stream: TextIO) -> None:
    stream.write(to_svg(run))


def _write_endpoint(run: FinishedRun, stream: TextIO) -> None:
    stream.write(to_endpoint(run))


BADGE: Final = ReportFormat(
    name="badge",
    suffix=".svg",
    help="A badge as SVG; FILE.json: for badge servers.",
    write=_write_svg,
    other_forms=MappingProxyType({".json": _write_endpoint}),
)
