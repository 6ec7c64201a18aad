"""The Manager.Reset action: the BMC restarts, does not answer for a while, and then has lost its sessions.

`power.hardware` calls it when a tree is built. `core.rack` performs the restart.
"""

from __future__ import annotations

from typing import Final

from emulator.core.faults.trigger import Intent
from emulator.redfish.power.actions import parameter
from emulator.redfish.power.systems import ACTION_INFO_TYPE
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import ProfileRefusal, ProfileReply, RedfishCall, RegistryError, shown
from emulator.redfish.service.paths import manager_path
from emulator.redfish.service.resource import Operation, RedfishPrivilege, Resource, fixed_content, head_of
from emulator.redfish.service.shapes import Json
from profiles.model import Profile

PARAMETER: Final = "ResetType"
ACTION: Final = "Reset"


def reset_action(profile: Profile) -> Json:
    """The `#Manager.Reset` entry of Manager.Actions."""
    action: Json = {"target": _target(profile)}
    if _advertised(profile) in ("inline", "both"):
        action["ResetType@Redfish.AllowableValues"] = list(profile.bmc_reset.reset_types)
    if _advertised(profile) in ("action_info", "both"):
        action["@Redfish.ActionInfo"] = _info_path(profile)
    return action


def manager_reset(profile: Profile) -> tuple[Resource, ...]:
    found = [Resource(path=_target(profile), operations={"POST": manager_reset_operation()})]
    if _advertised(profile) in ("action_info", "both"):
        found.append(_action_info(profile))
    return tuple(found)


def _advertised(profile: Profile) -> str:
    return profile.bmc_reset.advertise or profile.power.advertise


def manager_reset_operation() -> Operation:
    return Operation(RedfishPrivilege.CONFIGURE_MANAGER, _reset, Intent.BMC_RESET)


def _target(profile: Profile) -> str:
    return f"{manager_path(profile)}/Actions/Manager.Reset"


def _info_path(profile: Profile) -> str:
    return f"{manager_path(profile)}/ResetActionInfo"


def _reset(call: RedfishCall) -> ProfileReply:
    """Restarts the BMC after the answer has been sent. Raises RegistryError (400, 415)."""
    rules = call.view.profile.bmc_reset
    body = call.json_object()
    # DSP0266 7.6: without a ResetType the service chooses. This service chooses the first type that it offers.
    wanted = parameter(body, PARAMETER, ACTION) if PARAMETER in body or any(not name.startswith("@") for name in body) else None
    if wanted is None:
        wanted = rules.reset_types[0]
    if wanted not in rules.reset_types:
        if rules.unlisted is not None:
            raise ProfileRefusal(ProfileReply(rules.unlisted, {"reset_type": shown(wanted)}))
        raise RegistryError(400, "ActionParameterValueNotInList", shown(wanted), PARAMETER, ACTION, related=(f"#/{PARAMETER}",))
    call.view.reset_bmc(wanted, call.seq)
    return ProfileReply(rules.reply, {"reset_type": wanted})


def _action_info(profile: Profile) -> Resource:
    path = _info_path(profile)

    def body(view: RedfishBmc) -> Json:
        reset_type: Json = {
            "Name": PARAMETER,
            "Required": False,
            "DataType": "String",
            "AllowableValues": list(profile.bmc_reset.reset_types),
        }
        return head_of(path, ACTION_INFO_TYPE, "ResetActionInfo", "Reset Action Info") | {"Parameters": [reset_type]}

    return Resource(path=path, type=ACTION_INFO_TYPE, content=fixed_content(body))
