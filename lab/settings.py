"""Reads and checks the lab's settings (`settings.yaml`). `lab` calls `load_settings`. Times are seconds.

Mistakes are reported as `file:line:column: path: message`, all at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from typing_extensions import TypedDict

from fencelab_yaml.errors import Mark, Problem, Problems
from fencelab_yaml.form import Form
from fencelab_yaml.source import parse, plain
from fencelab_yaml.values import UNIQUE, KeyText, Number, Text, known_keys
from profiles.errors import ProfileError

DEFAULT: Final = Path(__file__).with_name("settings.yaml")

LabName = Annotated[str, Text("[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "a name of letters, digits, _ -")]
LabNameKey = Annotated[str, KeyText("[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "a name of letters, digits, _ -")]
LabPort = Annotated[int, Number(1, 65535)]
PolicyKey = Annotated[str, KeyText("[A-Za-z0-9_][A-Za-z0-9_-]*", "a name of letters, digits, _ -")]


@known_keys
class PortKeys(TypedDict):
    """The same port on every address."""

    redfish: LabPort
    ipmi: LabPort
    agent: LabPort


@known_keys
class SettingsKeys(TypedDict):
    """The settings of the HA lab."""

    profile: Annotated[str, Text()]
    time_scale: Annotated[float, Number(0.001, 1000, fraction=True)]
    seed: Annotated[int, Number(0, 2**31)]
    machines: dict[LabNameKey, Annotated[list[LabName], UNIQUE]]
    ports: PortKeys
    heartbeat_age: Annotated[float, Number(0.1, 3600, fraction=True)]
    policy: dict[PolicyKey, object]


SETTINGS: Final = Form("lab", "The settings of the HA lab", SettingsKeys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    redfish: int
    ipmi: int
    agent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabSettings:
    """The checked settings. `policy` is for fence-ha, in real seconds; fence-ha checks it."""

    profile: str
    time_scale: float
    seed: int
    machines: Mapping[str, tuple[str, ...]]
    ports: Ports
    heartbeat_age: float
    policy: Mapping[str, Any]


def load_settings(path: Path = DEFAULT) -> LabSettings:
    """Reads the settings. Raises ProfileError with all mistakes."""
    problems = Problems("settings file", ProfileError)
    try:
        tree = parse(path.read_bytes(), str(path), problems)
    except OSError as error:
        raise ProfileError([Problem(Mark(str(path)), "", (error.strerror or "cannot be read").lower())]) from None
    SETTINGS.check(tree, problems)
    if not problems.found and len(plain(tree)["machines"]) < 2:
        problems.add(tree.keys["machines"], "machines", "a lab needs two nodes at least: machines must have somewhere to go")
    problems.raise_any()
    raw = plain(tree)
    return LabSettings(
        profile=raw["profile"],
        time_scale=raw["time_scale"],
        seed=raw["seed"],
        machines={node: tuple(machines) for node, machines in raw["machines"].items()},
        ports=Ports(**raw["ports"]),
        heartbeat_age=raw["heartbeat_age"],
        policy=raw["policy"],
    )
