"""Converts the parameters of fence_bmc (names and text values) to a Target and its Limits.

`fencer.agent` calls `settings` once, before any network I/O. It may read a password file or run a password script.
Messages name each parameter as the user wrote it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass

from fencer import drop_in, passwords, pdu_settings
from fencer.given import BadSettings, GivenValues, whole_number
from fencer.outcome import Action
from fencer.parameters import BY_NAME, ParameterKind
from fencer.target import Address, Auth, ChassisCheck, IdentityCheck, Limits, Protocol, Target

__all__ = ["AgentSettings", "BadSettings", "action_of", "settings"]

PRIVILEGES = {"user": 2, "operator": 3, "administrator": 4}
MAX_COMMANDS = 3
HOST_SIGNS = "-._:%"
MAX_HOST_CHARS = 300
FREE_TEXT = frozenset({"password", "password_script", "password_file", "debug_file", "evidence", "ssl_ca_file"})
READING_ACTION_S = 15.0
"""Longest time of an action that sends no power command. Pacemaker stops a monitor after 60 s, and runs it every few minutes."""
POWER_ACTIONS = frozenset({Action.OFF, Action.ON, Action.REBOOT})
SECOND_PARAMETERS = tuple(name for name, parameter in BY_NAME.items() if parameter.kind is ParameterKind.SECOND)
MORE_THAN_ZERO: Mapping[str, str] = {
    "stonith_status_sleep": "write 1, or a part of a second",
    "power_timeout": "write seconds, like 50",
    "deadline": "write seconds, like 50",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """The settings of one run of the agent. `target` is None for actions that need no BMC; `delay` is in seconds.

    `notes` are sentences about parameters that are carried out in another way than the user may expect.
    """

    action: Action
    target: Target | None
    limits: Limits
    delay: float
    method: str
    quiet: bool
    verbose: bool
    json: bool
    debug_file: str | None
    evidence: str | None
    notes: tuple[str, ...] = ()


def action_of(values: Mapping[str, str]) -> Action:
    """Returns the requested action; without one it is reboot. Raises BadSettings for an unknown word."""
    word = drop_in.action_name(values.get("action", "reboot").strip().lower())
    try:
        return Action(word)
    except ValueError as error:
        raise BadSettings(f"unknown action {word[:40]!r}; there are {', '.join(Action)}") from error


def settings(values: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> AgentSettings:
    """Checks and converts `values`, keyed by the names in `fencer.parameters`. Raises BadSettings."""
    given = values if isinstance(values, GivenValues) else GivenValues(values)
    texts = {name: value if name in FREE_TEXT else value.strip() for name, value in given.items()}
    given = GivenValues(texts, given.names, given.program)
    action = action_of(given)
    drop_in.check(given)
    _check_selects(given)
    for name in ("evidence", "debug_file"):
        _check_output_file(given, name)
    seconds = {name: given.seconds(name, BY_NAME[name].default or "0") for name in SECOND_PARAMETERS}
    for name, advice in MORE_THAN_ZERO.items():
        if seconds[name] == 0 and (given.get(name) or name != "deadline"):
            raise BadSettings(f"{given.spelled(name)} is 0; {advice}")
    protocols = drop_in.protocols(given)
    _check_redfish(given, protocols)
    outlets = pdu_settings.outlets(given, protocols, action)
    try:
        limits = _limits(action, given, seconds)
        if action in (Action.OFF, Action.REBOOT):
            _check_fits(given, limits)
        needs_bmc = action not in (Action.METADATA, Action.MANPAGE)
        target = _target(given, protocols, outlets, environment) if needs_bmc else None
    except ValueError as error:
        raise BadSettings(str(error)) from error
    return AgentSettings(
        action=action,
        target=target,
        limits=limits,
        delay=seconds["delay"],
        method=given.get("method") or "onoff",
        quiet=given.flag("quiet"),
        verbose=given.flag("verbose") if (level := given.integer("verbose_level")) is None else level > 0,
        json=given.get("output") == "json",
        debug_file=given.get("debug_file") or None,
        evidence=given.get("evidence") or None,
        notes=drop_in.notes(given, protocols),
    )


def _limits(action: Action, given: GivenValues, seconds: Mapping[str, float]) -> Limits:
    longest = seconds["stonith_status_sleep"]
    chassis = _chassis_uris(given)
    commands = MAX_COMMANDS
    retries = given.integer("retry_on")
    if action is Action.ON and retries is not None:
        commands = min(1 + retries, MAX_COMMANDS)
    deadline = seconds["power_timeout"] if action in POWER_ACTIONS else min(seconds["power_timeout"], READING_ACTION_S)
    if given.get("deadline"):
        deadline = seconds["deadline"]
    return Limits(
        deadline=deadline,
        connect=seconds["login_timeout"] or deadline,
        request=seconds["shell_timeout"] or deadline,
        stable_for=seconds["stable_for"],
        poll=min(0.5, longest),
        poll_max=longest,
        power_wait=seconds["power_wait"],
        max_commands=commands,
        graceful=seconds["graceful"],
        chassis_check=ChassisCheck.LISTED if chassis else ChassisCheck(given.get("chassis_check") or "require"),
        chassis=chassis,
    )


def _target(
    given: GivenValues, protocols: tuple[Protocol, ...], outlets: tuple[str, ...], environment: Mapping[str, str]
) -> Target:
    addresses = _addresses(given)
    user = given.get("username", "")
    if not user and protocols != (Protocol.IPMI,):
        raise BadSettings("username is missing")
    insecure, secure = given.flag("ssl_insecure"), given.flag("ssl_secure")
    if insecure and secure:
        raise BadSettings(f"{given.spelled('ssl_insecure')} and {given.spelled('ssl_secure')} contradict each other")
    fingerprint = _fingerprint(given)
    # A pinned certificate needs no CA, unless the user asks for both.
    verify = secure or bool(given.get("ssl_ca_file")) if fingerprint else not insecure
    try:
        kg = bytes.fromhex(given.get("hexadecimal_kg", "").removeprefix("0x"))
    except ValueError as error:
        raise BadSettings(f"{given.spelled('hexadecimal_kg')} is not hexadecimal") from error
    return Target(
        host=addresses[0].host,
        protocol=protocols[0],
        port=addresses[0].port,
        others=addresses[1:],
        second=protocols[1] if len(protocols) > 1 else None,
        second_port=_port(given, "ipmi_port"),
        user=user,
        password=passwords.password(given, environment),
        system=_system(given, protocols),
        outlets=outlets,
        identity=given.get("identity") or None,
        identity_check=IdentityCheck(given.get("identity_check") or "require"),
        redfish_uri=given.get("redfish_uri") or "/redfish/v1",
        verify_tls=verify,
        ca_file=given.get("ssl_ca_file") or None,
        fingerprint=fingerprint,
        auth=Auth(given.get("auth_method") or "auto"),
        cipher=int(given["cipher"]) if given.get("cipher") else None,
        kg=kg,
        privilege=PRIVILEGES[given.get("privlvl") or "administrator"],
    )


def _addresses(given: GivenValues) -> tuple[Address, ...]:
    """Returns the addresses of the BMC: `ip`, separated by commas; with port_as_ip `plug`. Raises BadSettings."""
    name = "plug" if given.flag("port_as_ip") and given.get("plug") else "ip"
    text = given.get(name, "")
    if not text:
        raise BadSettings(f"{given.spelled('ip')} is missing: the address of the BMC")
    port = _port(given, "ipport")
    found = []
    for word in dict.fromkeys(part.strip() for part in text.split(",")):
        if not word:
            raise BadSettings(f"{given.spelled(name)} is {text[:80]!r}; a list of addresses has no empty place")
        host, own = _host_and_port(given.spelled(name), word)
        if not host or len(host) > MAX_HOST_CHARS or not all(letter.isalnum() or letter in HOST_SIGNS for letter in host):
            raise BadSettings(f"{given.spelled(name)} is {text[:80]!r}, not a host name or address, nor one with its port")
        if own is not None and port is not None and own != port:
            raise BadSettings(f"{given.spelled(name)} says port {own} and {given.spelled('ipport')} {port}; leave one out")
        found.append(Address(host, own if own is not None else port))
    return tuple(found)


def _port(given: GivenValues, name: str) -> int | None:
    port = given.integer(name)
    if port is not None and not 0 < port < 65536:
        raise BadSettings(f"{given.spelled(name)} is {port}; a port is between 1 and 65535")
    return port


def _host_and_port(name: str, text: str) -> tuple[str, int | None]:
    """Splits host, host:port, [v6]:port or a bare IPv6 address."""
    if text.startswith("["):
        host, end, rest = text[1:].partition("]")
        if not end or rest[:1] not in ("", ":"):
            raise BadSettings(f"{name} is {text[:80]!r}; an IPv6 address with its port is written as [::1]:443")
        return host, whole_number(f"the port in {name}", rest[1:]) if rest else None
    host, colon, port = text.partition(":")
    if not colon or ":" in port:
        return text, None
    return host, whole_number(f"the port in {name}", port)


def _system(given: GivenValues, protocols: tuple[Protocol, ...]) -> str | None:
    """Returns the selected System. Pacemaker's own name of the node selects none. Raises BadSettings."""
    plug = given.get("plug") if given.get("plug") != given.get("nodename") and not given.flag("port_as_ip") else None
    uri = given.get("systems_uri")
    if Protocol.PDU in protocols:
        return None
    if Protocol.REDFISH in protocols:
        return uri or plug or None
    for name, value in (("systems_uri", uri), ("plug", plug)):
        if value:
            raise BadSettings(
                f"{given.spelled(name)} selects a System of Redfish, and a BMC has one host over IPMI; leave it out"
            )
    return None


