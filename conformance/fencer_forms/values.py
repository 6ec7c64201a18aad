"""The values of which fencer files are made: text with placeholders, command lines, regular expressions, functions, seconds."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from conformance.adapters.placeholders import BMC_KEYS, KEYS, placeholders
from conformance.capabilities import DUAL, KNOWN, PDU, slip
from conformance.vocabulary import ASKED_OF_FENCERS, Ask, Cause, Claim, Protocol
from fencelab_yaml.errors import listed
from fencelab_yaml.values import CheckBeside, Choice, Complaint, KeyChoice, OneOf, complaint, raise_all

ASKS: Final = tuple(ask.value for ask in Ask if ask in ASKED_OF_FENCERS)
OVER: Final = (*Protocol, DUAL, PDU)
LINE: Final = "a list of arguments; a group that stands or falls together is a list in the list"
FUNCTION: Final = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")
PASSWORD: Final = "bmc.password"
NO_MISSPELT_PLACEHOLDER: Final = rf"^(?![\s\S]*\{{(?!bmc\.(?:{'|'.join(BMC_KEYS)})\}})[a-z_]+\.[a-z_.]*\}})"
"""As JSON Schema has it: no word in braces that looks like a placeholder and is none."""

TextCheck = Callable[[str], Iterator[str]]
"""What else is wrong with a text, one sentence each."""


@dataclass(frozen=True, slots=True)
class FreeText:
    """A text, of which the reader takes what is written: a number may stand without quotes. `more` finds what else is wrong.

    `format` and `pattern` are what JSON Schema can say of it.
    """

    more: TextCheck
    format: str = ""
    pattern: str = ""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: object) -> object:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise complaint("text", wanted="text")
            if found := [((), complaint("sentence", sentence=sentence)) for sentence in self.more(str(value))]:
                raise_all(value, list(found))
            return value

        return core_schema.no_info_plain_validator_function(check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        said = {"format": self.format, "pattern": self.pattern}
        return {"anyOf": [{"type": "string", **{key: word for key, word in said.items() if word}}, {"type": "number"}]}


def misspelt(text: str) -> Iterator[str]:
    """The placeholders that are none."""
    for name in sorted(placeholders(text) - KEYS):
        yield f"no such placeholder {{{name}}}; there are: {listed('{bmc.' + key + '}' for key in BMC_KEYS)}"


def _no_pattern(text: str) -> Iterator[str]:
    yield from misspelt(text)
    try:
        re.compile(text, re.MULTILINE)
    except re.error as error:
        yield f"not a regular expression: {error}"


def _in_sight(text: str) -> Iterator[str]:
    yield from misspelt(text)
    if PASSWORD in placeholders(text):
        yield (
            "{bmc.password} would stand in the command line of the engine, where everybody reads it: "
            "use stdin, env, params or {bmc.password_file}"
        )


FencerText = Annotated[str, FreeText(misspelt, pattern=NO_MISSPELT_PLACEHOLDER)]
"""A text in which placeholders may stand."""
FencerTexts = dict[str, FencerText | None]
"""Texts by name; null takes away what stands outside of `over`."""
FencerPattern = Annotated[str, FreeText(_no_pattern, format="regex")]
"""A regular expression in which ^ and $ stand for lines."""


# -- command lines -----------------------------------------------------------------------------------------------------------


def _empty(value: object) -> Iterator[Complaint]:
    if value == []:
        yield (), complaint("sentence", sentence=f"must be {LINE}")


class _NotEmpty(CheckBeside):
    def __init__(self) -> None:
        super().__init__(_empty)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"minItems": 1}


NOT_EMPTY: Final = _NotEmpty()
OpenText = Annotated[str, FreeText(_in_sight, pattern=NO_MISSPELT_PLACEHOLDER)]
"""A text that everybody on the machine may read."""
FencerLine = Annotated[
    FencerText | Annotated[list[Annotated[FencerText | list[FencerText], OneOf("an argument or a list of them")]], NOT_EMPTY],
    OneOf(LINE),
]
OpenLine = Annotated[
    OpenText | Annotated[list[Annotated[OpenText | list[OpenText], OneOf("an argument or a list of them")]], NOT_EMPTY],
    OneOf(LINE),
]


class FunctionForm:
    """`module:function`; a list with this one word is taken as well."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_function)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        word = {"type": "string", "pattern": f"^(?:{FUNCTION.pattern})$"}
        return {"anyOf": [word, {"type": "array", "items": word, "minItems": 1, "maxItems": 1}]}


def _function(value: object) -> object:
    word = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(word, str) and FUNCTION.fullmatch(word):
        return value
    raise complaint("sentence", sentence="must name a function as module:function")


FunctionName = Annotated[str, FunctionForm()]


# -- numbers and words -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SecondsUpTo:
    """A number of seconds, more than 0."""

    most: int

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: object) -> object:
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= self.most:
                return value
            raise complaint("form", wanted=f"a number of seconds, more than 0 and at most {self.most}")

        return core_schema.no_info_plain_validator_function(check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "number", "exclusiveMinimum": 0, "maximum": self.most}


class CapabilityForm:
    """A word that the suite knows, or one of the user's own that is like none of them."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return FreeText(_slips).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"enum": list(KNOWN)}, {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$"}]}


def _slips(word: str) -> Iterator[str]:
    if (why := slip(word)) is not None:
        yield why


class WrittenChoice(Choice):
    """One word of a list. A word that looks like a number may stand without quotes."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: object) -> object:
            if isinstance(value, str | float) and str(value) in self.words:
                return value
            raise complaint("choice", words=self.words)

        return core_schema.no_info_plain_validator_function(check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"enum": [*self.words, *map(float, self.words)]}


AskKey = Annotated[str, KeyChoice(*ASKS)]
CauseKey = Annotated[str, KeyChoice(*Cause)]
ClaimKey = Annotated[str, KeyChoice(*Claim)]
OverKey = Annotated[str, KeyChoice(*OVER)]
CapabilityWord = Annotated[str, CapabilityForm()]
