"""The configuration file of `fence-ha` (YAML): hosts, their BMCs and probes, VMs, policy, time scale.

The commands of `fence-ha` call `load_config`. `sample.yaml` has every key with a comment. Times are seconds.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from fencelab_yaml.errors import Problems, did_you_mean
from fencelab_yaml.messages import too_large
from fencelab_yaml.models import read_model
from fencer import Auth, ChassisCheck, IdentityCheck, Protocol, Target
from fencer.ha import config_devices
from fencer.ha.config_checks import written_wrongly
from fencer.ha.config_devices import AddressPart, BmcPart, ConfigModel, CredentialsPart, Device, Name, Outlet, PduDevice
from fencer.ha.config_file import ConfigError, Document, load
from fencer.ha.policy import Policy, PolicyName
from fencer.ha.record import OWN_BMC
from fencer.ha.vm_record import VmSpec

PositiveSeconds = Annotated[float, Field(gt=0)]
Argv = Annotated[list[str], Field(min_length=1)]


class TcpProbe(ConfigModel):
    kind: Annotated[Literal["tcp"], Field(description="passes if the port accepts a connection")]
    host: Annotated[str, Field(description="the name or address")]
    port: Annotated[int, Field(gt=0, lt=65536, description="the TCP port")]


class HttpProbe(ConfigModel):
    kind: Annotated[Literal["http"], Field(description="passes if the page answers")]
    url: Annotated[str, Field(description="the page")]
    status: Annotated[int, Field(description="the HTTP status that passes")] = 200


class FileProbe(ConfigModel):
    kind: Annotated[Literal["file"], Field(description="passes if the file is fresh")]
    path: Annotated[str, Field(description="the file")]
    max_age: Annotated[PositiveSeconds, Field(description="how old it may be, in seconds")]


class ExecProbe(ConfigModel):
    kind: Annotated[Literal["exec"], Field(description="passes if the command exits with 0")]
    argv: Annotated[Argv, Field(description="the command")]


Probe = Annotated[TcpProbe | HttpProbe | FileProbe | ExecProbe, Field(discriminator="kind")]


class HostPart(ConfigModel):
    name: Annotated[Name, Field(description="the name of the host")]
    bmc: Annotated[BmcPart, Field(description="its BMC")]
    health: Annotated[list[Probe], Field(min_length=1, description="all must pass, or the check fails")]
    activity: Annotated[list[Probe], Field(description="one that sees something is enough; without: the health probes")] = Field(
        default_factory=list
    )
    enabled: Annotated[bool, Field(description="false: known, and not under HA until it is enabled")] = True
    maintenance: Annotated[bool, Field(description="true: Ineligible")] = False
    delay: Annotated[float, Field(ge=0, description="seconds before a power command to this host")] = 0.0
    capacity: Annotated[Annotated[int, Field(ge=0)] | None, Field(description="how many VMs it may run; without: any number")] = (
        None
    )
    agent: Annotated[str | None, Field(description="the address of its agent, for the executor http")] = None
    fence: Annotated[
        list[list[str]] | None,
        Field(description="the fencing levels: tried in order, each a list of devices; without: [[bmc]]"),
    ] = None
    outlets: Annotated[dict[str, list[Outlet]], Field(description="its outlets on each PDU or agent")] = Field(
        default_factory=dict
    )

    @property
    def probes_key(self) -> str:
        """Changes if the health probes change: then the host must be seen healthy again before a failed check counts."""
        return hashlib.sha256(repr(self.health).encode()).hexdigest()[:16]

    @field_validator("delay", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class VmPart(ConfigModel):
    name: Annotated[Name, Field(description="the name of the VM")]
    host: Annotated[Name, Field(description="where it runs at first")]
    hosts: Annotated[list[Name], Field(description="where it may start, best first; without: anywhere")] = Field(
        default_factory=list
    )
    system: Annotated[bool, Field(description="whether it is started before the others")] = False
    priority: Annotated[int, Field(description="which are started first: the higher")] = 0
    apart: Annotated[Name | None, Field(description="VMs with the same word here never share a host")] = None

    @property
    def spec(self) -> VmSpec:
        return VmSpec(hosts=tuple(self.hosts), system=self.system, priority=self.priority, apart=self.apart)


class ExecExecutor(ConfigModel):
    kind: Annotated[Literal["exec"], Field(description="commands start and stop VMs")]
    start: Annotated[Argv, Field(description="the command that starts a VM")]
    stop: Annotated[Argv, Field(description="the command that stops a VM")]
    list: Annotated[Argv | None, Field(description="the command that lists the VMs of a host")] = None


class HttpExecutor(ConfigModel):
    kind: Annotated[Literal["http"], Field(description="the agents of the hosts start and stop VMs")]
    token_env: Annotated[str | None, Field(description="the variable with the agents' token")] = None


class ApiPart(ConfigModel):
    listen: Annotated[str, Field(description="the loopback address and port, such as 127.0.0.1:8000")]
    token_file: Annotated[str, Field(description="the file with the token, from this file's folder on")] = "fence-ha.token"


class ConfigPart(ConfigModel):
    cluster: Annotated[Name, Field(description="the name of the cluster")] = "default"
    state_file: Annotated[str, Field(description="the database, from this file's folder on")] = "fence-ha.db"
    scale: Annotated[PositiveSeconds, Field(description="multiplies all times of the policy, and max_age of file probes")] = 1.0
    workers: Annotated[int, Field(ge=1, le=512, description="how many BMC requests run at the same time")] = 32
    policy: Annotated[
        dict[str, float | int | bool | str],
        Field(description="settings that differ from the defaults; `fence-ha sample` lists them"),
    ] = Field(default_factory=dict)
    devices: Annotated[list[Device], Field(description="further devices that fencing levels name")] = Field(default_factory=list)
    hosts: Annotated[list[HostPart], Field(min_length=1, description="the hosts")]
    witness: Annotated[list[Probe], Field(description="probes of the manager itself; one that passes is enough")] = Field(
        default_factory=list
    )
    vms: Annotated[list[VmPart], Field(description="the VMs")] = Field(default_factory=list)
    adopt_vms: Annotated[bool, Field(description="whether VMs that an agent lists come under HA")] = False
    executor: Annotated[
        Annotated[ExecExecutor | HttpExecutor, Field(discriminator="kind")] | None, Field(description="what starts and stops VMs")
    ] = None
    api: Annotated[ApiPart | None, Field(description="the REST API; without: none")] = None

    @field_validator("scale", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Config:
    """A checked configuration. Relative paths in it start at the directory of `path`."""

    def __init__(self, part: ConfigPart, policy: Policy, path: Path, document: Document) -> None:
        self.part, self.policy, self.path, self.document = part, policy, path, document

    @property
    def state_file(self) -> Path:
        return self.path.parent / self.part.state_file

    @property
    def token_file(self) -> Path:
        """Holds the token of the HTTP API."""
        return self.path.parent / (self.part.api or ApiPart(listen="")).token_file

    @property
    def host_names(self) -> list[str]:
        return [host.name for host in self.part.hosts]

    def host(self, name: str) -> HostPart:
        return next(host for host in self.part.hosts if host.name == name)

    def levels(self, host: HostPart) -> tuple[tuple[str, ...], ...]:
        """The devices of each fencing level; () for the BMC alone. CloudStack's rules know nothing else."""
        written = tuple(tuple(level) for level in host.fence or [])
        return () if written == ((OWN_BMC,),) or self.policy.name is PolicyName.CLOUDSTACK else written

    def device(self, name: str) -> Device:
        return next(device for device in self.part.devices if device.name == name)

    def target(self, host: HostPart) -> Target:
        """The host's own BMC. Raises ConfigError if its password cannot be had."""
        return self.bmc_target(host.bmc, f"hosts.{host.name}.bmc")

    def bmc_target(self, bmc: BmcPart, place: str) -> Target:
        """`place`: the key of this BMC in the file, for messages. Raises ConfigError."""
        return Target(
            host=bmc.host or "", protocol=Protocol(bmc.protocol), port=bmc.port, user=bmc.username,
            password=self.secret(bmc, place), system=bmc.system, identity=bmc.identity, url=bmc.url,
            verify_tls=bmc.verify_tls, ca_file=self.ca_file(bmc), auth=Auth(bmc.auth), cipher=bmc.cipher,
            identity_check=IdentityCheck(bmc.identity_check),
        )  # fmt: skip

    def pdu_target(self, pdu: PduDevice, outlets: list[Outlet]) -> Target:
        """The outlets of one host on a PDU. Raises ConfigError."""
        return Target(
            host=pdu.host or "", protocol=Protocol.PDU, port=pdu.port, user=pdu.username,
            password=self.secret(pdu, f"devices.{pdu.name}"), outlets=tuple(map(str, outlets)), url=pdu.url,
            verify_tls=pdu.verify_tls, ca_file=self.ca_file(pdu), auth=Auth(pdu.auth),
        )  # fmt: skip

    def chassis_check(self, host: HostPart) -> ChassisCheck:
        return ChassisCheck(host.bmc.chassis_check)

    def ca_file(self, device: AddressPart) -> str | None:
        """The path of the CA certificates for the device; None: those of this machine."""
        return None if device.ca_file is None else str(self.path.parent / device.ca_file)

    def password(self, host: HostPart) -> str:
        """Returns the password of the host's BMC. Raises ConfigError if its variable or file does not exist."""
        return self.secret(host.bmc, f"hosts.{host.name}.bmc")

    def secret(self, part: CredentialsPart, place: str) -> str:
        """Returns the password of a device. Raises ConfigError if its variable or file does not exist."""
        if part.password_env is not None:
            if part.password_env not in os.environ:
                raise ConfigError([f"{self.path}: {place}.password_env: {part.password_env} is not set"])
            return os.environ[part.password_env]
        if part.password_file is not None:
            file = self.path.parent / part.password_file
            try:
                return file.read_text(encoding="utf-8").rstrip("\n")
            except OSError as error:
                raise ConfigError([f"{self.path}: {place}.password_file: {file}: {error.strerror}"]) from error
        return part.password or ""


