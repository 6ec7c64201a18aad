"""The parameters of actions, checked, and the ComputerSystem.Reset action.

Actions of all resource families call `parameters`; `power.systems` calls `reset_of`. The core performs the reset, and the profile
decides what the client is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from emulator.core.power.commands import PowerCommand
from emulator.core.vocab import ResetType
from emulator.redfish.service.call import ProfileReply, RedfishCall, RegistryError, RegistryMessage, parse_object, refused, shown
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import MAX_MESSAGES, InvalidValue, WritableFields

PARAMETER: Final = "ResetType"
ACTION: Final = "Reset"


def parameter(body: Json, name: str, action: str) -> str:
    """The value of the only parameter of an action, which is a string. Raises RegistryError (400)."""
    for other in body:
        if other != name and not other.startswith("@odata."):
            raise RegistryError(400, "ActionParameterUnknown", action, shown(other), related=(f"#/{shown(other)}",))
    if name not in body:
        raise RegistryError(400, "ActionParameterMissing", action, name)
    value = body[name]
    if not isinstance(value, str):
        raise RegistryError(400, "ActionParameterValueTypeError", shown(value), name, action, related=(f"#/{name}",))
    return value


_FOR_PARAMETERS: Final = {
    "PropertyValueTypeError": "ActionParameterValueTypeError",
    "PropertyValueFormatError": "ActionParameterValueFormatError",
    "PropertyValueNotInList": "ActionParameterValueNotInList",
}


def parameters(body: Json, fields: WritableFields, required: tuple[str, ...], action: str) -> Json:
    """The checked parameters of an action. Raises RegistryError (400) with one message per wrong parameter."""
    messages = [RegistryMessage("ActionParameterMissing", (action, name)) for name in required if name not in body]
    taken: Json = {}
    for name, value in body.items():
        if name.startswith("@odata."):
            continue
        quoted = shown(name)
        if name not in fields:
            if len(messages) >= MAX_MESSAGES:
                continue
            messages.append(RegistryMessage("ActionParameterUnknown", (action, quoted), (f"#/{quoted}",)))
            continue
        try:
            taken[name] = fields[name].check(value, name)
        except InvalidValue as invalid:
            message = _FOR_PARAMETERS.get(invalid.message)
            args = (name, action) if message is None else (*invalid.message_args, action)
            messages.append(RegistryMessage(message or "ActionParameterValueError", args, (f"#/{name}",)))
    if messages:
        raise refused(400, messages)
    return taken


def reset_type(read_body: Callable[[], bytes]) -> ResetType | None:
    """The ResetType in the body of a ComputerSystem.Reset; the request is not checked yet. None: there is no such ResetType."""
    try:
        word = parse_object(read_body()).get(PARAMETER)
    except RegistryError:
        return None
    return PowerCommand.redfish(word).reset if isinstance(word, str) else None


def reset_of(system_id: str, only: tuple[str, ...] | None = None) -> Callable[[RedfishCall], ProfileReply]:
    """Reset of one system. Raises RegistryError (400, 415); the power table gives all other answers. With `only`, other
    ResetTypes than these are refused (400)."""

    def reset(call: RedfishCall) -> ProfileReply:
        wanted = parameter(call.json_object(), PARAMETER, ACTION)
        if only is not None and wanted not in only:
            raise RegistryError(
                400, "ActionParameterValueNotInList", shown(wanted), PARAMETER, ACTION, related=(f"#/{PARAMETER}",)
            )
        answer = call.view.command(system_id, PowerCommand.redfish(wanted), call.seq)
        return ProfileReply(answer.reply, {"reset_type": shown(wanted)})

    return reset
