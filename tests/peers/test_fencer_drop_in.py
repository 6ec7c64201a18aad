"""fence_bmc under the names of other agents: every parameter and every option of their metadata, one by one."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from fencer.agent import parameters_from_lines
from fencer.agent_options import parameters_from_argv
from fencer.given import BadSettings
from fencer.metadata import metadata
from fencer.settings import settings

AGENTS = ("fence_redfish", "fence_ipmilan", "fence_idrac", "fence_ilo5")
NEEDED = {"action": "off", "ip": "192.0.2.1", "username": "admin", "password": "c4nary"}
OLD = {"ipaddr": "ip", "login": "username", "passwd": "password"}
OTHERWISE = {"port_as_ip": {"plug": "192.0.2.7"}, "password_script": {"password": None}, "passwd_script": {"password": None}}
"""What has to be given with a parameter, or left out."""
PLAIN_VALUES = {
    "action": "off", "ip": "192.0.2.1", "ipaddr": "192.0.2.1", "password_script": "/bin/echo c4nary x",
    "passwd_script": "/bin/echo x",
    "redfish_uri": "/redfish/v1", "redfish-uri": "/redfish/v1", "systems_uri": "/redfish/v1/Systems/1",
    "systems-uri": "/redfish/v1/Systems/1", "hexadecimal_kg": "00ff", "cipher": "17", "debug": "/dev/null",
    "debug_file": "/dev/null", "target": "0x20", "plug": "", "port": "", "disable_timeout": "true", "plug_separator": ",",
}  # fmt: skip
BY_TYPE = {"boolean": "1", "second": "7", "integer": "1", "string": "text"}
REFUSED = {
    ("cipher", "0"): "write 3 or 17",
    ("cipher", "1"): "write 3 or 17",
    ("privlvl", "callback"): "write operator",
    ("target", "0x82"): "bridging",
    ("power_timeout", "0"): "write seconds",
    ("plug", "1,2"): "one device for each",
}
"""Values that the other agents take and fence_bmc refuses, with a part of the sentence."""


@dataclass(frozen=True)
class Option:
    """One parameter of an agent's metadata. `flags` are its options, `values` those that it lists."""

    agent: str
    name: str
    kind: str
    values: tuple[str, ...]
    default: str | None
    flags: tuple[str, ...]
    takes_value: bool

    @property
    def sample(self) -> str:
        if self.name in PLAIN_VALUES:
            return PLAIN_VALUES[self.name]
        return self.default or next(iter(self.values), None) or BY_TYPE.get(self.kind, "text")


@cache
def options(agent: str) -> tuple[Option, ...]:
    done = subprocess.run([f"/usr/sbin/{agent}", "-o", "metadata"], capture_output=True, text=True, check=True, timeout=60)
    found = []
    for parameter in ET.fromstring(done.stdout).iter("parameter"):
        content, getopt = parameter.find("content"), parameter.find("getopt")
        assert content is not None
        assert getopt is not None
        mixed = (getopt.get("mixed") or "").split(", ")
        flags = tuple(flag.partition("=")[0] for flag in mixed)
        values = tuple(option.get("value") or "" for option in content.findall("option"))
        found.append(
            Option(
                agent, parameter.get("name") or "", content.get("type") or "", values, content.get("default"), flags,
                any("=" in flag for flag in mixed) or parameter.get("name") == "verbose_level",  # its metadata forgets it
            )
        )  # fmt: skip
    assert len(found) > 25
    return tuple(found)


def every() -> Iterator[tuple[Option, str]]:
    """Each parameter with a usual value, with its default, and with each value that the metadata lists."""
    for agent in AGENTS:
        for option in options(agent):
            values = dict.fromkeys([option.sample, *option.values, *([option.default] if option.default else [])])
            yield from ((option, value) for value in values)


def accepted(agent: str, name: str, value: str) -> str | None:
    """None, or the sentence with which the parameter is refused."""
    given = {**NEEDED, **{key: text for key, text in OTHERWISE.get(name, {}).items() if text is not None}}
    for key, text in OTHERWISE.get(name, {}).items():
        if text is None:
            given.pop(key)
    given.pop(OLD.get(name, ""), None)
    lines = "".join(f"{key}={text}\n" for key, text in {**given, name: value}.items())
    try:
        settings(parameters_from_lines(lines.encode(), agent), {})
    except BadSettings as error:
        return str(error)
    return None


def test_every_parameter_works_unchanged_or_is_refused_with_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = []
    for option, value in every():
        sentence = accepted(option.agent, option.name, value)
        remedy = REFUSED.get((option.name, value))
        if (sentence is None) != (remedy is None) or (remedy and remedy not in (sentence or "")):
            wrong.append((option.agent, option.name, value, sentence))
    assert wrong == []
    assert "unknown parameter" not in capsys.readouterr().err  # known to each of them, and ignored by none


@pytest.mark.parametrize(("name", "value"), list(REFUSED))
def test_what_is_refused_says_what_to_write(name: str, value: str) -> None:
    agents = [agent for agent in AGENTS if name in {option.name for option in options(agent)}]
    assert agents
    for agent in agents:
        sentence = accepted(agent, name, value)
        assert sentence is not None
        assert REFUSED[name, value] in sentence
        assert "\n" not in sentence


def test_every_option_of_their_command_lines_is_known() -> None:
    wrong = []
    for agent in AGENTS:
        for option in options(agent):
            for flag in option.flags:
                words = [flag, option.sample or "x"] if option.takes_value else [flag]
                try:
                    parameters_from_argv(words, agent)
                except BadSettings as error:
                    wrong.append((agent, flag, str(error)))
    assert wrong == []


@pytest.mark.parametrize("agent", AGENTS)
def test_tools_that_check_names_find_every_name_in_the_metadata_of_the_link(agent: str) -> None:
    ours = {parameter.get("name") for parameter in ET.fromstring(metadata(agent)).iter("parameter")}
    missing = {option.name for option in options(agent)} - ours
    assert missing <= {"plug", "port"}  # not advertised: Pacemaker would fill them with its name of the node
