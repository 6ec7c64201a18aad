"""Reads YAML 1.2 scalars, with a position for every value. Every reader of a YAML file calls `parse`.

Rules
  1. Only `true` and `false` are booleans: `On`, `off`, `yes`, `no` are text (in YAML 1.1 they are booleans).
  2. Only words in the form of a number are numbers: `12:34:56`, `0755`, `1.9.0` and dates are text.
  3. Keys are text and unique. One document per file, UTF-8, no tags.
  4. For any bytes, the result is a tree or a `YamlFileError`. Size, depth and the growth through aliases are bounded, and a
     loop builds the tree from parser events, so that no input can exhaust the stack.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import yaml

from fencelab_yaml.errors import Mark, Problems

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}")
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18}|[0-9]{1,18}(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?")
_NOT_YAML: Final = re.compile("[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class YamlLimits:
    """How large a file may be: its size, its levels, and its values with what aliases repeat."""

    bytes: int = 1_000_000
    depth: int = 32
    values: int = 50_000


USUAL: Final = YamlLimits()


@dataclass(frozen=True, slots=True, eq=False)
class YamlScalar:
    """One value. `raw`: the text in the file. `value`: its meaning."""

    value: str | int | float | bool | None
    raw: str
    mark: Mark
    size: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class YamlList:
    """A list. `assumed`: a table cell with `"?"`, whose outcome is that of a parent."""

    items: tuple[YamlNode, ...]
    mark: Mark
    size: int
    assumed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class YamlMap:
    """A map. `keys` has the place of each key."""

    entries: Mapping[str, YamlNode]
    keys: Mapping[str, Mark]
    mark: Mark
    size: int


YamlNode = YamlScalar | YamlList | YamlMap


def plain(node: YamlNode) -> Any:
    """Returns the tree as dicts, lists and scalars."""
    match node:
        case YamlScalar(value=value):
            return value
        case YamlList(items=items):
            return [plain(item) for item in items]
        case YamlMap(entries=entries):
            return {key: plain(value) for key, value in entries.items()}


def child(node: YamlNode | None, *path: str) -> YamlNode | None:
    """Returns the node at `path`, or None if there is none."""
    for key in path:
        if not isinstance(node, YamlMap):
            return None
        node = node.entries.get(key)
    return node


def text_of(node: YamlNode | None) -> str | None:
    """Returns the text of a scalar; None for other nodes."""
    return node.value if isinstance(node, YamlScalar) and isinstance(node.value, str) else None


def parse(data: bytes, file: str, problems: Problems, limits: YamlLimits = USUAL) -> YamlMap:
    """Parses the one document in `data`, which must be a map. Adds bad keys to `problems`; the tree is still usable then.

    Raises `problems.error` with the place of the first thing that is not YAML, or of what makes a tree impossible.
    """
    text = _decode(data, file, problems, limits)
    root = _Builder(file, problems, limits).build(text)
    if not isinstance(root, YamlMap):
        found = "list" if isinstance(root, YamlList) else "single value"
        raise problems.refusal(root.mark, f"a {problems.called} is a map of keys, this is a {found}")
    return root


def _decode(data: bytes, file: str, problems: Problems, limits: YamlLimits) -> str:
    if len(data) > limits.bytes:
        raise problems.refusal(Mark(file), f"larger than {limits.bytes} bytes: not a {problems.called}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        raise problems.refusal(_place(file, before), f"byte 0x{data[error.start]:02x} is not UTF-8 text") from None
    if bad := _NOT_YAML.search(text):
        raise problems.refusal(_place(file, text[: bad.start()]), f"character U+{ord(bad[0]):04X} is not allowed in YAML")
    return text


def _place(file: str, before: str) -> Mark:
    return Mark(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def resolve(raw: str) -> str | int | float | bool | None:
    """Returns the value of an unquoted word. Words with leading zeroes or colons, and infinities, are text."""
    if raw in ("", "~", "null"):
        return None
    if raw in ("true", "false"):
        return raw == "true"
    if _INTEGER.fullmatch(raw):
        return int(raw, 0)
    if _FLOAT.fullmatch(raw) and math.isfinite(value := float(raw)):
        return value
    return raw


@dataclass(slots=True)
class _Open:
    """A list or map whose end has not been parsed yet."""

    mark: Mark
    anchor: str | None
    is_map: bool
    items: list[YamlNode]
    entries: dict[str, YamlNode]
    keys: dict[str, Mark]
    key: str | None = None
    size: int = 1


class _Builder:
    """Builds the tree from the parser's events."""

    def __init__(self, file: str, problems: Problems, limits: YamlLimits) -> None:
        self._file = file
        self._limits = limits
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, YamlNode | None] = {}
        self._root: YamlNode | None = None

    def build(self, text: str) -> YamlNode:
        documents = 0
        for event in self._events(text):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    called = self._problems.called.removesuffix(" file")
                    raise self._problems.refusal(self._mark(event), f"a second document: one {called} per file")
            self._take(event)
        if self._root is None:
            raise self._problems.refusal(Mark(self._file, 1, 1), "the file is empty")
        return self._root

    def _events(self, text: str) -> Iterator[Any]:
        try:
            yield from yaml.parse(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            at = error.problem_mark or error.context_mark
            mark = Mark(self._file, at.line + 1, at.column + 1) if at else Mark(self._file)
            raise self._problems.refusal(mark, _sentence(error, text, mark)) from None
        except yaml.YAMLError as error:
            raise self._problems.refusal(Mark(self._file), f"not YAML: {error}") from None

    def _mark(self, event: Any) -> Mark:
        return Mark(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _take(self, event: Any) -> None:
        match event:
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._start(event, isinstance(event, yaml.MappingStartEvent))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()
            case yaml.ScalarEvent():
                mark = self._mark(event)
                self._refuse_tag(event, mark)
                value = resolve(event.value) if event.implicit[0] else event.value
                self._add(YamlScalar(value, event.value, mark), event.anchor)
            case yaml.AliasEvent():
                self._alias(event)
            case _:
                return

    def _refuse_tag(self, event: Any, mark: Mark) -> None:
        if event.tag is not None:
            raise self._problems.refusal(mark, f"the tag {event.tag} is not allowed: quote a value to make it text")

    def _start(self, event: Any, is_map: bool) -> None:
        mark = self._mark(event)
        self._refuse_tag(event, mark)
        if len(self._open) >= self._limits.depth:
            raise self._problems.refusal(mark, f"nested deeper than {self._limits.depth} levels")
        if self._open and self._open[-1].is_map and self._open[-1].key is None:
            raise self._problems.refusal(mark, "a key must be a word, not a list or a map")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Open(mark, event.anchor, is_map, [], {}, {}))

    def _end(self) -> None:
        done = self._open.pop()
        node: YamlNode
        if done.is_map:
            node = YamlMap(MappingProxyType(done.entries), MappingProxyType(done.keys), done.mark, done.size)
        else:
            node = YamlList(tuple(done.items), done.mark, done.size)
        self._add(node, done.anchor)

    def _alias(self, event: Any) -> None:
        mark = self._mark(event)
        if event.anchor not in self._anchors:
            raise self._problems.refusal(mark, f"there is no anchor &{event.anchor} above")
        node = self._anchors[event.anchor]
        if node is None:
            raise self._problems.refusal(mark, f"*{event.anchor} stands inside the value that it names")
        self._add(node, None, mark)

    def _add(self, node: YamlNode, anchor: str | None, at: Mark | None = None) -> None:
        mark = at or node.mark
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self._root = node
            return
        top = self._open[-1]
        top.size += node.size
        if top.size > self._limits.values:
            raise self._problems.refusal(mark, f"more than {self._limits.values} values (aliases counted where they are used)")
        if not top.is_map:
            top.items.append(node)
        elif top.key is None:
            top.key = self._key(node, mark, top)
        else:
            top.entries.setdefault(top.key, node)
            top.key = None

    def _key(self, node: YamlNode, mark: Mark, top: _Open) -> str:
        if not isinstance(node, YamlScalar):
            raise self._problems.refusal(mark, "a key must be a word, not a list or a map")
        if not isinstance(node.value, str):
            self._problems.add(mark, "", f"the key {node.raw or 'null'} is not text: quote it")
        key = node.value if isinstance(node.value, str) else node.raw
        if key in top.keys:
            self._problems.add(mark, "", f"duplicate key '{key}', first at line {top.keys[key].line}")
        top.keys.setdefault(key, mark)
        return key


def _sentence(error: yaml.MarkedYAMLError, text: str, mark: Mark) -> str:
    lines = text.splitlines()
    line = lines[mark.line - 1] if 0 < mark.line <= len(lines) else ""
    if line[mark.column - 1 : mark.column] == "\t":
        return "a tab: YAML wants spaces"
    context = f"{error.context}: " if error.context else ""
    return f"not YAML: {context}{error.problem}"