def _check_redfish(given: GivenValues, protocols: tuple[Protocol, ...]) -> None:
    """Refuses what would silently protect less than it says: IPMI has no certificates. Raises BadSettings."""
    uri = given.get("redfish_uri", "")
    if uri and (not uri.startswith("/") or not uri.isprintable() or " " in uri):
        raise BadSettings(f"{given.spelled('redfish_uri')} is {uri[:80]!r}; write a path, like /redfish/v1")
    for name in ("ssl_ca_file", "ssl_fingerprint", "ssl_secure"):
        if protocols == (Protocol.IPMI,) and given.get(name):
            raise BadSettings(f"{given.spelled(name)} belongs to Redfish, and IPMI has no certificates; leave it out")


def _check_fits(given: GivenValues, limits: Limits) -> None:
    """Refuses times within which no Off can be proved. Raises BadSettings."""
    for name, value in (("stable_for", limits.stable_for), ("power_wait", limits.power_wait)):
        if value >= limits.deadline:
            bound = given.spelled("deadline" if given.get("deadline") else "power_timeout")
            text = f"{given.spelled(name)} is {value:g} s, and {bound} {limits.deadline:g} s: no Off could be proved within it"
            raise BadSettings(text)


def _fingerprint(given: GivenValues) -> str | None:
    text = given.get("ssl_fingerprint", "")
    digits = text.lower().removeprefix("sha256").lstrip(":/= ").replace(":", "").replace(" ", "")
    if text and (len(digits) != 64 or set(digits) - set("0123456789abcdef")):
        name = given.spelled("ssl_fingerprint")
        raise BadSettings(f"{name} is not a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons")
    return digits or None


