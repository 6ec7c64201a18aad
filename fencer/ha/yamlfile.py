"""Reads a YAML file with the scalars of YAML 1.2, and keeps the position of every value for error messages.

`load_config` calls it.

Rules
  1. Only `true` and `false` are booleans, `null` and `~` are null; `on`, `off`, `yes`, dates and 12:34 are text.
  2. A problem is `file:line:column: path: message`. All problems are reported together. Duplicate keys are problems.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

YamlValue = str | int | float | bool | None | list["YamlValue"] | dict[str, "YamlValue"]
Where = dict[tuple[str | int, ...], tuple[int, int]]


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

    def problem(self, path: tuple[str | int, ...], message: str) -> str:
        """Formats one problem. If the file has no such `path`, the position is that of the nearest parent."""
        known = path
        while known and known not in self.where:
            known = known[:-1]
        line, column = self.where.get(known, (1, 1))
        name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        return f"{self.file}:{line}:{column}: {name or 'file'}: {message}"


def load(path: Path) -> Document:
    """Reads and parses the file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text"]) from error
    try:
        loader = _Loader(text)
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}:1:1: file: {str(error).splitlines()[0]}"]) from error
    try:
        node = loader.get_single_node()
        where: Where = {}
        problems: list[str] = []
        value = _value(loader, node, (), where, problems, str(path)) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise ConfigError([f"{path}:{at}: file: {error.problem or 'not YAML'}"]) from error
    finally:
        loader.dispose()
    if problems:
        raise ConfigError(problems)
    return Document(str(path), value, where)


def _value(
    loader: _Loader, node: yaml.Node, path: tuple[str | int, ...], where: Where, problems: list[str], file: str
) -> YamlValue:
    where[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, index), where, problems, file) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return _scalar(node)
    result: dict[str, YamlValue] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in result:
            mark = key_node.start_mark
            problems.append(f"{file}:{mark.line + 1}:{mark.column + 1}: {key}: written twice")
        result[key] = _value(loader, value_node, (*path, key), where, problems, file)
    return result


def _scalar(node: yaml.Node) -> YamlValue:
    text = str(node.value)
    match node.tag.rsplit(":", 1)[-1]:
        case "bool":
            return text == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "null":
            return None
    return text
