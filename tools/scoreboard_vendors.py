"""docs/scoreboard-vendors.md: a small set of scenarios on the BMC of every vendor. `tools.print_scoreboard` writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from conformance.scenarios import BY_ID
from conformance.vocabulary import Verdict
from profiles import load, names
from tools.profile_words import effect
from tools.scoreboard_data import ASSUMED, ScoreCell, spelled
from tools.scoreboard_page import LATE_HEAD, measured, outdated, table_text

JOBS: Final = 24  # most of them wait
FENCERS: Final = (
    "fence_bmc", "fence_redfish", "sushy", "redfishtool", "cloudstack-redfish", "fence_ipmilan", "ipmitool", "external-ipmi",
)  # fmt: skip
SCENARIOS: Final[Mapping[str, str]] = {
    "STATE-016": "the plain case, over the protocol that the fencer usually takes",
    "PROFILE-002": "the plain case over Redfish: which types there are, and how long off takes",
    "PROFILE-001": "answered with 2xx, 400 or 409, or done all the same",
    "PROFILE-003": "which types need the operating system",
    "STATE-015": "a host in POST: a polite request is accepted and nobody hears it",
    "PROFILE-005": "answered with 2xx or 409, or done all the same",
    "PROFILE-006": "ForceRestart, PowerCycle or off and on, and what the BMC refuses meanwhile",
    "AGENT-003": "off, on and reboot one after the other: some BMCs refuse On just after off",
    "PROFILE-004": "completed with 0x00 or refused with 0xD5 or 0xCC",
    "IPMI-016": "a soft shutdown over IPMI needs the operating system",
}
"""The scenarios, and what vendors may do differently there. In most of them nothing is injected."""
SEVERITY: Final = (
    Verdict.UNSAFE, Verdict.HANG, Verdict.STUCK, Verdict.FLAKY, Verdict.ERROR, Verdict.MISLEADING, Verdict.HYGIENE, Verdict.PASS,
)  # fmt: skip
LONGEST_WHY: Final = 220
NO_COMMAND: Final = "no power command"
HEAD: Final = """# Fencers on the BMC of every vendor

The same few scenarios for some fencers on every profile of a BMC that comes with the suite. They are those in which vendors may
differ. A cell is a statement about the fencer as installed on the day of the run, this profile, these scenarios and this version
of the suite, and about nothing else: a profile is what is known of a vendor, and a PASS means that a scenario has found nothing.
*assumed*: in at least one scenario a power command met a cell that the profile does not know (`?`), so nobody has seen that
answer. `fence-conformance explain UNSAFE STUCK HANG MISLEADING HYGIENE` tells what the words mean. Tier 0 as a whole, with more
fencers, is on [the scoreboard](scoreboard.md).

`make scoreboard` prints this page from [scoreboard-vendors.json](scoreboard-vendors.json). A cell whose catalogue, fencer file
and profile are still those of its run is not run again, unless `FRESH=--fresh` says so. To run one again:

```sh
fence-conformance run --fencer FENCER --profile PROFILE --scenario {scenarios}
```
"""
DIFFERENCES: Final = """\
Each scenario whose verdict on a fencer is not the same on all vendors: what comes of it on most vendors, and what on the others,
with the cells of the power tables that the fencer's commands met (state + request: answer, effect)."""


def profiles() -> tuple[str, ...]:
    """The profiles of BMCs; PDUs and enclosures are none."""
    return tuple(name for name in names() if load(name).feeder is None)


def page(cells: Sequence[ScoreCell], fencers: Sequence[str] = FENCERS) -> str:
    """The whole page."""
    lines = [HEAD.format(scenarios=",".join(SCENARIOS))]
    if cells:
        lines += [f"{measured(cells)}.", "", *outdated(cells)]
    lines += ["## The scenarios", "", "| scenario | what happens | why it is here |", "| --- | --- | --- |"]
    lines += [f"| {each} | {table_text(BY_ID[each].title)} | {why} |" for each, why in SCENARIOS.items()]
    lines += ["", "## Fencer and vendor", ""]
    lines += ["How many of the scenarios that can be tried were passed, and the worst verdict. Empty: none can be tried.", ""]
    lines += [*_matrix(cells, fencers), "", "## Fencer and scenario", "", "On how many vendors the scenario was passed.", ""]
    lines += [*_by_scenario(cells, fencers), "", "## Where vendors differ", ""]
    lines += [
        DIFFERENCES,
        "",
        *_differences(cells, fencers),
    ]
    return "\n".join((*lines, *_late(cells))).rstrip() + "\n"


