"""`fault/1`: the one form in which users write a fault, wherever they do: a rack or scenario file, a profile's `faults`, the API,
the command line.

    {type: wire.hang, when: {method: POST}, count: 1, after: {rail: off}, until: 60, probability: 0.5, params: {executed: true}}

The model is made from the dataclasses: `When` and the fault's own parameters. From it come the checks (`problems_of`,
`check_node`, `arming_from_mapping`), the JSON Schema (`schema`) and the help (`emulator.faults.page`).
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import (
    AllowInfNan,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic_core import ErrorDetails

from emulator.core.errors import RackMisconfigured
from emulator.core.faults.board import Armed, RailIs, RequestCame
from emulator.core.faults.trigger import Intent, When
from emulator.core.vocab import Rail
from emulator.faults import registry
from emulator.faults.plugins import load_plugged_in
from fencelab_yaml.errors import Mark, Problems, did_you_mean, listed
from fencelab_yaml.messages import kind
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, plain
from profiles.data import frozen, thawed
from profiles.model import Profile

FORMAT: Final = "fault/1"
RAILS: Final[Mapping[str, Rail]] = {"on": Rail.UP, "off": Rail.DOWN, "up": Rail.UP, "down": Rail.DOWN}
MOMENT: Final = "must be seconds, or {rail: on} or {rail: off}, with `system` where the BMC has several"
BEGINNING: Final = f"{MOMENT}, or {{intent: power-command}} or another intent"
_MOMENT_SCHEMA: Final = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["rail"],
            "properties": {"rail": {"enum": list(RAILS)}, "system": {"type": "string"}},
        },
    ]
}

_INTENT_SCHEMA: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["intent"],
    "properties": {"intent": {"enum": [intent.value for intent in Intent]}},
}

KeyPath = tuple[str | int, ...]
"""Where in the mapping: keys and list positions."""


class FaultMisconfigured(RackMisconfigured):
    """A fault that is written wrongly. `problems` are (path, sentence); the text is one line each."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("\n".join(f"{path}: {sentence}" if path else sentence for path, sentence in problems))
        self.problems = problems


# -- the model -------------------------------------------------------------------------------------------------------------


def _moment(value: object) -> float | RailIs:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(value)
    if isinstance(value, Mapping) and "rail" in value and value.keys() <= {"rail", "system"}:
        rail, system = RAILS.get(str(value["rail"])), value.get("system")
        if rail is not None and (system is None or isinstance(system, str)):
            return RailIs(rail, system)
    raise ValueError(MOMENT)


def _beginning(value: object) -> float | RailIs | RequestCame:
    if isinstance(value, Mapping) and value.keys() == {"intent"} and value["intent"] in list(Intent):
        return RequestCame(Intent(value["intent"]))
    try:
        return _moment(value)
    except ValueError:
        raise ValueError(BEGINNING) from None


def _rail(value: object) -> object:
    return RAILS.get(value, value) if isinstance(value, str) else value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _octets(value: object) -> object:
    return value.encode() if isinstance(value, str) else value


def _checked(hint: Any) -> Any:
    """The type for pydantic: numbers, text and booleans as they are written, one word for a list of one."""
    if hint is float:
        return Annotated[float, Strict(), AllowInfNan(False)]
    if hint in (int, str, bool):
        return Annotated[hint, Strict()]
    if hint is bytes:
        return Annotated[bytes, BeforeValidator(_octets), WithJsonSchema({"type": "string"})]
    if hint is Rail:
        return Annotated[Rail, BeforeValidator(_rail), WithJsonSchema({"enum": list(RAILS)})]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return Union[tuple(_checked(arg) for arg in args)]  # noqa: UP007  a union of what is known at run time only
    if origin is tuple and args[1:] == (Ellipsis,):
        return Annotated[tuple[_checked(args[0]), ...], BeforeValidator(_listed)]  # type: ignore[misc]
    return hint


def wanted(hint: Any, low: float | None = None, high: float | None = None) -> str:
    """What a value of this type is, in words."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is bool:
        return "true or false"
    if hint in (int, float):
        bounds = f" from {low:g} to {high:g}" if None not in (low, high) else f" of at least {low:g}" if low is not None else ""
        return f"{'a whole number' if hint is int else 'a number'}{bounds}"
    if hint in (str, bytes):
        return "text"
    if hint is Rail:
        return "on or off"
    if origin in (Union, types.UnionType):
        return " or ".join("null" if arg is type(None) else wanted(arg, low, high) for arg in args)
    if origin is Literal:
        return f"one of {', '.join(str(arg) for arg in args)}"
    if origin is tuple:
        return f"a list, each {wanted(args[0])}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"one of {', '.join(str(member.value) for member in hint)}"
    return "a map"


_CONFIG: Final = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


def hints_of(cls: type) -> dict[str, Any]:
    """The types of a dataclass's fields."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if get_origin(hints[field.name]) is not ClassVar}


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return thawed(field.default_factory())
    return ... if field.default is dataclasses.MISSING else field.default


