"""Says in words what a profile's cells do and where a claim is from, for `tools.profile_page` and `tools.profile_quirks`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from profiles.model import EffectStep, FactEvidence, HostEvent, PowerCell, Profile, ReplyTemplate, Source, Span, View

STATES: Final = ("On", "Off")
_VIEWS: Final[Mapping[View, str]] = {View.SYSTEM: "System", View.CHASSIS: "Chassis", View.IPMI: "IPMI"}
_EVENTS: Final[Mapping[HostEvent, str]] = {
    HostEvent.OS_SHUTDOWN: "the operating system is asked to shut down",
    HostEvent.OS_REBOOT: "the operating system is asked to restart",
    HostEvent.OS_RESTART: "hard reset",
    HostEvent.OS_CRASH: "the operating system stops, the power stays on",
}
_NUMBERED: Final = re.compile(r"github ([\w.-]+/[\w.-]+) (issues?|pull) ([0-9]+)")
_VERSIONED: Final = re.compile(r"`(\w+)\.[0-9.]+\.(\w+)`")
_REPOSITORY: Final = re.compile(r"github ([\w.-]+/[\w.-]+)(?: ([\w./-]+))?")


def seconds(span: Span) -> str:
    low, high = f"{span.low:g}", f"{span.high:g}"
    return f"{low} s" if low == high else f"{low} to {high} s"


def effect(profile: Profile, name: str) -> str:
    """What happens: `nothing`, or the steps in their order."""
    return steps(profile.power.effects.get(name, ())) or "nothing"


def unversioned(text: str) -> str:
    """The text without the versions of the registries in its MessageIds: `Base.NoOperation`."""
    return _VERSIONED.sub(r"`\1.\2`", text)


def steps(told: Iterable[EffectStep]) -> str:
    return "; ".join(map(_step, told))


def _step(step: EffectStep) -> str:
    when = "at once" if step.at == Span(0, 0) else f"after {seconds(step.at)}"
    what = [_EVENTS[step.event]] if step.event is not None else []
    if step.real is not None:
        what.append(f"power {step.real.lower()}")
    if step.real is None or any(step.says.get(view) != step.real for view in View):
        for word in dict.fromkeys(step.says.values()):
            who = " and ".join(_VIEWS[view] for view in View if view in step.says and step.says[view] == word)
            what.append(f"{who} {'say' if ' and ' in who else 'says'} {'null' if word is None else word}")
    return f"{', '.join(what)} {when}"


def answer(profile: Profile, reply: ReplyTemplate) -> str:
    """Status and MessageId of an answer, or how its task ends."""
    said = f"{reply.status}"
    if reply.task is not None:
        message = profile.messages.get(str(reply.task.get("message")))
        return f"{said}, task ends {reply.task['end']}{f' with `{message.id}`' if message is not None else ''}"
    if reply.message is not None and reply.body is None:
        return f"{said} `{profile.messages[reply.message].id}`"
    return f"{said}, body of its own" if reply.body not in (None, "empty") else said


def cell(profile: Profile, told: PowerCell) -> tuple[str, str]:
    """What a cell answers, and what happens."""
    outcome = profile.power.outcomes[told.outcome]
    return answer(profile, profile.replies[outcome.reply]), effect(profile, outcome.effect)


def evidence(told: FactEvidence | None) -> str:
    """`captured: r750, i115`."""
    if told is None:
        return ""
    return f"{told.confidence.value}: {', '.join(told.sources)}" if told.sources else told.confidence.value


def link(source: Source) -> str:
    """The reference, with a link where it names a repository on GitHub."""
    numbered = _NUMBERED.match(source.ref)
    if numbered is not None:
        repository, kind, number = numbered.groups()
        return f"[{source.ref}](https://github.com/{repository}/{'pull' if kind == 'pull' else 'issues'}/{number})"
    found = _REPOSITORY.match(source.ref)
    if found is None:
        return source.ref
    repository, path = found.groups()
    if source.commit is None:
        return f"[{source.ref}](https://github.com/{repository})"
    where = f"/{path.rstrip('.')}" if path is not None and "/" in path else ""
    return f"[{source.ref}](https://github.com/{repository}/tree/{source.commit}{where})"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table."""
    titles = list(head)
    lines = [_row(titles), _row(["---"] * len(titles))]
    return [*lines, *(_row(row) for row in rows)]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in cells) + " |"
