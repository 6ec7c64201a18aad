"""Converts the parameters of fence_bmc (names and text values) to a Target and its Limits.

`fencer.agent` calls `settings` once, before any network I/O. It may read a password file or run a password script.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from fencer.outcome import Action
from fencer.parameters import BY_NAME, ParameterKind
from fencer.target import Auth, ChassisCheck, IdentityCheck, Limits, Protocol, Target

TRUE = frozenset({"1", "yes", "on", "true"})
FALSE = frozenset({"0", "no", "off", "false", ""})
PRIVILEGES = {"user": 2, "operator": 3, "administrator": 4}
PASSWORD_SCRIPT_TIMEOUT_S = 10.0
MAX_COMMANDS = 3
FREE_TEXT = frozenset({"password", "password_script", "password_file", "debug_file", "evidence", "ssl_ca_file"})


class BadSettings(Exception):
    """The user's configuration is wrong; nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """The settings of one run of the agent. `target` is None for `metadata`; `delay` is in seconds."""

    action: Action
    target: Target | None
    limits: Limits
    delay: float
    method: str
    quiet: bool
    verbose: bool
    debug_file: str | None
    evidence: str | None


def action_of(values: Mapping[str, str]) -> Action:
    """Returns the requested action; without one it is reboot. Raises BadSettings for an unknown word."""
    word = values.get("action", "reboot").strip().lower()
    try:
        return Action(word)
    except ValueError as error:
        raise BadSettings(f"unknown action {word!r}; there are {', '.join(Action)}") from error


