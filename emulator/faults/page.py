"""docs/faults.md: every fault with its parameters and an example, written by `python -m emulator.faults.page`."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

from emulator.core.faults.fault import Seam
from emulator.core.faults.trigger import When
from emulator.faults import registry
from emulator.faults.model import Envelope, hints_of, wanted
from profiles.data import thawed

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "faults.md"

SEAMS: Final[Mapping[Seam, str]] = {
    Seam.WIRE: "the bytes of an HTTP answer",
    Seam.PORT: "ports that do not answer; asked for no request, so `when`, `count` and `probability` have no say",
    Seam.CONNECT: "new connections to the Redfish port; `when` sees `method: CONNECT`",
    Seam.PROTOCOL: "well-formed answers that the BMC would not give",
    Seam.LOGIN: "accounts, passwords and session tables",
    Seam.REPORT: "what the BMC says of the power",
    Seam.POWER: "what an accepted power command does to the host; `when` sees `reset`",
    Seam.INCIDENT: "what happens by itself once a client was told the power; `when` sees `path: system`, `chassis` or `ipmi`",
    Seam.DATAGRAM: "IPMI's datagrams; `when` sees `method: UDP` and `path: in` or `out`",
}
_HEAD: Final = """# Faults

Written from the classes by `python -m emulator.faults.page`; a test fails when it is stale. How to add one:
[write-a-fault.md](write-a-fault.md).

## The envelope

A fault is written in one form, `fault/1`, wherever it is: `emulator.arming_from_mapping({...})` in Python, `faults:` of a
profile, of a BMC in a rack file, or of a scenario file, the body of a POST to the control API, and as words of
`bmc-emulator fault add` and `run --fault` ([control.md](control.md)).

| key | means | default |
| --- | --- | --- |
"""
_AFTER: Final = """
`after` and `until` take seconds since arming, or `{rail: off}` or `{rail: on}`, with `system` where a BMC has several
hosts. For `after` a rail that is so already counts. For `until` only a change counts that comes after the fault has begun;
what is over stays over. `after: {intent: power-command}` begins behind the first such request, of either
protocol, and does not act on that one. With `every: 3` only each third match counts.

`Emulator.arm(bmc, fault)` returns an id such as `f1`, `Emulator.faults()` lists what is armed and how often it matched and
fired, and `Emulator.disarm(id)` takes it away. What it holds back goes on at once: a delayed answer, the rest of a dripped
one, a datagram on its way, the effect of a power command behind its gate. A connection that it has hung is closed. Ports that
it has shut open. TLS connections that are open stay as they are.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([_HEAD.rstrip("\n"), *_envelope(), *_when(), _AFTER.rstrip("\n"), *_seams()]) + "\n"


def describe(name: str) -> str:
    """One fault, as the page shows it. Raises KeyError."""
    return "\n".join(_fault(name)).strip() + "\n"


def _envelope() -> Iterator[str]:
    for name, known in Envelope.model_fields.items():
        default = "" if known.is_required() else _value({} if known.default_factory is not None else known.default)
        yield f"| `{name}` | {known.description} | {default} |"


def _when() -> Iterator[str]:
    """The conditions of `when`; the code says what each means in `When`."""
    yield ""
    yield "`when` is a map of conditions; what is not named matches everything:"
    yield ""
    yield "| key | value |"
    yield "| --- | --- |"
    for name, hint in hints_of(When).items():
        yield f"| `{name}` | {wanted(hint)} |"


def _seams() -> Iterator[str]:
    for seam, text in SEAMS.items():
        yield ""
        yield f"## Seam {seam.value}: {text}"
        for name in registry.fault_names():
            if registry.fault_class(name).seam is seam:  # type: ignore[attr-defined]
                yield from _fault(name)


def _fault(name: str) -> Iterator[str]:
    cls = registry.fault_class(name)
    yield ""
    yield f"### {name}"
    yield ""
    yield inspect.cleandoc(cls.__doc__ or "")
    fields = registry.parameters(name)
    if fields:
        hints = hints_of(cls)
        yield ""
        yield "| parameter | what | value | unit | default |"
        yield "| --- | --- | --- | --- | --- |"
        for field in fields:
            known = field.metadata
            value = wanted(hints[field.name], known.get("low"), known.get("high"))
            yield f"| `{field.name}` | {known.get('text', '')} | {value} | {known.get('unit', '')} | {_default(field)} |"
    yield ""
    yield "```yaml"
    yield _flow(registry.example_of(name))
    yield "```"


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return _value(field.default_factory())
    return "required" if field.default is dataclasses.MISSING else _value(field.default)


def _value(value: object) -> str:
    return f"`{_flow(thawed(value))}`"


def _flow(value: object) -> str:
    """As YAML on one line."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(_flow(item) for item in value) + "]"
        case Enum():
            return str(value.value)
        case str():
            plain = value and value.isprintable() and not set(value) & set(":#,[]{}*&!|>'\"%@`") and value == value.strip()
            return value if plain and value not in ("null", "true", "false") and not value[0].isdigit() else json.dumps(value)
        case _:
            return json.dumps(value)


if __name__ == "__main__":
    PAGE.write_text(markdown(), encoding="utf-8")