def _model_of(name: str, cls: type) -> type[BaseModel]:
    made: dict[str, Any] = {}
    hints = hints_of(cls)
    for field in dataclasses.fields(cls):
        known = field.metadata
        made[field.name] = (
            _checked(hints[field.name]),
            Field(_default(field), ge=known.get("low"), le=known.get("high"), description=known.get("text")),
        )
    model: type[BaseModel] = create_model(name, __config__=_CONFIG, **made)
    return model


@cache
def params_model(name: str) -> type[BaseModel]:
    """The parameters of a fault as a pydantic model."""
    return _model_of(name, registry.fault_class(name))


WhenModel: Final = _model_of("When", When)
_Moment = Annotated[object, BeforeValidator(_moment), WithJsonSchema(_MOMENT_SCHEMA)]
_Beginning = Annotated[object, BeforeValidator(_beginning), WithJsonSchema({"anyOf": [*_MOMENT_SCHEMA["anyOf"], _INTENT_SCHEMA]})]


class Envelope(BaseModel):
    """Everything about a fault but its parameters."""

    model_config = _CONFIG

    type: Annotated[str, Strict()] = Field(description="which fault; docs/faults.md lists them")
    when: WhenModel | None = Field(None, description="on which requests; nothing: on all of its seam")  # type: ignore[valid-type]
    count: Annotated[int, Strict()] | None = Field(None, ge=1, description="how often at most")
    after: _Beginning | None = Field(
        None, description="when it begins: seconds after arming, when a rail is so, or behind a request with an intent"
    )
    until: _Moment | None = Field(None, description="when it ends: seconds after arming, or when a rail becomes so")
    probability: Annotated[float, Strict(), AllowInfNan(False)] = Field(
        1.0, gt=0, le=1, description="the share of the requests on which it acts, drawn from the rack's seed"
    )
    must_fire: Annotated[bool, Strict()] = Field(True, description="whether a scenario is void where it never acted")
    params: dict[str, Any] = Field(default_factory=dict, description="the fault's own settings")


_WORDS: Final[Mapping[str, str]] = {
    "type": "text: the name of a fault",
    "when": "a map of conditions",
    "count": "a whole number of at least 1",
    "probability": "a number above 0 and at most 1",
    "must_fire": "true or false",
    "params": "a map of the fault's parameters",
}


# -- checking --------------------------------------------------------------------------------------------------------------


def problems_of(data: Mapping[str, object]) -> tuple[tuple[KeyPath, str], ...]:
    """Everything that is wrong with a fault: where, and one sentence."""
    return tuple(dict.fromkeys(_problems(data)))


def _problems(data: Mapping[str, object]) -> Iterator[tuple[KeyPath, str]]:
    when_hints = hints_of(When)
    name = data.get("type")
    for error in _errors(lambda: Envelope.model_validate(data)):
        where: KeyPath = error["loc"]
        if len(where) > 1 and where[0] == "when":
            yield _sentence(error, where, 1, when_hints, {})
        elif error["type"] in ("extra_forbidden", "missing", "value_error") or where[0] not in _WORDS:
            yield _sentence(error, where, 0, dict.fromkeys(Envelope.model_fields), {})
        else:
            yield where[:1], f"must be {_WORDS[str(where[0])]}, not {_shown(error['input'])}"
    if not isinstance(name, str):
        return
    if name not in registry.fault_names():
        load_plugged_in()
    if name not in registry.fault_names():
        hint = did_you_mean(name, registry.fault_names()) or f"; there are: {listed(registry.fault_names(), 60)}"
        yield ("type",), f"no fault is called '{name[:60]}'{hint}"
        return
    params = data.get("params", {})
    if isinstance(params, Mapping):
        cls = registry.fault_class(name)
        fields = {field.name: field.metadata for field in dataclasses.fields(cls)}
        for error in (errors := _errors(lambda: params_model(name).model_validate(params))):
            yield _sentence(error, ("params", *error["loc"]), 1, hints_of(cls), fields)
        if not errors and (wrong := registry.wrong_param(name, _values(params_model(name).model_validate(params)))):
            yield ("params", wrong[0]), wrong[1]


def _errors(validate: Callable[[], object]) -> list[ErrorDetails]:
    try:
        validate()
    except ValidationError as error:
        return error.errors()
    return []


