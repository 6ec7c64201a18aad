"""A `Scenario` as the text of a scenario file. What is as its default is left out.

A scenario that is not pure data has no such text; `NotPureData` says why.
"""

from __future__ import annotations

import types
from dataclasses import MISSING
from enum import Enum
from typing import Final, Union, get_args, get_origin

import yaml

from conformance import requirement
from conformance.requirement import Requirement
from conformance.scenario import Scenario
from conformance.scenario_files.kinds import BASES, every, fields_of, word_of
from conformance.scenario_files.reading import FORMAT, ScenarioFileError, read
from emulator import Armed, HostSpec, mapping_from_arming
from fencelab_yaml.source import resolve

WIDTH: Final = 120
PLAN: Final = ("given", "asks")
"""Keys that stand last: a reader wants to know first what the scenario is about."""
ALWAYS_WRITTEN: Final = frozenset({(HostSpec, "power")})
"""Fields that are written even where they are as their default."""


class NotPureData(Exception):
    """The scenario cannot be written; the text is the reason in one sentence."""


def text_of(scenario: Scenario) -> str:
    """The text of a file from which an equal scenario is read. Raises NotPureData where there is none."""
    try:
        told = _fields(scenario)
    except ValueError as error:
        raise NotPureData(f"{scenario.id} cannot be written as {FORMAT}: {error}") from None
    plan = {key: told.pop(key) for key in PLAN}
    body = {"schema": FORMAT, **told, **plan}
    text: str = yaml.dump(body, Dumper=ScenarioDumper, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=None)
    try:
        again = read(text.encode(), f"{scenario.id}.yaml")
    except ScenarioFileError as error:
        raise NotPureData(f"{scenario.id} cannot be written as {FORMAT}: {error.problems[0].message}") from None
    if again != scenario:
        raise NotPureData(f"{scenario.id} cannot be written as {FORMAT}: another scenario would be read from it")
    return text


def _fields(of: object) -> dict[str, object]:
    told: dict[str, object] = {}
    for field in fields_of(_class(of)):
        value = getattr(of, field.name)
        if isinstance(value, Armed):
            told |= mapping_from_arming(value)
        elif field.default is MISSING or value != field.default or (type(of), field.name) in ALWAYS_WRITTEN:
            told[field.key] = _written(field.hint, value)
    return told


def _class(of: object) -> type:
    return of.__class__


def _written(hint: object, value: object) -> object:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if value is None else _written(next(each for each in arguments if each is not type(None)), value)
    match value:
        case tuple():
            return [_written(arguments[0], each) for each in value]
        case frozenset():
            return sorted(str(_written(arguments[0], each)) for each in value)
        case Enum():
            return value.value
        case Requirement() if requirement.BY_ID.get(value.id) is value:
            return value.id
        case str() | bool() | int() | float() | None:
            return value
    return _kind(hint, value) if hint in BASES else _fields(value)


def _kind(base: object, value: object) -> object:
    assert isinstance(base, type)
    word = word_of(type(value))
    if every(base).get(word) is not _class(value):
        raise ValueError(f"{type(value).__name__} is none of the kinds that a scenario file can name")
    told = _fields(value)
    keys = fields_of(_class(value))
    if not told:
        return word
    first = told.get(keys[0].key)
    if len(told) == 1 and first is not None and not isinstance(first, dict):
        return {word: first}
    return {word: told}


class ScenarioDumper(yaml.SafeDumper):
    """Quotes what any reader of YAML 1.1 or 1.2 takes for something else than text."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: ScenarioDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if isinstance(resolve(value), str) else '"')


ScenarioDumper.add_representer(str, _text)
