"""The form of a fencer file of the adapter `stonith-plugin`."""

from collections.abc import Iterator
from typing import Annotated, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from conformance.fencer_forms.adapter_form import AdapterForm
from conformance.fencer_forms.values import FencerText, FencerTexts
from fencelab_yaml.values import CheckBeside, Complaint, OneOf, complaint, known_keys

ALONE: Final = "must be the plugin alone: it is called with an operation and a host"


def _words(value: object) -> Iterator[Complaint]:
    if isinstance(value, list) and (len(value) != 1 or isinstance(value[0], list)):
        yield (), complaint("sentence", sentence=ALONE)


PluginName = Annotated[
    FencerText | Annotated[list[Annotated[FencerText | list[FencerText], OneOf("the plugin")]], CheckBeside(_words)],
    OneOf("the plugin, a word or a list with one"),
]


@known_keys
class StonithPluginKeys(TypedDict):
    """An external STONITH plugin of cluster-glue."""

    command: Annotated[
        PluginName,
        Field(description="the plugin: in /usr/lib/stonith/plugins/external, in PATH, beside this file; with a slash from it"),
    ]
    params: NotRequired[Annotated[FencerTexts, Field(description="its parameters: variables of its environment")]]
    host: NotRequired[Annotated[FencerText, Field(description="what it calls the machine; without: the parameter hostname")]]


def _named(value: object) -> Iterator[Complaint]:
    params = value.get("params") if isinstance(value, dict) else None
    if isinstance(value, dict) and "host" not in value and not (isinstance(params, dict) and params.get("hostname")):
        said = "'host' is missing: on, off and reset are told which host; or give the parameter hostname"
        yield (), complaint("sentence", sentence=said)


STONITH_PLUGIN: Final = AdapterForm(
    keys=StonithPluginKeys,
    over=("command", "params", "host"),
    needed={"command": "the adapter stonith-plugin needs it"},
    check=_named,
)
