"""The values of a resolved profile one by one, each with its place. `bmc-emulator profile` shows and compares them.

Pure. A path is the keys from the root on; an item of a list has its number in brackets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fencelab_yaml.errors import Mark
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar, plain

EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class ProfileValue:
    """One value. Lists of scalars, such as the cells of a power table, are one value. `origin` is file and line."""

    path: str
    value: object
    mark: Mark

    @property
    def origin(self) -> str:
        return f"{Path(self.mark.file).name}:{self.mark.line}"


def values(root: YamlMap, under: str = "") -> Iterator[ProfileValue]:
    """All values in the order of the file; with `under` those at this path and below."""
    for value in _walk(root, ""):
        if not under or value.path == under or value.path.startswith((f"{under}.", f"{under}[")):
            yield value


def _walk(node: YamlNode, path: str) -> Iterator[ProfileValue]:
    if isinstance(node, YamlMap) and node.entries:
        for key, inner in node.entries.items():
            yield from _walk(inner, f"{path}.{key}" if path else key)
    elif isinstance(node, YamlList) and any(not isinstance(item, YamlScalar) for item in node.items):
        for number, item in enumerate(node.items):
            yield from _walk(item, f"{path}[{number}]")
    else:
        yield ProfileValue(path, plain(node), node.mark)


def is_evidence(path: str) -> bool:
    """Whether a value says where another one comes from."""
    return path.startswith("sources.") or f".{EVIDENCE}." in path or path.endswith(f".{EVIDENCE}")


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that two profiles do not share; None on the side where there is none."""

    path: str
    left: ProfileValue | None
    right: ProfileValue | None


def differences(left: YamlMap, right: YamlMap, *, evidence: bool = False) -> Iterator[Difference]:
    """What differs, in the order of `left`, then what only `right` has. Without `evidence` the sources of values do not count,
    and of a cell of a power table only the outcome does."""
    mine, theirs = _by_path(left, evidence), _by_path(right, evidence)
    for path, value in mine.items():
        other = theirs.get(path)
        if other is None or _compared(value, evidence) != _compared(other, evidence):
            yield Difference(path, value, other)
    for path, value in theirs.items():
        if path not in mine:
            yield Difference(path, None, value)


def _by_path(root: YamlMap, evidence: bool) -> Mapping[str, ProfileValue]:
    return {value.path: value for value in values(root) if evidence or not is_evidence(value.path)}


def _compared(value: ProfileValue, evidence: bool) -> object:
    cell = ".table." in value.path or ".chassis." in value.path or value.path.endswith("unlisted_type")
    if cell and not evidence and isinstance(value.value, list) and value.value:
        return value.value[0]
    return value.value
