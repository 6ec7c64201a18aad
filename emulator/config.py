"""Reads a rack from a YAML file: its BMCs, their ports and profiles, and their hosts.

`cli` calls `load_rack` in the main thread before the emulator starts. All mistakes of a file are reported at once, as
`file:line:column: path: message`. docs/lab.md explains the keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from emulator.backends.container import DockerHost
from emulator.backends.process import ProcessHost
from emulator.core.errors import RackMisconfigured
from emulator.core.faults.board import Armed
from emulator.core.rack import HostSpec, UnitSpec
from emulator.faults.model import arming_from_mapping, check_profile, named_fault
from emulator.frontends import Place
from emulator.operations import check_armable
from emulator.rack_form import RACK
from fencelab_yaml.errors import Mark, Problem, Problems, did_you_mean, listed
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar, parse, plain, text_of
from profiles import loader
from profiles.errors import ProfileError
from profiles.model import Enclosure, Profile
from profiles.scale import at_scale

PROJECT_VARIABLE: Final = "FENCELAB_PROJECT"

ONLY_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "argv": ("process",),
    "env": ("process",),
    "cwd": ("process",),
    "log": ("process",),
    "container": ("docker",),
    "power": ("virtual", "process"),  # the container engine says whether a container is on
    "hung": ("virtual",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RackFile:
    """A rack as `Emulator` needs it. Hosts that are neither in `processes` nor in `containers` are virtual.

    `faults` and `unplugged` (BMCs without input power at first) are for whoever has started it: `emulator.serve`.
    """

    units: tuple[UnitSpec, ...]
    places: Mapping[str, Place]
    seed: int = 0
    tls: bool = True
    processes: Mapping[str, ProcessHost] = field(default_factory=dict)
    containers: Mapping[str, DockerHost] = field(default_factory=dict)
    docker_url: str | None = None
    password_variables: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, tuple[Armed | str, ...]] = field(default_factory=dict)
    unplugged: frozenset[str] = frozenset()


def load_rack(path: Path) -> RackFile:
    """The rack in a file. Raises ProfileError with all mistakes of the file and of the profiles that it names."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProfileError([Problem(Mark(str(path)), "", (error.strerror or "cannot be read").lower())]) from None
    problems = Problems("rack file", ProfileError)
    tree = parse(data, str(path), problems)
    RACK.check(tree, problems)
    return _RackReader(tree, path.parent, problems).rack()


def _fields(node: YamlNode | None) -> YamlMap:
    assert isinstance(node, YamlMap)  # RACK.check has checked the form
    return node


def _items(node: YamlNode | None) -> tuple[YamlNode, ...]:
    return node.items if isinstance(node, YamlList) else ()


def _value(node: YamlNode | None) -> object:
    return node.value if isinstance(node, YamlScalar) else None


def _number(node: YamlNode | None, default: float) -> float:
    value = _value(node)
    return value if isinstance(value, int | float) else default


