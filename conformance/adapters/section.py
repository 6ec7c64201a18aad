"""A map of a fencer file, and how values are read from it. Mistakes are collected with their place, never raised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.adapters.placeholders import BMC_KEYS, KEYS, Item, placeholders
from conformance.vocabulary import ASKED_OF_FENCERS, Ask
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

    def only(self, known: Iterable[str], elsewhere: Mapping[str, str] | None = None) -> None:
        """Notes every key that is not known; `elsewhere` has sentences about keys that are known in other files."""
        allowed = tuple(known)
        for key, mark in self.node.keys.items():
            if key not in allowed:
                why = (elsewhere or {}).get(key) or f"no such key{did_you_mean(key, allowed)}"
                self.problems.add(mark, self.at(key), f"{why}; there are: {listed(allowed)}")

    def child(self, node: YamlNode, path: str, message: str) -> Section | None:
        """The section of a map within this one; None, and `message` noted, where it is no map."""
        if isinstance(node, YamlMap):
            return replace(self, node=node, path=path)
        self.bad(node, path, message)
        return None

    def entries(self, key: str) -> Iterator[tuple[str, YamlNode, str]]:
        """Name, value and path of each entry of the map under a key; nothing where there is no such key."""
        node = self.get(key)
        if node is not None and (inside := self.child(node, self.at(key), "must be a map")) is not None:
            for name, value in inside.node.entries.items():
                yield name, value, inside.at(name)

    def per_ask(self, key: str) -> Iterator[tuple[Ask, YamlNode, str]]:
        """The entries of a map whose names are actions."""
        for name, value, path in self.entries(key):
            known = [ask for ask in Ask if ask in ASKED_OF_FENCERS]
            if name in known:
                yield Ask(name), value, path
            else:
                self.bad(value, path, f"no such action{did_you_mean(name, known)}; there are: {listed(known)}")

    # -- values --------------------------------------------------------------------------------------------------------

    def word(self, key: str) -> str | None:
        """The text under a key that must be there."""
        node = self.get(key)
        if node is None:
            self.lacks(key, "missing")
            return None
        return self.text(node, self.at(key))

    def text(self, node: YamlNode, path: str) -> str | None:
        """A text in which placeholders may stand."""
        if not isinstance(node, YamlScalar) or isinstance(node.value, bool) or node.value is None:
            self.bad(
                node, path, "must be text" + (f': quote it ("{node.raw}")' if isinstance(node, YamlScalar) and node.raw else "")
            )
            return None
        for name in sorted(placeholders(node.raw) - KEYS):
            self.bad(node, path, f"no such placeholder {{{name}}}; there are: {listed('{bmc.' + key + '}' for key in BMC_KEYS)}")
        return node.raw

    def texts(self, key: str) -> dict[str, str | None]:
        """The map of texts under a key; None where the file says null."""
        return {
            name: None if isinstance(value, YamlScalar) and value.value is None and value.raw != "" else self.text(value, path)
            for name, value, path in self.entries(key)
        }

    def line(self, node: YamlNode, path: str) -> tuple[Item, ...]:
        """A command line: arguments, and groups of arguments that stand or fall together."""
        if isinstance(node, YamlScalar):
            text = self.text(node, path)
            return () if text is None else (text,)
        items: list[Item] = []
        for number, item in enumerate(node.items if isinstance(node, YamlList) else ()):
            where = f"{path}[{number}]"
            if isinstance(item, YamlList):
                group = [self.text(part, f"{where}[{n}]") for n, part in enumerate(item.items)]
                items.append(tuple(part for part in group if part is not None))
            elif (text := self.text(item, where)) is not None:
                items.append(text)
        if not items:
            self.bad(node, path, "must be a list of arguments; a group that stands or falls together is a list in the list")
        return tuple(items)

    def pattern(self, node: YamlNode | None, path: str) -> re.Pattern[str] | None:
        """A regular expression in which ^ and $ stand for lines; None where there is none."""
        if node is None or (text := self.text(node, path)) is None:
            return None
        try:
            return re.compile(text, re.MULTILINE)
        except re.error as error:
            self.bad(node, path, f"not a regular expression: {error}")
            return None


def present(texts: Mapping[str, str | None]) -> dict[str, str]:
    """Those that are not taken away with null."""
    return {name: text for name, text in texts.items() if text is not None}