def _late(cells: Iterable[ScoreCell]) -> list[str]:
    counted = {cell.key: len(cell.late) for cell in cells if cell.late}
    if not counted:
        return []
    by_fencer: dict[str, int] = {}
    for (fencer, _), count in counted.items():
        by_fencer[fencer] = by_fencer.get(fencer, 0) + count
    told = ", ".join(f"{fencer} {count}" for fencer, count in by_fencer.items())
    return ["## A busy machine", "", LATE_HEAD, "", f"Scenarios by fencer: {told}. The file of this page names them."]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The one that matters most for who relies on the fencer."""
    return min(verdicts, key=SEVERITY.index)


def _ran(cell: ScoreCell) -> dict[str, Verdict]:
    return {scenario: cell.verdicts[scenario] for scenario in SCENARIOS if cell.verdicts.get(scenario) in SEVERITY}


def _matrix(cells: Sequence[ScoreCell], fencers: Sequence[str]) -> Iterator[str]:
    by_key = {cell.key: cell for cell in cells}
    yield f"| profile | {' | '.join(fencers)} |"
    yield f"| --- |{' --- |' * len(fencers)}"
    for profile in dict.fromkeys(sorted(cell.profile for cell in cells)):
        marks = (_mark(by_key.get((fencer, profile))) for fencer in fencers)
        yield f"| [{profile}](profiles/{profile}.md) | {' | '.join(marks)} |"


def _mark(cell: ScoreCell | None) -> str:
    if cell is None:
        return "not run"
    ran = _ran(cell)
    if not ran:
        return ""
    passed = sum(1 for verdict in ran.values() if verdict is Verdict.PASS)
    found = worst(ran.values())
    words = [f"{passed}/{len(ran)}"]
    if found is not Verdict.PASS:
        words.append(found.value)
    if cell.assumed:
        words.append("*assumed*")
    return " ".join(words)


def _by_scenario(cells: Sequence[ScoreCell], fencers: Sequence[str]) -> Iterator[str]:
    yield f"| scenario | {' | '.join(fencers)} |"
    yield f"| --- |{' --- |' * len(fencers)}"
    for scenario in SCENARIOS:
        marks = []
        for fencer in fencers:
            found = [ran[scenario] for cell in cells if cell.fencer == fencer and scenario in (ran := _ran(cell))]
            marks.append(f"{found.count(Verdict.PASS)}/{len(found)}" if found else "")
        yield f"| {scenario} | {' | '.join(marks)} |"


def _differences(cells: Sequence[ScoreCell], fencers: Sequence[str]) -> Iterator[str]:
    for fencer in fencers:
        own = [cell for cell in cells if cell.fencer == fencer]
        told = [line for scenario in SCENARIOS for line in _difference(scenario, own)]
        yield f"### {fencer}"
        yield ""
        yield from told or ["The same verdict on every vendor, in each of these scenarios."]
        yield ""


def _difference(scenario: str, cells: Sequence[ScoreCell]) -> Iterator[str]:
    """The lines about one scenario; none where the verdict is the same on all vendors."""
    ran = [cell for cell in cells if scenario in _ran(cell)]
    counted = Counter(cell.verdicts[scenario] for cell in ran)
    if len(counted) < 2:
        return
    usual = max(counted, key=lambda verdict: (counted[verdict], SEVERITY.index(verdict)))
    groups: dict[tuple[Verdict, str], list[ScoreCell]] = {}
    for cell in ran:
        groups.setdefault((cell.verdicts[scenario], _met(cell, scenario)), []).append(cell)
    like_most = {met: len(group) for (verdict, met), group in groups.items() if verdict is usual}
    told = "; or ".join(f"{met} ({count})" for met, count in sorted(like_most.items(), key=lambda item: (-item[1], item[0])))
    yield f"- **{scenario}** {BY_ID[scenario].title}: {usual.value} on {counted[usual]} of {len(ran)}. {told}."
    for (verdict, met), group in sorted(groups.items(), key=lambda item: (SEVERITY.index(item[0][0]), item[0][1])):
        if verdict is not usual:
            who = ", ".join(_named(cell, scenario) for cell in sorted(group, key=lambda cell: cell.profile))
            told = "".join(f" {sentence}" for sentence in _beside_the_answers(group[0].profile, met, same=met in like_most))
            why = next((cell.why[scenario] for cell in group if scenario in cell.why), "")
            yield f"  - {verdict.value} on {who}: {met}.{told}{f' Found: {_short(why)}' if why else ''}"


def _beside_the_answers(name: str, met: str, *, same: bool) -> Iterator[str]:
    """What else of a profile may be the reason. `same`: the answers are those of vendors that come out otherwise."""
    profile = load(name)
    if met == NO_COMMAND and profile.http.slash == "redirect":
        yield f"A path without a slash at its end is answered with {profile.http.slash_status}."
    if same and met != NO_COMMAND:
        steps = (f"{spelled(key)} is {effect(profile, key)}" for key in profile.power.effects if f", {spelled(key)}" in met)
        yield f"The answers are those of vendors that come out otherwise; here {'; '.join(steps) or 'nothing else is known'}."


def _named(cell: ScoreCell, scenario: str) -> str:
    return f"{cell.profile} (*assumed*)" if scenario in cell.assumed else cell.profile


def _met(cell: ScoreCell, scenario: str) -> str:
    return cell.met.get(scenario, NO_COMMAND).replace(ASSUMED, "")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_WHY else f"{flat[:LONGEST_WHY].rsplit(' ', 1)[0]} [...]"
