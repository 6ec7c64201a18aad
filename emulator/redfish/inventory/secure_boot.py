"""SecureBoot and its ResetKeys action. The switch takes effect with the next boot, a change of the keys at once.

`all_resources` calls this module once per system when it builds a resource tree.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from emulator.core.journal import EventKind
from emulator.redfish.inventory.system_parts import SystemParts, part
from emulator.redfish.power.actions import parameters
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import HttpAnswer, RedfishCall
from emulator.redfish.service.resource import Operation, RedfishPrivilege, Resource
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import BooleanRule, OneOfRule, WritableFields, patch

TYPE: Final = "#SecureBoot.v1_1_2.SecureBoot"
FIELDS: Final[WritableFields] = {"SecureBootEnable": BooleanRule()}
RESETS: Final = ("ResetAllKeysToDefault", "DeleteAllKeys", "DeletePK")
MODE_AFTER: Final = {"ResetAllKeysToDefault": "UserMode", "DeleteAllKeys": "SetupMode", "DeletePK": "SetupMode"}


class SecureBootState(NamedTuple):
    """The switch, whether the last boot was secure, and SecureBootMode."""

    enabled: bool
    current_boot: bool
    mode: str


def secure_boot(parts: SystemParts) -> tuple[Resource, ...]:
    path = f"{parts.system}/SecureBoot"
    target = f"{path}/Actions/SecureBoot.ResetKeys"

    def state(call: RedfishCall) -> SecureBootState:
        return apply_switch(call.view, parts, path)

    def body(view: RedfishBmc, state: SecureBootState) -> Json:
        return {
            "SecureBootEnable": state.enabled,
            "SecureBootCurrentBoot": "Enabled" if state.current_boot else "Disabled",
            "SecureBootMode": state.mode,
            "Actions": {"#SecureBoot.ResetKeys": {"target": target, "ResetKeysType@Redfish.AllowableValues": list(RESETS)}},
        }

    def write(call: RedfishCall, taken: Json) -> None:
        apply_switch(call.view, parts, path)
        call.view.settings.put(path, {"enabled": taken["SecureBootEnable"], "boots": call.view.boot.count(parts.system_id)})
        call.view.record(
            EventKind.SETTING, call.seq, what="secure boot", system=parts.system_id, enabled=bool(taken["SecureBootEnable"])
        )

    def reset_keys(call: RedfishCall) -> HttpAnswer:
        taken = parameters(call.json_object(), {"ResetKeysType": OneOfRule(RESETS)}, ("ResetKeysType",), "ResetKeys")
        apply_switch(call.view, parts, path)
        call.view.settings.put(path, {"mode": MODE_AFTER[str(taken["ResetKeysType"])]})
        call.view.record(
            EventKind.SETTING, call.seq, what="secure boot keys", system=parts.system_id, reset=str(taken["ResetKeysType"])
        )
        return HttpAnswer(204)

    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, FIELDS, write)}
    return (
        part(path, TYPE, "UEFI Secure Boot", body, state=state, operations=operations),
        Resource(path=target, operations={"POST": Operation(RedfishPrivilege.CONFIGURE_COMPONENTS, reset_keys)}),
    )


def apply_switch(view: RedfishBmc, parts: SystemParts, path: str) -> SecureBootState:
    """The state now. If the system has booted since the last call, the switch decides whether that boot was secure.

    Without a platform key (SetupMode) no boot is secure.
    """
    kept = view.settings.of(path)
    enabled, current, mode = bool(kept.get("enabled", False)), bool(kept.get("current", False)), str(kept.get("mode", "UserMode"))
    boots = view.boot.count(parts.system_id)
    if "boots" in kept and kept["boots"] != boots:
        current = enabled and mode == "UserMode"
        view.settings.put(path, {"current": current, "boots": boots})
    return SecureBootState(enabled, current, mode)
