"""Makes cells, outcomes, effects, replies and messages of a profile from watched power commands. Pure.

Theory
  What the parent has already is used by its name: an outcome whose reply has the same status and MessageId, and whose effect
  shows the same words in the same views at about the same times. Only what nothing fits becomes new.

  Nobody sees the rail of a real machine. It is taken to fall when the last view says Off, and to rise when the first says On:
  that is the cautious reading. A polite request is taken to have asked the operating system, whatever it did.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.profile_tools.captured_profile import safe
from emulator.profile_tools.message_text import text_fits, with_holes
from emulator.profile_tools.observed import ObservedCommand, ObservedReply, ObservedTask, ViewChange
from emulator.profile_tools.yaml_text import YamlValue
from profiles.merge import UNKNOWN
from profiles.model import EffectStep, HostEvent, Profile, Span, View

ROUGH_S: Final = 1.5
"""Two times are alike within this, and views that change within it change together. Polling is not more exact."""
EVENTS: Final[Mapping[str, HostEvent]] = {
    "GracefulShutdown": HostEvent.OS_SHUTDOWN,
    "PushPowerButton": HostEvent.OS_SHUTDOWN,
    "soft": HostEvent.OS_SHUTDOWN,
    "GracefulRestart": HostEvent.OS_REBOOT,
    "ForceRestart": HostEvent.OS_RESTART,
    "PowerCycle": HostEvent.OS_RESTART,
    "reset": HostEvent.OS_RESTART,
    "cycle": HostEvent.OS_RESTART,
    "Nmi": HostEvent.OS_CRASH,
    "diag": HostEvent.OS_CRASH,
}
"""What a command that was accepted did to the operating system, where no view shows it."""
NONE: Final = "none"

CellWords = Mapping[View, tuple[str | None, ...]]


@dataclass(slots=True)
class LearntTable:
    """Blocks of a profile; empty ones are left out by who writes it."""

    cells: dict[str, dict[str, str]] = field(default_factory=dict)  # state -> ResetType -> outcome
    ipmi: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)  # state -> command -> code, effect
    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    effects: dict[str, list[dict[str, YamlValue]]] = field(default_factory=dict)
    replies: dict[str, dict[str, YamlValue]] = field(default_factory=dict)
    messages: dict[str, dict[str, YamlValue]] = field(default_factory=dict)


def learnt(commands: Iterable[ObservedCommand], parent: Profile) -> LearntTable:
    """The table that follows from the commands. Of two commands in one cell, the later counts."""
    return _Learner(parent).learn(commands)


class _Learner:
    def __init__(self, parent: Profile) -> None:
        self._parent = parent
        self._table = LearntTable()

    def learn(self, commands: Iterable[ObservedCommand]) -> LearntTable:
        for command in {(each.cell, each.code is None): each for each in commands}.values():
            if command.code is not None:
                row = self._table.ipmi.setdefault(command.before, {})
                row[command.word] = command.code, self._effect(command)
            elif command.reply is not None:
                self._table.cells.setdefault(command.before, {})[command.word] = self._outcome(command, command.reply)
        return self._table

    def _outcome(self, command: ObservedCommand, reply: ObservedReply) -> str:
        outcomes = self._parent.power.outcomes
        cell = self._parent.power.table.get(command.before, {}).get(command.word)
        for name in (*((cell.outcome,) if cell is not None else ()), *outcomes):
            if (
                name != UNKNOWN
                and self._replies_alike(outcomes[name].reply, reply)
                and self._fits(outcomes[name].effect, command)
            ):
                return str(name)
        pair = self._reply(reply), self._effect(command)
        for name, known in self._table.outcomes.items():
            if known == pair:
                return name
        free = _free(f"{_snake(command.word)}_{command.before.lower()}", (*outcomes, *self._table.outcomes))
        self._table.outcomes[free] = pair
        return free

    # -- replies -----------------------------------------------------------------------------------------------------------

    def _replies_alike(self, name: str, reply: ObservedReply) -> bool:
        known = self._parent.replies[name]
        if known.status != reply.status or known.body not in (None, "empty"):
            return False
        return self._says(known.message, reply) and self._tasks_alike(known.task, reply.task)

    def _tasks_alike(self, known: Mapping[str, object] | None, task: ObservedTask | None) -> bool:
        """Whether a task of the parent ends as one that was seen, at about that time. An end that nobody saw fits all tasks."""
        if known is None or task is None:
            return known is None and task is None
        if task.end is None:
            return True
        after, message = known["after_s"], known.get("message")
        assert isinstance(after, Span)
        is_near = after.low - ROUGH_S <= task.after_s <= after.high + ROUGH_S
        is_same = known["end"] == task.end and task.start in (None, known["start"])
        return is_near and is_same and self._says(str(message) if message is not None else None, task.answer)

    def _says(self, name: str | None, reply: ObservedReply | None) -> bool:
        """Whether a message of the parent is the one that was seen: its id, its severity and its text."""
        if name is None or reply is None or reply.message_id is None:
            return name is None and (reply is None or reply.message_id is None)
        known = self._parent.messages[name]
        if known.id != reply.message_id or (None not in (known.severity, reply.severity) and known.severity != reply.severity):
            return False
        if reply.args and (len(known.args) != len(reply.args) or not all(map(text_fits, known.args, reply.args))):
            return False
        return reply.text is None or text_fits(known.text or "", reply.text)

    def _reply(self, reply: ObservedReply) -> str:
        for name in self._parent.replies:
            if self._replies_alike(name, reply):
                return name
        body: dict[str, YamlValue] = {"status": reply.status}
        if reply.message_id is not None:
            body["message"] = self._message(reply, reply.message_id)
        if reply.task is not None and reply.task.end is not None:
            body["task"] = self._task(reply.task, reply.task.end)
        for name, known in self._table.replies.items():
            if known == body:
                return name
        name = _free(f"answer_{reply.status}", (*self._parent.replies, *self._table.replies))
        self._table.replies[name] = body
        return name

    def _task(self, task: ObservedTask, end: str) -> dict[str, YamlValue]:
        body: dict[str, YamlValue] = {"start": task.start or "Running", "end": end, "after_s": round(task.after_s, 1)}
        if task.answer is not None and task.answer.message_id is not None:
            body["message"] = self._message(task.answer, task.answer.message_id)
        return body

    def _message(self, reply: ObservedReply, message_id: str) -> str:
        for name in self._parent.messages:
            if self._says(name, reply):
                return name
        text = with_holes(reply.text, reply.args) if reply.text is not None else "none"
        told = (("severity", reply.severity), ("resolution", reply.resolution))
        body: dict[str, YamlValue] = {"id": re.sub(r"\s", "", safe(message_id))}
        body |= {"text": text, **{key: safe(value) for key, value in told if value is not None}}
        if reply.args:
            body["args"] = [safe(each) for each in reply.args]
        name = _free(_snake(message_id.rpartition(".")[2]) or "message", self._parent.messages)
        if self._table.messages.get(name, body) != body:
            name = _free(name, (*self._parent.messages, *self._table.messages))
        self._table.messages[name] = body
        return name

    # -- effects -----------------------------------------------------------------------------------------------------------

    def _effect(self, command: ObservedCommand) -> str:
        """The name of an effect that shows what was seen."""
        for name in self._candidates(command):
            if self._fits(name, command):
                return name
        steps = self._steps(command)
        for known, others in self._table.effects.items():
            if others == steps:
                return known
        name = _free(f"{_snake(command.word)}_{command.before.lower()}", (*self._parent.power.effects, *self._table.effects))
        self._table.effects[name] = steps
        return name

    def _candidates(self, command: ObservedCommand) -> Sequence[str]:
        """Effects of the parent: that of the same cell first, then those that do the same to the operating system, then all."""
        power = self._parent.power
        if command.code is not None:
            ipmi = self._parent.ipmi.chassis.get(command.before, {}).get(command.word)
            same = [ipmi.effect] if ipmi is not None else []
        else:
            cell = power.table.get(command.before, {}).get(command.word)
            same = [power.outcomes[cell.outcome].effect] if cell is not None else []
        event = EVENTS.get(command.word) if command.before == "On" and _is_accepted(command) else None
        like = [name for name, steps in power.effects.items() if event is not None and {step.event for step in steps} == {event}]
        return (*same, *like, NONE, *power.effects) if event is None else (*same, *like, *power.effects)

    def _fits(self, name: str, command: ObservedCommand) -> bool:
        """Whether an effect of the parent shows what was seen."""
        steps = self._parent.power.effects.get(name, ())
        events = {step.event for step in steps if step.event is not None}
        if not _is_accepted(command) and name != NONE:
            return False
        event = EVENTS.get(command.word) if command.before == "On" and _is_accepted(command) else None
        if name == NONE and event is not None:
            return False
        if events:
            seen = _words(command.changes)
            down: CellWords = dict.fromkeys(command.views, ("Off",))
            falls = HostEvent.OS_SHUTDOWN in events
            return event in events and (seen == {} or (falls and seen == down))
        if event in (HostEvent.OS_SHUTDOWN, HostEvent.OS_REBOOT, HostEvent.OS_CRASH) and not command.changes:
            return False
        return name == NONE if not command.changes else _shows(steps, command)

    def _steps(self, command: ObservedCommand) -> list[dict[str, YamlValue]]:
        event = EVENTS.get(command.word)
        polite = event in (HostEvent.OS_SHUTDOWN, HostEvent.OS_REBOOT) and command.before == "On"
        if event is not None and command.before == "On" and (polite or not command.changes):
            return [{"at": 0, "event": event.value}]
        return _measured(command.changes)


def _is_accepted(command: ObservedCommand) -> bool:
    return command.code == 0 if command.code is not None else command.reply is not None and command.reply.is_accepted


def _words(changes: Sequence[ViewChange]) -> CellWords:
    """The words of each view in their order."""
    said: dict[View, tuple[str | None, ...]] = {}
    for change in changes:
        said[change.view] = (*said.get(change.view, ()), change.word)
    return said


def _shows(steps: Sequence[EffectStep], command: ObservedCommand) -> bool:
    """Whether steps without events lead to the changes that were seen, at about those times."""
    said: dict[View, str | None] = dict.fromkeys(command.views, command.before)
    expected: dict[View, list[tuple[float, float, str | None]]] = {}
    for step in steps:
        for view, word in step.says.items():
            if view in said and said[view] != word:
                said[view] = word
                expected.setdefault(view, []).append((step.at.low - ROUGH_S, step.at.high + ROUGH_S, word))
    seen: dict[View, list[ViewChange]] = {}
    for change in command.changes:
        seen.setdefault(change.view, []).append(change)
    if expected.keys() != seen.keys():
        return False
    return all(
        len(expected[view]) == len(seen[view])
        and all(
            low <= change.at_s <= high and word == change.word
            for (low, high, word), change in zip(expected[view], seen[view], strict=True)
        )
        for view in expected
    )


def _measured(changes: Sequence[ViewChange]) -> list[dict[str, YamlValue]]:
    """Steps at the times that were measured, and with the rail where it is taken to move."""
    steps: list[dict[str, YamlValue]] = []
    for change in changes:
        last = steps[-1]["at"] if steps else None
        key = change.view.value
        is_new = not isinstance(last, int | float) or change.at_s - last > ROUGH_S or key in steps[-1]
        if is_new:
            steps.append({"at": round(change.at_s, 1)})
        steps[-1][key] = change.word
    for index, step in enumerate(steps):
        words = {word for key, word in step.items() if key != "at"}
        later = [word for other in steps[index + 1 :] for key, word in other.items() if key not in ("at", "real")]
        earlier = [word for other in steps[:index] for key, word in other.items() if key not in ("at", "real")]
        if "Off" in words and (not later or later[0] != "Off"):
            step["real"] = "Off"
        elif "On" in words and (not earlier or earlier[-1] != "On"):
            step["real"] = "On"
    return [{"at": step["at"], **{key: step[key] for key in ("real", *View) if key in step}} for step in steps]


def _snake(word: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower()).strip("_")


def _free(name: str, taken: Iterable[str]) -> str:
    known = set(taken)
    number = 1
    while (found := name if number == 1 else f"{name}_{number}") in known or found == NONE:
        number += 1
    return found
