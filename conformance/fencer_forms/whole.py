"""The form of a whole fencer file: the keys of all fencers, those of its adapter, and what may differ below `over`.

`reading` checks files with `form_of`; `fence-conformance schema fencer` prints `schema`.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Annotated, Final, NotRequired, Required, cast, get_args, get_origin

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import TypedDict, get_type_hints

from conformance import catalogues
from conformance.adapters.base import Adapter
from conformance.adapters.registry import REGISTRY
from conformance.fencer_forms.adapter_form import AdapterForm
from conformance.fencer_forms.values import (
    CapabilityWord,
    CauseKey,
    FencerPattern,
    FencerText,
    OverKey,
    SecondsUpTo,
    WrittenChoice,
)
from fencelab_yaml.form import DIALECT, Form
from fencelab_yaml.values import CheckBeside, Choice, Never, known_keys

NAME: Final = "fencer"
TITLE: Final = "A fencer file of fence-conformance"


@known_keys
class LimitKeys(TypedDict):
    """Times that the fencer promises, in seconds."""

    deadline: NotRequired[
        Annotated[float, SecondsUpTo(3600), Field(description="a run that goes on for a quarter longer is a HANG; without: 60")]
    ]
    power_timeout: NotRequired[
        Annotated[float, SecondsUpTo(3600), Field(description="how long it waits for a power state; a note")]
    ]
    stable_for: NotRequired[
        Annotated[float, SecondsUpTo(3600), Field(description="over how long it has to read Off before it claims; without: 4")]
    ]


@known_keys
class CommonKeys(TypedDict):
    """The keys that every fencer has."""

    fencer: Annotated[FencerText, Field(description="how reports call it")]
    adapter: Annotated[FencerText, Field(description="how it is asked; the other keys depend on it")]
    limits: NotRequired[Annotated[LimitKeys, Field(description="times that it promises, in seconds")]]
    capabilities: NotRequired[
        Annotated[list[CapabilityWord], Field(description="what it can be asked for, speaks and can do; without an action: all")]
    ]
    causes: NotRequired[
        Annotated[dict[CauseKey, FencerPattern], Field(description="regular expressions that find a cause in its messages")]
    ]
    catalogue: NotRequired[
        Annotated[str, WrittenChoice(*catalogues.ALL), Field(description="which scenarios count; without: the newest")]
    ]
    needs: NotRequired[Annotated[FencerText, Field(description="what has to be installed for it, in words")]]


Hints = Mapping[str, object]


def _hints(keys: type) -> Hints:
    return get_type_hints(keys, include_extras=True)


def _optional(hint: object) -> object:
    return NotRequired[get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint]


def _described(name: str, hints: Hints, text: str) -> type:
    """A `TypedDict` with these keys."""
    made = cast(type, TypedDict(name, dict(hints)))  # type: ignore[operator] # the keys are known when adapters are loaded
    made.__doc__ = text
    return known_keys(made)


def own_form(adapter: type[Adapter]) -> AdapterForm:
    """What an adapter says of its part of a file. One that names its keys only reads them itself."""
    if adapter.form:
        module, _, name = adapter.form.partition(":")
        found = getattr(import_module(module), name)
        assert isinstance(found, AdapterForm), f"{adapter.form} is no AdapterForm"
        return found
    hints = dict.fromkeys(adapter.keys, NotRequired[object])
    return AdapterForm(keys=_described("OwnKeys", hints, "") if hints else NoKeys, over=tuple(adapter.over_keys))


class NoKeys(TypedDict):
    """An adapter that has none of its own."""


@cache
def own_keys(adapter: type[Adapter]) -> tuple[str, ...]:
    """The keys that an adapter reads besides those of all fencers."""
    return tuple(_hints(own_form(adapter).keys))


@cache
def form_of(adapter: type[Adapter]) -> Form:
    """The form of a file that names this adapter."""
    own = own_form(adapter)
    hints = _hints(own.keys)
    common = dict(_hints(CommonKeys))
    common["adapter"] = Annotated[str, Choice(adapter.name), Field(description="how it is asked; the other keys depend on it")]
    text = (own.keys.__doc__ or "").strip()
    whole = _described("FencerKeys", {**common, "over": _over(adapter.name, own, hints), **hints}, text)
    return Form(
        NAME,
        TITLE,
        cast(type, Annotated[whole, CheckBeside(own.check)]) if own.check is not None else whole,
        needed=own.needed,
        foreign=_of_others(adapter),
        lists_keys=True,
    )


def _over(name: str, own: AdapterForm, hints: Hints) -> object:
    if not own.over:
        return NotRequired[Annotated[object, Never(f"the adapter {name} has nothing that may differ between protocols")]]
    keys = {key: _optional(hints[key]) for key in own.over}
    differing = _described("OverKeys", keys, "What differs there.")
    said = "what differs over one protocol, where both are needed (dual), or at a PDU (pdu)"
    return NotRequired[Annotated[dict[OverKey, differing], Field(description=said)]]  # type: ignore[valid-type]


def form_without_adapter(also: Iterable[str] = ()) -> Form:
    """The form of a file whose adapter is not known: the keys of every adapter may stand there, and these."""
    known = (*(key for adapter in REGISTRY.shipped.values() for key in own_keys(adapter)), "over", *also)
    others = dict.fromkeys(known, NotRequired[object])
    return Form(NAME, TITLE, _described("AnyFencerKeys", {**others, **_hints(CommonKeys)}, ""), lists_keys=True)


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _of_others(adapter: type[Adapter]) -> Mapping[str, str]:
    """What to say of keys that only other adapters read."""
    readers: dict[str, list[str]] = {}
    for other in REGISTRY.shipped.values():
        for key in own_keys(other):
            readers.setdefault(key, []).append(other.name)
    return {
        key: f"the adapter {adapter.name} does not read it, only {_and(names)}"
        for key, names in readers.items()
        if key not in own_keys(adapter)
    }


def parts(adapters: Iterable[type[Adapter]]) -> Mapping[str, JsonSchemaValue]:
    """What all fencer files have, and what each adapter adds to that, by the adapter's name."""
    forms = {adapter.name: form_of(adapter).schema() for adapter in adapters}
    common = Form(NAME, TITLE, CommonKeys).schema()
    common["properties"]["adapter"] = {"enum": list(forms), "description": common["properties"]["adapter"]["description"]}
    found: dict[str, JsonSchemaValue] = {"all fencers": common}
    for name, form in forms.items():
        own = {key: value for key, value in form["properties"].items() if key not in common["properties"]}
        over = own.pop("over")
        if differing := over.get("additionalProperties", {}).get("properties"):
            own["over"] = {"type": "object", "description": f"{over['description']}: {', '.join(differing)}"}
        required = [key for key in form.get("required", ()) if key in own]
        found[name] = {"description": form.get("description", ""), "properties": own, "required": required}
    return found


def schema(adapters: Iterable[type[Adapter]]) -> JsonSchemaValue:
    """The JSON Schema of fencer files: one form for each of these adapters, told apart by the key `adapter`."""
    forms = [form_of(adapter).schema() for adapter in adapters]
    members = [{key: value for key, value in form.items() if key not in ("$schema", "$id", "title")} for form in forms]
    return {"$schema": DIALECT, "$id": NAME, "title": TITLE, "anyOf": members}
