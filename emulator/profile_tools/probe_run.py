"""One probe of a machine that may be switched: tries each cell, watches what the views say, brings the machine back.

`profile probe` runs it in the main thread with real connections and the real clock, the tests with those of a virtual emulator.

Rules
  1. Before each command the machine must be the one that was named, and in a state that is known.
  2. The first surprise ends it: a redirect, an answer of 500 or more, another identity, a BMC that is silent, a state that stays
     unclear, a task that does not end.
  3. At the end, and after a surprise that leaves the identity alone, the machine is brought back to the state it was found in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import urlsplit

from emulator.profile_tools.identity_facts import reset_action, reset_types
from emulator.profile_tools.json_values import JsonObject, parsed, text_at
from emulator.profile_tools.observed import ObservedCommand, ObservedReply, ViewChange, changes_between, reply_of
from emulator.profile_tools.probe_plan import POLITE, Cell, next_cell, switches
from emulator.profile_tools.resource_tree import ROOT, ResourceTree, link, links, service_path
from emulator.profile_tools.task_reports import FollowedTask, followed, is_told, task_of
from emulator.profile_tools.walk import GetAnswer, NoAnswer
from profiles.blocks import CHASSIS_COMMANDS, STATES
from profiles.model import View


class RedfishLink(Protocol):
    """Requests to the BMC. Both raise NoAnswer."""

    def get(self, path: str) -> GetAnswer: ...

    def post(self, path: str, body: JsonObject) -> GetAnswer: ...


class ChassisLink(Protocol):
    """IPMI: chassis status (On, Off, None without an answer) and Chassis Control (its completion code; raises NoAnswer)."""

    def power(self) -> str | None: ...

    def control(self, word: str) -> int: ...


class ProbeClock(Protocol):
    """Seconds."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class ProbeStopped(Exception):
    """A surprise; `str()` is one sentence. `may_restore`: the machine is still the one that was named."""

    def __init__(self, said: str, *, may_restore: bool = True) -> None:
        super().__init__(said)
        self.may_restore = may_restore


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTimes:
    """Seconds. A state is settled when nothing has changed for `settle_s`; `boot_s` is waited before polite requests."""

    interval_s: float = 1.0
    settle_s: float = 20.0
    patience_s: float = 300.0
    boot_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedMachine:
    """The system that will be switched, as its BMC shows it."""

    path: str
    target: str
    chassis: str | None
    reset_types: tuple[str, ...]
    identity: tuple[str | None, str | None]  # UUID and serial number
    state: str
    names: tuple[str, ...]


def find_machine(redfish: RedfishLink, name: str) -> ProbedMachine:
    """The system whose HostName, Id or SerialNumber is `name`. Raises ProbeStopped and NoAnswer."""
    root = body_of(redfish, f"{ROOT}/")
    members = links(body_of(redfish, link(root, "Systems") or f"{ROOT}/Systems"), "Members")
    shown: list[str] = []
    for uri in members:
        path = service_path(uri)
        system = body_of(redfish, uri) if path is not None else {}
        names = tuple(word for key in ("HostName", "Id", "SerialNumber") if (word := text_at(system, key)))
        shown += names
        if path is not None and name in names:
            return _machine(redfish, path, system, names)
    said = ", ".join(f"'{word}'" for word in dict.fromkeys(shown)) or "no name at all"
    raise ProbeStopped(f"no system of this BMC is '{name}': it shows {said}; nothing was sent")


def _machine(redfish: RedfishLink, path: str, system: JsonObject, names: tuple[str, ...]) -> ProbedMachine:
    action = reset_action(system)
    info = text_at(action, "@Redfish.ActionInfo")
    tree = ResourceTree(resources={info.rstrip("/"): body_of(redfish, info)} if info else {})
    types, _ = reset_types(tree, action)
    state = text_at(system, "PowerState")
    if not types:
        raise ProbeStopped(f"{path} does not say which ResetTypes it takes; nothing was sent")
    if state not in STATES:
        raise ProbeStopped(f"{path} says PowerState {state or 'nothing'}, neither On nor Off; nothing was sent")
    shown = text_at(action, "target") or ""  # with the slash at its end, without which some answer a redirect
    target = urlsplit(shown).path if service_path(shown) is not None else f"{path}/Actions/ComputerSystem.Reset"
    chassis = next((uri for uri in links(system, "Links", "Chassis") if "PowerState" in body_of(redfish, uri)), None)
    identity = text_at(system, "UUID"), text_at(system, "SerialNumber")
    return ProbedMachine(
        path=path, target=target, chassis=chassis, reset_types=types, identity=identity, state=state, names=names
    )  # fmt: skip


