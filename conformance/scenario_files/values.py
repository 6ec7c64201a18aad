"""Values of a scenario file by the type of the field that they are for. Mistakes are collected with their place, never raised."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, is_dataclass, replace
from enum import Enum
from typing import Final, Literal, Union, get_args, get_origin

from conformance import requirement
from conformance.requirement import Requirement
from conformance.scenario import SCENARIO_ID, Scenario
from conformance.scenario_files.kinds import BASES, KindField, every, fields_of, shipped
from emulator import Armed, HostSpec, arming_from_mapping, check_fault
from fencelab_yaml.errors import Problems, did_you_mean, listed
from fencelab_yaml.messages import kind as described
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar, plain

HIGHEST: Final = 1_000_000
BOUNDS: Final[Mapping[tuple[type, str], int]] = {(Scenario, "tier"): 2}
"""The highest number, where it is not HIGHEST; the lowest is 0 everywhere."""
CHOICES: Final[Mapping[tuple[type, str], tuple[str, ...]]] = {(HostSpec, "power"): ("on", "off")}
"""Texts of which there are only a few."""
FAULT_KEYS: Final = ("type", "when", "count", "after", "until", "probability", "must_fire", "params")


class Unread(Enum):
    """What stands for a value with a mistake, which has been noted."""

    UNREAD = "unread"


UNREAD: Final = Unread.UNREAD


@dataclass(frozen=True, slots=True)
class ValuePlace:
    """A node of the file, its path ("asks[0].expect[1]"), and where mistakes are noted."""

    node: YamlNode
    path: str
    problems: Problems

    def bad(self, message: str) -> Unread:
        """Notes a mistake."""
        self.problems.add(self.node.mark, self.path, message)
        return UNREAD

    def inside(self, step: str | int, node: YamlNode) -> ValuePlace:
        text = f"[{step}]" if isinstance(step, int) else f".{step}" if self.path else step
        return replace(self, node=node, path=self.path + text)


def read(hint: object, here: ValuePlace, high: float = HIGHEST) -> object:
    """The value for a field of this type, or UNREAD."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if isinstance(here.node, YamlScalar) and here.node.value is None:
            return None
        return read(next(each for each in arguments if each is not type(None)), here, high)
    if origin is Literal:
        return _choice(arguments, here)
    if origin in (tuple, frozenset):
        return _list(arguments[0], here, origin)
    if isinstance(hint, type):
        if hint in BASES:
            return _kind(hint, here)
        if hint is Requirement:
            return _requirement(here)
        if issubclass(hint, Enum):
            word = _choice([member.value for member in hint], here)
            return UNREAD if word is UNREAD else hint(word)
        if is_dataclass(hint):
            return record(hint, here)
    return _scalar(hint, here, high)


def _scalar(hint: object, here: ValuePlace, high: float) -> object:
    value = here.node.value if isinstance(here.node, YamlScalar) else None
    if hint is bool:
        return value if isinstance(value, bool) else here.bad(f"must be true or false, not {described(here.node)}")
    if hint is str:
        if isinstance(value, str):
            return value
        quote = f'; quote it: "{here.node.raw}"' if isinstance(here.node, YamlScalar) and value is not None else ""
        return here.bad(f"must be text, not {described(here.node)}{quote}")
    number = isinstance(value, int if hint is int else int | float) and not isinstance(value, bool)
    if not number or not isinstance(value, int | float) or not 0 <= value <= high:
        wanted = "a whole number" if hint is int else "a number"
        return here.bad(f"must be {wanted} from 0 to {high:.0f}, not {described(here.node)}")
    return value if hint is int else float(value)


def _choice(words: Iterable[str], here: ValuePlace) -> object:
    known = tuple(words)
    if isinstance(here.node, YamlScalar) and here.node.value in known and isinstance(here.node.value, str):
        return here.node.value
    hint = did_you_mean(here.node.raw, known) if isinstance(here.node, YamlScalar) else ""
    return here.bad(f"must be one of {', '.join(known)}; not {described(here.node)}{hint}")


def _list(item: object, here: ValuePlace, make: object) -> object:
    """A list; a word alone is a list of one."""
    if isinstance(here.node, YamlMap):
        return here.bad("must be a list: put a hyphen before it")
    if isinstance(here.node, YamlList):
        values = [read(item, here.inside(number, node)) for number, node in enumerate(here.node.items)]
    else:
        values = [read(item, here)]
    if any(value is UNREAD for value in values):
        return UNREAD
    return frozenset(values) if make is frozenset else tuple(values)


# -- kinds -----------------------------------------------------------------------------------------------------------------


