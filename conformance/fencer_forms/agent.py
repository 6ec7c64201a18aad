"""The form of a fencer file of the adapter `fence-agent`."""

from typing import Annotated, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from conformance.fencer_forms.adapter_form import AdapterForm
from conformance.fencer_forms.values import FencerLine, FencerTexts
from fencelab_yaml.values import known_keys


@known_keys
class AgentKeys(TypedDict):
    """A fence agent: parameters on standard input."""

    command: Annotated[
        FencerLine, Field(description="the program: looked for in PATH, then beside this file; with a slash from it")
    ]
    params: NotRequired[Annotated[FencerTexts, Field(description="its parameters by name; null takes one away below `over`")]]
    recorders: NotRequired[
        Annotated[FencerTexts, Field(description="parameters that get the path of a recording stand-in for a tool: its name")]
    ]
    switches: NotRequired[Annotated[FencerLine, Field(description="parameters that stand on a command line without a value")]]


AGENT: Final = AdapterForm(keys=AgentKeys, over=("command", "params"), needed={"command": "the adapter fence-agent needs it"})