def _sentence(
    error: ErrorDetails, where: KeyPath, depth: int, hints: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]
) -> tuple[KeyPath, str]:
    """`depth` is the position of the key in `where` that `hints` knows."""
    key = str(where[depth])
    at = where[: depth + 1]
    match error["type"]:
        case "extra_forbidden":
            return (
                at,
                f"unknown key{did_you_mean(key, hints) or (f'; known here: {listed(hints)}' if hints else '; it has none')}",
            )
        case "missing":
            return where[:depth], f"'{key}' is missing"
        case "value_error":
            return at, error["msg"].removeprefix("Value error, ")
        case _:
            about = known.get(key, {})
            return at, f"must be {wanted(hints[key], about.get('low'), about.get('high'))}, not {_shown(error['input'])}"


def _shown(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value}"
        case str():
            return f"'{value[:60]}'"
        case Mapping():
            return "a map"
        case _:
            return "a list"


def path_of(place: KeyPath) -> str:
    """params.views[0]"""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def arming_from_mapping(data: Mapping[str, object]) -> Armed:
    """The fault that a mapping of the form `fault/1` describes. Raises FaultMisconfigured with everything that is wrong."""
    problems = problems_of(data)
    if problems:
        raise FaultMisconfigured(tuple((path_of(place), sentence) for place, sentence in problems))
    told = Envelope.model_validate(data)
    params = params_model(told.type).model_validate(told.params)
    when: BaseModel | None = told.when
    return Armed(
        fault=registry.make_fault(told.type, **_values(params)),
        when=When() if when is None else When(**_values(when)),
        count=told.count,
        must_fire=told.must_fire,
        after=told.after,  # type: ignore[arg-type]  # _Beginning and _Moment have made them
        until=told.until,  # type: ignore[arg-type]
        probability=told.probability,
    )


def _values(model: BaseModel) -> dict[str, Any]:
    return {name: frozen(getattr(model, name)) for name in type(model).model_fields}


# -- YAML and profiles -----------------------------------------------------------------------------------------------------


def check_node(node: YamlNode, problems: Problems, path: str) -> None:
    """Adds what is wrong with a fault in a YAML file, each with its place. `evidence` is the profile's own and passed over."""
    if not isinstance(node, YamlMap):
        problems.add(node.mark, path, f"must be a map of {', '.join(Envelope.model_fields)}, not {kind(node)}")
        return
    data = {key: value for key, value in plain(node).items() if key != "evidence"}
    for place, sentence in problems_of(data):
        problems.add(_mark(node, place), ".".join(part for part in (path, path_of(place)) if part), sentence)


def _mark(node: YamlNode, place: KeyPath) -> Mark:
    mark = node.mark
    for step in place:
        match node:
            case YamlMap() if isinstance(step, str) and step in node.entries:
                mark, node = node.keys[step], node.entries[step]
            case YamlList() if isinstance(step, int) and step < len(node.items):
                node = node.items[step]
                mark = node.mark
            case _:
                return mark
    return mark


def check_profile(root: YamlMap, problems: Problems) -> None:
    """Adds what is wrong with a profile's named faults; for `profiles.load(..., also=check_profile)` and `lint`."""
    faults = root.entries.get("faults")
    for name, node in faults.entries.items() if isinstance(faults, YamlMap) else ():
        check_node(node, problems, f"faults.{name}")


def named_fault(profile: Profile, name: str) -> Armed:
    """A fault out of a profile's own `faults`. Raises RackMisconfigured."""
    if name not in profile.faults:
        hint = did_you_mean(name, profile.faults) or (
            f"; it has: {listed(profile.faults)}" if profile.faults else "; it has none"
        )
        raise RackMisconfigured(f"the profile {profile.id} has no fault '{name}'{hint}")
    return arming_from_mapping(thawed(profile.faults[name]))


# -- schema ----------------------------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """`fault/1` as JSON Schema (draft 2020-12): one variant for each type."""
    reference = "#/$defs/{model}"
    envelope = Envelope.model_json_schema(ref_template=reference)
    definitions: dict[str, Any] = envelope.pop("$defs", {})
    variants = []
    for name in registry.fault_names():
        params = params_model(name).model_json_schema(ref_template=reference)
        definitions |= params.pop("$defs", {})
        properties = {**envelope["properties"], "type": {"const": name}, "params": params}
        required = ["type", *(["params"] if params.get("required") else [])]
        variants.append({"type": "object", "additionalProperties": False, "properties": properties, "required": required})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": FORMAT,
        "title": "A fault of an emulated BMC",
        "oneOf": variants,
        "$defs": definitions,
    }
