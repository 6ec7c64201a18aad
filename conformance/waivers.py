"""Known failures that somebody has accepted, for a while and with a reason.

Rules
  1. A waiver names exactly the verdict that it waives: another one is a finding like any other.
  2. Waived and passing is XPASS: the waiver has to go. Expired is no waiver at all.
  3. UNSAFE is waived only where the waiver says `allow_unsafe: true` besides.
  4. A waiver that would have covered a finding and does not, since it has expired or lacks `allow_unsafe`, is named on the cell.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from conformance import scenarios
from conformance.adapters.reading import FencerFileError
from conformance.result import Result
from conformance.vocabulary import Verdict
from conformance.waiver_form import WAIVERS
from fencelab_yaml.errors import Mark, Problem, Problems, YamlFileError, did_you_mean
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar, child, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """`fencer` and `profile` take shell wildcards."""

    scenario: str
    verdict: Verdict
    reason: str
    expires: datetime.date
    fencer: str = "*"
    profile: str = "*"
    owner: str = ""
    link: str = ""
    allow_unsafe: bool = False

    def covers(self, result: Result) -> bool:
        return (
            self.scenario == result.scenario.id
            and fnmatchcase(result.fencer, self.fencer)
            and fnmatchcase(result.profile, self.profile)
        )

    def lacks_for(self, verdict: Verdict, today: datetime.date) -> str | None:
        """Why it does not waive this verdict on that day; None where it does."""
        if self.expires < today:
            return f"the waiver has expired on {self.expires}"
        if verdict is Verdict.UNSAFE and not self.allow_unsafe:
            return "the waiver lacks allow_unsafe: true"
        return None


def apply(results: Iterable[Result], waivers: Sequence[Waiver], today: datetime.date) -> tuple[Result, ...]:
    """The results as the waivers let them stand on that day."""
    return tuple(_one(result, [w for w in waivers if w.covers(result)], today) for result in results)


def _one(result: Result, waivers: Sequence[Waiver], today: datetime.date) -> Result:
    valid = [w for w in waivers if w.expires >= today]
    if not waivers or not result.verdict.ran:
        return result
    if result.verdict is Verdict.PASS:
        return replace(result, verdict=Verdict.XPASS, why=_no_longer_needed(valid[0])) if valid else result
    fitting = [w for w in waivers if w.verdict is result.verdict]
    lacks = [(w, lack) for w in fitting if (lack := w.lacks_for(result.verdict, today)) is not None]
    for waiver in fitting:
        if waiver.lacks_for(result.verdict, today) is None:
            until = f"until {waiver.expires}" + (f" by {waiver.owner}" if waiver.owner else "")
            why = f"{result.verdict} waived {until}: {waiver.reason}"
            return replace(result, verdict=Verdict.WAIVED, waived_from=result.verdict, why=why)
    remarks = tuple(f"not waived, because {lack}: {waiver.reason}" for waiver, lack in lacks)
    return replace(result, remarks=(*result.remarks, *remarks))


def _no_longer_needed(waiver: Waiver) -> str:
    return f"waived as {waiver.verdict}, and passes: remove the waiver"


def read(file: Path, own: Sequence[str] = ()) -> tuple[Waiver, ...]:
    """The waivers in a file: `waivers:`, a list; `own` are ids of scenarios in files of the user.

    Raises FencerFileError with every mistake in it.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FencerFileError((Problem(Mark(str(file)), "", f"cannot be read: {error.strerror}"),)) from None
    problems = Problems("waiver file")
    try:
        root = parse(data, str(file), problems)
        WAIVERS.check(root, problems)
        found = [_waiver(node, f"waivers[{n}]", problems, own) for n, node in enumerate(_items(root))]
        problems.raise_any()
    except YamlFileError as error:
        raise FencerFileError(error.problems) from None
    return tuple(waiver for waiver in found if waiver is not None)


def _items(root: YamlMap) -> tuple[YamlNode, ...]:
    node = root.entries.get("waivers")
    return node.items if isinstance(node, YamlList) else ()


def _waiver(node: YamlNode, path: str, problems: Problems, own: Sequence[str]) -> Waiver | None:
    """None where anything is wrong, with this waiver or with others."""
    scenario = child(node, "scenario")
    if isinstance(scenario, YamlScalar) and scenario.raw not in own and scenarios.REGISTRY.get(scenario.raw) is None:
        broken = "".join(f"; {sentence}" for sentence in scenarios.REGISTRY.broken)
        hint = did_you_mean(scenario.raw, scenarios.REGISTRY.all)
        problems.add(scenario.mark, f"{path}.scenario", f"no such scenario{hint}{broken}")
    if problems.found or not isinstance(node, YamlMap):
        return None
    words = {key: value.raw for key, value in node.entries.items() if isinstance(value, YamlScalar)}
    return Waiver(
        scenario=words["scenario"],
        verdict=Verdict(words["verdict"]),
        reason=words["reason"],
        expires=datetime.date.fromisoformat(words["expires"]),
        fencer=words.get("fencer", "*"),
        profile=words.get("profile", "*"),
        owner=words.get("owner", ""),
        link=words.get("link", ""),
        allow_unsafe=words.get("allow_unsafe") == "true",
    )