def _kind(base: type, here: ValuePlace) -> object:
    """`word`, `word: value of its first key`, or `word: {key: value}`."""
    node = here.node
    if isinstance(node, YamlMap) and len(node.entries) == 1:
        (word, value), *_ = node.entries.items()
        here = here.inside(word, value)
        mark = node.keys[word]
    elif isinstance(node, YamlScalar) and isinstance(node.value, str):
        word, value, mark = node.value, None, node.mark
    else:
        if isinstance(node, YamlMap) and len(node.entries) > 1:
            return here.bad(f"has {len(node.entries)} words ({', '.join(node.entries)}): write an item of the list for each")
        return here.bad(f"must be a word, or one word with its keys as a map, not {described(node)}")
    kinds = shipped(base) if word in shipped(base) else every(base)
    if word not in kinds:
        what = base.__name__.lower()
        here.problems.add(
            mark, here.path, f"no {what} is called '{word}'{did_you_mean(word, kinds)}; there are: {listed(kinds, 60)}"
        )
        return UNREAD
    cls = kinds[word]
    if value is None:
        here = replace(here, node=YamlMap({}, {}, mark, 0))
    elif not isinstance(value, YamlMap):
        return _short(cls, here)
    return record(cls, here)


def _short(cls: type, here: ValuePlace) -> object:
    keys = fields_of(cls)
    if not keys:
        return here.bad("has no keys: write the word alone")
    missing = [field.key for field in keys[1:] if field.required]
    if missing:
        return here.bad(f"must be a map with {listed(_keys(cls))}, not {described(here.node)}")
    value = _field(cls, keys[0], here)
    return UNREAD if value is UNREAD else cls(**{keys[0].name: value})


def _keys(cls: type) -> tuple[str, ...]:
    """The keys in a file; those of a fault stand beside the others."""
    return tuple(key for field in fields_of(cls) for key in (FAULT_KEYS if field.hint is Armed else (field.key,)))


def _field(cls: type, field: KindField, here: ValuePlace) -> object:
    if (cls, field.name) in CHOICES:
        return _choice(CHOICES[cls, field.name], here)
    value = read(field.hint, here, BOUNDS.get((cls, field.name), HIGHEST))
    if field.name == "pattern" and isinstance(value, str):
        try:
            re.compile(value)
        except re.error as error:
            return here.bad(f"not a regular expression: {error}")
    return value


def record(cls: type, here: ValuePlace, *, besides: tuple[str, ...] = ()) -> object:
    """An object of a dataclass out of a map. `besides` are keys that the caller reads."""
    if not isinstance(here.node, YamlMap):
        return here.bad(f"must be a map with {listed(_keys(cls))}, not {described(here.node)}")
    known = (*besides, *_keys(cls))
    right = True
    for key, mark in here.node.keys.items():
        if key not in known:
            there = f"there are: {listed(known)}" if known else "it has none"
            here.problems.add(mark, here.inside(key, here.node).path, f"no such key{did_you_mean(key, known)}; {there}")
            right = False
    values: dict[str, object] = {}
    for field in fields_of(cls):
        value: object = MISSING
        if field.hint is Armed:
            value = _armed(here)
        elif field.key in here.node.entries:
            value = _field(cls, field, here.inside(field.key, here.node.entries[field.key]))
        elif field.required:
            value = here.bad(f"'{field.key}' is missing")
        if value is UNREAD:
            right = False
        elif value is not MISSING:
            values[field.name] = value
    if not right:
        return UNREAD
    try:
        return cls(**values)
    except ValueError as error:
        return here.bad(str(error))


def _armed(here: ValuePlace) -> object:
    assert isinstance(here.node, YamlMap)
    node = here.node
    ours = {key: value for key, value in node.entries.items() if key in FAULT_KEYS}
    fault = YamlMap(ours, {key: node.keys[key] for key in ours}, node.mark, node.size)
    found = Problems()
    check_fault(fault, found, here.path)
    here.problems.found |= found.found
    return UNREAD if found.found else arming_from_mapping(plain(fault))


def _requirement(here: ValuePlace) -> object:
    """`FENCE-2`, or a requirement of the user's own."""
    if isinstance(here.node, YamlScalar):
        found = requirement.BY_ID.get(here.node.raw)
        hint = did_you_mean(here.node.raw, requirement.BY_ID)
        own = "of your own: {id, sentence, source, aspect}"
        return found or here.bad(
            f"no requirement is called '{here.node.raw}'{hint}; there are FENCE-1 to {requirement.ALL[-1].id}, and one {own}"
        )
    made = record(Requirement, here)
    if not isinstance(made, Requirement):
        return made
    ours = requirement.BY_ID.get(made.id)
    if ours is not None and ours != made:
        return here.bad(f"{made.id} is one of the suite's own requirements; give yours another id")
    if not SCENARIO_ID.fullmatch(made.id):
        return here.bad(f"a requirement is called GROUP-NUMBER, like ACME-1, not '{made.id}'")
    return ours or made
