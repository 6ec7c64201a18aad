"""The form of a waiver file. `waivers` checks a file with it and reads it then."""

import datetime
from typing import Annotated, Final, NotRequired

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict

from conformance.vocabulary import Verdict
from fencelab_yaml.form import Form
from fencelab_yaml.values import Choice, Flag, TextOrNumber, complaint, known_keys

WAIVABLE: Final = tuple(verdict for verdict in Verdict if verdict.is_defect)


class DateForm:
    """A day as ISO 8601 writes it."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_date)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "date"}


def _date(value: object) -> object:
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise complaint("form", wanted="a date like 2027-01-31") from None


WaiverText = Annotated[str, TextOrNumber()]


@known_keys
class WaiverKeys(TypedDict):
    """A known failure that somebody has accepted, for a while and with a reason."""

    scenario: Annotated[WaiverText, Field(description="the id of the scenario")]
    verdict: Annotated[str, Choice(*WAIVABLE), Field(description="exactly the verdict that is waived")]
    reason: Annotated[WaiverText, Field(description="why it is accepted")]
    expires: Annotated[str, DateForm(), Field(description="the last day on which it is waived")]
    fencer: NotRequired[Annotated[WaiverText, Field(description="the name of the fencer; shell wildcards; without: all")]]
    profile: NotRequired[Annotated[WaiverText, Field(description="the id of the profile; shell wildcards; without: all")]]
    owner: NotRequired[Annotated[WaiverText, Field(description="who sees to it")]]
    link: NotRequired[Annotated[WaiverText, Field(description="where it is discussed")]]
    allow_unsafe: NotRequired[Annotated[Flag, Field(description="whether even UNSAFE is waived")]]


@known_keys
class WaiverFileKeys(TypedDict):
    """Known failures that somebody has accepted."""

    waivers: Annotated[list[WaiverKeys], Field(description="the waivers")]


WAIVERS: Final = Form("waivers", "Waivers of fence-conformance", WaiverFileKeys)