def load_config(path: Path, policy_name: str | None = None) -> Config:
    """Reads and checks the file and scales the policy's times. Raises ConfigError with all problems."""
    found = Problems("configuration")
    document = load(path, found)
    part = read_model(ConfigPart, document.root, found)
    if part is None or found.found:
        raise ConfigError([str(problem) for problem in sorted(found.found)])
    problems = _relations(document, part) + written_wrongly(document, part)
    policy, wrong = _policy(document, part, policy_name)
    if problems or wrong or policy is None:
        raise ConfigError(problems + wrong)
    return Config(part, policy, path, document)


def _relations(document: Document, part: ConfigPart) -> list[str]:
    problems = []
    names = [host.name for host in part.hosts]
    for index, name in enumerate(names):
        if name in names[:index]:
            problems.append(document.problem(("hosts", index, "name"), f"{name} is written twice"))
    problems += [document.problem(place, why) for place, why in config_devices.problems(part)]
    machines: dict[tuple[str, str, str], str] = {}
    for index, host in enumerate(part.hosts):
        used = {name for level in host.fence or [] for name in level}
        others = [device for device in part.devices if device.kind == "bmc" and device.name in used]
        for machine in (host.bmc.machine, *(device.machine for device in others)):
            first = machines.setdefault(machine, host.name)
            if first != host.name:
                text = f"{host.name} has the same BMC and System as {first}: the power of one host would be read for the other"
                problems.append(document.problem(("hosts", index, "bmc"), text))
    vms = [vm.name for vm in part.vms]
    for index, vm in enumerate(part.vms):
        if vm.name in vms[:index]:
            problems.append(document.problem(("vms", index, "name"), f"{vm.name} is written twice"))
        if vm.host not in names:
            problems.append(
                document.problem(("vms", index, "host"), f"no host is called {vm.host}{did_you_mean(vm.host, names)}")
            )
        for place, name in enumerate(vm.hosts):
            if name not in names:
                problems.append(
                    document.problem(("vms", index, "hosts", place), f"no host is called {name}{did_you_mean(name, names)}")
                )
    if part.adopt_vms and not (part.executor and (part.executor.kind == "http" or part.executor.list)):
        problems.append(document.problem(("adopt_vms",), "needs an executor that lists VMs: http, or exec with `list`"))
    if part.vms and part.executor is None:
        problems.append(document.problem(("vms",), "VMs need an executor that starts them"))
    if part.executor is not None and part.executor.kind == "http":
        for index, host in enumerate(part.hosts):
            if host.agent is None:
                problems.append(
                    document.problem(("hosts", index), "the http executor needs the address of this host's agent (agent)")
                )
    return problems