def _check_selects(given: GivenValues) -> None:
    for name, value in given.items():
        parameter = BY_NAME.get(name)
        if name == "chassis_check" and _chassis_uris(given):
            continue
        if parameter and parameter.options and value and value not in parameter.options:
            raise BadSettings(f"{given.spelled(name)} is {value[:40]!r}; it must be one of {' or '.join(parameter.options)}")


def _chassis_uris(given: GivenValues) -> tuple[str, ...]:
    """Returns the URIs of a chassis_check that is a list of them, separated by commas or blanks; else nothing."""
    words = given.get("chassis_check", "").replace(",", " ").split()
    if not any("/" in word for word in words):
        return ()
    for word in words:
        if not word.startswith(("/", "http://", "https://")):
            name = given.spelled("chassis_check")
            raise BadSettings(f"{name} has {word[:80]!r}; a list must have only URIs of chassis, like /redfish/v1/Chassis/1")
    return tuple(dict.fromkeys(words))


def _check_output_file(given: GivenValues, parameter: str) -> None:
    """Refuses what cannot be written, before anything is sent. A FIFO would block the agent until somebody reads it."""
    path, name = given.get(parameter, ""), given.spelled(parameter)
    if not path or (parameter == "evidence" and path == "-"):
        return
    if path.isspace():
        raise BadSettings(f"{name} has only blanks; it must be the name of a file")
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        folder = os.path.dirname(path) or "."
        if not os.path.isdir(folder):
            raise BadSettings(f"{name} is {path}, and there is no folder {folder}") from None
        return
    except (OSError, ValueError) as error:
        raise BadSettings(f"{name} is {path}, which cannot be written ({error})") from error
    if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):
        kind = "a folder" if stat.S_ISDIR(mode) else "a FIFO" if stat.S_ISFIFO(mode) else "a socket or a block device"
        raise BadSettings(f"{name} is {path}, which is {kind}; it must be a file")
