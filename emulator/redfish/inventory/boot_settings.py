"""Boot at a settings object: some vendors take the boot override at Systems/{id}/Settings and nowhere else.

`host` and `all_resources` call it where the profile says `resources.boot: settings`. The override itself is the core's.
"""

from __future__ import annotations

from emulator.core.bmc.boot import BootOverride
from emulator.redfish.inventory.boot import boot_change, boot_rule, shown_boot
from emulator.redfish.inventory.system_parts import SystemParts, part
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import RedfishPrivilege, Resource, link
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import patch


def boot_is_apart(parts: SystemParts) -> bool:
    """Whether a client writes Boot at the settings object, and not at the ComputerSystem."""
    return parts.profile.resources.boot == "settings"


def settings_path(parts: SystemParts) -> str:
    return f"{parts.system}/Settings"


def settings_annotation(parts: SystemParts) -> Json:
    """@Redfish.Settings of the ComputerSystem; empty where there is no settings object."""
    if not boot_is_apart(parts):
        return {}
    return {
        "@Redfish.Settings": {
            "@odata.type": "#Settings.v1_3_5.Settings",
            "SettingsObject": link(settings_path(parts)),
            "SupportedApplyTimes": ["Immediate"],
        }
    }


def boot_settings(parts: SystemParts) -> tuple[Resource, ...]:
    """The settings object of one system; none where the profile has none."""
    if not boot_is_apart(parts):
        return ()

    def state(call: RedfishCall) -> tuple[BootOverride, tuple[str, ...]]:
        facts = call.view.chassis.facts(parts.system_id)
        return facts.override, facts.order

    def body(view: RedfishBmc, now: tuple[BootOverride, tuple[str, ...]]) -> Json:
        return {"Boot": shown_boot(parts, *now)}

    def write(call: RedfishCall, taken: Json) -> None:
        boot = taken.get("Boot")
        if isinstance(boot, dict):
            boot_change(call, parts, boot).write(call, parts.system_id)

    operation = patch(RedfishPrivilege.CONFIGURE_COMPONENTS, {"Boot": boot_rule(parts.profile.identity.system_type)}, write)
    path, odata_type = settings_path(parts), parts.profile.identity.system_type
    return (part(path, odata_type, "System Settings", body, state=state, operations={"PATCH": operation}),)