def _policy(document: Document, part: ConfigPart, name: str | None) -> tuple[Policy | None, list[str]]:
    known = {f.name: f.default for f in fields(Policy)}
    given = dict(part.policy)
    if name is not None:
        given["name"] = name
    problems = []
    for key, value in given.items():
        default = known.get(key)
        if key not in known:
            problems.append(
                document.problem(
                    ("policy", key), f"no such setting{did_you_mean(key, known) or '; there are ' + ', '.join(sorted(known))}"
                )
            )
        elif isinstance(default, StrEnum):
            names = [str(member) for member in type(default)]
            if value not in names:
                problems.append(
                    document.problem(
                        ("policy", key),
                        f"must be one of {', '.join(names)}; not '{str(value)[:60]}'{did_you_mean(str(value), names)}",
                    )
                )
            else:
                given[key] = type(default)(value)
        elif isinstance(default, bool) != isinstance(value, bool) or isinstance(value, str):
            wanted = "true or false" if isinstance(default, bool) else "a number"
            problems.append(document.problem(("policy", key), f"must be {wanted}, not '{str(value)[:60]}'{too_large(value)}"))
        elif isinstance(default, int) and not isinstance(value, int):
            problems.append(document.problem(("policy", key), f"must be a whole number, not {str(value)[:60]}"))
    if problems:
        return None, problems
    try:
        return Policy(**given).scaled(part.scale), []  # type: ignore[arg-type]
    except ValueError as error:
        return None, [document.problem(("policy",), str(error))]


POLICY_NAMES = [str(name) for name in PolicyName]
