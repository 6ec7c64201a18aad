"""Reads and checks the lab's settings (`settings.yaml`). `lab` calls `load_settings`. Times are seconds.

Mistakes are reported as `file:line:column: path: message`, all at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from profiles.errors import Mark, Problem, Problems, ProfileError
from profiles.shapes import Check, Free, ListOf, MapOf, Number, Record, Text
from profiles.yaml_source import parse, plain

DEFAULT: Final = Path(__file__).with_name("settings.yaml")

_NAME: Final = Text("[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "a name of letters, digits, _ -")
_PORT: Final = Number(1, 65535)
SETTINGS: Final = Record(
    {
        "profile": Text(),
        "time_scale": Number(0.001, 1000, fraction=True),
        "seed": Number(0, 2**31),
        "machines": MapOf(ListOf(_NAME, unique=True), "[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "a name of letters, digits, _ -"),
        "ports": Record({"redfish": _PORT, "ipmi": _PORT, "agent": _PORT}, required=("redfish", "ipmi", "agent")),
        "heartbeat_age": Number(0.1, 3600, fraction=True),
        "policy": MapOf(Free()),
    },
    required=("profile", "time_scale", "seed", "machines", "ports", "heartbeat_age", "policy"),
)


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
    problems = Problems()
    try:
        tree = parse(path.read_bytes(), str(path), problems)
    except OSError as error:
        raise ProfileError([Problem(Mark(str(path)), "", (error.strerror or "cannot be read").lower())]) from None
    SETTINGS.check(tree, Check(problems, partial=False))
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
