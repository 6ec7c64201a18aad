"""SecureBoot: the switch takes effect with the next boot, the keys at once."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

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


def secure_boot(box: SystemParts) -> tuple[Resource, ...]:
    path = f"{box.system}/SecureBoot"
    target = f"{path}/Actions/SecureBoot.ResetKeys"

    def state(call: RedfishCall) -> Hashable:
        return settled(call.view, box, path)

    def body(view: RedfishBmc, state: Hashable) -> Json:
        assert isinstance(state, tuple)
        enabled, current, mode = state
        return {
            "SecureBootEnable": enabled,
            "SecureBootCurrentBoot": "Enabled" if current else "Disabled",
            "SecureBootMode": mode,
            "Actions": {"#SecureBoot.ResetKeys": {"target": target, "ResetKeysType@Redfish.AllowableValues": list(RESETS)}},
        }

    def write(call: RedfishCall, taken: Json) -> None:
        settled(call.view, box, path)
        call.view.settings.put(path, {"enabled": taken["SecureBootEnable"], "boots": call.view.boot.count(box.system_id)})
        call.view.record(
            EventKind.SETTING, call.seq, what="secure boot", system=box.system_id, enabled=bool(taken["SecureBootEnable"])
        )

    def reset_keys(call: RedfishCall) -> HttpAnswer:
        taken = parameters(call.json_object(), {"ResetKeysType": OneOfRule(RESETS)}, ("ResetKeysType",), "ResetKeys")
        settled(call.view, box, path)
        call.view.settings.put(path, {"mode": MODE_AFTER[str(taken["ResetKeysType"])]})
        call.view.record(
            EventKind.SETTING, call.seq, what="secure boot keys", system=box.system_id, reset=str(taken["ResetKeysType"])
        )
        return HttpAnswer(204)

    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, FIELDS, write)}
    return (
        part(path, TYPE, "UEFI Secure Boot", body, state=state, operations=operations),
        Resource(path=target, operations={"POST": Operation(RedfishPrivilege.CONFIGURE_COMPONENTS, reset_keys)}),
    )


def settled(view: RedfishBmc, box: SystemParts, path: str) -> tuple[bool, bool, str]:
    """Whether it is switched on, whether the last boot was secure, and the mode. Without a platform key no boot is secure."""
    kept = view.settings.of(path)
    enabled, current, mode = bool(kept.get("enabled", False)), bool(kept.get("current", False)), str(kept.get("mode", "UserMode"))
    boots = view.boot.count(box.system_id)
    if "boots" in kept and kept["boots"] != boots:
        current = enabled and mode == "UserMode"
        view.settings.put(path, {"current": current, "boots": boots})
    return enabled, current, mode
