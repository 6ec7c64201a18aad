"""What a client may write: a table of rules per property, and the PATCH and creation of resources with them (DSP0266 7.4).

All resource families call `patch` when a tree is built. The operations run in the emulator's thread.

Rules
  1. A property that is not in the table is refused by name: PropertyNotWritable if the resource shows it, else PropertyUnknown.
  2. Valid properties are written, and each invalid one gets a message: status 200. Without any valid
     property the status is 400.
  3. A body with nothing but OData annotations is 400 NoOperation. Messages never repeat secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Protocol, TypeAlias

from emulator.redfish.service.call import RedfishCall, RegistryError, RegistryMessage, ResourceBody, refused, shown
from emulator.redfish.service.resource import Operation, RedfishPrivilege
from emulator.redfish.service.shapes import Json


class InvalidValue(Exception):
    """A value that a rule does not accept. `message` and its arguments are of the Base registry and name the property."""

    def __init__(self, message: str, *args: str) -> None:
        super().__init__(message)
        self.message = message
        self.message_args = args


class Rule(Protocol):
    def check(self, value: object, name: str) -> object:
        """The value to store. `name` is the path of the property in messages. Raises InvalidValue."""


WritableFields: TypeAlias = Mapping[str, Rule]

MAX_MESSAGES: Final = 32
"""A body of 1 MB can name 70,000 unknown properties; nobody reads so many messages."""

_MANY_NAMES: Final = 1000
"""In a body with more names only those are looked at that matter: the loop is not held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRule:
    """A string of `low` to `high` characters. Messages do not repeat a `secret` value."""

    low: int = 0
    high: int = 1024
    pattern: str | None = None
    secret: bool = False

    def check(self, value: object, name: str) -> object:
        quoted = "******" if self.secret else shown(value)
        if not isinstance(value, str):
            raise InvalidValue("PropertyValueTypeError", quoted, name)
        if len(value) < self.low:
            raise InvalidValue("StringValueTooShort", quoted, str(self.low))
        if len(value) > self.high:
            raise InvalidValue("StringValueTooLong", quoted, str(self.high))
        if self.pattern is not None and re.fullmatch(self.pattern, value) is None:
            raise InvalidValue("PropertyValueFormatError", quoted, name)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerRule:
    """An integer from `low` to `high`; with `or_zero` also 0."""

    low: int
    high: int
    or_zero: bool = False

    def check(self, value: object, name: str) -> object:
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        if not (self.low <= value <= self.high or (self.or_zero and value == 0)):
            raise InvalidValue("PropertyValueOutOfRange", shown(value), name)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRule:
    """An integer or fraction from `low` to `high`."""

    low: float
    high: float

    def check(self, value: object, name: str) -> object:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        if not self.low <= value <= self.high:
            raise InvalidValue("PropertyValueOutOfRange", shown(value), name)
        return value


@dataclass(frozen=True, slots=True)
class BooleanRule:
    def check(self, value: object, name: str) -> object:
        if not isinstance(value, bool):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        return value


@dataclass(frozen=True, slots=True)
class OneOfRule:
    words: tuple[str, ...]

    def check(self, value: object, name: str) -> object:
        if not isinstance(value, str):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        if value not in self.words:
            raise InvalidValue("PropertyValueNotInList", shown(value), name)
        return value


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    """A link to a resource. The value to store is its path."""

    def check(self, value: object, name: str) -> object:
        path = value.get("@odata.id") if isinstance(value, dict) and len(value) == 1 else None
        if not isinstance(path, str):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        return path.rstrip("/")