def body_of(redfish: RedfishLink, path: str) -> JsonObject:
    """A resource. Raises NoAnswer, also for another status than 200 and for what is no JSON object."""
    answer = redfish.get(path)
    try:
        body = parsed(answer.body) if answer.status == 200 else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise NoAnswer(f"{path}: HTTP {answer.status}" + ("" if answer.status != 200 else ", not a JSON object"))
    return body


@dataclass(slots=True)
class PowerProbe:
    """A probe of one machine. `commands` holds what has been seen, also after a surprise."""

    redfish: RedfishLink
    chassis: ChassisLink | None
    clock: ProbeClock
    machine: ProbedMachine
    say: Callable[[str], None]
    times: ProbeTimes = field(default_factory=ProbeTimes)
    commands: list[ObservedCommand] = field(default_factory=list)
    _learnt: dict[Cell, str] = field(default_factory=dict)
    _booted_at: float = 0.0

    def cells(self) -> frozenset[Cell]:
        """All cells that can be tried."""
        redfish = {Cell(state, word) for state in STATES for word in self.machine.reset_types}
        ipmi = (
            {Cell(state, word, ipmi=True) for state in STATES for word in CHASSIS_COMMANDS} if self.chassis is not None else set()
        )
        return frozenset(redfish | ipmi)

    def run(self) -> None:
        """Tries all cells. Raises ProbeStopped; in both cases the machine is as it was found if that is possible."""
        self._booted_at = self.clock.now()
        try:
            left = self.cells()
            while left:
                state = self._state()
                cell = next_cell(state, left)
                if cell is None:
                    self._switch("Off" if state == "On" else "On")
                    continue
                left -= {cell}
                self._try(cell)
        except ProbeStopped as surprise:
            if surprise.may_restore:
                self._restore(f"stopped: {surprise}")
            raise
        except NoAnswer as error:
            raise ProbeStopped(f"the BMC does not answer: {error}", may_restore=False) from None
        except KeyboardInterrupt:
            self._restore("interrupted")
            raise ProbeStopped("interrupted") from None
        self._restore("done")

    def _state(self) -> str:
        """On or Off, as the System says. Raises ProbeStopped for another identity and for another word."""
        system = body_of(self.redfish, self.machine.path)
        identity = text_at(system, "UUID"), text_at(system, "SerialNumber")
        if identity != self.machine.identity:
            raise ProbeStopped(f"{self.machine.path} shows another UUID or serial number than at first", may_restore=False)
        word = text_at(system, "PowerState")
        if word not in STATES:
            raise ProbeStopped(f"{self.machine.path} says PowerState {word or 'nothing'}, neither On nor Off")
        return word

    def _try(self, cell: Cell) -> ObservedCommand:
        if cell.state == "On" and cell.word in POLITE:
            self._let_boot()
        before = self._views()
        started = self.clock.now()
        reply = code = task = None
        if cell.ipmi:
            assert self.chassis is not None
            code = self.chassis.control(cell.word)
        else:
            answer = self.redfish.post(self.machine.target, {"ResetType": cell.word})
            said = _json(answer.body)
            reply, task = reply_of(answer.status, said), task_of(answer.status, answer.headers, said)
        changes, task = self._watch(started, before, task)
        if reply is not None and task is not None:
            reply = replace(reply, task=task.task)
        command = ObservedCommand(
            before=cell.state, word=cell.word, reply=reply, code=code, changes=changes, views=frozenset(before)
        )  # fmt: skip
        self.commands.append(command)
        self._learnt[cell] = command.after
        self.say(told(command))
        if reply is not None and (reply.status >= 500 or 300 <= reply.status < 400):
            raise ProbeStopped(f"{cell.word} in state {cell.state} was answered with HTTP {reply.status}")
        if changes and changes[-1].word == "On":
            self._booted_at = started + changes[-1].at_s
        elif cell.state == "On" and cell.word in (
            "ForceRestart",
            "GracefulRestart",
            "PowerCycle",
            "reset",
            "cycle",
            "Nmi",
            "diag",
        ):
            self._booted_at = self.clock.now()
        return command

    def _let_boot(self) -> None:
        """Waits until the operating system has had its time to start."""
        rest = self._booted_at + self.times.boot_s - self.clock.now()
        if rest > 0:
            self.say(f"  waiting {rest:.0f} s for the operating system")
            self.clock.sleep(rest)

    def _views(self) -> dict[View, str | None]:
        """What each view says now. A view that does not answer is left out; the System must."""
        words: dict[View, str | None] = {View.SYSTEM: text_at(body_of(self.redfish, self.machine.path), "PowerState")}
        if self.machine.chassis is not None:
            words[View.CHASSIS] = text_at(body_of(self.redfish, self.machine.chassis), "PowerState")
        if self.chassis is not None and (word := self.chassis.power()) is not None:
            words[View.IPMI] = word
        return words

    def _watch(
        self, started: float, before: Mapping[View, str | None], task: FollowedTask | None
    ) -> tuple[tuple[ViewChange, ...], FollowedTask | None]:
        """Reads all views until nothing has changed for `settle_s` and the task has ended. Raises ProbeStopped."""
        reads: list[tuple[float, Mapping[View, str | None]]] = []
        last, changed, silent = dict(before), started, ""
        while True:
            now = self.clock.now()
            try:
                words = self._views()
                task = self._follow(task, now - started)
            except NoAnswer as error:
                words, silent = {}, str(error)
            if words:
                silent = ""
                reads.append((round(now - started, 3), words))
            if any(last.get(view) != word for view, word in words.items()):
                last.update(words)
                changed = now
            is_over = task is None or task.task.end is not None or not task.paths
            settled = not silent and len(set(last.values())) == 1 and last[View.SYSTEM] in STATES
            if settled and is_over and now - changed >= self.times.settle_s:
                return changes_between(before, reads), task
            if now - started >= self.times.patience_s:
                if settled and task is not None:
                    raise ProbeStopped(f"after {self.times.patience_s:g} s the task at {task.paths[0]} has not ended")
                said = silent or ", ".join(f"{view.value} {word or 'nothing'}" for view, word in last.items())
                raise ProbeStopped(f"after {self.times.patience_s:g} s it is still unclear where the machine is: {said}")
            self.clock.sleep(self.times.interval_s)

    def _follow(self, task: FollowedTask | None, at_s: float) -> FollowedTask | None:
        """Asks a task for its state, and its monitor where the end is not fully told. A task that is gone is asked no more."""
        if task is None or is_told(task):
            return task
        for path in task.paths if task.task.end is None else (task.monitor,):
            if path is None:
                continue
            answer = self.redfish.get(path)
            if answer.status in (404, 410):
                task = replace(
                    task,
                    resource=None if path == task.resource else task.resource,
                    monitor=None if path == task.monitor else task.monitor,
                )
                continue
            task = followed(task, path, answer.status, _json(answer.body), round(at_s, 3))
            if is_told(task):
                break
        return task

    def _switch(self, goal: str) -> None:
        """Brings the machine to the other state with a command that is known, or that should do it. Raises ProbeStopped."""
        for cell in switches(goal, self.cells(), self._learnt):
            self.say(f"  back to {goal} with {_name(cell)}")
            if self._try(cell).after == goal:
                return
        raise ProbeStopped(f"nothing brings the machine to {goal}", may_restore=False)

    def _restore(self, said: str) -> None:
        self.say(said)
        try:
            if self._state() != self.machine.state:
                self._switch(self.machine.state)
            self.say(f"the machine is {self.machine.state}, as it was found")
        except (ProbeStopped, NoAnswer) as error:
            self.say(f"the machine could NOT be brought back to {self.machine.state}: {error}")