class _RackReader:
    """One pass over a tree whose form is checked; checks names, ports and profiles.

    A BMC whose form is wrong is left out; then nothing is said of what one BMC says about another.
    """

    def __init__(self, root: YamlMap, folder: Path, problems: Problems) -> None:
        self._wrong = frozenset(problem.path.partition("]")[0] for problem in problems.found)
        self._root = root.entries
        self._folder = folder
        self._problems = problems
        self._processes: dict[str, ProcessHost] = {}
        self._containers: dict[str, DockerHost] = {}
        self._passwords: dict[str, str] = {}
        self._faults: dict[str, tuple[Armed | str, ...]] = {}
        self._unplugged: set[str] = set()
        self._taken: dict[tuple[str, str, int], str] = {}
        self._names: dict[str, Mark] = {}
        self._hosts: dict[str, Mark] = {}
        docker = self._root.get("docker")
        self._docker: Mapping[str, YamlNode] = docker.entries if isinstance(docker, YamlMap) else {}

    def rack(self) -> RackFile:
        units, places, cords, parents = [], {}, [], []
        for index, node in enumerate(_items(self._root.get("bmcs"))):
            path = f"bmcs[{index}]"
            if path[:-1] in self._wrong:
                continue
            bmc = _fields(node)
            unit = self._unit(bmc, path)
            if unit is not None:
                units.append(unit)
                places[unit.name] = self._place(bmc, path, unit.name)
                if "feeds" in bmc.entries:
                    cords.append((unit, _fields(bmc.entries["feeds"]), f"{path}.feeds"))
                if "parent" in bmc.entries:
                    parents.append((unit, bmc.entries["parent"], f"{path}.parent"))
        if any(path.startswith("bmcs[") for path in self._wrong):
            cords, parents = [], []
        feeds = {unit.name: self._feeds(units, unit, node, path) for unit, node, path in cords}
        for unit, parent, path in parents:
            self._put_in_slot(units, unit, parent, path, feeds)
        self._problems.raise_any()
        return RackFile(
            units=tuple(replace(unit, feeds=feeds.get(unit.name, {})) for unit in units),
            places=places,
            seed=int(_number(self._root.get("seed"), 0)),
            tls=_value(self._root.get("tls")) is not False,
            processes=self._processes,
            containers=self._containers,
            docker_url=text_of(self._docker.get("url")),
            password_variables=self._passwords,
            faults=self._faults,
            unplugged=frozenset(self._unplugged),
        )

    def _unit(self, bmc: YamlMap, path: str) -> UnitSpec | None:
        name = text_of(bmc.entries["name"]) or ""
        self._unique(self._names, name, bmc.entries["name"], f"{path}.name", "BMC")
        hosts = tuple(self._host_specs(bmc, path, name))  # a PDU has none
        password = self._password(bmc, path, name)
        node = bmc.entries["profile"]
        try:
            profile = loader.load(self._profile_name(text_of(node) or ""), self._words(bmc), also=check_profile)
        except ProfileError as error:
            given = bmc.entries.get("vars")
            ours = given.entries if isinstance(given, YamlMap) else {}
            for problem in error.problems:
                block, _, var = problem.path.partition(".")
                if block == "vars" and var in ours:
                    self._problems.add(ours[var].mark, f"{path}.vars.{var}", problem.message)
                else:
                    self._problems.add(node.mark, f"{path}.profile", str(problem))
            return None
        if profile.feeder is not None and hosts:
            self._problems.add(
                bmc.keys["hosts"],
                f"{path}.hosts",
                f"{profile.feeder.called} has {profile.feeder.part}s and no hosts: leave hosts out",
            )
        elif profile.feeder is not None:
            hosts = (HostSpec(),) * len(profile.feeder.outlets)
        if text_of(bmc.entries.get("ac")) == "off":
            self._unplugged.add(name)
        self._faults[name] = tuple(
            self._fault(item, profile, path, n) for n, item in enumerate(_items(bmc.entries.get("faults")))
        )
        profile = at_scale(self._varied(profile, bmc), _number(self._root.get("time_scale"), 1.0))
        return UnitSpec(name=name, profile=profile, hosts=hosts or (HostSpec(),), password=password)

    def _put_in_slot(
        self, units: Sequence[UnitSpec], unit: UnitSpec, node: YamlNode, path: str, feeds: dict[str, dict[str, tuple[str, ...]]]
    ) -> None:
        """Adds a BMC to what its enclosure feeds. A slot holds one node."""
        name, _, slot = (text_of(node) or "").partition("/")
        known = {each.name: each for each in units}
        above = known[name].profile.feeder if name in known else None
        if unit.profile.feeder is not None:
            self._problems.add(node.mark, path, f"{unit.name} is no node: only a BMC with hosts is in a slot")
        elif not isinstance(above, Enclosure):
            enclosures = [each.name for each in units if isinstance(each.profile.feeder, Enclosure)]
            said = f"no enclosure is called {name}{did_you_mean(name, enclosures)}"
            self._problems.add(node.mark, path, f"{name} is no enclosure" if name in known else said)
        elif slot not in above.slots:
            said = f"{name} has no such slot{did_you_mean(slot, above.slots) or f'; it has {listed(above.slots)}'}"
            self._problems.add(node.mark, path, said)
        elif other := feeds.setdefault(name, {}).get(slot):
            self._problems.add(node.mark, path, f"{name}/{slot} holds {', '.join(other)} already: a slot holds one node")
        else:
            feeds[name][slot] = (unit.name,)

    def _feeds(self, units: Sequence[UnitSpec], pdu: UnitSpec, node: YamlMap, path: str) -> dict[str, tuple[str, ...]]:
        """The BMCs that each outlet feeds. The file may name a BMC, or the host of one that has no other."""
        if pdu.profile.feeder is None:
            self._problems.add(
                node.mark, path, f"only a PDU or an enclosure feeds others, and {pdu.profile.id} is none: leave feeds out"
            )
            return {}
        known = {unit.name: unit for unit in units}
        by_host = {host.name: unit for unit in units for host in unit.hosts if host.name is not None}
        found: dict[str, tuple[str, ...]] = {}
        for outlet, value in node.entries.items():
            here, outlets = f"{path}.{outlet}", pdu.profile.feeder.outlets
            if outlet not in outlets:
                hint = did_you_mean(outlet, outlets) or f"; it has {listed(outlets)}"
                said = f"{pdu.name} has no such {pdu.profile.feeder.part}{hint}"
                self._problems.add(node.keys[outlet], here, said)
            bmcs = []
            for each in _items(value) or (value,):
                name = text_of(each) or ""
                unit = known.get(name) or by_host.get(name)
                if unit is None:
                    said = f"no BMC and no host is called {name}{did_you_mean(name, (*known, *by_host))}"
                elif unit.profile.feeder is not None:
                    said = f"{name} is no BMC with hosts, and only those are fed"
                elif name not in known and len(unit.hosts) > 1:
                    said = f"{name} shares its cords with the other hosts of {unit.name}: write {unit.name}"
                else:
                    bmcs.append(unit.name)
                    continue
                self._problems.add(each.mark, here, said)
            found[outlet] = tuple(bmcs)
        return found

    def _varied(self, profile: Profile, bmc: YamlMap) -> Profile:
        """The profile with another first user name, or without IPMI."""
        username = text_of(bmc.entries.get("username"))
        if username is not None:
            first, *others = profile.auth.accounts
            accounts = (replace(first, name=username), *(each for each in others if each.name != username))
            profile = replace(profile, auth=replace(profile.auth, accounts=accounts))
        if _value(bmc.entries.get("ipmi")) is False:
            profile = replace(profile, ipmi=replace(profile.ipmi, lan=False))
        return profile

    def _fault(self, node: YamlNode, profile: Profile, path: str, index: int) -> Armed | str:
        """RACK.check has checked those that are written here."""
        try:
            if isinstance(node, YamlMap):
                armed = arming_from_mapping(plain(node))
            else:
                armed = named_fault(profile, text_of(node) or "")
            check_armable(armed, profile)
        except RackMisconfigured as error:
            self._problems.add(node.mark, f"{path}.faults[{index}]", str(error))
            return ""
        return armed

    def _unique(self, seen: dict[str, Mark], name: str, node: YamlNode, path: str, what: str) -> None:
        if name in seen:
            self._problems.add(node.mark, path, f"a {what} called {name} stands at line {seen[name].line} already")
        seen.setdefault(name, node.mark)

    def _words(self, bmc: YamlMap) -> dict[str, str]:
        words = plain(bmc.entries["vars"]) if "vars" in bmc.entries else {}
        return {str(key): str(value) for key, value in words.items()}

    def _profile_name(self, name: str) -> str | Path:
        """A name with a slash or a YAML suffix is a file, relative to the folder of the rack file."""
        return self._folder / name if os.sep in name or name.endswith((".yaml", ".yml")) else name

    def _password(self, bmc: YamlMap, path: str, name: str) -> str | None:
        node = bmc.entries.get("password_env")
        if node is None:
            return None
        variable = text_of(node) or ""
        self._passwords[name] = variable
        if not os.environ.get(variable):
            self._problems.add(node.mark, f"{path}.password_env", f"the variable {variable} is not set")
        return os.environ.get(variable)

    # -- hosts ---------------------------------------------------------------------------------------------------------

    def _host_specs(self, bmc: YamlMap, path: str, bmc_name: str) -> Iterator[HostSpec]:
        nodes = _items(bmc.entries.get("hosts"))
        for index, node in enumerate(nodes):
            host, here = _fields(node), f"{path}.hosts[{index}]"
            default = bmc_name if len(nodes) == 1 else f"{bmc_name}.{index + 1}"
            name = text_of(host.entries.get("name")) or default
            self._unique(self._hosts, name, host.entries.get("name", host), f"{here}.name", "host")
            backend = text_of(host.entries.get("backend")) or "virtual"
            self._back_end(host, here, name, backend)
            power = text_of(host.entries.get("power")) or "on"
            hung = _value(host.entries.get("hung")) is True
            if hung and power == "off":
                self._problems.add(host.keys["hung"], f"{here}.hung", "a host that is off cannot hang")
            yield HostSpec(name=name, power=power, hung=hung)

    def _back_end(self, host: YamlMap, path: str, name: str, backend: str) -> None:
        entries = host.entries
        for key, only in ONLY_WITH.items():
            if key in entries and backend not in only:
                self._problems.add(host.keys[key], f"{path}.{key}", f"belongs to backend {' or '.join(only)}, not {backend}")
        if backend == "docker":
            project = os.environ.get(PROJECT_VARIABLE) or text_of(self._docker.get("project"))
            self._containers[name] = DockerHost(label=name, container=text_of(entries.get("container")), project=project)
        elif backend == "process":
            if "argv" not in entries:
                self._problems.add(host.mark, path, "'argv' is missing: the command that is this host")
            self._processes[name] = self._process(entries)

    def _process(self, entries: Mapping[str, YamlNode]) -> ProcessHost:
        env = plain(entries["env"]) if "env" in entries else {}
        cwd, log = text_of(entries.get("cwd")), text_of(entries.get("log"))
        return ProcessHost(
            argv=[str(word) for word in (plain(entries["argv"]) if "argv" in entries else ())],
            env={str(key): str(value) for key, value in env.items()},
            cwd=self._folder / cwd if cwd is not None else self._folder,
            log=self._folder / log if log is not None else None,
        )

    # -- ports ----------------------------------------------------------------------------------------------------------

    def _place(self, bmc: YamlMap, path: str, name: str) -> Place:
        listen = text_of(bmc.entries.get("listen")) or text_of(self._root.get("listen")) or "127.0.0.1"
        ports = {}
        for key in ("redfish_port", "ipmi_port"):
            node = bmc.entries.get(key)
            port = ports[key] = int(_number(node, 0))
            other = self._taken.setdefault((listen, key, port), name) if port else name
            if node is not None and other != name:
                self._problems.add(node.mark, f"{path}.{key}", f"{listen} port {port} belongs to {other} already")
        return Place(listen=listen, redfish_port=ports["redfish_port"], ipmi_port=ports["ipmi_port"])
