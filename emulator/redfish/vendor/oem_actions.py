"""A vendor's own actions that give a host a power command: `power.oem_actions` of a profile.

`service.tree` calls it when a tree is built. The command runs through the same power table as ComputerSystem.Reset.
"""

from __future__ import annotations

from collections.abc import Callable

from emulator.core.bmc.view import SystemName
from emulator.core.faults.trigger import Intent
from emulator.core.power.commands import PowerCommand
from emulator.core.vocab import ResetType
from emulator.redfish.power.actions import parameter
from emulator.redfish.service.call import ProfileReply, RedfishCall, RegistryError, parse_object, shown
from emulator.redfish.service.resource import Operation, RedfishPrivilege, Resource
from emulator.redfish.service.shapes import Json
from profiles.model import OemAction, Profile


def oem_actions(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    """One resource for each action of each system. An action whose target does not name the system is the first system's."""
    found: list[Resource] = []
    for action in profile.power.oem_actions:
        for name in names if "{system}" in action.target else names[:1]:
            path = _target(action, name.id).rstrip("/")
            operation = Operation(
                RedfishPrivilege.CONFIGURE_COMPONENTS, _act(action, name.id), Intent.POWER_COMMAND, _reset_reader(action)
            )
            found.append(Resource(path=path, operations={"POST": operation}, system=name.id))
    return tuple(found)


def with_oem_actions(profile: Profile, system_id: str, actions: Json) -> Json:
    """The properties of a system that show its actions: these, and the vendor's own, most of them under Actions.Oem."""
    system: Json = {"Actions": dict(actions)}
    for action in profile.power.oem_actions:
        if action.name is None:
            continue
        entry: Json = {"target": _target(action, system_id)}
        if action.parameter is not None:
            entry[f"{action.parameter}@Redfish.AllowableValues"] = list(action.values)
        place = system
        for step in action.under.split("/"):
            inner = place.setdefault(step, {})
            assert isinstance(inner, dict), "an action is no place for others"
            place = inner
        place[action.name] = entry
    return system


def _target(action: OemAction, system_id: str) -> str:
    return action.target.replace("{system}", system_id)


def _wanted(action: OemAction, body: Json) -> str:
    """The ResetType that the body asks for. Raises RegistryError (400)."""
    if action.parameter is None:
        assert action.body is not None, "references checks it"
        return action.body
    name = _short_name(action)
    value = parameter(body, action.parameter, name)
    if value not in action.values:
        related = (f"#/{action.parameter}",)
        raise RegistryError(400, "ActionParameterValueNotInList", shown(value), action.parameter, name, related=related)
    return action.values[value]


def _short_name(action: OemAction) -> str:
    return action.target.rstrip("/").rpartition("/")[2].rpartition(".")[2]


def _act(action: OemAction, system_id: str) -> Callable[[RedfishCall], ProfileReply]:
    def act(call: RedfishCall) -> ProfileReply:
        wanted = _wanted(action, call.json_object() if action.parameter is not None else {})
        answer = call.view.command(system_id, PowerCommand.redfish(wanted, by_oem_action=True), call.seq)
        return ProfileReply(answer.reply, {"reset_type": shown(wanted)})

    return act


def _reset_reader(action: OemAction) -> Callable[[Callable[[], bytes]], ResetType | None]:
    """Reads which ResetType a request amounts to, before it is checked."""

    def read(read_body: Callable[[], bytes]) -> ResetType | None:
        try:
            word = _wanted(action, parse_object(read_body()) if action.parameter is not None else {})
        except RegistryError:
            return None
        return PowerCommand.redfish(word).reset

    return read