def told(command: ObservedCommand) -> str:
    """One line about a command: `On   ForceOff: HTTP 204; 0.0 s system Off, 5.1 s chassis Off`."""
    if command.reply is not None:
        answer = _answered(command.reply)
    else:
        answer = f"code 0x{command.code or 0:02X}"
    changes = ", ".join(f"{change.at_s:.1f} s {change.view.value} {change.word or 'nothing'}" for change in command.changes)
    word = command.word if command.code is None else f"ipmi {command.word}"
    return f"{command.before:<3} {word}: {answer}; {changes or 'nothing changed'}"


def _answered(reply: ObservedReply) -> str:
    """`HTTP 409 Base.1.8.X`, and for a task `HTTP 202, task Cancelled after 2.0 s Base.1.8.X`."""
    said = f"HTTP {reply.status}" + (f" {reply.message_id}" if reply.message_id else "")
    task = reply.task
    if task is None:
        return said
    if task.end is None:
        return f"{said}, a task that is gone before its end was seen"
    message = task.answer.message_id if task.answer is not None else None
    return f"{said}, task {task.end} after {task.after_s:.1f} s" + (f" {message}" if message else "")


def _name(cell: Cell) -> str:
    return f"ipmi {cell.word}" if cell.ipmi else cell.word


def _json(body: bytes) -> JsonObject:
    try:
        value = parsed(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
