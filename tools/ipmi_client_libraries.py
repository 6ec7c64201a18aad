"""The whole breadth of the libraries OpenIPMI, pyghmi and python-ipmi: more lines of the table of IPMI clients. Data only."""

from __future__ import annotations

from collections.abc import Iterator

from tools.ipmi_client_cell import ClientCell, then, words

# -- OpenIPMI ----------------------------------------------------------------------------------------------------------


def _openipmi() -> Iterator[ClientCell]:
    cpu, unit = '"d(3.1).CPU1 Temp"', '"d(23.1).Power Unit"'
    rows: tuple[tuple[str, tuple[str, ...], str], ...] = (
        ("domains", ("domain info d",), r"GUID: 0xee|GUID: 0x[0-9a-f]{2}"),
        ("controllers", ("mc list d", "mc info d(0.20)"), then(r"Name: d\(0.20\)", r"manufacturer_id: 0x2a2")),
        ("entities", ("entity list d", "entity tree d", "entity info d(3.1)"), "Entity ID String: processor"),
        ("sensors", ("sensor list d(10.1)",), "PSU1 Vin"),
        ("a sensor", (f"sensor info {cpu}",), then("Threshold Access: settable", "Hysteresis Support: settable")),
        ("a reading", (f"sensor get {cpu}",), r"Value: 5.200000e\+01"),
        ("a state", (f"sensor get {unit}",), "(?s)power off/power down\n    Set: false"),
        ("thresholds", (f"sensor get_thresholds {cpu}",), r"(?s)upper critical\n    Value: 9.500000e\+01"),
        (
            "a threshold set and crossed",
            (f'sensor set_thresholds {cpu} "upper non-critical" 50', f"sensor get {cpu}"),
            then("Thresholds set", "upper non-critical\n    Out Of Range: true"),
        ),
        (
            "hysteresis",
            (f"sensor set_hysteresis {cpu} 3 4", f"sensor get_hysteresis {cpu}"),
            then("Positive Hysteresis: 3", "Negative Hysteresis: 4"),
        ),
        ("event enables", (f"sensor get_event_enables {cpu}",), "(?s)upper critical going-high assertion\n    Enabled: true"),
        ("re-arm", (f"sensor rearm {cpu} global",), "Rearm done"),
        ("controls", ("control list d(23.1)", "control get d(23.1).power"), then(r"d\(23.1\).reset", r"Value: 1")),
        (
            "SEL",
            ("sel add d(0.20) 2 0 0 0 0 0x20 0 4 1 2 1 0x57 52 50", "mc sel_info d(0.20)"),
            then("Record ID: 1", "SEL Supports Get SEL Allocation: true"),
        ),
        (
            "SEL: an OEM record",
            ("sel add d(0.20) 0xc5 0 0 0 0 0xa2 2 0 1 2 3 4 5 6", "mc rescan_sel d(0.20)", "sel list d"),
            r"Event type: 197",
        ),
        (
            "SEL deleted and cleared",
            (
                "sel add d(0.20) 2 0 0 0 0 0x20 0 4 1 2 1 0x57 52 50",
                "mc rescan_sel d(0.20)",
                "sel delete d(0.20) 1",
                "sel clear d",
            ),
            then("Event deleted", "SEL Clear done"),
        ),
        ("SEL time", ("mc set_sel_time d(0.20) 1700000000", "mc get_sel_time d(0.20)"), "SEL Time: 17000000"),
        (
            "event logging off",
            ("mc set_event_log_enable d(0.20) off", "mc get_event_log_enable d(0.20)"),
            "Event Log Enabled: false",
        ),
        ("FRU", ("domain fru d true 0x20 0 0 0 0",), then("product_info_product_name", "PowerEdge R750")),
        ("records", ("mc sdrs d(0.20) main",), "(?s)Record ID: 16"),
        ("channel", ("mc chan info d(0.20) 1",), "8023_LAN"),
        ("a raw command", ("mc msg d(0.20) 0 6 1",), "0x00 0x20 0x01"),
        ("BMC reset", ("mc reset d(0.20) warm",), "Reset done"),
    )
    for way in ("rmcp+", "md5"):
        for what, commands, says in rows:
            argv = ("{python}", "-m", "tools.ipmi_client_ipmish", way, "{h}", "{u}", "{p}", *commands)
            yield ClientCell(client="ipmish", way=way, what=what, argv=argv, says=says)
        argv = ("{python}", "-m", "tools.ipmi_client_ipmish", way, "{h}", "{u}", "{p}", "control set d(23.1).power 0")
        yield ClientCell(client="ipmish", way=way, what="power off", argv=argv, says="Set done", rail="down")
    argv = ("{python}", "-m", "tools.ipmi_client_ipmish", "rmcp+", "{h}", "{u}", "{p}", "sensor list d(6.1)")
    yield ClientCell(
        client="ipmish",
        way="rmcp+",
        what="names of event-only sensors",
        argv=argv,
        says=r"Name: d\(6\.1\)\.$",
        theirs="lib/sensor.c, get_sensors_from_sdrs: it takes the byte before the name's length for that length (43.3: byte 17)",
    )
    yield ClientCell(client="rmcp_ping", way="-", what="ASF ping", argv=words("rmcp_ping -t 1 {h}"), says="^127.* IPMI$")


