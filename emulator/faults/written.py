"""Faults in files of others: what is wrong with one in a YAML tree, its JSON Schema, and an arming back in the form `fault/1`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum

from emulator.core.faults.board import Armed
from emulator.core.faults.fault import Seam
from emulator.core.vocab import Rail
from emulator.faults import registry
from emulator.faults.model import check_node as check_fault
from emulator.faults.model import check_profile
from emulator.faults.model import schema as fault_schema
from emulator.faults.page import describe
from emulator.faults.plugins import load_plugged_in

WORDS = {Rail.UP: "on", Rail.DOWN: "off"}

__all__ = ["check_fault", "check_profile", "describe_fault", "fault_names", "fault_schema", "fault_seam", "mapping_from_arming"]


def mapping_from_arming(armed: Armed) -> dict[str, object]:
    """The mapping from which `arming_from_mapping` makes an equal arming; what is as its default is left out.

    Raises ValueError for a fault that has no written form: bytes that are not text, or a class without named parameters.
    """
    if not dataclasses.is_dataclass(armed.fault):
        raise ValueError(f"the fault {armed.fault.name} has no parameters that can be written")
    told: dict[str, object] = {"type": armed.fault.name}
    told |= {key: value for key, value in _set_fields(armed).items() if key != "fault"}
    params = _set_fields(armed.fault)
    return {**told, "params": params} if params else told


def _set_fields(of: object) -> dict[str, object]:
    """The fields of a dataclass object that differ from their defaults."""
    told: dict[str, object] = {}
    for field in dataclasses.fields(of) if dataclasses.is_dataclass(of) else ():
        value = getattr(of, field.name)
        made = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        if type(value) is not type(made) or value != made:
            told[field.name] = _written(value)
    return told


def _written(value: object) -> object:
    match value:
        case Rail() if value in WORDS:
            return WORDS[value]
        case Enum():
            return value.value
        case bytes():
            return value.decode()
        case Mapping():
            return {str(key): _written(item) for key, item in value.items()}
        case list() | tuple():
            return [_written(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return _set_fields(value)
        case _:
            return value


def fault_names() -> tuple[str, ...]:
    """The names of all faults, those of other distributions included."""
    load_plugged_in()
    return registry.fault_names()


def fault_seam(name: str) -> str:
    """The seam on which a fault acts. Raises KeyError."""
    seam: Seam = registry.fault_class(name).seam  # type: ignore[attr-defined]  # `fault` has seen to it
    return seam.value


def describe_fault(name: str) -> tuple[str, tuple[str, ...]]:
    """A fault as docs/faults.md shows it, in Markdown, and the names of its parameters. Raises KeyError."""
    return describe(name), tuple(field.name for field in registry.parameters(name))
