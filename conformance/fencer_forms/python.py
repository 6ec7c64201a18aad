"""The form of a fencer file of the adapters `python` and `python-transport`."""

from collections.abc import Iterator
from typing import Annotated, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from conformance.fencer_forms.adapter_form import AdapterForm
from conformance.fencer_forms.values import AskKey, FencerLine, FencerTexts, FunctionName
from fencelab_yaml.values import Choice, Complaint, complaint, known_keys


@known_keys
class PythonKeys(TypedDict):
    """A Python function."""

    command: NotRequired[
        Annotated[FunctionName, Field(description="the function, module:function; modules beside this file are found first")]
    ]
    actions: NotRequired[
        Annotated[dict[AskKey, FunctionName], Field(description="functions of single actions; without `command` it has no other")]
    ]
    params: NotRequired[Annotated[FencerTexts, Field(description="handed over as keyword arguments, as text")]]
    programs: NotRequired[Annotated[FencerLine, Field(description="programs that the function starts")]]


@known_keys
class PythonTransportKeys(PythonKeys):
    """A Python function that is handed a transport and a clock."""

    keeps: NotRequired[
        Annotated[
            str,
            Choice("nothing"),
            Field(description="the function keeps nothing from one call to the next: a hunt calls it many times in one process"),
        ]
    ]


def _called(value: object) -> Iterator[Complaint]:
    if isinstance(value, dict) and "command" not in value and not value.get("actions"):
        said = "'command' is missing: the function that is called; or actions, with a function each"
        yield (), complaint("sentence", sentence=said)


PYTHON: Final = AdapterForm(keys=PythonKeys, over=("command", "actions", "params"), check=_called)
PYTHON_TRANSPORT: Final = AdapterForm(keys=PythonTransportKeys, over=PYTHON.over, check=_called)
