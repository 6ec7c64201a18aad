"""What a client may write: rules per property, as tables, and what PATCH makes of a body (DSP0266 7.4).

Rules
  1. A property that is not in the table is refused by name: PropertyNotWritable if the resource shows it, else PropertyUnknown.
  2. What is right is taken, what is wrong is complained about: 200 with the complaints. Nothing right at all is 400.
  3. Only OData annotations is 400 NoOperation. Secrets are never repeated in a complaint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from emulator.redfish.service.call import RedfishCall, RegistryError, RegistryMessage, ResourceBody, refused, shown
from emulator.redfish.service.resource import Operation, RedfishPrivilege
from emulator.redfish.service.shapes import Json


class InvalidValue(Exception):
    """A value that its rule does not take. `complaint` names the property with the words of the Base registry."""

    def __init__(self, message: str, *args: str) -> None:
        super().__init__(message)
        self.message = message
        self.message_args = args


class Rule(Protocol):
    def check(self, value: object, name: str) -> object:
        """The value as it is to be stored. Raises InvalidValue."""


WritableFields: TypeAlias = Mapping[str, Rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRule:
    """`low` and `high` count characters; `secret` values are never repeated."""

    low: int = 0
    high: int = 1024
    pattern: str | None = None
    secret: bool = False

    def check(self, value: object, name: str) -> object:
        told = "******" if self.secret else shown(value)
        if not isinstance(value, str):
            raise InvalidValue("PropertyValueTypeError", told, name)
        if len(value) < self.low:
            raise InvalidValue("StringValueTooShort", told, str(self.low))
        if len(value) > self.high:
            raise InvalidValue("StringValueTooLong", told, str(self.high))
        if self.pattern is not None and re.fullmatch(self.pattern, value) is None:
            raise InvalidValue("PropertyValueFormatError", told, name)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerRule:
    """An integer from `low` to `high`; `or_zero` takes 0 besides."""

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
    """A number, whole or not, from `low` to `high`."""

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
    """A link to a resource; it is stored as its path."""

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
    """`sparse` takes the null and {} of a PATCH too; `merged_list` is what the writer then needs."""

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
    """An object of which a client may write parts."""

    fields: WritableFields

    def check(self, value: object, name: str) -> object:
        """Takes it as a whole: for values inside lists and for creation."""
        if not isinstance(value, dict):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        taken, complaints = sift(value, self.fields, {}, f"{name}/")
        if complaints:
            raise InvalidValue(complaints[0].message, *complaints[0].args)
        return taken


def sift(body: Json, fields: WritableFields, known: Mapping[str, object], prefix: str = "") -> tuple[Json, list[RegistryMessage]]:
    """What of `body` may be written, and complaints about the rest. `known` is the resource as it is."""
    taken: Json = {}
    complaints: list[RegistryMessage] = []
    for name, value in body.items():
        if name.startswith("@odata."):
            continue
        path = prefix + shown(name)
        rule = fields.get(name)
        if rule is None:
            message = "PropertyNotWritable" if name in known else "PropertyUnknown"
            complaints.append(RegistryMessage(message, (path,), (f"#/{path}",)))
        elif isinstance(rule, ObjectRule) and isinstance(value, dict):
            inner = known.get(name)
            part, more = sift(value, rule.fields, inner if isinstance(inner, dict) else {}, f"{path}/")
            complaints += more
            if part:
                taken[name] = part
        else:
            try:
                taken[name] = rule.check(value, path)
            except InvalidValue as misfit:
                complaints.append(RegistryMessage(misfit.message, misfit.message_args, (f"#/{path}",)))
    return taken, complaints


Written: TypeAlias = Sequence[RegistryMessage] | ResourceBody | None
WriteOperation: TypeAlias = Callable[[RedfishCall, Json], Written]
"""Writes what was taken. May raise Refusal, if nothing at all has been written; may return complaints about single properties,
or a `Shown` where the resource has moved or other headers are due."""


def patch(
    needs: RedfishPrivilege,
    fields: WritableFields | Callable[[RedfishCall], WritableFields],
    write: WriteOperation,
    *,
    known: Callable[[RedfishCall], Json] | None = None,
) -> Operation:
    """A PATCH operation. `fields` may depend on who asks; `known` gives the resource if not its own body does."""

    def do(call: RedfishCall) -> ResourceBody:
        body = call.json_object()
        allowed = fields(call) if callable(fields) else fields
        taken, complaints = sift(body, allowed, {})
        if any(complaint.message == "PropertyUnknown" for complaint in complaints):
            # Only now: to build the resource counts as a look at it.
            taken, complaints = sift(body, allowed, known(call) if known is not None else call.resource.body_now(call))
        if not taken and complaints:
            raise refused(400, complaints)
        if not taken:
            raise RegistryError(400, "NoOperation" if body else "EmptyJSON")
        done = write(call, taken)
        if isinstance(done, ResourceBody):
            return replace(done, complaints=(*complaints, *done.complaints))
        return ResourceBody(call.resource.path, complaints=(*complaints, *(done or ())))

    return Operation(needs, do)


def created(body: Json, fields: WritableFields, required: Sequence[str]) -> Json:
    """A body that is to make a resource. Raises Refusal (400) for anything missing, unknown or wrong."""
    taken, complaints = sift(body, fields, {})
    missing = [
        RegistryMessage("CreateFailedMissingReqProperties", (name,), (f"#/{name}",)) for name in required if name not in body
    ]
    if missing or complaints:
        raise refused(400, [*missing, *complaints])
    return taken


def merged_list(current: Sequence[object], patch: Sequence[object]) -> list[object]:
    """A PATCHed array: null removes, {} keeps, a value replaces or adds, what is not mentioned is cut off (DSP0266 7.4.3)."""
    merged: list[object] = []
    for n, item in enumerate(patch):
        if item is None:
            continue
        if item == {}:
            merged += current[n : n + 1]
        else:
            merged.append(item)
    return merged
