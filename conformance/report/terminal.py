"""For people at a terminal: one line per cell while it runs, then every finding in full, then one line to grep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from conformance.givens.given import GivenOrigin
from conformance.report.model import last_line, met_assumed, reservations, worst_first
from conformance.result import Result
from conformance.vocabulary import Level, Verdict

IN_FULL = 3
"""So many cells of one fencer that fail by the same rules with the same remedies are told in full; the others are listed."""


def line(result: Result) -> Text:
    """One result on one line."""
    text = Text(f"{result.scenario.id:<10} {result.fencer} x {result.profile}  ")
    text.append(_verdict(result), result.verdict.style)
    text.append(f"  {result.seconds:.1f} s", "dim")
    if told := "; ".join(part for part in (result.why, *result.remarks) if part):
        text.append(f"  {told}")
    return text


def _verdict(result: Result) -> str:
    named = f"{result.verdict} ({result.kind})" if result.kind else result.verdict.value
    return f"{named}, informational" if result.informational else named


def findings(results: Sequence[Result]) -> Iterator[Text]:
    """Findings in full, the worst first: requirement, expected, actual, remedy, the chain of causes, how to repeat it.

    Of cells that fail alike only the first ones are told in full; the rest are listed with their ids.
    """
    told: dict[tuple[str, ...], list[Result]] = {}
    for result in worst_first(results):
        why = tuple(sorted({f"{f.requirement.id} {f.remedy}" for f in result.findings}))
        alike = told.setdefault((result.fencer, str(result.verdict), *why), [])
        alike.append(result)
        if not why or len(alike) <= IN_FULL:
            yield Text("\n").join(full(result))
    for (fencer, verdict, *_), alike in told.items():
        if len(alike) > IN_FULL and alike[0].findings:
            rest = ", ".join(dict.fromkeys(result.scenario.id for result in alike[IN_FULL:]))
            rules = ", ".join(dict.fromkeys(finding.requirement.id for finding in alike[0].findings))
            yield Text(f"{verdict}  {fencer}: {rules} in {len(alike) - IN_FULL} more cells with the same remedy: {rest}\n")


def full(result: Result) -> Iterator[Text]:
    """One result in full."""
    head = Text()
    head.append(_verdict(result), result.verdict.style)
    head.append(f"  {result.scenario.id}  {result.fencer} x {result.profile}  {result.scenario.title}", "bold")
    yield head
    yield _row("given", "; ".join(f"{sentence}{_mark(origin)}" for origin, sentence in result.preconditions))
    if not result.findings or result.verdict is Verdict.FLAKY:
        yield _row("why", result.why)
    alike: dict[tuple[str, str, str], int] = {}
    for finding, story in zip(result.findings, result.stories, strict=True):
        key = (finding.requirement.id, finding.rule, finding.remedy)
        alike[key] = alike.get(key, 0) + 1
        if alike[key] > 1:
            continue
        source = finding.requirement.source
        should = ", SHOULD" if finding.level is Level.SHOULD else ""
        yield _row("requirement", f"{finding.requirement.id} ({finding.rule}{should}): {finding.requirement.sentence} [{source}]")
        yield _row("expected", finding.expected)
        yield _row("actual", finding.actual)
        if finding.seen:
            yield _row("seen", finding.seen)
        if finding.remedy:
            yield _row("remedy", finding.remedy)
        for number, step in enumerate(story):
            yield _row("because" if number == 0 else "", str(step))
        if not story:
            yield _row("because", "see above: this finding has the same causes")
    for (requirement, _, _), count in alike.items():
        if count > 1:
            yield _row("and", f"{count - 1} more of {requirement} with the same remedy in this cell: see the JSON report")
    for number, (verdict, why) in enumerate(result.runs if len(result.runs) > 1 else ()):
        yield _row("run", f"{number + 1}: {verdict}{f' ({why})' if why else ''}")
    for remark in result.remarks:
        yield _row("remark", remark)
    if result.assumed:
        yield _row("assumed", met_assumed(result.assumed))
    for note in result.notes:
        yield _row("note", f"{note.rule}: {note.actual} (expected: {note.expected})")
    rules = dict.fromkeys(rule for f in result.findings for rule in (f.requirement.id, f.rule))
    if rules:
        yield _row("more", f"fence-conformance explain {' '.join(rules)}")
    yield _row("repeat", result.repeat)
    yield Text("")


def _mark(origin: GivenOrigin) -> str:
    return " (of the profile)" if origin is GivenOrigin.PROFILE else ""


def _row(label: str, words: str) -> Text:
    return Text().append(f"  {label:<12}", "dim").append(words)


def plain(result: Result) -> str:
    """One result in full, without colour."""
    return "\n".join(text.plain for text in full(result)).rstrip() + "\n"


def close(console: Console, results: tuple[Result, ...]) -> None:
    """What is printed when all is done; the last line is for grep."""
    for text in findings(results):
        console.print(text, soft_wrap=True)
    noted = [(r, note) for r in results if not r.verdict.needs_action for note in r.notes]
    for result, note in noted:
        console.print(
            Text(f"note  {result.scenario.id}  {result.fencer} x {result.profile}  {note.rule}: {note.actual}", "dim"),
            soft_wrap=True,
        )
    for label, sentences in reservations(results):
        console.print(Text(f"{label}  {'; '.join(sentences)}", "dim"), soft_wrap=True)
    console.print(Text(last_line(results)), soft_wrap=True)
