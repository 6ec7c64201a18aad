"""Shapes of values that only a rack file has: faults, what an outlet feeds. `config` uses them."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.faults.model import check_node
from profiles.shapes import Check, ListOf, Schema, Shape, Text, kind
from profiles.yaml_source import YamlList, YamlNode, YamlScalar


@dataclass(frozen=True, slots=True)
class FaultList:
    """Faults of the form fault/1, or names of the profile's own."""

    def check(self, node: YamlNode, here: Check) -> None:
        if not isinstance(node, YamlList):
            here.fail(node.mark, f"must be a list of faults, not {kind(node)}")
            return
        for index, item in enumerate(node.items):
            if not (isinstance(item, YamlScalar) and isinstance(item.value, str)):
                check_node(item, here.problems, here.at(index).path)

    def schema(self) -> Schema:
        return {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["type"]}]}}


@dataclass(frozen=True, slots=True)
class NameOrNames:
    """One name, or a list of at least one."""

    name: Text

    def check(self, node: YamlNode, here: Check) -> None:
        shape: Shape = ListOf(self.name, least=1, unique=True) if isinstance(node, YamlList) else self.name
        shape.check(node, here)

    def schema(self) -> Schema:
        return {"anyOf": [self.name.schema(), ListOf(self.name, least=1, unique=True).schema()]}
