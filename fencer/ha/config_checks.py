"""What can be wrong with a configuration beyond the shape of its values: URLs, addresses, numbers; files, programs, variables.

`load_config` calls `written_wrongly` for every command. `fence-ha run` calls `missing_here` too, before anything is sent.

Rules
  1. Every problem has the place in the file (`Document.problem`).
  2. `written_wrongly` looks at the file only. `missing_here` looks at this machine: files, programs, environment.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fencer.ha.config_file import Document

if TYPE_CHECKING:
    from fencer.ha.config import Config, ConfigPart, HostPart
    from fencer.ha.config_devices import AddressPart, CredentialsPart, KeyPlace

RUN_LIMIT = "timeout"
"""The program of coreutils that ends a fence agent in time, also while the manager stands still."""
MOST_NUMBER = 1e9
"""No duration, count or ratio of the policy is greater: that is 31 years."""
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?"
)


def written_wrongly(document: Document, part: ConfigPart) -> list[str]:
    """Problems of the file itself."""
    problems = [document.problem(place, why) for index, host in enumerate(part.hosts) for place, why in _host(index, host)]
    for index, device in enumerate(part.devices):
        if device.kind != "agent":
            problems += [document.problem(("devices", index, *place), why) for place, why in _device_address(device)]
    for key, value in part.policy.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and not _is_usable(value):
            problems.append(document.problem(("policy", key), f"must be a number of at most {MOST_NUMBER:g}"))
    if part.api is not None:
        problems += [document.problem(("api", "listen"), why) for why in _listen(part.api.listen)]
    return problems


def _is_usable(value: int | float) -> bool:
    return math.isfinite(value) and abs(value) <= MOST_NUMBER


def _listen(text: str) -> Iterator[str]:
    from fencer.ha.api.server import CannotListen, parse_address  # only a file with an API needs the server

    try:
        parse_address(text)
    except CannotListen as error:
        yield str(error)


def _host(index: int, host: HostPart) -> Iterator[tuple[KeyPlace, str]]:
    at: KeyPlace = ("hosts", index)
    yield from (((*at, "bmc", *place), why) for place, why in _device_address(host.bmc))
    if host.agent is not None:
        yield from (((*at, "agent"), why) for why in _url(host.agent))
    for kind, probes in (("health", host.health), ("activity", host.activity)):
        for number, probe in enumerate(probes):
            here = (*at, kind, number)
            if probe.kind == "http":
                yield from (((*here, "url"), why) for why in _url(probe.url))
                if not 100 <= probe.status <= 599:
                    yield (*here, "status"), "must be an HTTP status, 100 to 599"
            elif probe.kind == "tcp":
                yield from (((*here, "host"), why) for why in _address(probe.host))


def _device_address(device: AddressPart) -> Iterator[tuple[KeyPlace, str]]:
    if device.url is not None:
        yield from ((("url",), why) for why in _url(device.url))
    if device.host is not None:
        yield from ((("host",), why) for why in _address(device.host))


def _url(text: str) -> Iterator[str]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        yield f"{text!r} is not a URL: {error}"
        return
    if parts.scheme not in ("http", "https"):
        yield f"{text!r} must begin with http:// or https://"
    elif not parts.hostname:
        yield f"{text!r} names no host"
    elif parts.username is not None or parts.password is not None:
        yield "the URL must hold no user name and no password"
    elif port == 0:
        yield f"{text!r}: the port must be 1 to 65535"
    else:
        yield from _address(parts.hostname)


def _address(text: str) -> Iterator[str]:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        if not _HOST_NAME.fullmatch(text):
            yield f"{text!r} is neither an address nor a host name"
        elif re.fullmatch(r"[0-9.]+", text):
            yield f"{text!r} is not an IPv4 address"


# -- this machine ----------------------------------------------------------------------------------------------------------


def missing_here(config: Config) -> list[str]:
    """What this machine lacks for the configuration: CA files, password files and variables, programs, the state's folder."""
    problems = [
        config.document.problem(place, why)
        for index, host in enumerate(config.part.hosts)
        for place, why in _lacks(config, index, host)
    ]
    for index, device in enumerate(config.part.devices):
        at: KeyPlace = ("devices", index)
        lacks = [*_lacks_secret(config, device)]
        if device.kind == "agent":
            lacks += [(("command",), why) for why in _program(device.command, config.path.parent)]
            lacks += [
                (("command",), f"an agent is run with a time limit: {why}") for why in _program(RUN_LIMIT, config.path.parent)
            ]
        elif device.ca_file is not None:
            lacks += [(("ca_file",), why) for why in _ca_file(config.path.parent / device.ca_file)]
        problems += [config.document.problem((*at, *place), why) for place, why in lacks]
    folder = config.state_file.parent
    if not folder.is_dir():
        problems.append(config.document.problem(("state_file",), f"the folder {folder} does not exist"))
    executor = config.part.executor
    if executor is not None and executor.kind == "exec":
        for key, argv in (("start", executor.start), ("stop", executor.stop)):
            problems += [config.document.problem(("executor", key, 0), why) for why in _program(argv[0], config.path.parent)]
    if executor is not None and executor.kind == "http" and executor.token_env and executor.token_env not in os.environ:
        problems.append(config.document.problem(("executor", "token_env"), f"{executor.token_env} is not set"))
    return problems


def _lacks(config: Config, index: int, host: HostPart) -> Iterator[tuple[KeyPlace, str]]:
    at: KeyPlace = ("hosts", index)
    base, bmc = config.path.parent, host.bmc
    if bmc.ca_file is not None:
        yield from (((*at, "bmc", "ca_file"), why) for why in _ca_file(base / bmc.ca_file))
    yield from (((*at, "bmc", *place), why) for place, why in _lacks_secret(config, bmc))
    for kind, probes in (("health", host.health), ("activity", host.activity)):
        for number, probe in enumerate(probes):
            if probe.kind == "exec":
                yield from (((*at, kind, number, "argv", 0), why) for why in _program(probe.argv[0], base))


def _lacks_secret(config: Config, part: CredentialsPart) -> Iterator[tuple[KeyPlace, str]]:
    if part.password_env is not None and part.password_env not in os.environ:
        yield ("password_env",), f"{part.password_env} is not set"
    if part.password_file is not None:
        yield from ((("password_file",), why) for why in _readable(config.path.parent / part.password_file))


def _program(name: str, base: Path) -> Iterator[str]:
    if "/" not in name:
        if shutil.which(name) is None:
            yield f"there is no program {name!r} in PATH"
        return
    path = base / name
    if not path.is_file():
        yield f"there is no program {path}"
    elif not os.access(path, os.X_OK):
        yield f"{path} is not executable (chmod +x)"


def _readable(path: Path) -> Iterator[str]:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        yield f"{path}: {error.strerror}"


def _ca_file(path: Path) -> Iterator[str]:
    problems = list(_readable(path))
    if not problems:
        try:
            ssl.create_default_context(cafile=str(path))
        except (ssl.SSLError, OSError):
            problems = [f"{path} holds no certificate in PEM form"]
    yield from problems
