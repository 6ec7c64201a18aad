"""Which IPMI client does what against a fresh BMC, and what must come of it. Data only; `tools.ipmi_clients` runs it.

What is configured through clients is in `tools.ipmi_client_settings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.ipmi_client_breadth import BREADTH
from tools.ipmi_client_cell import ClientCell, words
from tools.ipmi_client_libraries import LIBRARIES
from tools.ipmi_client_settings import settings

# -- ipmitool ----------------------------------------------------------------------------------------------------------

IPMITOOL = "ipmitool"
POWER: Sequence[tuple[str, str, str, str, str]] = (
    # what, at first, arguments, says, rail
    ("power status, on", "on", "chassis power status", "Chassis Power is on", "up"),
    ("power status, off", "off", "chassis power status", "Chassis Power is off", "down"),
    ("power off", "on", "chassis power off", "Down/Off", "down"),
    ("power on", "off", "chassis power on", "Up/On", "up"),
    ("power cycle", "on", "chassis power cycle", "Cycle", "up"),
    ("power reset", "on", "chassis power reset", "Reset", "up"),
    ("power soft", "on", "chassis power soft", "Soft", "down"),
    ("power diag", "on", "chassis power diag", "Diag", "up"),
)
SAYS: Sequence[tuple[str, str, str]] = (
    ("device id", "mc info", r"Manufacturer ID\s+: 674"),
    ("guid", "mc guid", r"System GUID\s+: [0-9a-f-]{36}"),
    ("self test", "mc selftest", "Selftest: passed"),
    ("enables", "mc getenables", r"System Event Logging\s+: enabled"),
    ("watchdog", "mc watchdog get", r"Watchdog Timer Is:\s+Stopped"),
    ("chassis status", "chassis status", r"System Power\s+: on"),
    ("power-on hours", "chassis poh", "POH Counter"),
    ("restart cause", "chassis restart_cause", "System restart cause"),
    ("restore policy", "chassis policy always-on && {c} chassis status", "always-on"),
    ("identify", "chassis identify 5", "identify interval: 5 seconds"),
    ("boot device", "chassis bootdev pxe && {c} chassis bootparam get 5", "Force PXE"),
    (
        "boot device, UEFI, for good",
        "chassis bootdev cdrom options=efiboot,persistent && {c} chassis bootparam get 5",
        "all future boots",
    ),
    ("boot parameter 0", "chassis bootparam get 0", "Set In Progress : set complete"),
    ("SEL info", "sel info", r"Version\s+: 1.5"),
    ("SEL list after power events", "chassis power off && {c} sel elist", "Power Unit.*Power off/down"),
    ("SEL add", "event 1 && {c} sel list", "Temperature #0x30"),
    ("SEL delete", "event 1 && {c} sel delete 1", "Deleted entry 1"),
    ("SEL clear", "event 1 && {c} sel clear && {c} sel list", "Log area reset/cleared"),
    ("SEL time", "sel time set now && {c} sel time get", r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d"),
    ("SDR info", "sdr info", r"Record Count\s+: 16"),
    ("SDR list", "sdr elist full", r"CPU1 Temp\s+\| 02h \| ok"),
    ("sensors with thresholds", "sensor", r"Fan1\s+\| 5400.000\s+\| RPM\s+\| ok\s+\| na\s+\| 800.000"),
    ("one sensor", "sensor get Fan1", r"Lower Critical\s+: 800.000"),
    ("FRU", "fru print", r"Product Name\s+: PowerEdge R750"),
    ("LAN", "lan print 1", r"IP Address\s+: 127\.\d+\.\d+\.\d+"),
    ("user list", "user list 1", r"2\s+root\s+true\s+false\s+true\s+ADMINISTRATOR"),
    (
        "user made and enabled",
        "user set name 5 bob && {c} user set password 5 s3cret && {c} user enable 5 && {c} user list 1",
        r"5\s+bob",
    ),
    ("channel info", "channel info 1", "802.3 LAN"),
    ("channel access", "channel getaccess 1 2", r"Privilege Level\s+: ADMINISTRATOR"),
    ("cipher suites", "channel getciphers ipmi 1", "17 .*hmac_sha256"),
    ("session info", "session info active", r"user id\s+: 2"),
    ("SOL info", "sol info 1", r"Payload Port\s+: 623"),
    ("SOL access", "sol payload status 1 2", "enabled"),
    ("DCMI power", "dcmi power reading", r"Instantaneous power reading:\s+184 Watts"),
    ("DCMI capabilities", "dcmi discover", "Power management available"),
    ("DCMI asset tag", "dcmi set_asset_tag rack7 && {c} dcmi asset_tag", "rack7"),
    ("cold reset", "mc reset cold", "Sent cold reset"),
)
REFUSALS: Sequence[tuple[str, str, str, float]] = (
    ("a USER may not switch on", "-L USER chassis power on", "Insufficient privilege level", 2),
    ("cipher suite 0", "-C 0 chassis power status", "(?i)unable to establish|no matching|invalid auth", 2),
    ("cipher suite 1", "-C 1 chassis power status", "(?i)unable to establish|no matching|invalid auth", 2),
    ("a command that does not exist", "raw 0x30 0x01", r"rsp=0xc1\): Invalid command", 2),
    ("PICMG", "raw 0x2c 0x00 0x00", r"rsp=0xc1\): Invalid command", 2),
)


def _ipmitool() -> Iterator[ClientCell]:
    base = "ipmitool -H {h} -U {u} -P {p} "
    ways = {
        "lanplus": "-I lanplus ",
        "lanplus -C 3": "-I lanplus -C 3 ",
        "lanplus -C 17": "-I lanplus -C 17 ",
        "lan": "-I lan ",
        "lan -A MD5": "-I lan -A MD5 ",
        "lan -A PASSWORD": "-I lan -A PASSWORD ",
    }
    for way, options in ways.items():
        call = base + options
        for what, power, arguments, says, rail in POWER:
            yield ClientCell(
                client=IPMITOOL, way=way, what=what, argv=words(call + arguments), says=says, power=power, rail=rail, within=5
            )
    for way in ("lanplus", "lan"):
        call = base + ways[way]
        for what, arguments, says in SAYS:
            if way == "lan" and what.startswith("SOL"):
                continue  # a payload of RMCP+
            yield ClientCell(client=IPMITOOL, way=way, what=what, argv=words(call + arguments.replace("{c}", call)), says=says)
    plus = base + ways["lanplus"]
    for what, arguments, says, within in REFUSALS:
        yield ClientCell(
            client=IPMITOOL, way="lanplus", what=what, argv=words(plus + arguments), says=says, code=1, within=within
        )
    yield ClientCell(
        client=IPMITOOL, way="lanplus", what="a wrong password is refused at once", code=1, within=2,
        argv=words("ipmitool -I lanplus -H {h} -U {u} -P wrong chassis power off"), says="Unable to establish", rail="up",
    )  # fmt: skip
    yield ClientCell(
        client=IPMITOOL, way="lanplus", what="an unknown user is refused at once", code=1, within=2,
        argv=words("ipmitool -I lanplus -H {h} -U nobody -P wrong chassis power off"), says="Unable to establish", rail="up",
    )  # fmt: skip
    yield ClientCell(
        client=IPMITOOL, way="lan -A NONE", what="power status where the profile offers it", ipmi={"auth_types": ("none",)},
        argv=words("ipmitool -I lan -A NONE -H {h} -U {u} chassis power status"), says="Chassis Power is on",
    )  # fmt: skip
    yield ClientCell(
        client=IPMITOOL, way="lanplus -k", what="power status under a BMC key", ipmi={"kg": "s3cret-key"},
        argv=words(plus + "-k s3cret-key chassis power status"), says="Chassis Power is on",
    )  # fmt: skip
    yield ClientCell(
        client=IPMITOOL, way="lanplus", what="a wrong BMC key is refused", ipmi={"kg": "s3cret-key"}, code=1, rail="up",
        argv=words(plus + "-k other-key chassis power off"), says="Unable to establish",
    )  # fmt: skip
    yield ClientCell(
        client=IPMITOOL, way="lanplus", what="IPMI over LAN off: silence", ipmi={"lan": False}, code=1,
        argv=words("ipmitool -I lanplus -N 1 -R 1 -H {h} -U {u} -P {p} chassis power status"), says="Unable to establish",
    )  # fmt: skip
    yield ClientCell(
        client=IPMITOOL, way="lanplus", what="SOL: a reboot on the console", code=None, typed="terminal",
        argv=words(plus + "sol activate"), says=r"Memory test(.|\s)*login: ",
    )  # fmt: skip


# -- FreeIPMI ----------------------------------------------------------------------------------------------------------


def _freeipmi() -> Iterator[ClientCell]:
    options = "-h {h} -u {u} -p {p} "
    ways = {"1.5": "-D LAN ", "2.0": "-D LAN_2_0 ", "2.0 -I 17": "-D LAN_2_0 -I 17 "}
    power = (
        ("--stat", "on", ": on", "up"),
        ("--on", "off", ": ok", "up"),
        ("--off", "on", ": ok", "down"),
        ("--cycle", "on", ": ok", "up"),
        ("--reset", "on", ": ok", "up"),
        ("--pulse", "on", ": ok", "up"),
        ("--soft", "on", ": ok", "down"),
    )
    tools = (
        ("ipmi-chassis", "--get-chassis-status", r"System Power\s+: on"),
        ("ipmi-chassis", "--chassis-identify=5", "^$"),
        ("ipmi-chassis", "--get-power-on-hours-counter", "(?i)power on hours"),
        ("bmc-info", "", r"Manufacturer ID\s+: Dell Inc. \(674\)"),
        ("ipmi-sel", "--info", r"Number of log entries\s+: 0"),
        ("ipmi-sensors", "--sdr-cache-recreate -Q", r"Fan1\s+\| Fan\s+\| 5400.00\s+\| RPM\s+\| 'OK'"),
        ("ipmi-fru", "--sdr-cache-recreate -Q", "Product Name: PowerEdge R750"),
        ("ipmi-dcmi", "--get-system-power-statistics", r"Current Power\s+: 184 Watts"),
        ("bmc-device", "--get-self-test-results", "No Error"),
        ("ipmi-config", "--checkout -S User2", r"Username\s+root"),
        ("ipmi-raw", "0 6 1", "rcvd: 01 00 20 01"),
    )
    for way, driver in ways.items():
        for action, at_first, says, rail in power:
            argv = words(f"ipmipower {driver}{options}{action}")
            yield ClientCell(client="ipmipower", way=way, what=action[2:], argv=argv, says=says, power=at_first, rail=rail)
        for tool, arguments, says in tools:
            if way == "2.0 -I 17" and tool != "bmc-info":
                continue
            what = arguments.split()[0].strip("-") if arguments.startswith("--") else arguments or "all"
            yield ClientCell(client=tool, way=way, what=what, argv=words(f"{tool} {driver}{options}{arguments}"), says=says)
    off = "ipmipower -D LAN_2_0 -h {h} -u {u} -p {p} --off && sleep 0.3 && "
    yield ClientCell(
        client="ipmi-sel", way="2.0", what="power events", says="Power Off/Power Down", rail="down",
        argv=words(off + "ipmi-sel -D LAN_2_0 -h {h} -u {u} -p {p} --sdr-cache-recreate -Q"),
    )  # fmt: skip
    yield ClientCell(client="ipmiping", way="-", what="ping", argv=words("ipmiping -c 1 {h}"), says="1 responses received")
    yield ClientCell(client="rmcpping", way="-", what="ASF ping", argv=words("rmcpping -c 1 {h}"), says="1 pongs received")


# -- the others --------------------------------------------------------------------------------------------------------


def _ipmiutil() -> Iterator[ClientCell]:
    options = "-N {h} -U {u} -P {p}"
    for way, driver in (("lan2", "-F lan2 "), ("lan", "-F lan ")):
        for what, arguments, says, at_first, rail in (
            ("power down", "power -d", "IPMI_Reset ok", "on", "down"),
            ("power up", "power -u", "IPMI_Reset ok", "off", "up"),
            ("power cycle", "power -c", "IPMI_Reset ok", "on", "up"),
            ("health", "health", "(?s)S0: working.*chassis_power       = on", "on", None),
            ("sensors", "sensor", "Fan1.*5400.00 RPM", "on", None),
            ("SEL", "sel", "completed successfully", "on", None),
            ("FRU", "fru", r"Product Name\s+: PowerEdge R750", "on", None),
            ("LAN", "lan", r"Lan Param\(3\) IP address: 127\.", "on", None),
            ("watchdog", "wdt", "Watchdog timer is stopped", "on", None),
        ):
            argv = words(f"ipmiutil {arguments} {driver}{options}")
            code = None if what == "LAN" else 0
            yield ClientCell(client="ipmiutil", way=way, what=what, argv=argv, says=says, power=at_first, rail=rail, code=code)


def _openipmi() -> Iterator[ClientCell]:
    for way in ("rmcp+", "md5", "straight"):
        argv = ("openipmicmd", "-k", "0f 00 06 01", "lan", "-U", "{u}", "-P", "{p}", "-A", way, "{h}")
        yield ClientCell(client="openipmicmd", way=way, what="device id", argv=argv, says="0f 07 00 01 00 20")
    yield ClientCell(
        client="ipmish", way="lan", what="a domain comes up and finds the sensors", argv=("ipmish",), code=None,
        typed="domain open d lan -U {u} -P {p} {h}\n", says=r"(?s)Any Connection Up: true.*Name: d\(\d+\.\d+\)\.Fan1",
    )  # fmt: skip


def _fence() -> Iterator[ClientCell]:
    base = "fence_ipmilan -a {h} -l {u} -p {p} "
    for way, options in (("lan", ""), ("lanplus", "-P "), ("lanplus --cipher=17", "-P --cipher=17 ")):
        for what, at_first, says, code, rail in (
            ("status", "on", "Status: ON", 0, "up"),
            ("status", "off", "Status: OFF", 2, "down"),
            ("off", "on", "Success: Powered OFF", 0, "down"),
            ("on", "off", "Success: Powered ON", 0, "up"),
            ("reboot", "on", "Success: Rebooted", 0, "up"),
            ("off", "off", "Success: Already OFF", 0, "down"),
        ):
            argv = words(f"{base}{options}--power-wait=0 -o {what}")
            name = f"{what}, node {at_first}"
            yield ClientCell(
                client="fence_ipmilan", way=way, what=name, argv=argv, says=says, code=code, power=at_first, rail=rail
            )
    argv = words(f"{base}-P --power-wait=0 -m cycle -o reboot")
    yield ClientCell(
        client="fence_ipmilan", way="lanplus", what="reboot by cycle", argv=argv, says="Success: Rebooted", rail="up"
    )


def _python() -> Iterator[ClientCell]:
    for what, says, rail in (
        ("power", "off", "down"),
        ("sensors", "'Fan1', 5400.0", None),
        ("inventory", "PowerEdge R750", None),
        ("log", "Power Unit", "down"),
        ("users", "'name': 'root'", None),
        ("network", "127\\.", None),
        ("bootdev", "'bootdev': 'network'", None),
    ):
        argv = ("{python}", "-m", "tools.ipmi_client_pyghmi", "{h}", "{u}", "{p}", what)
        yield ClientCell(client="pyghmi", way="its client", what=what, argv=argv, says=says, rail=rail)
    for way in ("rmcp", "ipmitool"):
        for what, says, rail in (
            ("device", "manufacturer: 674", None),
            ("power", "power_on: False", "down"),
            ("sensors", "Fan1", None),
            ("inventory", "PowerEdge R750", None),
            ("log", "entries: [1-9]", "down"),
        ):
            argv = ("{python}", "-m", "tools.ipmi_client_pyipmi", way, "{h}", "{u}", "{p}", what)
            yield ClientCell(client="python-ipmi", way=way, what=what, argv=argv, says=says, rail=rail)


CELLS: tuple[ClientCell, ...] = (
    *_ipmitool(), *settings(), *_freeipmi(), *_ipmiutil(), *_openipmi(), *_fence(), *_python(), *BREADTH, *LIBRARIES
)  # fmt: skip
