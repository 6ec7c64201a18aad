"""The devices in a configuration of `fence-ha`: a host's own BMC, and further ones that fencing levels name.

`fencer.ha.config` builds its model from these parts and calls `problems` for what one part alone cannot show.

Rules
  1. `fence` of a host names each device once, and its own BMC (`bmc`) among them.
  2. An outlet, and a device that is switched as a whole, belongs to one host.
  3. A password is in no option of an agent: it has keys of its own, so that it can stay out of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fencelab_yaml.errors import did_you_mean
from fencelab_yaml.values import KeyText, Text
from fencer import identity
from fencer.ha.record import OWN_BMC

if TYPE_CHECKING:
    from fencer.ha.config import ConfigPart, HostPart

Name = Annotated[str, Text("[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "a name of letters, digits, . _ -")]
Option = Annotated[str, KeyText("[A-Za-z][A-Za-z0-9_-]{0,62}", "the name of an option")]
Outlet = Annotated[str, Text(r"[^\s,]{1,256}", "an outlet without blanks and commas")] | int
KeyPlace = tuple[str | int, ...]

STANDARD_PORTS = {"redfish": 443, "https": 443, "http": 80, "ipmi": 623}
RESERVED_OPTIONS = {
    "password": "write password_env, password_file or password beside options, not in it",
    "passwd": "write password_env, password_file or password beside options, not in it",
    "action": "fence-ha gives the action",
    "option": "fence-ha gives the action",
    "plug": "write the host's plug under its outlets",
    "port": "write the host's plug under its outlets",
}
"""Options of an agent that its device may not have, each with what to do instead."""


class ConfigModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class CredentialsPart(ConfigModel):
    username: Annotated[str, Field(description="the user name")] = ""
    password: Annotated[str | None, Field(description="the password; better in a variable or a file")] = None
    password_env: Annotated[str | None, Field(description="the variable that holds the password")] = None
    password_file: Annotated[str | None, Field(description="the file that holds the password, from this file's folder on")] = None

    @model_validator(mode="after")
    def _one_password(self) -> CredentialsPart:
        if sum(way is not None for way in (self.password, self.password_env, self.password_file)) > 1:
            raise ValueError("give only one of password, password_env and password_file")
        return self


class AddressPart(CredentialsPart):
    url: Annotated[str | None, Field(description="the address as https://HOST:PORT; or host")] = None
    host: Annotated[str | None, Field(description="the name or address; or url")] = None
    port: Annotated[
        Annotated[int, Field(gt=0, lt=65536)] | None, Field(description="without: the usual port of the protocol")
    ] = None
    verify_tls: Annotated[bool, Field(description="whether the certificate must be valid")] = True
    ca_file: Annotated[str | None, Field(description="the CA certificates in PEM form; without: those of this machine")] = None
    auth: Annotated[Literal["auto", "basic", "session"], Field(description="how to log in over Redfish")] = "auto"

    @model_validator(mode="after")
    def _one_address(self) -> AddressPart:
        if (self.url is None) == (self.host is None):
            raise ValueError("give exactly one of url and host")
        return self

    @property
    def standard_port(self) -> int:
        return STANDARD_PORTS["redfish"]

    @property
    def device(self) -> str:
        """The device in a form that is equal for all spellings of one address. Its standard ports are one device."""
        try:
            parts = urlsplit(self.url or "")
            port = parts.port
        except ValueError:
            return self.url or ""
        host = (parts.hostname or self.host or "").rstrip(".").lower()
        port = port or self.port or STANDARD_PORTS.get(parts.scheme, self.standard_port)
        return host if port in (STANDARD_PORTS["redfish"], STANDARD_PORTS["ipmi"]) else f"{host}:{port}"


class BmcPart(AddressPart):
    protocol: Annotated[Literal["redfish", "ipmi"], Field(description="how the BMC is spoken to")] = "redfish"
    system: Annotated[str | None, Field(description="URI, Id or UUID of the System; needed where there are several")] = None
    identity: Annotated[str | None, Field(description="UUID or serial; a BMC that shows another one is never touched")] = None
    cipher: Annotated[Literal[3, 17] | None, Field(description="the IPMI cipher suite; without: both are tried")] = None
    chassis_check: Annotated[
        Literal["require", "own", "ignore"], Field(description="what a linked Chassis may say against the System's Off")
    ] = "require"
    identity_check: Annotated[
        Literal["require", "when-shown"], Field(description="when-shown: a BMC that shows no identity is accepted")
    ] = "require"

    @model_validator(mode="after")
    def _no_url_for_ipmi(self) -> BmcPart:
        if self.protocol == "ipmi" and self.url is not None:
            raise ValueError("IPMI takes host and port, not url")
        return self

    @property
    def standard_port(self) -> int:
        return STANDARD_PORTS[self.protocol]

    @property
    def machine(self) -> tuple[str, str, str]:
        """Device, protocol and System: two hosts with one of these are one machine."""
        system = (self.system or "").rstrip("/").rsplit("/", 1)[-1]
        return self.device, self.protocol, identity.canonical(system)


class BmcDevice(BmcPart):
    """A second BMC of one host, or another protocol of the same one."""

    name: Annotated[Name, Field(description="what fencing levels call it")]
    kind: Annotated[Literal["bmc"], Field(description="a further BMC")]


class PduDevice(AddressPart):
    """A PDU over Redfish, for many hosts: each names its outlets."""

    name: Annotated[Name, Field(description="what fencing levels call it")]
    kind: Annotated[Literal["pdu"], Field(description="a PDU over Redfish")]


class AgentDevice(CredentialsPart):
    """A fence agent after FenceAgentAPI: parameters and password go to its standard input."""

    name: Annotated[Name, Field(description="what fencing levels call it")]
    kind: Annotated[Literal["agent"], Field(description="a fence agent")]
    command: Annotated[str, Field(min_length=1, description="the program")]
    options: Annotated[
        dict[Option, str | int | float | bool], Field(description="its parameters, without password and plug")
    ] = {}


Device = Annotated[BmcDevice | PduDevice | AgentDevice, Field(discriminator="kind")]


def problems(part: ConfigPart) -> Iterator[tuple[KeyPlace, str]]:
    """What is wrong with devices and levels, each with its place."""
    names = [device.name for device in part.devices]
    for index, device in enumerate(part.devices):
        if device.name in names[:index]:
            yield ("devices", index, "name"), f"{device.name} is written twice"
        if device.name == OWN_BMC:
            yield ("devices", index, "name"), f"{OWN_BMC} is the name of each host's own BMC; choose another one"
        if device.kind == "agent":
            for option, value in device.options.items():
                if option in RESERVED_OPTIONS:
                    yield ("devices", index, "options", option), RESERVED_OPTIONS[option]
                elif isinstance(value, str) and ("\n" in value or "\0" in value):
                    yield ("devices", index, "options", option), "must be one line"
    for index, host in enumerate(part.hosts):
        yield from _levels(index, host, names)
        yield from _outlets(index, host, part)
    yield from _shared(part)


def _levels(index: int, host: HostPart, names: list[str]) -> Iterator[tuple[KeyPlace, str]]:
    at: KeyPlace = ("hosts", index, "fence")
    seen: list[str] = []
    if host.fence is None:
        return
    if not host.fence:
        yield at, f"fence of {host.name} has no level; leave it out for the BMC alone"
        return
    for number, level in enumerate(host.fence):
        if not level:
            yield (*at, number), f"level {number + 1} of {host.name} names no device"
        for place, name in enumerate(level):
            if name in seen:
                yield (*at, number, place), f"{name} is in the levels of {host.name} twice"
            elif name not in (OWN_BMC, *names):
                known = ", ".join((OWN_BMC, *names))
                yield (
                    (*at, number, place),
                    f"no device is called {name}{did_you_mean(name, (OWN_BMC, *names)) or f'; there are {known}'}",
                )
            seen.append(name)
    if OWN_BMC not in seen:
        yield at, f"{OWN_BMC} is in no level of {host.name}; a device beside it is tried where it is written"


def _outlets(index: int, host: HostPart, part: ConfigPart) -> Iterator[tuple[KeyPlace, str]]:
    at: KeyPlace = ("hosts", index, "outlets")
    used = {name for level in host.fence or [] for name in level}
    kinds = {device.name: device.kind for device in part.devices}
    for name, outlets in host.outlets.items():
        if kinds.get(name) not in ("pdu", "agent"):
            yield (*at, name), f"no PDU and no agent is called {name}"
        elif name not in used:
            yield (*at, name), f"{name} is in no level of {host.name} (fence)"
        elif not outlets:
            yield (*at, name), f"name the outlets of {host.name} on {name}"
    for number, level in enumerate(host.fence or []):
        for place, name in enumerate(level):
            if kinds.get(name) == "pdu" and name not in host.outlets:
                yield (
                    ("hosts", index, "fence", number, place),
                    f"which outlets of {name} feed {host.name}? Write outlets: {{{name}: [...]}}",
                )


def _shared(part: ConfigPart) -> Iterator[tuple[KeyPlace, str]]:
    """Rule 2. PDUs are compared by address, since one may be written under two names."""
    devices = {device.name: device for device in part.devices}
    owners: dict[tuple[str, str], list[tuple[str, str]]] = {}
    whole: dict[str, str] = {}
    for index, host in enumerate(part.hosts):
        for number, level in enumerate(host.fence or []):
            for place, name in enumerate(level):
                device = devices.get(name)
                if device is not None and not host.outlets.get(name) and device.kind != "pdu":
                    first = whole.setdefault(name, host.name)
                    if first != host.name:
                        yield (
                            ("hosts", index, "fence", number, place),
                            f"{name} is a device of {first} already, and it has no outlets",
                        )
        for name, outlets in host.outlets.items():
            device = devices.get(name)
            address = device.device if isinstance(device, PduDevice) else name
            for place, outlet in enumerate(map(str, outlets)):
                known = owners.setdefault((address, outlet.rstrip("/").rpartition("/")[2]), [])
                for other, owner in known:
                    if other == outlet or "/" not in other or "/" not in outlet:
                        where = f"{host.name} twice" if owner == host.name else f"{owner} and {host.name}"
                        yield ("hosts", index, "outlets", name, place), f"outlet {outlet} of {name} is written for {where}"
                        break
                known.append((outlet, host.name))