def settings(values: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> AgentSettings:
    """Checks and converts `values`, keyed by the names in `fencer.parameters`. Raises BadSettings."""
    given = {name: value if name in FREE_TEXT else value.strip() for name, value in values.items()}
    action = action_of(given)
    _check_selects(given)
    # An empty time means its default, as in fence-agents.
    for name in ("evidence", "debug_file"):
        _check_output_file(name, given.get(name, ""))
    seconds = {name: _seconds(name, given.get(name) or BY_NAME[name].default or "0") for name in SECOND_PARAMETERS}
    try:
        limits = _limits(action, given, seconds)
        target = None if action is Action.METADATA else _target(given, environment)
    except ValueError as error:
        raise BadSettings(str(error)) from error
    return AgentSettings(
        action=action,
        target=target,
        limits=limits,
        delay=seconds["delay"],
        method=given.get("method", "onoff"),
        quiet=_flag(given, "quiet"),
        verbose=_flag(given, "verbose"),
        debug_file=given.get("debug_file") or None,
        evidence=given.get("evidence") or None,
    )


SECOND_PARAMETERS = tuple(name for name, parameter in BY_NAME.items() if parameter.kind is ParameterKind.SECOND)


def _limits(action: Action, given: Mapping[str, str], seconds: Mapping[str, float]) -> Limits:
    longest = seconds["stonith_status_sleep"]
    if longest <= 0:
        raise BadSettings("stonith_status_sleep must be more than 0 seconds")
    chassis = _chassis_uris(given.get("chassis_check", ""))
    commands = MAX_COMMANDS
    if action is Action.ON and given.get("retry_on"):
        commands = min(1 + max(_integer("retry_on", given["retry_on"]), 0), MAX_COMMANDS)
    return Limits(
        deadline=seconds["deadline"] if given.get("deadline") else seconds["power_timeout"],
        connect=seconds["login_timeout"],
        request=seconds["shell_timeout"],
        stable_for=seconds["stable_for"],
        poll=min(0.5, longest),
        poll_max=longest,
        power_wait=seconds["power_wait"],
        max_commands=commands,
        graceful=seconds["graceful"],
        chassis_check=ChassisCheck.LISTED if chassis else ChassisCheck(given.get("chassis_check") or "require"),
        chassis=chassis,
    )


def _target(given: Mapping[str, str], environment: Mapping[str, str]) -> Target:
    protocol = Protocol(given.get("protocol") or "redfish")
    if _flag(given, "lanplus"):
        protocol = Protocol.IPMI
    if not given.get("ip"):
        raise BadSettings("ip is missing: the address of the BMC")
    host, port = _host_and_port(given["ip"])
    if given.get("ipport"):
        port = _integer("ipport", given["ipport"])
    user = given.get("username", "")
    if not user and protocol is Protocol.REDFISH:
        raise BadSettings("username is missing")
    if _flag(given, "ssl_insecure") and _flag(given, "ssl_secure"):
        raise BadSettings("ssl_insecure and ssl_secure contradict each other")
    plug = given.get("plug") if given.get("plug") != given.get("nodename") else None
    try:
        kg = bytes.fromhex(given.get("hexadecimal_kg", "").removeprefix("0x"))
    except ValueError as error:
        raise BadSettings("hexadecimal_kg is not hexadecimal") from error
    return Target(
        host=host,
        protocol=protocol,
        port=port,
        user=user,
        password=_password(given, environment),
        system=given.get("systems_uri") or plug or None,
        identity=given.get("identity") or None,
        identity_check=IdentityCheck(given.get("identity_check") or "require"),
        redfish_uri=given.get("redfish_uri") or "/redfish/v1",
        verify_tls=not _flag(given, "ssl_insecure"),
        ca_file=given.get("ssl_ca_file") or None,
        auth=Auth(given.get("auth_method") or "auto"),
        cipher=int(given["cipher"]) if given.get("cipher") else None,
        kg=kg,
        privilege=PRIVILEGES[given.get("privlvl") or "administrator"],
    )


def _password(given: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Returns the first of password, password_script, password_file, FENCE_PASSWORD. An empty `password` counts as given."""
    if "password" in given:
        return given["password"]
    if given.get("password_script"):
        return _password_from_script(given["password_script"])
    if given.get("password_file"):
        path = given["password_file"]
        try:
            raw = Path(path).read_bytes()
        except OSError as error:
            raise BadSettings(f"password_file {path} cannot be read ({error.strerror})") from error
        return raw.split(b"\n")[0].removesuffix(b"\r").decode("utf-8", "surrogateescape")
    if "FENCE_PASSWORD" in environment:
        return environment["FENCE_PASSWORD"]
    raise BadSettings("password is missing: give password, password_script, password_file or FENCE_PASSWORD")


def _password_from_script(path: str) -> str:
    try:
        done = subprocess.run(
            [path], stdin=subprocess.DEVNULL, capture_output=True, timeout=PASSWORD_SCRIPT_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BadSettings(f"password_script {path} did not end within {PASSWORD_SCRIPT_TIMEOUT_S:g} s") from error
    except OSError as error:
        raise BadSettings(f"password_script {path} cannot be run ({error.strerror})") from error
    if done.returncode != 0:
        raise BadSettings(f"password_script {path} ended with status {done.returncode}")
    return done.stdout.rstrip(b"\r\n").decode("utf-8", "surrogateescape")


def _host_and_port(text: str) -> tuple[str, int | None]:
    """Splits host, host:port, [v6]:port or a bare IPv6 address."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, _integer("ip", rest.removeprefix(":")) if rest else None
    host, colon, port = text.partition(":")
    if not colon or ":" in port:
        return text, None
    return host, _integer("the port in ip", port)


def _check_selects(given: Mapping[str, str]) -> None:
    for name, value in given.items():
        parameter = BY_NAME.get(name)
        if name == "chassis_check" and _chassis_uris(value):
            continue
        if parameter and parameter.kind is ParameterKind.SELECT and value and value not in parameter.options:
            raise BadSettings(f"{name} is {value!r}; it must be one of {', '.join(parameter.options)}")


def _chassis_uris(text: str) -> tuple[str, ...]:
    """Returns the URIs of a chassis_check that is a list of them, separated by commas or blanks; else nothing."""
    words = text.replace(",", " ").split()
    if not any("/" in word for word in words):
        return ()
    for word in words:
        if not word.startswith(("/", "http://", "https://")):
            raise BadSettings(f"chassis_check has {word!r}; a list must have only URIs of chassis, like /redfish/v1/Chassis/1")
    return tuple(dict.fromkeys(words))


def _check_output_file(name: str, path: str) -> None:
    """Refuses what cannot be written, before anything is sent. A FIFO would block the agent until somebody reads it."""
    if not path or (name == "evidence" and path == "-"):
        return
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


def _flag(given: Mapping[str, str], name: str) -> bool:
    word = given.get(name, "").lower()
    if word not in TRUE | FALSE:
        raise BadSettings(f"{name} is {word!r}; it must be 1 or 0")
    return word in TRUE


def _seconds(name: str, text: str) -> float:
    try:
        value = float(text.removesuffix("s"))
    except ValueError as error:
        raise BadSettings(f"{name} is {text!r}, not a number of seconds") from error
    if not isfinite(value) or value < 0:
        raise BadSettings(f"{name} is {text!r}; it must be 0 seconds or more")
    return value


def _integer(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadSettings(f"{name} is {text!r}, not a whole number")
    return int(text)
