"""What the words of a report mean: scenarios, requirements, invariants, verdicts, their kinds, and the letters S, L, T and H.

`fence-conformance explain` prints it. Everything comes from the tables that the suite judges by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from conformance import catalogues, requirement, scenarios, selection
from conformance.adapters import registry as adapters
from conformance.requirement import Invariant, Requirement
from conformance.scenario import Scenario
from conformance.vocabulary import Aspect, FindingKind, Verdict


class Unexplained(Exception):
    """There is no such word; the text says what there is."""


def explain(word: str) -> list[str]:
    """The explanation of a word, in lines. Raises Unexplained, or BadSelection for what may be a slip in the id of a scenario."""
    asked = word.upper()
    for source in SOURCES:
        if (lines := source(asked)) is not None:
            return lines
    scenario = scenarios.REGISTRY.get(asked)
    if scenario is not None:
        return _scenario(scenario)
    if asked.startswith("FENCE-") or (asked[:1] == "G" and asked[1:].isdigit()):
        raise Unexplained(
            f"no requirement or invariant {word!r}; there are FENCE-1 to {requirement.ALL[-1].id} and "
            f"{requirement.INVARIANTS[0].id} to {requirement.INVARIANTS[-1].id}"
        )
    chosen = selection.pick_scenarios((word,))
    raise Unexplained(f"{word} is a group: explain takes one scenario, like {chosen[0].id}")


def scenarios_about(wanted: Requirement) -> Iterator[str]:
    """The ids of the scenarios that are about a requirement."""
    return (scenario.id for scenario in scenarios.ALL if scenario.requirement is wanted)


def _requirement(word: str) -> list[str] | None:
    found = requirement.BY_ID.get(word)
    if found is None:
        return None
    checked = [f"{i.id} in every scenario" for i in requirement.INVARIANTS if found in i.requirements]
    tested = (*scenarios_about(found), *checked)
    return [
        f"{found.id}  {found.sentence}",
        f"  level        {found.level}",
        f"  clause       {found.source}",
        f"  about        {found.aspect.sentence}",
        f"  tested by    {', '.join(tested) or 'expectations of scenarios'}",
    ]


def _invariant(word: str) -> list[str] | None:
    found: Invariant | None = next((i for i in requirement.INVARIANTS if i.id == word), None)
    if found is None:
        return None
    return [
        f"{found.id}  {found.sentence}",
        f"  level        {found.level}",
        "  checked      in every scenario",
        "  requirements",
        *(f"    - {each.id}: {each.sentence}" for each in found.requirements),
    ]


def _verdict(word: str) -> list[str] | None:
    found = next((verdict for verdict in Verdict if verdict.upper() == word), None)
    if found is None:
        return None
    strict = f" ({found.strict_exit_code} with --strict-waivers)" if found.strict_exit_code != found.exit_code else ""
    return [f"{found}  {found.meaning}", f"  exit code    {found.exit_code}{strict}", f"  letter       {found.letter}"]


def _kind(word: str) -> list[str] | None:
    found = next((kind for kind in FindingKind if kind == word), None)
    return None if found is None else [f"{found}  {found.meaning}"]


def _aspect(word: str) -> list[str] | None:
    return [f"{word}  {Aspect(word).sentence}"] if word in list(Aspect) else None


SOURCES: Final[tuple[Callable[[str], list[str] | None], ...]] = (_requirement, _invariant, _verdict, _kind, _aspect)


def _scenario(scenario: Scenario) -> list[str]:
    broken = scenario.requirement
    only = f" (adapter {', '.join(adapters.following(scenario.convention))} only)" if scenario.convention is not None else ""
    counts = "informational" if catalogues.is_informational(scenario, catalogues.NEWEST) else "counts"
    lines = [
        f"{scenario.id}  {scenario.title}",
        f"  tier         {scenario.tier}",
        f"  catalogue    {catalogues.NEWEST.name}: {counts}",
        f"  requirement  {broken.id}: {broken.sentence}",
        f"  clause       {broken.source}",
        f"  seen in      {scenario.source}",
        f"  protocol     {scenario.protocol or 'either, Redfish first'}{only}",
        "  given",
        *(f"    - {given.sentence} [{given.origin}]" for given in scenario.given),
        "  asked, and expected",
    ]
    for step in scenario.steps:
        words = ", ".join(expectation.phrase() for expectation in step.expect)
        before = f"{step.before.sentence}; " if step.before is not None else ""
        sigterm = f", ended by SIGTERM after {step.sigterm_after} reads" if step.sigterm_after is not None else ""
        unusual = [*(given.sentence for given in step.told), *filter(None, [step.input.sentence])]
        once = f" at the same time ({step.together})" if step.together else ""
        told = f" ({'; '.join(unusual)})" if unusual else ""
        lines.append(
            f"    - {before}{step.ask} of {step.bmc}{once}{told}{sigterm}: {words}{' (if it can)' if step.optional else ''}"
        )
    return lines
