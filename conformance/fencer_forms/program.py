"""The form of a fencer file of the adapter `exec`, and of actions in a container."""

from collections.abc import Iterator
from typing import Annotated, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from conformance.fencer_forms.adapter_form import AdapterForm
from conformance.fencer_forms.values import (
    AskKey,
    ClaimKey,
    FencerLine,
    FencerPattern,
    FencerText,
    FencerTexts,
    OpenLine,
)
from conformance.vocabulary import Ask
from fencelab_yaml.values import CheckBeside, Complaint, Number, OneOf, complaint, known_keys

ExitCode = Annotated[int, Number(-255, 255)]


@known_keys
class SignKeys(TypedDict):
    """By what the end of a program is recognised: all that is named must fit."""

    exit: NotRequired[
        Annotated[
            ExitCode | list[ExitCode], OneOf("a number or a list of numbers"), Field(description="its exit code, or one of these")
        ]
    ]
    stdout: NotRequired[Annotated[FencerPattern, Field(description="a regular expression that fits its output")]]
    stderr: NotRequired[Annotated[FencerPattern, Field(description="a regular expression that fits its errors")]]


SignForm = Annotated[SignKeys, OneOf("a map of exit, stdout, stderr")]


@known_keys
class ActionEndKeys(TypedDict):
    """What a program is handed, and how its end is read."""

    stdin: NotRequired[Annotated[FencerText, Field(description="what it reads from standard input")]]
    env: NotRequired[Annotated[FencerTexts, Field(description="more variables of its environment")]]
    claim: NotRequired[
        Annotated[SignForm, Field(description="by what its success is recognised; without: exit 0. Not for status")]
    ]
    claims: NotRequired[
        Annotated[
            dict[ClaimKey, SignForm],
            Field(description="by what each claim is recognised, tried in this order; none fits: it failed"),
        ]
    ]


@known_keys
class ActionKeys(ActionEndKeys):
    """How a program is asked for one action."""

    argv: Annotated[FencerLine, Field(description="its command line; what a scenario has no value for is left out")]


@known_keys
class OpenActionKeys(ActionEndKeys):
    """How a program in a container is asked for one action."""

    argv: Annotated[OpenLine, Field(description="its command line, without the password; what has no value is left out")]


def _status(value: object) -> Iterator[Complaint]:
    status = value.get(Ask.STATUS) if isinstance(value, dict) else None
    if isinstance(status, dict):
        if "claim" in status:
            said = "status has two answers: use claims: {on: ..., off: ...}"
            yield (Ask.STATUS, "claim"), complaint("sentence", sentence=said)
        if not status.get("claims"):
            yield (Ask.STATUS,), complaint("sentence", sentence="'claims' is missing: by what are on and off told apart?")


STATUS: Final = CheckBeside(_status)
Actions = Annotated[dict[AskKey, Annotated[ActionKeys, OneOf("a map with argv")]], Field(min_length=1), STATUS]
OpenActions = Annotated[dict[AskKey, Annotated[OpenActionKeys, OneOf("a map with argv")]], Field(min_length=1), STATUS]


@known_keys
class ProgramKeys(TypedDict):
    """Any program: a command line for each action, and signs by which its end is read."""

    actions: Annotated[Actions, Field(description="how it is asked for each action; it can be asked for no other")]


PROGRAM: Final = AdapterForm(keys=ProgramKeys, over=("actions",), needed={"actions": "the adapter exec needs it"})
