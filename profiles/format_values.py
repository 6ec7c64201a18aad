"""The values of which `format` is made: names, evidence, cells of tables, times."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from fencelab_yaml.values import UNIQUE, Choice, Complaint, KeyText, Number, OneOf, Text, complaint, complaints_of, raise_all
from profiles.model import Confidence

CONFIDENCES: Final = tuple(confidence.value for confidence in Confidence)
MAX_SECONDS: Final = 86_400

Words = Annotated[str, Text()]
NameText = Annotated[str, Text("[A-Za-z0-9_][A-Za-z0-9_-]*", "a name")]
NameKey = Annotated[str, KeyText("[A-Za-z0-9_][A-Za-z0-9_-]*", "a name of letters, digits, _ -")]
ResetTypeWord = Annotated[str, Text("[A-Z][A-Za-z0-9]*", "a ResetType in PascalCase")]
ResetTypeKey = Annotated[str, KeyText("[A-Z][A-Za-z0-9]*", "a ResetType in PascalCase")]
EvidenceKey = Annotated[str, KeyText(r"\*|[A-Za-z0-9_@][A-Za-z0-9_.@-]*", 'a key of this block, key.part or "*"')]
HeaderKey = Annotated[str, KeyText("[A-Za-z0-9!#$%&'*+.^_`|~-]+", "a header name")]
RedfishPath = Annotated[str, Text(r"/redfish(?:/.*)?", "a path that starts with /redfish")]
OnOrOffWord = Annotated[str, Choice("On", "Off")]
RoleWord = Annotated[str, Choice("Administrator", "Operator", "ReadOnly")]
TypeName = Annotated[str, Text(r"#[A-Za-z]+\.v[0-9]+_[0-9]+_[0-9]+\.[A-Za-z]+", 'a type such as "#Manager.v1_9_0.Manager"')]
PartId = Annotated[str, Text("[A-Za-z0-9][A-Za-z0-9._-]{0,31}", "the id of an outlet or slot, of letters, digits, . _ -")]
UniqueWords = Annotated[list[Words], Field(min_length=1), UNIQUE]
Headers = dict[HeaderKey, Words]


@dataclass(frozen=True, slots=True)
class SecondsOrSpan:
    """A time in seconds, or `[from, to]`, from which one is drawn."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._checked)

    @staticmethod
    def _checked(value: object) -> object:
        if found := list(_wrong_span(value)):
            raise_all(value, found)
        return value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        number = {"type": "number", "minimum": 0, "maximum": MAX_SECONDS}
        return {"anyOf": [number, {"type": "array", "items": number, "minItems": 2, "maxItems": 2}]}


def _wrong_span(value: object) -> Iterator[Complaint]:
    ends = value if isinstance(value, list) else [value]
    if isinstance(value, list) and len(value) != 2:
        yield (), complaint("form", wanted="seconds or [from, to]", counted=True)
        return
    if not isinstance(value, int | float | list):
        yield (), complaint("form", wanted="seconds or [from, to]")
        return
    for index, end in enumerate(ends):
        if isinstance(end, bool) or not isinstance(end, int | float) or not 0 <= end <= MAX_SECONDS:
            place = (index,) if isinstance(value, list) else ()
            yield place, complaint("number", low=0, high=MAX_SECONDS, fraction=True)
    low, high = ends[0], ends[-1]
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield (), complaint("sentence", sentence=f"[from, to] runs backwards: {low:g} > {high:g}")


Seconds = Annotated[float | list[float], SecondsOrSpan()]


class ClaimForm:
    """`[lead..., confidence, source...]`: evidence, or a cell of a table, which has words before its evidence.

    `lead` has the name and the type of each of these words. With `unknown` the word `"?"` may stand in place of the list: the
    outcome is that of a parent.
    """

    def __init__(self, *lead: tuple[str, object], unknown: bool = False) -> None:
        self._lead = lead
        self._unknown = unknown
        self._wanted = f"[{', '.join([*(name for name, _ in lead), 'confidence', 'source...'])}]" + (' or "?"' if unknown else "")

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        parts = [
            *(handler.generate_schema(hint) for _, hint in self._lead),
            handler.generate_schema(Annotated[str, Choice(*CONFIDENCES)]),
            handler.generate_schema(Words),
        ]
        whole = core_schema.tuple_schema(parts, variadic_item_index=len(parts) - 1, strict=False)
        return core_schema.no_info_wrap_validator_function(self._checked, whole)

    def _checked(self, value: object, inner: core_schema.ValidatorFunctionWrapHandler) -> object:
        if self._unknown and value == "?":
            sentence = '"?" takes the outcome of a parent, and no parent has this cell'
            raise complaint("sentence", sentence=sentence, when_merged=True)
        at = len(self._lead)
        if not isinstance(value, list) or len(value) <= at:
            raise complaint("form", wanted=self._wanted, counted=True)
        found: list[Complaint] = []
        try:
            inner(value)
        except ValidationError as error:
            found += [
                ((), complaint(each.type, **{**(each.context or {}), "at": place[0]})) for place, each in complaints_of(error)
            ]
        if len(value) == at + 1 and value[at] in CONFIDENCES[:-1]:
            sentence = f"'{value[at]}' needs a source after it; without one only 'inferred' is honest"
            found.append(((), complaint("sentence", sentence=sentence, at=at)))
        if found:
            raise_all(value, found)
        return value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        wrapped = schema["schema"] if schema["type"] == "function-wrap" else schema
        parts = [handler(part) for part in wrapped["items_schema"]] if wrapped["type"] == "tuple" else []
        whole = {"type": "array", "minItems": len(parts) - 1, "prefixItems": parts[:-1], "items": {"type": "string"}}
        return {"anyOf": [{"const": "?"}, whole]} if self._unknown else whole


ClaimValue = Annotated[
    list[object],
    ClaimForm(),
    Field(description="where this is known from: captured, documented, reported or inferred, then ids of `sources`"),
]
EvidenceForm = Annotated[
    ClaimValue | dict[EvidenceKey, ClaimValue],
    OneOf("[confidence, source...] for the whole block, or a map of them by key"),
    Field(description='where the values of this block are known from: one claim for all, or a map by key, `key.part` or "*"'),
]
PowerCellForm = Annotated[list[object] | Literal["?"], ClaimForm(("outcome", NameText), unknown=True)]
IpmiCellForm = Annotated[
    list[object] | Literal["?"],
    ClaimForm(("completion code", Annotated[int, Number(0, 255)]), ("effect", NameText), unknown=True),
]
UnlistedCell = Annotated[list[object], ClaimForm(("outcome", NameText))]
