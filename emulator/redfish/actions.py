"""Actions: the client's words checked, then handed to the core; what comes back is the profile's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from emulator.redfish.call import Call, Refusal, Say, shown

PARAMETER: Final = "ResetType"
ACTION: Final = "Reset"


def reset_of(system_id: str) -> Callable[[Call], Say]:
    """ComputerSystem.Reset of one system. Raises Refusal (400, 415); what the power table answers is never one of these."""

    def reset(call: Call) -> Say:
        body = call.json_object()
        for name in body:
            if name != PARAMETER and not name.startswith("@odata."):
                raise Refusal(400, "ActionParameterUnknown", ACTION, shown(name), related=(f"#/{shown(name)}",))
        if PARAMETER not in body:
            raise Refusal(400, "ActionParameterMissing", ACTION, PARAMETER)
        wanted = body[PARAMETER]
        if not isinstance(wanted, str):
            raise Refusal(400, "ActionParameterValueTypeError", shown(wanted), PARAMETER, ACTION, related=(f"#/{PARAMETER}",))
        answer = call.view.reset(system_id, wanted, call.seq)
        return Say(answer.reply, {"reset_type": shown(wanted)})

    return reset
