"""Sensors and event log with the tools, and ipmiutil: more lines of the table of IPMI clients. Data only."""

from __future__ import annotations

from collections.abc import Iterator

from tools.ipmi_client_cell import ClientCell, then, words

# -- sensors and event log, with the tools -----------------------------------------------------------------------------

IPMITOOL = "ipmitool -I {way} -H {h} -U {u} -P {p} "
CPU = '"CPU1 Temp"'
OEM_RECORD = "0x0a 0x44 0 0 0xc5 0 0 0 0 0xa2 2 0 1 2 3 4 5 6"
"""Add SEL Entry of Dell's, time-stamped."""

BARE_RECORD = "0x0a 0x44 0 0 0xe5 1 2 3 4 5 6 7 8 9 10 11 12 13"


def _ipmitool() -> Iterator[ClientCell]:
    thresh = ("sensor", "thresh", "CPU1 Temp", "unc", "50")
    rows: tuple[tuple[str, tuple[tuple[str, ...], ...], str], ...] = (
        (
            "a threshold set and crossed",
            (thresh, ("sensor", "list")),
            r"CPU1 Temp\s+\| 52.000\s+\| degrees C\s+\| nc .*\| 50.000 ",
        ),
        (
            "a crossed threshold in the SEL",
            (thresh, ("sel", "elist")),
            r"Temperature CPU1 Temp \| Upper Non-critical going high \| A",
        ),
        (
            "lower thresholds at once",
            (("sensor", "thresh", "Inlet Temp", "lower", "0", "2", "5"), ("sensor", "get", "Inlet Temp")),
            r"Lower Critical\s+: 2.000\n Lower Non-Critical\s+: 5.000",
        ),
        ("a threshold that the sensor has not", (("sensor", "thresh", "Fan1", "unc", "9000"),), "Invalid data field in request"),
        ("event enables of a sensor", (("sensor", "get", "CPU1 Temp"),), r"Assertions Enabled\s+: unc\+ ucr\+ unr\+"),
        ("SDR: full", (("sdr", "elist", "full"),), r"PSU1 Vout\s+\| 21h \| ok  \| 10.1 \| 12.10 Volts"),
        ("SDR: compact", (("sdr", "elist", "compact"),), r"ACPI State\s+\| 41h \| ok  \| 23.1 \| S0/G0: working"),
        ("SDR: event-only", (("sdr", "elist", "event"),), r"Watchdog\s+\| 42h \| ns"),
        ("SDR: controllers", (("sdr", "elist", "mcloc"),), r"BMC\s+\| 00h \| ok  \|  6.1 \| Dynamic MC @ 20h"),
        ("SDR: by type", (("sdr", "type", "Temperature"),), then(r"Inlet Temp", r"CPU1 Temp")),
        ("SDR: by entity", (("sdr", "entity", "3"),), r"CPU1 Temp\s+\| 02h"),
        ("SDR: one record", (("-v", "sdr", "get", "CPU1 Temp"),), r"Settable Thresholds\s+: unc ucr unr"),
        ("SDR: the repository cannot be filled", (("sdr", "fill", "sensors"),), "Unable to clear SDRR: Invalid command"),
        ("sensor raw factors", (("raw", "4", "0x23", "0x21", "0"),), "ff 01 00 00 00 00 f0"),
        ("re-armed: the event comes once more", (thresh, ("raw", "4", "0x2a", "2", "0"), ("sel", "info")), r"Entries\s+: 2"),
        (
            "an event by a sensor's name",
            (("event", "CPU1 Temp", "unc"), ("sel", "list")),
            r"Temperature #0x02 \| Upper Non-critical",
        ),
        (
            "SEL: an OEM record with a time",
            (("raw", *OEM_RECORD.split()), ("sel", "list")),
            r"OEM record c5 \| 0002a2 \| 010203040506",
        ),
        (
            "SEL: an OEM record without a time",
            (("raw", *BARE_RECORD.split()), ("sel", "list")),
            r"OEM record e5 \| 0102030405060708",
        ),
        ("SEL: allocation", (("sel", "info"),), r"# of Alloc Units : 512"),
        ("SEL: one entry", (("event", "1"), ("sel", "get", "1")), r"Generator ID\s+: 0081"),
    )
    for what, commands, says in rows:
        refused = what.startswith(("a threshold that", "SDR: the repository"))
        for way in ("lanplus", "lan"):
            call = (*words(IPMITOOL.replace("{way}", way)),)
            argv: tuple[str, ...] = ()
            for command in commands:
                argv += (*call, *command, "&&")
            code = None if refused else 0
            yield ClientCell(client="ipmitool", way=way, what=what, argv=argv[:-1], says=says, code=code, within=5)


