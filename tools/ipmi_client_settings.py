"""Clients that configure a BMC: what they set is read back, by the same client, and a wrong value is refused at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.ipmi_client_cell import ClientCell, words

AT_ONCE = 3.0
"""Seconds for what must not make a client wait and try again."""

IPMITOOL: Sequence[tuple[str, str, str]] = (
    # what, commands ({c}: ipmitool again), says
    ("LAN: address", "lan set 1 ipaddr 10.1.2.3 && {c} lan print 1", r"IP Address\s+: 10\.1\.2\.3"),
    ("LAN: mask", "lan set 1 netmask 255.255.0.0 && {c} lan print 1", r"Subnet Mask\s+: 255\.255\.0\.0"),
    ("LAN: DHCP", "lan set 1 ipsrc dhcp && {c} lan print 1", r"IP Address Source\s+: DHCP"),
    ("LAN: gateway", "lan set 1 defgw ipaddr 10.1.0.1 && {c} lan print 1", r"Default Gateway IP\s+: 10\.1\.0\.1"),
    ("LAN: gateway MAC", "lan set 1 defgw macaddr 02:11:22:33:44:55 && {c} lan print 1", r"Gateway MAC\s+: 02:11:22:33:44:55"),
    ("LAN: backup gateway", "lan set 1 bakgw ipaddr 10.1.0.2 && {c} lan print 1", r"Backup Gateway IP\s+: 10\.1\.0\.2"),
    ("LAN: ARP", "lan set 1 arp respond on && {c} lan print 1", "ARP Responses Enabled"),
    ("LAN: ARP interval", "lan set 1 arp interval 5 && {c} lan print 1", r"ARP Intrvl\s+: 5\.0 seconds"),
    ("LAN: VLAN", "lan set 1 vlan id 42 && {c} lan print 1", r"802\.1q VLAN ID\s+: 42"),
    ("LAN: VLAN off", "lan set 1 vlan id 42 && {c} lan set 1 vlan id off && {c} lan print 1", r"802\.1q VLAN ID\s+: Disabled"),
    ("LAN: VLAN priority", "lan set 1 vlan priority 3 && {c} lan print 1", r"VLAN Priority\s+: 3"),
    ("LAN: community", "lan set 1 snmp secret && {c} lan print 1", r"SNMP Community String\s+: secret"),
    ("LAN: authentication types", "lan set 1 auth ADMIN MD5 && {c} lan print 1", r"Admin\s+: MD5\s*$"),
    ("LAN: privileges of suites", "lan set 1 cipher_privs XXXoXXXXXXXaXXX && {c} lan print 1", "XXXoXXXXXXXaXXX"),
    (
        "LAN: only suite 3",
        "lan set 1 cipher_privs XXXaXXXXXXXXXXX && {c} channel getciphers ipmi 1",
        r"\n3 [^\n]*\n*\Z",
    ),
    ("LAN: bad passwords", "lan set 1 bad_pass_thresh 3 1 60 300 && {c} lan print 1", r"Bad Password Threshold\s+: 3"),
    ("LAN: access", "lan set 1 access on && {c} channel info 1", "always available"),
    ("LAN: statistics", "lan stats get 1", r"UDP Rx Packet\s+: [1-9]"),
    ("LAN: statistics cleared", "lan stats clear 1", "^$"),
    (
        "LAN: alert destination",
        "lan alert set 1 1 ipaddr 10.1.2.9 && {c} lan alert print 1 1",
        r"Alert IP Address\s+: 10\.1\.2\.9",
    ),
    ("LAN: alert retries", "lan alert set 1 1 retry 3 && {c} lan alert print 1 1", r"Number of Retries\s+: 3"),
    ("channel: authentication", "channel authcap 1 4", r"Channel supports IPMI v2.0\s+: yes"),
    ("channel: IPMB and system interface", "channel info 0 && {c} channel info 15", r"Channel Medium Type\s+: System Interface"),
    (
        "channel: access of a user",
        "user set name 5 bob && {c} channel setaccess 1 5 callin=on ipmi=on link=on privilege=3 && {c} channel getaccess 1 5",
        "(?s)Link Authentication  : enabled.*OPERATOR",
    ),
    ("user: privilege before the name", "user priv 5 3 1 && {c} user set name 5 bob && {c} user list 1", r"5\s+bob .*OPERATOR"),
    (
        "user: password test",
        "user set name 5 bob && {c} user set password 5 s3cret123456789xyz 20 && {c} user test 5 20 s3cret123456789xyz",
        "Success",
    ),
    ("session list", "session info all", r"session type\s+: IPMIv2/RMCP\+"),
    ("SOL: off", "sol set enabled false 1 && {c} sol info 1", r"Enabled\s+: false"),
    ("SOL: privilege", "sol set privilege-level admin 1 && {c} sol info 1", r"Privilege Level\s+: ADMINISTRATOR"),
    ("SOL: accumulation", "sol set character-accumulate-level 12 1 && {c} sol info 1", r"Accumulate Level \(ms\) : 60"),
    ("SOL: threshold", "sol set character-send-threshold 96 1 && {c} sol info 1", r"Send Threshold\s+: 96"),
    ("SOL: retries", "sol set retry-count 3 1 && {c} sol set retry-interval 20 1 && {c} sol info 1", r"(?s)Count\s+: 3.*: 200"),
    ("SOL: bit rate", "sol set non-volatile-bit-rate 57.6 1 && {c} sol info 1", r"Non-Volatile Bit Rate \(kbps\)\s+: 57\.6"),
    ("SOL: volatile bit rate", "sol set volatile-bit-rate 19.2 1 && {c} sol info 1", r"^Volatile Bit Rate \(kbps\)\s+: 19\.2"),
    ("SOL: payload of a user", "sol payload disable 1 2 && {c} sol payload status 1 2", "User 2 on channel 1 is disabled"),
    ("boot mailbox", "chassis bootmbox set text 343 hello && {c} chassis bootmbox get text", "Block   0 Data : 'hello'"),
    ("boot flags, all at once", "chassis bootparam set bootflag force_bios && {c} chassis bootparam get 5", "BIOS Setup"),
    ("policies", "chassis policy list", "always-off always-on previous"),
    ("system name", "mc setsysinfo system_name node77 && {c} mc getsysinfo system_name", "^node77$"),
    (
        "operating system",
        "mc setsysinfo os_name Debian-with-a-long-name && {c} mc getsysinfo os_name",
        "^Debian-with-a-long-name$",
    ),
    ("firmware version", "mc getsysinfo system_fw_version", r"^\d"),
    (
        "watchdog set and stopped",
        "mc watchdog set timeout=60 use=osload && {c} mc watchdog reset && {c} mc watchdog off",
        "stopped",
    ),
    ("event of a sensor", "event Fan1 lcr assert && {c} sel elist", r"Fan .*\| Lower Critical going low"),
    ("SEL saved", "event 2 && {c} sel save /dev/null", "Voltage #0x60"),
    ("SDR of a type", "sdr type Fan", r"Fan2\s+\| 11h \| ok"),
    ("SDR of an entity", "sdr entity 7.1", "Pwr Consumption"),
    ("FRU list", "fru list", "Builtin FRU Device"),
    ("DCMI sensors", "dcmi sensors", "(?s)Inlet: 1 temperature sensor found.*Inlet Temp"),
    ("DCMI temperatures", "dcmi get_temp_reading", r"Inlet air temperature\(40h\)\s+1\s+\+23 C"),
    ("DCMI power limit, none", "dcmi power get_limit", "No Active Power Limit"),
    (
        "DCMI power limit, active",
        "dcmi power set_limit limit 300 && {c} dcmi power activate && {c} dcmi power get_limit",
        r"(?s)Power Limit Active.*300 Watts",
    ),
    ("DCMI controller name", "dcmi set_mc_id_string bmc-7 && {c} dcmi get_mc_id_string", "String: bmc-7"),
    ("DCMI configuration", "dcmi set_conf_param timeout 60 && {c} dcmi get_conf_param", "contact timeout interval\t: 60 seconds"),
    ("DCMI thermal limit", "dcmi thermalpolicy get 0x37 1", "(?i)Temperature Limit"),
    ("PEF", "pef info", r"^\s*0x51 \| 16 \| 16"),
    ("PEF status", "pef status", r"0x0000 \| 0x0000"),
    ("PEF filter", "pef filter enable 3 && {c} pef filter list", r"3 \| enabled"),
    ("PEF policy", "pef policy enable 2 && {c} pef policy list", r"2 \| 1 \| enabled .*802\.3 LAN"),
    ("large buffers", "-z 1000 mc info", "Manufacturer ID"),
    ("OEM types", "-o kontron mc info", "Manufacturer ID"),
)

REFUSALS: Sequence[tuple[str, str, str]] = (
    ("LAN: a mask that is none", "lan set 1 netmask 255.0.255.0", "Setting LAN Subnet Mask"),
    ("LAN: an address of many machines", "lan set 1 ipaddr 230.1.1.1", "Setting LAN IP Address"),
    ("LAN: the MAC address", "lan set 1 macaddr 02:11:22:33:44:55", "Setting LAN MAC Address"),
    ("LAN: a source that is none", "lan set 1 ipsrc bios", "^$"),
    ("LAN: an address under DHCP", "lan set 1 ipsrc dhcp && {c} lan set 1 ipaddr 10.1.2.3", "Setting LAN IP Address"),
    ("LAN: a channel that is none", "lan print 2", "Invalid channel"),
    ("LAN: IPv6", "lan6 set 1 enables both", "Parameter not supported"),
    ("LAN: a suite above its privilege", "lan set 1 cipher_privs XXXoXXXXXXXaXXX && {c} -C 3 mc info", "Unable to establish"),
    ("LAN: an unused suite", "lan set 1 cipher_privs XXXaXXXXXXXXXXX && {c} -C 17 mc info", "no matching cipher suite"),
    ("SOL: no console where it is off", "sol set enabled false 1 && {c} sol activate", "SOL payload disabled"),
    ("SOL: no console below its privilege", "-L USER sol activate", "Insufficient privilege level"),
    ("SOL: a bit rate that is none", "raw 0x0c 0x21 0x01 0x06 0x03", "rsp=0xc9"),
    ("SOL: the payload's port", "raw 0x0c 0x21 0x01 0x08 0x6f 0x02", "rsp=0x82"),
    ("DCMI rolling averages", "dcmi power reading 5_sec", "Invalid data field"),
    ("HPM", "hpm check", "(?s)0xc1.*HPM.1"),
    ("PICMG, through its command", "picmg properties", "Error getting address"),
    ("VITA", "vita properties", "Invalid command"),
    ("FWUM", "fwum info", "returned c1"),
    ("Dell's commands", "delloem lcd info", "not supported"),
    ("Node Manager", "nm discover", "c1"),
    ("Management Engine", "ime info", "not found"),
    ("I2C", "i2c bus=0 0x20 1", "Invalid command"),
    ("a bridged controller", "-t 0x82 mc info", "Invalid command"),
)

CHECKED_OUT: Sequence[tuple[str, int | None]] = (("core", None), ("chassis", 0), ("pef", 0), ("dcmi", 0))
"""Categories, and the exit status of a checkout; with core it is 1 on every BMC that has no serial channel."""

CONFIG: Sequence[tuple[str, str, str, str]] = (
    # what, category, pair, what another checkout then differs in
    ("user", "core", "User5:Username=bob", r"User5:Username - input=`':actual=`bob'"),
    ("LAN", "core", "Lan_Conf:IP_Address=10.1.2.3", r"Lan_Conf:IP_Address - .*10\.1\.2\.3"),
    ("SOL", "core", "SOL_Conf:SOL_Retry_Count=3", r"SOL_Conf:SOL_Retry_Count - .*actual=`3'"),
    ("channel", "core", "Lan_Channel:Non_Volatile_Channel_Privilege_Limit=Operator", "Non_Volatile_Channel_Privilege_Limit - "),
    ("restore policy", "chassis", "Chassis_Power_Conf:Power_Restore_Policy=On_State_AC_Apply", "Power_Restore_Policy - "),
    ("boot device", "chassis", "Chassis_Boot_Flags:Boot_Device=PXE", "Boot_Device - .*PXE"),
    ("power button", "chassis", "Chassis_Front_Panel_Buttons:Enable_Reset_Button=No", "Enable_Reset_Button - .*No"),
    ("community", "pef", "Community_String:Community_String=secret", "Community_String - .*secret"),
    ("event filter", "pef", "Event_Filter_2:Enable_Filter=Yes", "Event_Filter_2:Enable_Filter - "),
    ("alert string", "pef", "Alert_String_1:Alert_String=hello", "Alert_String_1:Alert_String - .*hello"),
    ("power limit", "dcmi", "DCMI_Conf:Power_Limit_Requested=300", "Power_Limit_Requested - .*300"),
    ("asset tag", "dcmi", "DCMI_Conf:Asset_Tag=rack7", "Asset_Tag - .*rack7"),
)

FREEIPMI: Sequence[tuple[str, str, str, int]] = (
    # tool, arguments ({t}: the tool again, with how to get in), says, exit status
    ("bmc-info", "--get-system-info", r"BMC URL\s+: https://", 0),
    ("bmc-info", "--get-channel-info", r"(?s)IPMB.*802\.3 LAN", 0),
    ("bmc-device", "--get-acpi-power-state", "S0/G0", 0),
    ("bmc-device", "--get-lan-statistics", r"Valid RMCP Packets Received\s+: [1-9]", 0),
    ("bmc-device", "--clear-lan-statistics", "^$", 0),
    ("bmc-device", "--set-sel-time=now && {t} --get-sel-time", "SEL Time : ", 0),
    ("bmc-device", "--set-sdr-repository-time=now && {t} --get-sdr-repository-time", "SDR Repository Time : ", 0),
    ("bmc-device", "--set-sel-time-utc-offset=60 && {t} --get-sel-time-utc-offset", "60 minutes", 0),
    ("bmc-device", "--get-bmc-global-enables", r"System Event Logging\s+: enabled", 0),
    ("bmc-device", "--get-kcs-interface-capabilities", "KCS Version", 0),
    ("bmc-device", "--set-system-name=node77", "^$", 0),
    ("bmc-device", "--cold-reset", "^$", 0),
    ("ipmi-dcmi", "--get-dcmi-capability-info", "(?s)Conformance +: 1.5.*Every 5 Second", 0),
    ("ipmi-dcmi", "--set-asset-tag=rack7 && {t} --get-asset-tag", "rack7", 0),
    (
        "ipmi-dcmi",
        "--set-management-controller-identifier-string=bmc-7 && {t} --get-management-controller-identifier-string",
        "bmc-7",
        0,
    ),
    ("ipmi-dcmi", "--get-dcmi-sensor-info", "(?s)Inlet Temperature.*^2$", 0),
    ("ipmi-dcmi", "--get-enhanced-system-power-statistics", "^$", 0),
    ("ipmi-dcmi", "--get-power-limit", r"Power Limit Requested\s+: 800 watts", 0),
    ("ipmi-dcmi", "--activate-deactivate-power-limit=activate && {t} --get-power-limit", "watts", 0),
    ("ipmi-chassis", "--get-chassis-capabilities", "FRU Info Device Address", 0),
    ("ipmi-chassis", "--get-system-restart-cause", "Restart cause", 0),
    (
        "ipmi-chassis",
        "--set-power-restore-policy=always-on && {t} --get-chassis-status",
        r"restore policy\s+: Always on",
        0,
    ),
    ("ipmi-chassis", "--get-boot-flags", "Boot device selector", 0),
    ("ipmi-pef-config", "--info", r"Number of Event Filter Table entries\s+: 16", 0),
    ("ipmi-oem", "dell get-system-info service-tag", "not supported|invalid", 1),
)


def settings() -> Iterator[ClientCell]:
    yield from _ipmitool()
    yield from _many_commands()
    yield from _ipmi_config()
    yield from _freeipmi()


def _ipmitool() -> Iterator[ClientCell]:
    call = "ipmitool -I lanplus -H {h} -U {u} -P {p} "
    for what, arguments, says in IPMITOOL:
        argv = words(call + arguments.replace("{c} ", call))
        yield ClientCell(client="ipmitool", way="lanplus", what=what, argv=argv, says=says, within=10)
    for what, arguments, says in REFUSALS:
        argv = words(call + arguments.replace("{c} ", call))
        yield ClientCell(
            client="ipmitool", way="lanplus", what=f"refused at once: {what}", argv=argv, says=says, code=1, within=AT_ONCE
        )


def _many_commands() -> Iterator[ClientCell]:
    call = "ipmitool -I lanplus -H {h} -U {u} -P {p} "
    for what, line in (
        ("shell", f"printf 'chassis status\\nchassis power status\\nexit\\n' | {call}shell"),
        ("exec", f"printf 'chassis status\\nchassis power status\\n' > commands && {call}exec commands"),
    ):
        yield ClientCell(client="ipmitool", way="lanplus", what=what, argv=_script(line), says="Chassis Power is on", within=10)


def _ipmi_config() -> Iterator[ClientCell]:
    call = "ipmi-config -D LAN_2_0 -h {h} -u {u} -p {p} --category="
    for category, code in CHECKED_OUT:
        line = f"{call}{category} --checkout -n f.conf || test $? = {1 if code is None else 9}"
        round_trip = f"{call}{category} --commit -n f.conf && {call}{category} --diff -n f.conf && echo the same"
        yield ClientCell(
            client="ipmi-config", way="2.0", what=f"{category}: checkout, commit, diff", says="^the same$",
            argv=_script(f"{line} && {round_trip}"),
        )  # fmt: skip
    for what, category, pair, differs in CONFIG:
        line = (
            f"{call}{category} --checkout -n f.conf; {call}{category} --commit -e '{pair}' && {call}{category} --diff -n f.conf"
        )
        yield ClientCell(client="ipmi-config", way="2.0", what=f"{category}: {what}", says=differs, argv=_script(line))


def _script(line: str) -> tuple[str, ...]:
    return ("sh", "-c", f'cd "$(mktemp -d -p "$HOME")" && {line}')


def _freeipmi() -> Iterator[ClientCell]:
    for tool, arguments, says, code in FREEIPMI:
        call = f"{tool} -D LAN_2_0 -h {{h}} -u {{u}} -p {{p}} "
        what = arguments.split()[0].strip("-") if arguments.startswith("--") else arguments
        argv = words(call + arguments.replace("{t} ", call))
        yield ClientCell(client=tool, way="2.0", what=what, argv=argv, says=says, code=code)
    for way, suite in (("2.0", ""), ("2.0 -I 17", "-I 17 ")):
        yield ClientCell(
            client="ipmiconsole", way=way, what="a reboot on the console", typed="ipmiconsole",
            argv=words(f"ipmiconsole {suite}-h {{h}} -u {{u}} -p {{p}}"), says=r"Memory test(.|\s)*login: ",
        )  # fmt: skip
