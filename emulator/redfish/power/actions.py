"""Actions: the client's words checked, then handed to the core; what comes back is the profile's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from emulator.core.power.commands import PowerCommand
from emulator.core.vocab import ResetType
from emulator.redfish.service.call import ProfileReply, RedfishCall, RegistryError, RegistryMessage, parse_object, refused, shown
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import Misfit, WritableFields

PARAMETER: Final = "ResetType"
ACTION: Final = "Reset"


def parameter(body: Json, name: str, action: str) -> str:
    """The one text parameter of an action. Raises Refusal (400)."""
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
    """The parameters of an action by their rules. Raises Refusal (400) with every complaint there is."""
    complaints = [RegistryMessage("ActionParameterMissing", (action, name)) for name in required if name not in body]
    taken: Json = {}
    for name, value in body.items():
        if name.startswith("@odata."):
            continue
        told = shown(name)
        if name not in fields:
            complaints.append(RegistryMessage("ActionParameterUnknown", (action, told), (f"#/{told}",)))
            continue
        try:
            taken[name] = fields[name].check(value, name)
        except Misfit as misfit:
            message = _FOR_PARAMETERS.get(misfit.message)
            args = (name, action) if message is None else (*misfit.message_args, action)
            complaints.append(RegistryMessage(message or "ActionParameterValueError", args, (f"#/{name}",)))
    if complaints:
        raise refused(400, complaints)
    return taken


def reset_type(read_body: Callable[[], bytes]) -> ResetType | None:
    """The ResetType that a body asks for, before anybody has checked the request."""
    try:
        word = parse_object(read_body()).get(PARAMETER)
    except RegistryError:
        return None
    return PowerCommand.redfish(word).reset if isinstance(word, str) else None


def reset_of(system_id: str) -> Callable[[RedfishCall], ProfileReply]:
    """ComputerSystem.Reset of one system. Raises Refusal (400, 415); what the power table answers is never one of these."""

    def reset(call: RedfishCall) -> ProfileReply:
        wanted = parameter(call.json_object(), PARAMETER, ACTION)
        answer = call.view.command(system_id, PowerCommand.redfish(wanted), call.seq)
        return ProfileReply(answer.reply, {"reset_type": shown(wanted)})

    return reset
