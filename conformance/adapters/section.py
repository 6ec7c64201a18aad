"""A map of a fencer file, and how an adapter reads values from it. Mistakes are collected with their place, never raised.

A file whose adapter has a form has been checked when it is read: `checked` is true, and the values are taken as they are. For an
adapter without one each value is checked when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.adapters.placeholders import Item
from conformance.vocabulary import Ask
from fencelab_yaml.errors import Problems, did_you_mean, listed
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`path` is where the map stands in the file ("over.ipmi"), empty for the file as a whole."""

    file: Path
    built_in: bool
    problems: Problems
    node: YamlMap
    path: str = ""
    checked: bool = False

    @property
    def folder(self) -> Path:
        """Where the file lies; absolute, since programs start with another working directory."""
        return self.file.absolute().parent

    # -- places --------------------------------------------------------------------------------------------------------

    def at(self, key: str) -> str:
        """The path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def get(self, key: str) -> YamlNode | None:
        return self.node.entries.get(key)

    def bad(self, node: YamlNode, path: str, message: str) -> None:
        """Notes a mistake."""
        self.problems.add(node.mark, path, message)

    def lacks(self, key: str, message: str) -> None:
        """Notes that a key is missing."""
        self.bad(self.node, self.at(key), message)

    def only(self, known: Iterable[str]) -> None:
        """Notes every key that is not known."""
        allowed = tuple(known)
        for key, mark in self.node.keys.items():
            if key not in allowed:
                self.problems.add(mark, self.at(key), f"unknown key{did_you_mean(key, allowed)}; known here: {listed(allowed)}")

    def _fits(self, piece: str, node: YamlNode, path: str) -> bool:
        if self.checked:
            return True
        from conformance.fencer_forms.pieces import fits  # it loads pydantic, which takes 100 ms

        return fits(piece, node, path, self.problems)

    # -- maps ----------------------------------------------------------------------------------------------------------

    def part(self, key: str) -> Section | None:
        """The map under a key."""
        node = self.get(key)
        return None if node is None else self.child(node, self.at(key))

    def child(self, node: YamlNode, path: str, message: str = "must be a map") -> Section | None:
        """The section of a map within this one; None, and `message` noted, where it is no map."""
        if isinstance(node, YamlMap):
            return replace(self, node=node, path=path)
        self.bad(node, path, message)
        return None

    def entries(self, key: str) -> Iterator[tuple[str, YamlNode, str]]:
        """Name, value and path of each entry of the map under a key; nothing where there is no such key."""
        node = self.get(key)
        if node is not None and self._fits("map", node, self.at(key)) and isinstance(node, YamlMap):
            for name, value in node.entries.items():
                yield name, value, f"{self.at(key)}.{name}"

    def per_ask(self, key: str) -> Iterator[tuple[Ask, YamlNode, str]]:
        """The entries of a map whose names are actions."""
        node = self.get(key)
        if node is not None and self._fits("actions", node, self.at(key)):
            for name, value, path in self.entries(key):
                yield Ask(name), value, path

    # -- values --------------------------------------------------------------------------------------------------------

    def raw(self, key: str) -> str:
        """What is written under a key; empty where there is no such key."""
        node = self.get(key)
        return "" if node is None else _raw(node)

    def word(self, key: str) -> str | None:
        """The text under a key that must be there."""
        node = self.get(key)
        if node is None:
            self.lacks(key, "missing")
            return None
        return self.text(node, self.at(key))

    def text(self, node: YamlNode, path: str) -> str | None:
        """A text in which placeholders may stand."""
        return node.raw if self._fits("text", node, path) and isinstance(node, YamlScalar) else None

    def texts(self, key: str) -> dict[str, str | None]:
        """The map of texts under a key; None where the file says null."""
        node = self.get(key)
        found: dict[str, str | None] = {}
        if node is None or not self._fits("texts", node, self.at(key)):
            return found
        for name, value, path in self.entries(key):
            is_null = isinstance(value, YamlScalar) and value.value is None
            if is_null and _raw(value) == "":
                self.bad(value, path, "must be text, not nothing; write null to take it away")
            found[name] = None if is_null else _raw(value)
        return found

    def line(self, node: YamlNode, path: str) -> tuple[Item, ...]:
        """A command line: arguments, and groups of arguments that stand or fall together."""
        if not self._fits("line", node, path):
            return ()
        items = node.items if isinstance(node, YamlList) else (node,)
        return tuple(tuple(map(_raw, item.items)) if isinstance(item, YamlList) else _raw(item) for item in items)

    def words(self, key: str) -> tuple[Item, ...]:
        """The command line under a key; empty where there is no such key."""
        node = self.get(key)
        return () if node is None else self.line(node, self.at(key))

    def numbers(self, key: str) -> tuple[float, ...]:
        """The number under a key whose form has been checked, or the list of them; empty where there is no such key."""
        node = self.get(key)
        items = node.items if isinstance(node, YamlList) else (node,)
        return tuple(each.value for each in items if isinstance(each, YamlScalar) and isinstance(each.value, int | float))

    def pattern(self, node: YamlNode | None, path: str) -> re.Pattern[str] | None:
        """A regular expression in which ^ and $ stand for lines; None where there is none."""
        if node is None or not self._fits("pattern", node, path) or not isinstance(node, YamlScalar):
            return None
        return re.compile(node.raw, re.MULTILINE)


def _raw(node: YamlNode) -> str:
    return node.raw if isinstance(node, YamlScalar) else ""


def present(texts: Mapping[str, str | None]) -> dict[str, str]:
    """Those that are not taken away with null."""
    return {name: text for name, text in texts.items() if text is not None}