@dataclass(frozen=True, slots=True)
class OrNullRule:
    rule: Rule

    def check(self, value: object, name: str) -> object:
        return None if value is None else self.rule.check(value, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRule:
    """A list of at most `high` items. With `sparse` items may be null and {}; the writer then calls `merged_list`."""

    item: Rule
    high: int = 64
    sparse: bool = False

    def check(self, value: object, name: str) -> object:
        if not isinstance(value, list):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        if len(value) > self.high:
            raise InvalidValue("ArraySizeTooLong", name, str(self.high))
        return [
            item if self.sparse and (item is None or item == {}) else self.item.check(item, f"{name}/{n}")
            for n, item in enumerate(value)
        ]


@dataclass(frozen=True, slots=True)
class ObjectRule:
    """An object whose properties a client may write one by one."""

    fields: WritableFields

    def check(self, value: object, name: str) -> object:
        """Checks the object as a whole: used for items of lists and for creation."""
        if not isinstance(value, dict):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        taken, messages = check_fields(value, self.fields, {}, f"{name}/")
        if messages:
            raise InvalidValue(messages[0].message, *messages[0].args)
        return taken


def check_fields(
    body: Json, fields: WritableFields, known: Mapping[str, object], prefix: str = ""
) -> tuple[Json, list[RegistryMessage]]:
    """The valid properties of `body`, and messages about the others. `known` is the body of the resource now.

    After MAX_MESSAGES messages there are no more about properties without a rule.
    """
    taken: Json = {}
    messages: list[RegistryMessage] = []
    for name in body if len(body) <= _MANY_NAMES else _worth_checking(body, fields):
        if name.startswith("@odata."):
            continue
        rule, value = fields.get(name), body[name]
        if rule is None and len(messages) >= MAX_MESSAGES:
            continue
        path = prefix + shown(name)
        if rule is None:
            message_name = "PropertyNotWritable" if name in known else "PropertyUnknown"
            messages.append(RegistryMessage(message_name, (path,), (f"#/{path}",)))
        elif isinstance(rule, ObjectRule) and isinstance(value, dict):
            inner = known.get(name)
            part, more = check_fields(value, rule.fields, inner if isinstance(inner, dict) else {}, f"{path}/")
            messages += more
            if part:
                taken[name] = part
        else:
            try:
                taken[name] = rule.check(value, path)
            except InvalidValue as invalid:
                messages.append(RegistryMessage(invalid.message, invalid.message_args, (f"#/{path}",)))
    return taken, messages


def _worth_checking(body: Json, fields: WritableFields) -> Iterator[str]:
    """Enough of the names without a rule for all messages about them, and every name with a rule. Few names are looked at."""
    yield from islice((name for name in body if name not in fields and not name.startswith("@odata.")), MAX_MESSAGES)
    yield from (name for name in fields if name in body)


Written: TypeAlias = Sequence[RegistryMessage] | ResourceBody | None
WriteOperation: TypeAlias = Callable[[RedfishCall, Json], Written]
"""Writes the checked values. May raise RegistryError if nothing has been written yet. May return messages about some
properties, or a ResourceBody if the resource has moved or the answer needs other headers."""


def patch(
    needs: RedfishPrivilege,
    fields: WritableFields | Callable[[RedfishCall], WritableFields],
    write: WriteOperation,
    *,
    known: Callable[[RedfishCall], Json] | None = None,
) -> Operation:
    """A PATCH operation. `fields` may depend on the requester; `known` gives the body of a resource that has none of its own."""

    def do(call: RedfishCall) -> ResourceBody:
        body = call.json_object()
        allowed = fields(call) if callable(fields) else fields
        taken, messages = check_fields(body, allowed, {})
        if any(message.message == "PropertyUnknown" for message in messages):
            taken, messages = check_fields(body, allowed, known(call) if known is not None else call.resource.body_now(call))
        if not taken and messages:
            raise refused(400, messages)
        if not taken:
            raise RegistryError(400, "NoOperation" if body else "EmptyJSON")
        done = write(call, taken)
        if isinstance(done, ResourceBody):
            return replace(done, messages=(*messages, *done.messages))
        return ResourceBody(call.resource.path, messages=(*messages, *(done or ())))

    return Operation(needs, do)


def new_resource_values(body: Json, fields: WritableFields, required: Sequence[str]) -> Json:
    """The valid properties for a new resource. Raises RegistryError (400) if any is missing, unknown or invalid."""
    taken, messages = check_fields(body, fields, {})
    missing = [
        RegistryMessage("CreateFailedMissingReqProperties", (name,), (f"#/{name}",)) for name in required if name not in body
    ]
    if missing or messages:
        raise refused(400, [*missing, *messages])
    return taken


def merged_list(current: Sequence[object], patch: Sequence[object]) -> list[object]:
    """An array after a PATCH (DSP0266 7.4.3): null removes an item, {} keeps it, a value replaces or adds it, the rest is cut."""
    merged: list[object] = []
    for n, item in enumerate(patch):
        if item is None:
            continue
        if item == {}:
            merged += current[n : n + 1]
        else:
            merged.append(item)
    return merged
