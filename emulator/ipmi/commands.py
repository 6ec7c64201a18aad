"""The table of all IPMI commands that the emulated BMC supports (privileges: IPMI 2.0, appendix G).

The responder looks each request up here. A command that is not in the table is answered with completion code 0xC1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emulator.core.faults.trigger import ClientRequest, Intent
from emulator.core.vocab import ResetType
from emulator.ipmi.call import Command, IpmiCall, never, no_reset
from emulator.ipmi.console import payloads, sol_config
from emulator.ipmi.management import application as app
from emulator.ipmi.management import channel, dcmi, dcmi_power, dcmi_thermal, fru, lan, pef, sdr, sel, sensors, users
from emulator.ipmi.management import system_info as sysinfo
from emulator.ipmi.power import boot_options as bootoptions
from emulator.ipmi.power import chassis, watchdog
from emulator.ipmi.session import login15
from emulator.ipmi.session.sessions import IpmiPrivilege

CHASSIS, SENSOR, APP, STORAGE, TRANSPORT, GROUP = 0x00, 0x04, 0x06, 0x0A, 0x0C, 0x2C

USER, OPERATOR, ADMINISTRATOR, ANYBODY = (
    IpmiPrivilege.USER,
    IpmiPrivilege.OPERATOR,
    IpmiPrivilege.ADMINISTRATOR,
    IpmiPrivilege.CALLBACK,
)


def _row(
    name: str,
    privilege: IpmiPrivilege,
    run: Callable[[IpmiCall], bytes],
    fewest: int = 0,
    most: int | None = None,
    *,
    sessionless: bool = False,
    intent: Intent = Intent.READ,
    tells_power: Callable[[bytes], bool] = never,
    reset: Callable[[bytes], ResetType | None] = no_reset,
) -> Command:
    length = (fewest, fewest if most is None else most)
    return Command(
        name=name,
        privilege=privilege,
        run=run,
        length=length,
        sessionless=sessionless,
        intent=intent,
        tells_power=tells_power,
        reset=reset,
    )


WRITE, POWER_READ, LOGIN = Intent.WRITE, Intent.POWER_READ, Intent.LOGIN


COMMANDS: Mapping[tuple[int, int], Command] = {
    (CHASSIS, 0x00): _row("chassis-capabilities", USER, chassis.get_capabilities),
    (CHASSIS, 0x01): _row("chassis-status", USER, chassis.get_status, intent=POWER_READ),
    (CHASSIS, 0x02): _row("chassis-control", OPERATOR, chassis.control, 1, reset=chassis.reset_of, intent=Intent.POWER_COMMAND),
    (CHASSIS, 0x04): _row("chassis-identify", OPERATOR, chassis.identify, 0, 2, intent=WRITE),
    (CHASSIS, 0x06): _row("set-restore-policy", OPERATOR, chassis.set_restore_policy, 1, intent=WRITE),
    (CHASSIS, 0x07): _row("restart-cause", USER, chassis.get_restart_cause),
    (CHASSIS, 0x08): _row("set-boot-option", OPERATOR, bootoptions.set_boot_option, 1, 18, intent=WRITE),
    (CHASSIS, 0x09): _row("get-boot-option", OPERATOR, bootoptions.get_boot_option, 3),
    (CHASSIS, 0x0A): _row("set-front-panel", ADMINISTRATOR, chassis.set_front_panel, 1, intent=WRITE),
    (CHASSIS, 0x0F): _row("power-on-hours", USER, chassis.get_poh_counter),
    (SENSOR, 0x00): _row("set-event-receiver", ADMINISTRATOR, sel.set_event_receiver, 2, intent=WRITE),
    (SENSOR, 0x01): _row("event-receiver", USER, sel.get_event_receiver),
    (SENSOR, 0x02): _row("platform-event", OPERATOR, sel.platform_event, 5, 8, intent=WRITE),
    (SENSOR, 0x10): _row("pef-capabilities", USER, pef.get_capabilities),
    (SENSOR, 0x11): _row("pef-postpone-timer", ADMINISTRATOR, pef.arm_postpone_timer, 1, intent=WRITE),
    (SENSOR, 0x12): _row("set-pef", ADMINISTRATOR, pef.set_parameter, 2, 32, intent=WRITE),
    (SENSOR, 0x13): _row("get-pef", OPERATOR, pef.get_parameter, 3),
    (SENSOR, 0x14): _row("set-last-processed-event", ADMINISTRATOR, pef.set_last_processed, 3, intent=WRITE),
    (SENSOR, 0x15): _row("last-processed-event", ADMINISTRATOR, pef.get_last_processed),
    (SENSOR, 0x20): _row("device-sdr-info", USER, sdr.get_device_info, 0, 1),
    (SENSOR, 0x21): _row("device-sdr-get", USER, sdr.get_record, 6),
    (SENSOR, 0x22): _row("device-sdr-reserve", USER, sdr.reserve),
    (SENSOR, 0x23): _row("sensor-factors", USER, sensors.get_factors, 2),
    (SENSOR, 0x24): _row("set-sensor-hysteresis", OPERATOR, sensors.set_hysteresis, 4, intent=WRITE),
    (SENSOR, 0x25): _row("sensor-hysteresis", USER, sensors.get_hysteresis, 2),
    (SENSOR, 0x26): _row("set-sensor-thresholds", OPERATOR, sensors.set_thresholds, 8, intent=WRITE),
    (SENSOR, 0x27): _row("sensor-thresholds", USER, sensors.get_thresholds, 1),
    (SENSOR, 0x28): _row("set-sensor-event-enable", OPERATOR, sensors.set_event_enable, 2, 6, intent=WRITE),
    (SENSOR, 0x29): _row("sensor-event-enable", USER, sensors.get_event_enable, 1),
    (SENSOR, 0x2A): _row("rearm-sensor", OPERATOR, sensors.rearm, 2, 6, intent=WRITE),
    (SENSOR, 0x2B): _row("sensor-event-status", USER, sensors.get_event_status, 1),
    (SENSOR, 0x2D): _row("sensor-reading", USER, sensors.get_reading, 1, tells_power=sensors.tells_power),
    (SENSOR, 0x2F): _row("sensor-type", USER, sensors.get_type, 1),
    (APP, 0x01): _row("device-id", USER, app.get_device_id),
    (APP, 0x02): _row("cold-reset", ADMINISTRATOR, app.cold_reset, intent=Intent.BMC_RESET),
    (APP, 0x03): _row("warm-reset", ADMINISTRATOR, app.warm_reset, intent=Intent.BMC_RESET),
    (APP, 0x04): _row("self-test", USER, app.get_self_test_results),
    (APP, 0x07): _row("acpi-power-state", USER, app.get_acpi_power_state, intent=POWER_READ),
    (APP, 0x08): _row("device-guid", USER, app.get_guid),
    (APP, 0x22): _row("reset-watchdog", OPERATOR, watchdog.reset_timer, intent=WRITE),
    (APP, 0x24): _row("set-watchdog", OPERATOR, watchdog.set_timer, 6, intent=WRITE),
    (APP, 0x25): _row("get-watchdog", USER, watchdog.get_timer),
    (APP, 0x2E): _row("set-global-enables", ADMINISTRATOR, app.set_global_enables, 1, intent=WRITE),
    (APP, 0x2F): _row("get-global-enables", USER, app.get_global_enables),
    (APP, 0x37): _row("system-guid", ANYBODY, app.get_guid, sessionless=True),
    (APP, 0x38): _row("authentication-capabilities", ANYBODY, channel.get_authentication_capabilities, 2, sessionless=True),
    (APP, 0x39): _row("session-challenge", ANYBODY, login15.get_session_challenge, 17, sessionless=True, intent=LOGIN),
    (APP, 0x3A): _row("activate-session", ANYBODY, login15.activate_session, 22, intent=LOGIN),
    (APP, 0x3B): _row("set-session-privilege", ANYBODY, app.set_session_privilege, 1, intent=LOGIN),
    (APP, 0x3C): _row("close-session", ANYBODY, app.close_session, 4, 5, intent=Intent.LOGOUT),
    (APP, 0x3D): _row("session-info", USER, users.get_session_info, 1, 5),
    (APP, 0x40): _row("set-channel-access", ADMINISTRATOR, channel.set_channel_access, 3, intent=WRITE),
    (APP, 0x41): _row("channel-access", USER, channel.get_channel_access, 2),
    (APP, 0x42): _row("channel-info", USER, channel.get_channel_info, 1),
    (APP, 0x43): _row("set-user-access", ADMINISTRATOR, users.set_user_access, 3, 4, intent=WRITE),
    (APP, 0x44): _row("user-access", OPERATOR, users.get_user_access, 2),
    (APP, 0x45): _row("set-user-name", ADMINISTRATOR, users.set_user_name, 17, intent=WRITE),
    (APP, 0x46): _row("user-name", OPERATOR, users.get_user_name, 1),
    (APP, 0x47): _row("set-user-password", ADMINISTRATOR, users.set_user_password, 2, 22, intent=WRITE),
    (APP, 0x48): _row("activate-payload", USER, payloads.activate, 6, intent=WRITE),  # the SOL configuration may ask for more
    (APP, 0x49): _row("deactivate-payload", USER, payloads.deactivate, 6, intent=WRITE),
    (APP, 0x4A): _row("payload-activation-status", USER, payloads.get_activation_status, 1),
    (APP, 0x4B): _row("payload-instance-info", USER, payloads.get_instance_info, 2),
    (APP, 0x4C): _row("set-user-payload-access", ADMINISTRATOR, payloads.set_user_access, 6, intent=WRITE),
    (APP, 0x4D): _row("user-payload-access", OPERATOR, payloads.get_user_access, 2),
    (APP, 0x4E): _row("channel-payload-support", USER, payloads.get_channel_support, 1),
    (APP, 0x4F): _row("channel-payload-version", USER, payloads.get_channel_version, 2),
    (APP, 0x54): _row("cipher-suites", ANYBODY, channel.get_cipher_suites, 3, sessionless=True),
    (APP, 0x56): _row("security-keys", ADMINISTRATOR, channel.set_security_keys, 3, 64, intent=WRITE),
    (APP, 0x57): _row("interface-capabilities", USER, app.get_interface_capabilities, 1),
    (APP, 0x58): _row("set-system-info", ADMINISTRATOR, sysinfo.set_parameter, 2, 32, intent=WRITE),
    (APP, 0x59): _row("system-info", USER, sysinfo.get_parameter, 4),
    (STORAGE, 0x10): _row("fru-area-info", USER, fru.get_area_info, 1),
    (STORAGE, 0x11): _row("fru-read", USER, fru.read, 4),
    (STORAGE, 0x12): _row("fru-write", OPERATOR, fru.write, 3, 255, intent=WRITE),
    (STORAGE, 0x20): _row("sdr-info", USER, sdr.get_repository_info),
    (STORAGE, 0x21): _row("sdr-allocation", USER, sdr.get_allocation_info),
    (STORAGE, 0x22): _row("sdr-reserve", USER, sdr.reserve),
    (STORAGE, 0x23): _row("sdr-get", USER, sdr.get_record, 6),
    (STORAGE, 0x28): _row("sdr-time", USER, sel.get_time),
    (STORAGE, 0x29): _row("set-sdr-time", OPERATOR, sel.set_time, 4, intent=WRITE),
    (STORAGE, 0x2C): _row("run-sdr-agent", OPERATOR, sdr.run_agent, 1, intent=WRITE),
    (STORAGE, 0x40): _row("sel-info", USER, sel.get_info),
    (STORAGE, 0x41): _row("sel-allocation", USER, sel.get_allocation_info),
    (STORAGE, 0x42): _row("sel-reserve", USER, sel.reserve),
    (STORAGE, 0x43): _row("sel-get", USER, sel.get_entry, 6),
    (STORAGE, 0x44): _row("sel-add", OPERATOR, sel.add_entry, 16, intent=WRITE),
    (STORAGE, 0x45): _row("sel-add-part", OPERATOR, sel.add_part, 7, 22, intent=WRITE),
    (STORAGE, 0x46): _row("sel-delete", OPERATOR, sel.delete_entry, 4, intent=WRITE),
    (STORAGE, 0x47): _row("sel-clear", OPERATOR, sel.clear, 6, intent=WRITE),
    (STORAGE, 0x48): _row("sel-time", USER, sel.get_time),
    (STORAGE, 0x49): _row("set-sel-time", OPERATOR, sel.set_time, 4, intent=WRITE),
    (STORAGE, 0x5C): _row("sel-time-offset", USER, sel.get_time_offset),
    (STORAGE, 0x5D): _row("set-sel-time-offset", OPERATOR, sel.set_time_offset, 2, intent=WRITE),
    (TRANSPORT, 0x01): _row("set-lan", ADMINISTRATOR, lan.set_parameter, 3, 32, intent=WRITE),
    (TRANSPORT, 0x02): _row("get-lan", OPERATOR, lan.get_parameter, 4),
    (TRANSPORT, 0x04): _row("lan-statistics", USER, lan.get_statistics, 2),
    (TRANSPORT, 0x21): _row("set-sol", ADMINISTRATOR, sol_config.set_configuration, 3, 4, intent=WRITE),
    (TRANSPORT, 0x22): _row("get-sol", USER, sol_config.get_configuration, 4),
    (GROUP, 0x01): _row("dcmi-capabilities", USER, dcmi.get_capabilities, 1, 255),
    (GROUP, 0x02): _row("dcmi-power-reading", USER, dcmi_power.get_power_reading, 1, 255),
    (GROUP, 0x03): _row("dcmi-power-limit", USER, dcmi_power.get_power_limit, 1, 255),
    (GROUP, 0x04): _row("dcmi-set-power-limit", OPERATOR, dcmi_power.set_power_limit, 1, 255, intent=WRITE),
    (GROUP, 0x05): _row("dcmi-activate-power-limit", OPERATOR, dcmi_power.activate_power_limit, 1, 255, intent=WRITE),
    (GROUP, 0x06): _row("dcmi-asset-tag", USER, dcmi.get_asset_tag, 1, 255),
    (GROUP, 0x07): _row("dcmi-sensor-info", USER, dcmi_thermal.get_sensor_info, 1, 255),
    (GROUP, 0x08): _row("dcmi-set-asset-tag", OPERATOR, dcmi.set_asset_tag, 1, 255, intent=WRITE),
    (GROUP, 0x09): _row("dcmi-controller-name", USER, dcmi.get_controller_name, 1, 255),
    (GROUP, 0x0A): _row("dcmi-set-controller-name", ADMINISTRATOR, dcmi.set_controller_name, 1, 255, intent=WRITE),
    (GROUP, 0x0B): _row("dcmi-set-thermal-limit", OPERATOR, dcmi_thermal.set_thermal_limit, 1, 255, intent=WRITE),
    (GROUP, 0x0C): _row("dcmi-thermal-limit", USER, dcmi_thermal.get_thermal_limit, 1, 255),
    (GROUP, 0x10): _row("dcmi-temperatures", USER, dcmi_thermal.get_temperatures, 1, 255),
    (GROUP, 0x12): _row("dcmi-set-configuration", ADMINISTRATOR, dcmi.set_configuration, 1, 255, intent=WRITE),
    (GROUP, 0x13): _row("dcmi-configuration", USER, dcmi.get_configuration, 1, 255),
}


def name_of(netfn: int, command: int) -> str:
    """The name of a command in faults and in the journal, also of one that is not in the table."""
    row = COMMANDS.get((netfn, command))
    return row.name if row else f"netfn-{netfn:02x}-command-{command:02x}"


def classified(netfn: int, command: int, data: bytes, system: str) -> ClientRequest:
    """What a request means, known command or not."""
    row = COMMANDS.get((netfn, command))
    if row is None:
        return ClientRequest("ipmi", "IPMI", name_of(netfn, command), system)
    intent = POWER_READ if row.tells_power(data) else row.intent
    return ClientRequest("ipmi", "IPMI", row.name, system, row.reset(data), intent)