def in_time(says: str) -> str:
    return f"{says}(.|\\n)*all in time"


# -- Python ------------------------------------------------------------------------------------------------------------

NOT_OFFERED = "pyghmi.exceptions.UnsupportedFunctionality"

PYGHMI: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("health", ("get_health",), r"get_health: \{'badreadings': \[\], 'health': 0\}"),
    (
        "health with a crossed threshold",
        ('raw_command={"netfn": 4, "command": 38, "data": [2, 8, 0, 0, 0, 50, 0, 0]}', "get_health"),
        "'badreadings': .*CPU1 Temp.*'health': 1",
    ),
    ("sensor descriptions", ("get_sensor_descriptions",), "'name': 'PSU1 Vout', 'type': 'Voltage'"),
    ("a reading", ('get_sensor_reading=["CPU1 Temp"]',), "'value': 52.0"),
    ("a sensor that is not there", ('get_sensor_reading=["Nope"]',), "Sensor not found: Nope"),
    (
        "temperatures and power",
        ("get_inlet_temperature", "get_average_processor_temperature", "get_system_power_watts"),
        then("23.0", "52.0", "watts: 184"),
    ),
    (
        "inventory as a whole",
        ("get_inventory_descriptions", "get_inventory"),
        then(r"\['System'\]", r"'Product name': 'PowerEdge R750'"),
    ),
    ("identify", ("set_identify=[true]", "set_identify=[true, 5]", "set_identify=[false]"), then("None", "None", "None")),
    (
        "boot device",
        ('set_bootdev={"bootdev": "network", "persist": true, "uefiboot": true}', "get_bootdev"),
        "'bootdev': 'network', 'persistent': True, 'uefimode': True",
    ),
    (
        "a user made, changed and deleted",
        (
            'create_user={"uid": 3, "name": "bob", "password": "Secret12", "privilege_level": "operator"}',
            "get_user=[3]",
            'set_user_password={"uid": 3, "mode": "test_password", "password": "Secret12"}',
            'set_user_access={"uid": 3, "privilege_level": "user"}',
            "get_user_access=[3]",
            'set_user_name=[3, "kim"]',
            "get_user_name=[3]",
            'disable_user=[3, "disable"]',
            "user_delete=[3]",
            "get_users",
        ),
        then(
            r"'privilege_level': 'operator'",
            r"set_user_password: True",
            r"'privilege_level': 'user'",
            r"kim",
            r"user_delete: True",
            r"get_users: \{2:",
        ),
    ),
    (
        "a password that is tried",
        ('set_user_password={"uid": 2, "mode": "test_password", "password": "wrong"}',),
        "set_user_password: False",
    ),
    (
        "channel",
        ("get_channel_info", "get_channel_access", "get_network_channel", "get_channel_max_user_count"),
        then("802.3 LAN", "'access_mode': 'always'", "channel: 1", "count: 16"),
    ),
    (
        "event log, read and cleared",
        ('raw_command={"netfn": 4, "command": 2, "data": [4, 1, 2, 1, 87, 52, 50]}', "get_event_log=[true]", "get_event_log"),
        then("Upper non-critical", "Log clear"),
    ),
    ("firmware", ("get_firmware",), "BMC Version.*6.0"),
    (
        "a raw command",
        ('raw_command={"netfn": 6, "command": 1}', 'raw_command={"netfn": 62, "command": 1}'),
        then("'code': 0", "'error': 'Invalid command'"),
    ),
    (
        "BMC settings: none",
        ("get_bmc_configuration", "get_system_configuration", "get_leds", "get_ntp_enabled", "get_ntp_servers"),
        then(r"\{\}", r"\{\}", r"\[\]", r"None", r"\[\]"),
    ),
    (
        "what only makers' own drivers offer",
        ("get_storage_configuration", "get_update_status", "get_licenses", "list_media", "clear_bmc_configuration"),
        then(NOT_OFFERED, NOT_OFFERED, NOT_OFFERED, NOT_OFFERED, NOT_OFFERED),
    ),
    ("blinking: not with generic IPMI", ('set_identify={"on": true, "blink": true}',), "Blink not supported with generic IPMI"),
    ("BMC reset", ("reset_bmc",), "reset_bmc: None"),
)

