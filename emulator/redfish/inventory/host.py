"""The properties of a ComputerSystem except its power: boot, LED, tags, restore policy, watchdog, summaries; and their PATCH.

`power.systems` calls it: `facts` for each GET, `properties_of` for each new body, `writes` when a tree is built.

Rules
  1. The core holds all of these values and IPMI shares them. This module stores nothing.
  2. A PATCH is checked as a whole before its first value is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.machine import Led, RestorePolicy
from emulator.core.bmc.view import BmcView
from emulator.core.bmc.view_machine import HOST_NAME_MAX, TAG_MAX, MachineFacts
from emulator.core.bmc.watchdog import PreTimeout, TimerAction
from emulator.redfish.inventory import memory, processors
from emulator.redfish.inventory.boot import boot_change, boot_rule, shown_boot
from emulator.redfish.inventory.boot_settings import boot_is_apart, settings_annotation
from emulator.redfish.inventory.pcie import device_paths, function_links
from emulator.redfish.inventory.system_parts import SystemParts
from emulator.redfish.inventory.versions import has_property, without_newer
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Operation, RedfishPrivilege, link, links
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import BooleanRule, OneOfRule, Rule, TextRule, WritableFields, WriteOperation, patch

POLICIES: Final[Mapping[RestorePolicy, str]] = {
    RestorePolicy.ALWAYS_OFF: "AlwaysOff",
    RestorePolicy.PREVIOUS: "LastState",
    RestorePolicy.ALWAYS_ON: "AlwaysOn",
}
POLICY_OF: Final = {word: policy for policy, word in POLICIES.items()}
CAUSES: Final[Mapping[RestartCause, str]] = {
    RestartCause.CHASSIS_CONTROL: "ManagementCommand",
    RestartCause.RESET_BUTTON: "PowerButtonPress",
    RestartCause.POWER_BUTTON: "PowerButtonPress",
    RestartCause.WATCHDOG: "WatchdogExpiration",
    RestartCause.POLICY_ALWAYS_ON: "PowerRestorePolicy",
    RestartCause.POLICY_PREVIOUS: "PowerRestorePolicy",
    RestartCause.SOFT_RESET: "OSSoftRestart",
    RestartCause.RTC: "RTCWakeup",
}
ACTIONS: Final[Mapping[TimerAction, str]] = {
    TimerAction.NONE: "None",
    TimerAction.HARD_RESET: "ResetSystem",
    TimerAction.POWER_DOWN: "PowerDown",
    TimerAction.POWER_CYCLE: "PowerCycle",
}
WARNINGS: Final[Mapping[PreTimeout, str]] = {
    PreTimeout.NONE: "None",
    PreTimeout.SMI: "SMI",
    PreTimeout.NMI: "DiagnosticInterrupt",
    PreTimeout.MESSAGING: "MessagingInterrupt",
}


class WatchdogFacts(NamedTuple):
    """ComputerSystem.HostWatchdogTimer."""

    running: bool
    action: TimerAction
    warning: PreTimeout


NEVER_SET: Final = WatchdogFacts(running=False, action=TimerAction.NONE, warning=PreTimeout.NONE)


class SystemFacts(NamedTuple):
    """Everything changeable that a ComputerSystem shows, except its power."""

    machine: MachineFacts
    watchdog: WatchdogFacts | None  # None: this system has no watchdog


def facts(view: BmcView, system_id: str) -> SystemFacts:
    """The facts now. The caller asks the core for the power word; this function does not count as a read of the power state."""
    return SystemFacts(view.chassis.facts(system_id), _watchdog(view, system_id))


def _watchdog(view: BmcView, system_id: str) -> WatchdogFacts | None:
    """The BMC has one IPMI watchdog; it belongs to the first system."""
    if view.first_id != system_id:
        return None
    if not view.watchdog.was_set:
        return NEVER_SET
    state = view.watchdog.state()
    assert state.setup is not None
    return WatchdogFacts(state.running, state.setup.action, state.setup.pre)


def properties_of(view: RedfishBmc, parts: SystemParts, now: SystemFacts) -> Json:
    """The body of a ComputerSystem without its head, identity, power and links."""
    odata_type, machine = parts.profile.identity.system_type, now.machine
    properties: Json = {
        "AssetTag": machine.asset_tag,
        "HostName": machine.host_name,
        **led(parts, odata_type, machine.led),
        "PowerRestorePolicy": POLICIES[machine.policy],
        "Boot": shown_boot(parts, machine.override, machine.order),
        "BootProgress": {"LastState": "OSRunning" if machine.energised else "None"},
        "LastResetCause": CAUSES.get(machine.cause, "Unknown"),
        "ProcessorSummary": processors.summary(parts),
        "MemorySummary": {"TotalSystemMemoryGiB": memory.total_gib(parts), "MemoryMirroring": "None"},
        "SerialConsole": {"MaxConcurrentSessions": 0, "IPMI": {"ServiceEnabled": False}, "SSH": {"ServiceEnabled": False}},
        "GraphicalConsole": {"ServiceEnabled": False, "MaxConcurrentSessions": 0, "ConnectTypesSupported": ["KVMIP"]},
        "Processors": link(f"{parts.system}/Processors"),
        "Memory": link(f"{parts.system}/Memory"),
        "Storage": link(f"{parts.system}/Storage"),
        "EthernetInterfaces": link(f"{parts.system}/EthernetInterfaces"),
        "NetworkInterfaces": link(f"{parts.system}/NetworkInterfaces"),
        "LogServices": link(f"{parts.system}/LogServices"),
        "Bios": link(f"{parts.system}/Bios"),
        "SecureBoot": link(f"{parts.system}/SecureBoot"),
        "PCIeDevices": links(device_paths(parts)),
        "PCIeFunctions": function_links(parts),
    }
    if machine.booted is not None:
        properties["LastResetTime"] = view.date(machine.booted)
        properties["BootProgress"] = {
            "LastState": "OSRunning" if machine.energised else "None",
            "LastStateTime": view.date(machine.booted),
        }
    if now.watchdog is not None:
        properties["HostWatchdogTimer"] = {
            "FunctionEnabled": now.watchdog.running,
            "TimeoutAction": ACTIONS[now.watchdog.action],
            "WarningAction": WARNINGS[now.watchdog.warning],
            "Status": {"State": "Enabled" if now.watchdog.running else "StandbyOffline", "Health": "OK"},
        }
    if parts.inventory.virtual_media == "system":
        properties["VirtualMedia"] = link(f"{parts.system}/VirtualMedia")
        properties["VirtualMediaConfig"] = {"ServiceEnabled": True}
    return without_newer(odata_type, properties) | settings_annotation(parts)


def led(parts: SystemParts, odata_type: str, state: Led) -> Json:
    """The identify LED: LocationIndicatorActive if the schema version has it; else IndicatorLED, if the profile has it."""
    if has_property(odata_type, "LocationIndicatorActive"):
        return {"LocationIndicatorActive": state is not Led.OFF}
    return {"IndicatorLED": state.value} if _shows_deprecated(parts) else {}


def _shows_deprecated(parts: SystemParts) -> bool:
    """Whether the profile shows properties that newer schemas deprecate."""
    return parts.inventory.power_and_thermal != "subsystems"


# -- writing ------------------------------------------------------------------------------------------------------------


def writes(parts: SystemParts) -> Operation:
    return patch(RedfishPrivilege.CONFIGURE_COMPONENTS, _fields(parts), _writer(parts))


def _fields(parts: SystemParts) -> WritableFields:
    odata_type = parts.profile.identity.system_type
    rules: dict[str, Rule] = {
        "AssetTag": TextRule(high=TAG_MAX, pattern=r"[ -~]*"),
        "HostName": TextRule(high=HOST_NAME_MAX, pattern=r"[ -~]*"),
        "PowerRestorePolicy": OneOfRule(tuple(POLICY_OF)),
        **({} if boot_is_apart(parts) else {"Boot": boot_rule(odata_type)}),
        **led_rule(parts, odata_type),
    }
    return {name: rule for name, rule in rules.items() if has_property(odata_type, name)}


def led_rule(parts: SystemParts, odata_type: str) -> dict[str, Rule]:
    if has_property(odata_type, "LocationIndicatorActive"):
        return {"LocationIndicatorActive": BooleanRule()}
    return {"IndicatorLED": OneOfRule(tuple(state.value for state in Led))} if _shows_deprecated(parts) else {}


def write_led(call: RedfishCall, system_id: str, taken: Json) -> None:
    if "LocationIndicatorActive" in taken:
        call.view.chassis.set_led(Led.BLINKING if taken["LocationIndicatorActive"] else Led.OFF, system_id, cause=call.seq)
    if "IndicatorLED" in taken:
        call.view.chassis.set_led(Led(str(taken["IndicatorLED"])), system_id, cause=call.seq)


def _writer(parts: SystemParts) -> WriteOperation:
    def write(call: RedfishCall, taken: Json) -> None:
        boot = taken.get("Boot")
        change = boot_change(call, parts, boot) if isinstance(boot, dict) else None
        chassis, system_id = call.view.chassis, parts.system_id
        if change is not None:
            change.write(call, system_id)
        if "AssetTag" in taken:
            chassis.set_asset_tag(str(taken["AssetTag"]), system_id, call.seq)
        if "HostName" in taken:
            chassis.set_host_name(str(taken["HostName"]), system_id, call.seq)
        if "PowerRestorePolicy" in taken:
            chassis.set_restore_policy(POLICY_OF[str(taken["PowerRestorePolicy"])], system_id, call.seq)
        write_led(call, system_id, taken)

    return write
