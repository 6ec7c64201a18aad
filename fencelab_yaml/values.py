"""The values of which descriptions of files are made, each as the metadata of an `Annotated` type.

    Port = Annotated[int, Number(0, 65535)]

pydantic checks them; the errors have a type of ours and say in `ctx` what is wanted, from which `messages` makes a sentence.
A description says the form only. Names that refer to one another are checked by the reader of the format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Final, Union, cast, get_args, get_origin

from pydantic import ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, with_config
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

SCALAR, ITEMS, FIELDS = "\0scalar", "\0items", "\0fields"
FORMS: Final = frozenset({SCALAR, ITEMS, FIELDS})
"""Steps of an error's location that are no keys: pydantic names the member of a `OneOf` with them."""

known_keys: Final = with_config(ConfigDict(extra="forbid", strict=True))
"""For each `TypedDict` of a description: a key that is not in it is a mistake."""

Context = Mapping[str, object]
Complaint = tuple[tuple[int | str, ...], PydanticCustomError]
"""Where below a value, and what is wrong there."""


def complaint(kind: str, **context: object) -> PydanticCustomError:
    """An error of ours; `messages` has the sentence for its kind."""
    return PydanticCustomError(kind, kind, context)


def _with_complaint(schema: CoreSchema, kind: str, **context: object) -> CoreSchema:
    return core_schema.custom_error_schema(
        schema, custom_error_type=kind, custom_error_message=kind, custom_error_context=dict(context)
    )


def raise_all(value: object, complaints: list[Complaint]) -> None:
    """Raises all complaints about a value together."""
    raise ValidationError.from_exception_data(
        "value", [InitErrorDetails(type=error, loc=place, input=value) for place, error in complaints]
    )


@dataclass(frozen=True, slots=True)
class Text:
    """Text. Numbers and booleans without quotes are refused: 6.10 and 6.1 are the same number but different versions.

    `pattern` must fit the whole text; the regular expression has no look-around.
    """

    pattern: str = ".+"
    wanted: str = "text"

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        if self.pattern == ".+":
            inner = core_schema.str_schema(strict=True, min_length=1)
        else:
            inner = core_schema.str_schema(strict=True, pattern=f"^(?s:{self.pattern})$")
        return _with_complaint(inner, "text", wanted=self.wanted)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string"} | ({"minLength": 1} if self.pattern == ".+" else {"pattern": f"^(?:{self.pattern})$"})


