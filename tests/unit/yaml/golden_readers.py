"""What each reader of a YAML file says of a text: the lines that a user sees, without the folder."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import profiles
from conformance import waivers
from conformance.adapters import reading as fencer_files
from conformance.scenario_files import reading as scenario_files
from emulator.config import load_rack
from emulator.faults.model import check_node, check_profile
from fencelab_yaml.errors import Problems, YamlFileError
from fencelab_yaml.source import parse
from fencer.ha.config import load_config
from fencer.ha.config_file import ConfigError
from profiles.loader import VENDORS


def _profile(file: Path) -> None:
    profiles.loader.load(file, also=check_profile)


def _fault(file: Path) -> None:
    problems = Problems("fault")
    check_node(parse(file.read_bytes(), str(file), problems), problems, "")
    problems.raise_any()


def _scenario(file: Path) -> None:
    scenario_files.read(file.read_bytes(), str(file))


READERS: Final[Mapping[str, Callable[[Path], object]]] = {
    "profile": _profile,
    "rack": load_rack,
    "fencer": fencer_files.read,
    "waivers": waivers.read,
    "scenario": _scenario,
    "fault": _fault,
    "ha": load_config,
}
"""The reader of each format; the name is that of the file in `golden/`."""


_LINE_OF_A_PARENT: Final = re.compile(r"(needed by [\w.-]+):[0-9]+")
"""Shipped profiles change; which line of theirs needs something is no part of the message."""
_KINDS: Final = re.compile(r"(no (?:given|expectation|happening) is called .*?there are: ).*")
"""Which kinds there are grows with the suite."""


def said(kind: str, text: str) -> list[str]:
    """The complaint about a file with this text, line by line; nothing where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"{kind}.yaml")
        file.write_text(text, encoding="utf-8")
        try:
            READERS[kind](file)
        except (YamlFileError, fencer_files.FencerFileError, scenario_files.ScenarioFileError, ConfigError) as error:
            lines = str(error).replace(f"{folder}/", "").replace(f"{VENDORS}/", "")
            return _KINDS.sub(r"\1...", _LINE_OF_A_PARENT.sub(r"\1", lines)).splitlines()
    return []