PYGHMI_FAULTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "alert community",
        "get_alert_community",
        "no attribute 'partition'",
        "pyghmi/ipmi/command.py:1310 splits bytes as if they were text",
    ),
    (
        "asset tag set",
        'set_asset_tag=["rack7"]',
        "string argument without an encoding",
        "pyghmi/ipmi/command.py:1485 makes bytes of text without an encoding",
    ),
    (
        "extended settings",
        "get_extended_bmc_configuration",
        "unexpected keyword argument 'hideadvanced'",
        "pyghmi/ipmi/command.py:873 hands its generic driver an argument that it does not know",
    ),
    (
        "diagnostic data",
        'get_diagnostic_data=["/nonexistent/x"]',
        "positional arguments but 4 were given",
        "pyghmi/ipmi/command.py:499 hands its generic driver an argument that it does not know",
    ),
    (
        "capping",
        "get_server_capping",
        "no attribute 'get_oem_server_capping'",
        "pyghmi/ipmi/command.py:2214 calls what its generic driver does not have",
    ),
)

INVALID = "cc=0xc1 desc=Invalid Command"

PYIPMI: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "sensors with values",
        ("sensors_and_values",),
        "Inlet Temp 23, CPU1 Temp 52, Fan1 5400, Fan2 5400, PSU1 Vin 230, PSU1 Vout 12.1, Pwr Consumption 184",
    ),
    (
        "thresholds",
        ("get_sensor_thresholds=[2]", "get_sensor_thresholds=[64]"),
        then("'unr': 100, 'ucr': 95, 'unc': 85", INVALID),
    ),
    (
        "a threshold set and crossed",
        ('set_sensor_thresholds={"sensor_number": 2, "unc": 50}', "get_sensor_reading=[2]"),
        then(r"thresholds: None", r"\[52, 200\]"),
    ),
    ("a threshold that the sensor has not", ('set_sensor_thresholds={"sensor_number": 2, "lnc": 5}',), "cc=0xcc"),
    (
        "readings",
        ("get_sensor_reading=[64]", "get_sensor_reading=[66]", "get_sensor_reading=[153]"),
        then(r"\[0, 32768\]", r"cc=0xcb", r"cc=0xcb"),
    ),
    ("re-arm", ("rearm_sensor_events=[2]",), "rearm_sensor_events: None"),
    (
        "repository",
        ("get_sdr_repository_info", "get_sdr_repository_allocation_info", "get_repository_sdr=[3]", "get_repository_sdr=[153]"),
        then("'record_count': 16", "'maximum_record_size': 63", "CPU1 Temp", "cc=0xcb"),
    ),
    ("repository: no change", ("delete_sdr=[1]", "clear_sdr_repository"), then(INVALID, INVALID)),
    ("initialisation agent", ("start_initialization_agent", "get_initialization_agent_status"), then("agent: None", "status: 1")),
    ("device records", ("device_sdr_entries", "get_device_sdr_list"), then("Pwr Consumption", "Pwr Consumption")),
    (
        "event log",
        (
            "send_platform_event=[1, 2, 1, 0, [89, 52, 50]]",
            "get_sel_entries_count",
            "get_sel_entries",
            "clear_sel",
            "get_sel_entries_count",
        ),
        then(r"count: 1\n", r"'sensor_number': 2", r"clear_sel: None\nget_sel_entries_count: 1"),
    ),
    (
        "event log: one entry",
        ("send_platform_event=[1, 2, 1, 0, [89, 52, 50]]", "get_and_clear_sel_entry=[1]", "get_sel_entry=[1]"),
        then("'record_id': 1", "cc=0xcb"),
    ),
    (
        "inventory, area by area",
        (
            "get_fru_inventory_header",
            "get_fru_chassis_area",
            "get_fru_board_area",
            "get_fru_product_area",
            "get_fru_inventory=[1]",
        ),
        then("'fru_size': 144", "cc=0xcb"),
    ),
    (
        "inventory: areas that are not there",
        ("get_fru_internal_use_area", "get_fru_multirecord_area"),
        then("DataNotFound", "DataNotFound"),
    ),
    ("watchdog", ("get_watchdog_timer", "reset_watchdog_timer"), then("'is_running': False", "cc=0x80")),
    (
        "chassis",
        ("get_chassis_status", "get_boot_device", "get_boot_mode", "get_boot_persistency"),
        then("'power_on': True", "'no override'|NO_OVERRIDE"),
    ),
    (
        "network",
        ("get_ip_address", "get_ip_source", "get_mac_address", "get_vlan_id"),
        then(r"address: 127\.", r"static", r"02:", r"vlan_id: 0"),
    ),
    (
        "users and channels",
        ('set_username=[5, "zoe"]', "get_username=[5]", "get_channel_info=[1]", "get_user_access=[2, 1]"),
        then("zoe", "'medium_type': 4", "'ipmi_messaging': True"),
    ),
    (
        "event receiver",
        ("get_event_receiver", "set_event_receiver=[16, 0]", "disable_event_message_generation"),
        then("receiver: ", "receiver: None", "cc=0xcc"),
    ),
    (
        "PICMG: there is none",
        (
            "get_picmg_properties",
            "fru_control_cold_reset",
            "get_fan_speed_properties=[0]",
            "get_led_state=[0, 0]",
            "get_pm_global_status",
        ),
        then(INVALID, INVALID, INVALID, INVALID, INVALID),
    ),
    (
        "HPM: there is none",
        (
            "get_target_upgrade_capabilities",
            "get_upgrade_status",
            "abort_firmware_upgrade",
            "activate_firmware",
            "query_rollback_status",
        ),
        then(INVALID, INVALID, INVALID, INVALID, INVALID),
    ),
    ("DCMI", ("get_power_reading=[1]", 'set_asset_tag=["rack 7"]', "get_asset_tag"), then("'current_power': 184", "rack 7")),
)


def _python() -> Iterator[ClientCell]:
    def calls(kind: str, made: tuple[str, ...]) -> tuple[str, ...]:
        return ("{python}", "-m", "tools.ipmi_client_calls", kind, "{h}", "{u}", "{p}", *made)

    for what, made, says in PYGHMI:
        yield ClientCell(
            client="pyghmi",
            way="its client",
            what=what,
            argv=calls("pyghmi", made),
            says=in_time(says),
        )
    argv = ("{python}", "-m", "tools.ipmi_client_pyghmi", "{h}", "{u}", "{p}", "console")
    yield ClientCell(client="pyghmi", way="its client", what="console: a reboot", argv=argv, says=then("Memory test", "login: "))
    for what, call, says, theirs in PYGHMI_FAULTS:
        yield ClientCell(client="pyghmi", way="its client", what=what, argv=calls("pyghmi", (call,)), says=says, theirs=theirs)
    for way in ("rmcp", "ipmitool"):
        for what, made, says in PYIPMI:
            yield ClientCell(client="python-ipmi", way=way, what=what, argv=calls(way, made), says=in_time(says))


LIBRARIES: tuple[ClientCell, ...] = (*_openipmi(), *_python())
