"""The commands that this BMC knows, as one table (privileges: IPMI 2.0, appendix G). What is not in it is answered 0xC1."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.ipmi import app, channel, chassis, login15, users
from emulator.ipmi.call import Command
from emulator.ipmi.sessions import Privilege

CHASSIS, APP = 0x00, 0x06

USER, OPERATOR, ADMINISTRATOR, ANYBODY = Privilege.USER, Privilege.OPERATOR, Privilege.ADMINISTRATOR, Privilege.CALLBACK

COMMANDS: Mapping[tuple[int, int], Command] = {
    (CHASSIS, 0x00): Command(name="chassis-capabilities", privilege=USER, run=chassis.get_capabilities),
    (CHASSIS, 0x01): Command(name="chassis-status", privilege=USER, run=chassis.get_status),
    (CHASSIS, 0x02): Command(
        name="chassis-control", privilege=OPERATOR, run=chassis.control, length=(1, 1), reset=chassis.reset_of
    ),
    (CHASSIS, 0x04): Command(name="chassis-identify", privilege=OPERATOR, run=chassis.identify, length=(0, 2)),
    (CHASSIS, 0x06): Command(name="set-restore-policy", privilege=OPERATOR, run=chassis.set_restore_policy, length=(1, 1)),
    (CHASSIS, 0x07): Command(name="restart-cause", privilege=USER, run=chassis.get_restart_cause),
    (CHASSIS, 0x08): Command(name="set-boot-option", privilege=OPERATOR, run=chassis.set_boot_option, length=(1, 18)),
    (CHASSIS, 0x09): Command(name="get-boot-option", privilege=OPERATOR, run=chassis.get_boot_option, length=(3, 3)),
    (CHASSIS, 0x0F): Command(name="power-on-hours", privilege=USER, run=chassis.get_poh_counter),
    (APP, 0x01): Command(name="device-id", privilege=USER, run=app.get_device_id),
    (APP, 0x04): Command(name="self-test", privilege=USER, run=app.get_self_test_results),
    (APP, 0x07): Command(name="acpi-power-state", privilege=USER, run=app.get_acpi_power_state),
    (APP, 0x08): Command(name="device-guid", privilege=USER, run=app.get_guid),
    (APP, 0x2E): Command(name="set-global-enables", privilege=ADMINISTRATOR, run=app.set_global_enables, length=(1, 1)),
    (APP, 0x2F): Command(name="get-global-enables", privilege=USER, run=app.get_global_enables),
    (APP, 0x37): Command(name="system-guid", privilege=ANYBODY, run=app.get_guid, sessionless=True),
    (APP, 0x38): Command(
        name="authentication-capabilities",
        privilege=ANYBODY,
        run=channel.get_authentication_capabilities,
        length=(2, 2),
        sessionless=True,
    ),
    (APP, 0x39): Command(
        name="session-challenge", privilege=ANYBODY, run=login15.get_session_challenge, length=(17, 17), sessionless=True
    ),
    (APP, 0x3A): Command(name="activate-session", privilege=ANYBODY, run=login15.activate_session, length=(22, 22)),
    (APP, 0x3B): Command(name="set-session-privilege", privilege=ANYBODY, run=app.set_session_privilege, length=(1, 1)),
    (APP, 0x3C): Command(name="close-session", privilege=ANYBODY, run=app.close_session, length=(4, 5)),
    (APP, 0x3D): Command(name="session-info", privilege=USER, run=users.get_session_info, length=(1, 5)),
    (APP, 0x41): Command(name="channel-access", privilege=USER, run=channel.get_channel_access, length=(2, 2)),
    (APP, 0x42): Command(name="channel-info", privilege=USER, run=channel.get_channel_info, length=(1, 1)),
    (APP, 0x44): Command(name="user-access", privilege=OPERATOR, run=users.get_user_access, length=(2, 2)),
    (APP, 0x46): Command(name="user-name", privilege=OPERATOR, run=users.get_user_name, length=(1, 1)),
    (APP, 0x54): Command(name="cipher-suites", privilege=ANYBODY, run=channel.get_cipher_suites, length=(3, 3), sessionless=True),
}


def name_of(netfn: int, command: int) -> str:
    """What faults and the journal call a command, known or not."""
    row = COMMANDS.get((netfn, command))
    return row.name if row else f"netfn-{netfn:02x}-command-{command:02x}"