@dataclass(frozen=True, slots=True)
class TextOrNumber:
    """A word of which the reader takes the text as it is written, also where it looks like a number or a boolean."""

    wanted: str = "text"

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: object) -> object:
            if isinstance(value, str | int | float) and value != "":
                return value
            raise complaint("text", wanted=self.wanted)

        return core_schema.no_info_plain_validator_function(check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class KeyText(Text):
    """A key with free words."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _with_complaint(core_schema.str_schema(pattern=f"^(?s:{self.pattern})$"), "key", wanted=self.wanted)


class Choice:
    """One word of a list."""

    kind: str = "choice"

    def __init__(self, *words: str) -> None:
        self.words = words

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _with_complaint(core_schema.literal_schema(list(self.words)), self.kind, words=self.words)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"enum": list(self.words)}


class KeyChoice(Choice):
    """A key that is one word of a list."""

    kind = "key_choice"

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": list(self.words)}  # with a type, pydantic makes `propertyNames` of it


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `low` to `high`; whole numbers only unless `fraction`."""

    low: float = 0
    high: float = 1_000_000_000
    fraction: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _with_complaint(
            core_schema.float_schema(strict=True, allow_inf_nan=False, ge=self.low, le=self.high)
            if self.fraction
            else core_schema.int_schema(strict=True, ge=int(self.low), le=int(self.high)),
            "number",
            low=self.low,
            high=self.high,
            fraction=self.fraction,
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "number" if self.fraction else "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class TrueOrFalse:
    """A boolean. Words and numbers are none."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _with_complaint(core_schema.bool_schema(strict=True), "flag")


Flag = Annotated[bool, TrueOrFalse()]


@dataclass(frozen=True, slots=True)
class Never:
    """A key that a file must not have; `why` says what to do instead."""

    why: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def refuse(value: object) -> object:
            raise complaint("sentence", sentence=self.why)

        return core_schema.no_info_plain_validator_function(refuse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"not": {}}


@dataclass(frozen=True, slots=True)
class OneOf:
    """Different kinds of node for one thing: the annotated union has one member each for a word or number, a list, a map.

    Of a type that is no union it says only what is wanted.
    """

    wanted: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        hints = get_args(source) if get_origin(source) in (Union, UnionType) else (source,)
        members = {form_of(hint): handler.generate_schema(hint) for hint in hints}
        return core_schema.tagged_union_schema(
            members, _form, custom_error_type="form", custom_error_message="form", custom_error_context={"wanted": self.wanted}
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        return {"anyOf": found["oneOf"]} if "oneOf" in found else found


def form_of(hint: object) -> str:
    """Which kind of node a type describes."""
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    origin = get_origin(hint) or hint
    if origin is list:
        return ITEMS
    return FIELDS if isinstance(origin, type) and issubclass(origin, dict) else SCALAR


def _form(value: object) -> str:
    return FIELDS if isinstance(value, dict) else ITEMS if isinstance(value, list) else SCALAR


@dataclass(frozen=True, slots=True)
class CheckBeside:
    """Adds what `check` finds in the raw value to what is wrong with its parts, so that all comes at once."""

    check: Callable[[object], Iterator[Complaint]]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return self.around(handler(source))

    def around(self, schema: CoreSchema) -> CoreSchema:
        """The schema of the parts with this check beside it."""

        def both(value: object, inner: core_schema.ValidatorFunctionWrapHandler) -> object:
            found = list(self.check(value))
            try:
                result: object = inner(value)
            except ValidationError as error:
                raise_all(value, [*found, *complaints_of(error)])
            if found:
                raise_all(value, found)
            return result

        return core_schema.no_info_wrap_validator_function(both, schema)


def complaints_of(error: ValidationError) -> Iterator[Complaint]:
    """The errors of pydantic as complaints, its own kinds too."""
    for each in error.errors(include_url=False, include_input=False):
        yield each["loc"], complaint(each["type"], **each.get("ctx", {}))


def _twice(value: object) -> Iterator[Complaint]:
    seen: list[object] = []
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if not isinstance(item, list | dict):
            if item in seen:
                yield (index,), complaint("twice")
            seen.append(item)


class _Unique(CheckBeside):
    def __init__(self) -> None:
        super().__init__(_twice)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"uniqueItems": True}


UNIQUE: Final = _Unique()
"""A list in which nothing stands twice."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A map with free keys, and one key beside them whose value has another form."""

    key: str
    value: object

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        key_hint, value_hint = get_args(source)
        keys = next(each for each in get_args(key_hint) if isinstance(each, KeyText))
        whole = re.compile(f"(?s:{keys.pattern})")

        def bad_keys(value: object) -> Iterator[Complaint]:
            for name in value if isinstance(value, dict) else ():
                if name != self.key and not whole.fullmatch(name):
                    yield (name, "[key]"), complaint("key", wanted=keys.wanted)

        special = core_schema.typed_dict_field(handler.generate_schema(self.value), required=False)
        fields = core_schema.typed_dict_schema(
            {self.key: special}, extra_behavior="allow", extras_schema=handler.generate_schema(value_hint)
        )
        return CheckBeside(bad_keys).around(fields)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        wrapped = cast(core_schema.WrapValidatorFunctionSchema, schema)
        fields = cast(core_schema.TypedDictSchema, wrapped["schema"])
        said = next((each.description for each in get_args(self.value) if isinstance(each, FieldInfo)), None)
        return {
            "type": "object",
            "properties": {self.key: handler(fields["fields"][self.key]["schema"]) | {"description": said or ""}},
            "additionalProperties": handler(fields["extras_schema"]),
        }
