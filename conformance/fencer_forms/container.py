"""The form of a fencer file of the adapter `container`."""

from collections.abc import Iterator
from typing import Annotated, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from conformance.fencer_forms.adapter_form import AdapterForm
from conformance.fencer_forms.program import OpenActions
from conformance.fencer_forms.values import FencerLine, FencerText, FencerTexts, OpenLine
from fencelab_yaml.values import Complaint, complaint, known_keys

OF_AGENTS: Final = ("command", "params", "switches")


@known_keys
class ContainerKeys(TypedDict):
    """A program in a container image: `command` and `params` as for fence-agent, or `actions` as for exec."""

    image: Annotated[FencerText, Field(description="the image; it must be on the machine")]
    engine: NotRequired[Annotated[FencerText, Field(description="the program that runs containers; without: docker")]]
    network: NotRequired[Annotated[FencerText, Field(description="a network of the engine; without: host")]]
    mounts: NotRequired[
        Annotated[FencerTexts, Field(description="paths of this machine, from this file on: where they are in the container")]
    ]
    command: NotRequired[Annotated[OpenLine, Field(description="the program in the image, called as a fence agent")]]
    params: NotRequired[Annotated[FencerTexts, Field(description="its parameters by name, with `command`")]]
    switches: NotRequired[
        Annotated[FencerLine, Field(description="parameters without a value on a command line, with `command`")]
    ]
    actions: NotRequired[
        Annotated[OpenActions, Field(description="how the program is asked for each action, instead of `command`")]
    ]


def _one_kind(value: object) -> Iterator[Complaint]:
    """An agent or a program, not both."""
    if not isinstance(value, dict):
        return
    over = value.get("over")
    parts = [((), value), *((("over", key), each) for key, each in (over.items() if isinstance(over, dict) else ()))]
    wrong, beside = (OF_AGENTS, "actions") if "actions" in value else (("actions",), "command")
    if "actions" not in value and "command" not in value:
        said = "'command' is missing: the program in the image, asked as a fence agent; or actions, as for exec"
        yield (), complaint("sentence", sentence=said)
    for place, part in parts:
        for key in wrong:
            if isinstance(part, dict) and key in part:
                said = f"not beside {beside}: either the keys of exec or those of fence-agent"
                yield (*place, key), complaint("sentence", sentence=said)


CONTAINER: Final = AdapterForm(
    keys=ContainerKeys,
    over=("command", "params", "actions"),
    needed={"image": "the adapter container needs it"},
    check=_one_kind,
)
