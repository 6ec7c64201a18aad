"""What `profile check` compares on virtual time, without sockets: times of effects, ends of tasks, identity and resources.

`check` calls it in the main thread. Minutes of virtual time take milliseconds, so that times are compared as the file has them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from emulator.assembly import Emulator
from emulator.core.power.by_hand import PowerAction
from emulator.core.rack import HostSpec, UnitSpec
from emulator.profile_commands.checked_cell import CheckedCell
from emulator.profile_tools.json_values import Json, JsonObject, found, parsed, text_at
from emulator.profile_tools.message_text import json_fits
from emulator.profile_tools.resource_tree import ROOT, links
from emulator.profile_tools.task_reports import followed, task_of
from emulator.socketless import SocketlessEmulator
from emulator.transport import Transport, TransportAnswer
from profiles.model import ABSENT, EffectStep, Profile, View

NAME: Final = "checked"
EDGE_S: Final = 0.05
"""A change is looked for this long before and after its time: reads take some milliseconds of virtual time."""
LONG_S: Final = 1e7
_MINOR: Final = re.compile(r"\.v1_(\d+)_")
_SINCE: Final[Mapping[str, int]] = {"vendor": 5, "product": 3}
"""Minor version of ServiceRoot with which a property came."""
TASK_S: Final = 600.0
"""For so long a task is asked for its end after its time."""


@dataclass(frozen=True, slots=True)
class CheckedBmc:
    """A BMC without sockets, and a client that logs in."""

    emulator: SocketlessEmulator
    transport: Transport
    profile: Profile

    def ask(self, method: str, path: str, body: JsonObject | None = None) -> TransportAnswer:
        at = self.emulator.endpoints[NAME]
        login = base64.b64encode(f"{at.username}:{at.password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        answer = self.transport.http(method, f"{at.redfish_url}{path}", headers, data, 60.0)
        if method == "GET" and answer.status == self.profile.http.slash_status:  # http.slash: redirect
            answer = self.transport.http(method, f"{at.redfish_url}{path.rstrip('/')}/", headers, data, 60.0)
        return answer

    def body(self, path: str | None) -> JsonObject:
        """A resource; an empty one where it cannot be read."""
        answer = self.ask("GET", path) if path is not None else None
        value = parsed(answer.body) if answer is not None and answer.status == 200 and answer.body else None
        return value if isinstance(value, dict) else {}

    @property
    def system(self) -> str:
        return self.emulator.endpoints[NAME].systems[0].uri


def checked_in_time(profile: Profile, served: Profile) -> Iterator[CheckedCell]:
    """Effects, tasks, identity and resources of `profile`, on a BMC that is made from `served`."""
    unit = UnitSpec(name=NAME, profile=served, hosts=(HostSpec(),))
    emulator = SocketlessEmulator([unit], tls=False, latency=False)
    with emulator:
        bmc = CheckedBmc(emulator, emulator.client(NAME, limit_s=LONG_S)[0], profile)
        yield from _identity(bmc)
        yield from _resources(bmc)
        target = found(bmc.body(bmc.system), "Actions", "#ComputerSystem.Reset", "target")
        if isinstance(target, str):
            yield from _effects(bmc, target)


# -- resources ---------------------------------------------------------------------------------------------------------------


def _identity(bmc: CheckedBmc) -> Iterator[CheckedCell]:
    identity, resources = bmc.profile.identity, bmc.profile.resources
    if resources.base is not None:
        return  # the captured bodies are compared whole
    root, system = bmc.body(f"{ROOT}/"), bmc.body(bmc.system)
    chassis = bmc.body(next(iter(links(system, "Links", "Chassis")), None))
    manager = bmc.body(next(iter(links(system, "Links", "ManagedBy")), f"{ROOT}/Managers/{bmc.profile.ids.manager}"))
    told: tuple[tuple[str, str, JsonObject, str], ...] = (
        ("vendor", identity.vendor, root, "Vendor"),
        ("product", identity.product, root, "Product"),
        ("redfish_version", identity.redfish_version, root, "RedfishVersion"),
        ("root_type", identity.root_type, root, "@odata.type"),
        ("manufacturer", identity.manufacturer, system, "Manufacturer"),
        ("model", identity.model, system, "Model"),
        ("sku", identity.sku, system, "SKU"),
        ("bios_version", identity.bios_version, system, "BiosVersion"),
        ("system_type", identity.system_type, system, "@odata.type"),
        ("bmc_model", identity.bmc_model, manager, "Model"),
        ("bmc_firmware", identity.bmc_firmware, manager, "FirmwareVersion"),
        ("manager_type", identity.manager_type, manager, "@odata.type"),
        ("chassis_type", identity.chassis_type, chassis, "@odata.type"),
    )
    changed = {key for patch in (*resources.merge.values(), *resources.templates.values()) for key in patch}
    minor = int(match[1]) if (match := _MINOR.search(identity.root_type)) is not None else 99
    for name, wanted, body, key in told:
        if minor < _SINCE.get(name, 0):
            wanted = ABSENT
        if key not in changed and "{serial" not in wanted:  # each BMC has a serial number of its own
            yield CheckedCell(f"identity.{name}", wanted, text_at(body, key) or ABSENT)


def _resources(bmc: CheckedBmc) -> Iterator[CheckedCell]:
    rules = bmc.profile.resources
    for path, patch in rules.merge.items():
        body = bmc.body(path)
        wrong = [key for key, value in patch.items() if not _patched(value, body.get(key))]
        yield CheckedCell(f"resources.merge.{path}", "as merged", f"{', '.join(wrong)} otherwise" if wrong else "as merged")
    for index, path in enumerate(rules.remove):
        status = bmc.ask("GET", path).status
        yield CheckedCell(
            f"resources.remove[{index}]", "no such resource", "no such resource" if status == 404 else f"HTTP {status}"
        )
    for path in rules.base or ():
        status = bmc.ask("GET", path).status
        yield CheckedCell(f"resources.base {path}", "HTTP 200", f"HTTP {status}")


def _patched(patch: object, value: Json) -> bool:
    """Whether a value is what a JSON merge patch leaves: null means that there is none."""
    if isinstance(patch, Mapping):
        return isinstance(value, dict) and all(_patched(each, value.get(key)) for key, each in patch.items())
    return value is None if patch is None else json_fits(patch, value)


# -- effects -------------------------------------------------------------------------------------------------------------------


def _effects(bmc: CheckedBmc, target: str) -> Iterator[CheckedCell]:
    """Each effect that a cell leads to, once for each state; and each task."""
    power, tried = bmc.profile.power, set[tuple[str, str]]()
    for state, row in power.table.items():
        for word in power.reset_types:
            outcome = power.outcomes[row[word].outcome]
            reply = bmc.profile.replies[outcome.reply]
            steps = power.effects.get(outcome.effect, ())
            if reply.task is not None:
                yield _task(bmc, target, state, word)
            if (state, outcome.effect) not in tried and steps and all(step.event is None for step in steps):
                tried.add((state, outcome.effect))
                yield _timed(bmc, target, state, word, outcome.effect, steps)


def _task(bmc: CheckedBmc, target: str, state: str, word: str) -> CheckedCell:
    profile = bmc.profile
    rule = profile.replies[profile.power.outcomes[profile.power.table[state][word].outcome].reply].task
    assert rule is not None
    key = rule.get("message")
    message = profile.messages[key].id if key is not None else None
    after = rule["after_s"]
    expected = f"{rule['start']}, {rule['end']} after {after.low:g} to {after.high:g} s" + (f", {message}" if message else "")
    _bring(bmc, state)
    began = bmc.emulator.now()
    answer = bmc.ask("POST", target, {"ResetType": word})
    headers = {name.lower(): value for name, value in answer.headers.items()}
    task = task_of(answer.status, headers, parsed(answer.body) if answer.body else None)
    until = began + after.high + TASK_S
    while task is not None and task.task.end is None and bmc.emulator.now() < until:
        for path in task.paths:
            said = bmc.ask("GET", path)
            task = followed(task, path, said.status, parsed(said.body) if said.body else None, bmc.emulator.now() - began)
        bmc.emulator.advance(EDGE_S)
    if task is None or task.task.end is None:
        return CheckedCell(f"power.table.{state}.{word}.task", expected, "no task" if task is None else "no end")
    seen = task.task
    is_near = after.low - EDGE_S <= seen.after_s <= after.high + 4 * EDGE_S
    when = f"{after.low:g} to {after.high:g} s" if is_near else f"{seen.after_s:.2f} s"
    said_id = seen.answer.message_id if seen.answer is not None else None
    return CheckedCell(
        f"power.table.{state}.{word}.task",
        expected,
        f"{seen.start or rule['start']}, {seen.end} after {when}" + (f", {said_id}" if said_id else ""),
    )


def _timed(bmc: CheckedBmc, target: str, state: str, word: str, effect: str, steps: tuple[EffectStep, ...]) -> CheckedCell:
    """The words of System, Chassis and rail just before and just after the time of each step."""
    _bring(bmc, state)
    views = _views(bmc)
    began = bmc.emulator.now()
    bmc.ask("POST", target, {"ResetType": word})
    edges = sorted({edge for step in steps for edge in (step.at.low - EDGE_S, step.at.high + EDGE_S) if edge > 0})
    for edge in edges:
        bmc.emulator.advance(max(0.0, began + edge - bmc.emulator.now()))
        for view, path in views.items():
            allowed = _allowed(steps, state, view, edge)
            seen = _rail(bmc.emulator) if view is None else text_at(bmc.body(path), "PowerState")
            if seen not in allowed:
                where = f"{'the host' if view is None else view.value}"
                said = " or ".join(sorted(str(each) for each in allowed))
                return CheckedCell(
                    f"power.effects.{effect}", f"{where} {said} at {edge:.2f} s", f"{where} {seen} at {edge:.2f} s"
                )
    return CheckedCell(f"power.effects.{effect}", "its steps at their times", "its steps at their times")


def _views(bmc: CheckedBmc) -> dict[View | None, str]:
    """What can be asked for the power: the System, its chassis if that shows a PowerState, and (None) the truth."""
    chassis = next(iter(links(bmc.body(bmc.system), "Links", "Chassis")), None)
    views: dict[View | None, str] = {None: "", View.SYSTEM: bmc.system}
    if chassis is not None and "PowerState" in bmc.body(chassis):
        views[View.CHASSIS] = chassis
    return views


def _allowed(steps: tuple[EffectStep, ...], state: str, view: View | None, at_s: float) -> set[str | None]:
    """The words that a view may say at a time: after the last step that is certain, or after those that may have come."""
    word: str | None = state
    words: set[str | None] = {word}
    for step in steps:
        new = step.real if view is None else step.says.get(view, "")
        if step.at.low > at_s:
            break
        if new not in (None, "") or (view is not None and new is None):
            word = new
        if step.at.high < at_s:
            words = {word}
        else:
            words.add(word)
    return words


def _bring(bmc: CheckedBmc, state: str) -> None:
    for action in (PowerAction.OFF, PowerAction.ON) if state == "On" else (PowerAction.OFF,):
        bmc.emulator.power(NAME, action)
        bmc.emulator.advance(_longest(bmc.profile))


def _longest(profile: Profile) -> float:
    """Seconds after which all effects, windows and a shutdown are over."""
    power = profile.power
    ends = [step.at.high for steps in (*power.effects.values(), power.on_os_down) for step in steps]
    return max((*ends, *(window.for_s.high for window in power.windows), profile.timing.os_shutdown_s.high)) + 60.0


def _rail(emulator: Emulator) -> str:
    return "Off" if emulator.host(NAME).rail.value == "down" else "On"
