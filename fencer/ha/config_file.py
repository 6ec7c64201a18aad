"""A configuration file of `fence-ha` with the position of every value, for error messages. `load_config` reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fencelab_yaml.errors import Mark, Problem, Problems, YamlFileError
from fencelab_yaml.form import NodePath, find, joined
from fencelab_yaml.source import YamlLimits, YamlMap, parse

LIMITS: Final = YamlLimits(bytes=4_000_000, depth=40, values=400_000)
"""A configuration may have thousands of hosts."""


class ConfigError(Exception):
    """The configuration cannot be used; `problems` holds one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Document:
    """A file without mistakes in its YAML."""

    file: str
    root: YamlMap

    def problem(self, place: NodePath, message: str) -> str:
        """Formats one problem. If the file has no such `place`, the position is that of the nearest parent."""
        node, _ = find(self.root, place)
        return str(Problem(node.mark, joined("", place), message))


def load(path: Path, problems: Problems) -> Document:
    """Reads and parses the file. Adds bad keys to `problems`. Raises ConfigError for what is not YAML."""
    try:
        with open(path, "rb") as file:
            data = file.read(LIMITS.bytes + 1)
        return Document(str(path), parse(data, str(path), problems, LIMITS))
    except OSError as error:
        raise ConfigError([str(Problem(Mark(str(path)), "", error.strerror or "cannot be read"))]) from error
    except YamlFileError as error:
        raise ConfigError([str(problem) for problem in error.problems]) from error
