"""Reads a YAML file with the scalars of YAML 1.2, and keeps the position of every value for error messages.

`load_config` calls it.

Rules
  1. Only `true` and `false` are booleans, `null` and `~` are null; `on`, `off`, `yes`, dates and 12:34 are text.
  2. A problem is `file:line:column: path: message`. All problems are reported together. Duplicate keys are problems.
  3. A file cannot hold or fill the reader: bytes, values and depth are bounded, and an anchor that contains itself is a problem.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import yaml

YamlValue = str | int | float | bool | None | list["YamlValue"] | dict[str, "YamlValue"]
YamlKeys = tuple[str | int, ...]
Where = dict[YamlKeys, tuple[int, int]]


MOST_BYTES = 4_000_000
MOST_VALUES = 400_000
MOST_DEPTH = 40
MOST_DIGITS = 18


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's core schema for scalars."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~\0"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    for _character in [c if c != "\0" else "" for c in _first]:
        _Loader.yaml_implicit_resolvers.setdefault(_character, []).append(
            (f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"))
        )


class ConfigError(Exception):
    """The configuration cannot be used; `problems` holds one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Document:
    file: str
    value: YamlValue
    where: Where

    def problem(self, path: YamlKeys, message: str) -> str:
        """Formats one problem. If the file has no such `path`, the position is that of the nearest parent."""
        known = path
        while known and known not in self.where:
            known = known[:-1]
        line, column = self.where.get(known, (1, 1))
        return f"{self.file}:{line}:{column}: {_named(path) or 'file'}: {message}"


def _named(path: YamlKeys) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def load(path: Path) -> Document:
    """Reads and parses the file. Raises ConfigError."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text"]) from error
    if len(data) > MOST_BYTES:
        raise ConfigError([f"{path}: more than {MOST_BYTES // 1_000_000} MB: not a configuration"])
    try:
        loader = _Loader(text)
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}:1:1: file: {str(error).splitlines()[0]}"]) from error
    try:
        node = loader.get_single_node()
        reading = _Reading(str(path))
        value = reading.value(node, (), ()) if node is not None else {}
    except RecursionError as error:
        raise ConfigError([f"{path}:1:1: file: nests more than {MOST_DEPTH} levels deep"]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise ConfigError([f"{path}:{at}: file: {error.problem or 'not YAML'}"]) from error
    finally:
        loader.dispose()
    if reading.problems:
        raise ConfigError(reading.problems)
    return Document(str(path), value, reading.where)


class _Reading:
    """Makes values of nodes, and notes their places and what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.where: Where = {}
        self.problems: list[str] = []
        self._values = 0

    def value(self, node: yaml.Node, path: YamlKeys, above: tuple[yaml.Node, ...]) -> YamlValue:
        """`above` are the nodes that contain this one. Raises ConfigError where it makes no sense to go on."""
        self._values += 1
        if any(node is each for each in above):
            self._stop(node, path, "contains itself")
        if len(above) > MOST_DEPTH:
            self._stop(node, path, f"nests more than {MOST_DEPTH} levels deep")
        if self._values > MOST_VALUES:
            self._stop(node, path, f"more than {MOST_VALUES:,} values, with what its anchors repeat")
        self.where[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        inside = (*above, node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index), inside) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, inside)
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: YamlKeys, inside: tuple[yaml.Node, ...]) -> YamlValue:
        result: dict[str, YamlValue] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._note(key_node, path, "a key must be text")
                continue
            key = str(key_node.value)
            if key in result:
                self._note(key_node, (key,), "written twice")
            result[key] = self.value(value_node, (*path, key), inside)
        return result

    def _scalar(self, node: yaml.Node, path: YamlKeys) -> YamlValue:
        text = str(node.value)
        match node.tag.rsplit(":", 1)[-1]:
            case "bool":
                return text == "true"
            case "int":
                if len(text.lstrip("+-").lstrip("0")) > MOST_DIGITS:
                    self._note(node, path, "too large a number")
                    return 0
                return int(text)
            case "float":
                if not math.isfinite(number := float(text)):
                    self._note(node, path, "too large a number")
                    return 0.0
                return number
            case "null":
                return None
        return text

    def _note(self, node: yaml.Node, path: YamlKeys, message: str) -> None:
        mark, name = node.start_mark, _named(path)
        self.problems.append(f"{self.file}:{mark.line + 1}:{mark.column + 1}: {name or 'file'}: {message}")

    def _stop(self, node: yaml.Node, path: YamlKeys, message: str) -> NoReturn:
        self._note(node, path[: MOST_DEPTH // 4], message)
        raise ConfigError(self.problems)