def _freeipmi() -> Iterator[ClientCell]:
    for way, driver in (("1.5", "-D LAN "), ("2.0", "-D LAN_2_0 ")):
        options = f"{driver}-h {{h}} -u {{u}} -p {{p}} "
        for tool, what, arguments, says in (
            (
                "ipmi-sensors",
                "thresholds",
                "-Q --output-sensor-thresholds",
                r"CPU1 Temp\s+\| Temp.*\| N/A .*\| 85.00\s+\| 95.00\s+\| 100.00",
            ),
            ("ipmi-sensors", "states", "-Q --output-sensor-state", r"CPU1 Temp\s+\| Temperature\s+\| Nominal"),
            (
                "ipmi-sensors",
                "event bits",
                "-Q --output-event-bitmask --comma-separated-output",
                "CPU1 Temp,Temperature,52.00,C,00C0h",
            ),
            ("ipmi-sensors", "all of one sensor", "-Q -vv -r 3", "Assertion Event Enabled: 'Upper Critical - going high'"),
            ("ipmi-sensors", "by type", "-Q -t Fan", r"Fan2 \| Fan\s+\| 5400.00"),
            ("ipmi-sensors", "legacy", "-Q --legacy-output", r"PSU1 Vout \(Voltage\): 12.10 V \(10.80/13.20\): \[OK\]"),
            ("ipmi-sensors", "repository", "--sdr-info", r"Maximum record size\s+: 63 allocation units"),
            (
                "ipmi-sensors-config",
                "checkout",
                "--checkout",
                then(r"Section 3_CPU1_Temp", r"Upper_Non_Critical_Threshold\s+85.000000"),
            ),
            (
                "ipmi-config",
                "sensors",
                "--category=sensors --checkout -S 4_Fan1",
                r"Negative_Going_Threshold_Hysteresis\s+100.000000",
            ),
            ("ipmi-sel", "allocation", "--info", r"Get SEL Allocation Information Command : supported"),
        ):
            argv = words(f"{tool} {options}{arguments}")
            yield ClientCell(client=tool, way=way, what=what, argv=argv, says=says, within=10)
        commit = words(f"ipmi-sensors-config {options}--commit -e 3_CPU1_Temp:Upper_Non_Critical_Threshold=50")
        look = words(f"ipmi-sensors {options}-Q --output-event-state -r 3")
        yield ClientCell(
            client="ipmi-sensors-config",
            way=way,
            what="commit",
            argv=(*commit, "&&", *look[:-3], *look[-2:]),
            says="At or Above.*Upper Non-Critical Threshold",
            within=10,
        )
        added = words(f"ipmi-raw {options}0 {OEM_RECORD} && ipmi-raw {options}0 {BARE_RECORD} && ipmi-sel {options}-Q")
        yield ClientCell(
            client="ipmi-sel",
            way=way,
            what="OEM records",
            argv=added,
            within=10,
            says=then(r"OEM defined = 01h 02h 03h 04h 05h 06h", r"N/A ", r"OEM defined = 01h ", r" 13h"),
        )


# -- ipmiutil ----------------------------------------------------------------------------------------------------------


def _ipmiutil() -> Iterator[ClientCell]:
    options = "-N {h} -U {u} -P {p}"
    for way in ("lan2", "lan"):
        call = f"-F {way} {options}"
        for what, line, says, code in (
            ("sensors with thresholds", "sensor -t", then(r"CPU1 Temp", r"hi-unrec 100.00 hi-crit 95.00 hi-noncr 85.00"), 0),
            ("sensors as a list", "sensor -c", r"0003 \| Full\s+\| Temperature\s+\| 02 \| CPU1 Temp\s+\| OK\s+\| 52.00 C", 0),
            ("sensors by group", "sensor -g fan", "Fan2 .*5400.00 RPM", 0),
            ("thresholds set", f"sensor -n 2 -h 60 {call} && ipmiutil sensor -n 2 -t", "hi-unrec 62.00 hi-crit 61.00", 0),
            ("SEL, in full", "sel -v", r"Size = 512 records \(Used=0, Free=512\)", 0),
            ("SEL cleared", "sel -d", "Log Cleared successfully", 0),
            ("FRU of the board", "fru -b", r"Board Product Name\s+: PowerEdge R750", 0),
            ("LAN as a list", "lan -c", r"Channel 1 IP address\s+\| 127\.", 0),
            ("configuration, to look at", "config", r"UserName     2: 72 6f 6f 74", 0),
            ("watchdog set and started", f"wdt -e -t 60 {call} && ipmiutil wdt -r", "timer is started for use with SMS/OS", 0),
            ("watchdog stopped", f"wdt -e -t 60 {call} && ipmiutil wdt -d", then("Disabling", "timer is stopped"), 0),
            ("boot from PXE", "reset -p", then("resetting to PXE", "IPMI_Reset ok"), 0),
            ("diagnostic interrupt", "reset -n", then("sending NMI", "IPMI_Reset ok"), 0),
            ("a raw command", "cmd 00 20 18 01", r"respData\[len=15\]: 20 01 06", 0),
            ("users", "user list", r"User  2: chan=1 .*enabled .*Admin\s+root", 0),
            ("DCMI power", "dcmi power get", r"Current Power:\s+184 Watts", 0),
            ("LEDs", "leds", "completed successfully", 0),
            ("serial: there is none", "serial", "configuration mode|No serial channel", None),
            ("PICMG: there is none", "picmg properties", "Error 193 getting picmg properties", None),
            ("firmware firewall: there is none", "firewall info", "193 .0xc1.", None),
        ):  # fmt: skip
            head, _, rest = line.partition(" ")
            argv = words(f"ipmiutil {head} {rest} {call}")
            if head == "cmd":
                argv = words(f"ipmiutil cmd {call} {rest}")
            yield ClientCell(client="ipmiutil", way=way, what=what, argv=argv, says=says, code=code, within=15)
    yield ClientCell(
        client="ipmiutil", way="-", what="discover", argv=words("ipmiutil discover -b {h}"), says="1 pings sent, 1 responses"
    )
    yield ClientCell(
        client="ipmiutil",
        way="lan2",
        what="FRU into a file",
        argv=words(f"ipmiutil fru -d /dev/null -F lan2 {options}"),
        says="",
        code=-11,
        theirs="it reads the FRU and writes from a null pointer (SIGSEGV); newer sources load it again first (util/ifru.c:2035)",
    )


BREADTH: tuple[ClientCell, ...] = (*_ipmitool(), *_freeipmi(), *_ipmiutil())
