"""Texts of a profile with `{name}` in them, and the texts that a BMC really sends. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from emulator.profile_tools.captured_profile import safe
from emulator.profile_tools.json_values import Json

_PLACEHOLDER: Final = re.compile(r"\{[A-Za-z0-9_:]+\}")


def with_holes(text: str, args: Sequence[str]) -> str:
    """The text with `{arg0}`, `{arg1}` ... where the arguments stand in it, as registries have %1, %2 ..."""
    text = safe(text)
    named = {safe(arg): f"{{arg{index}}}" for index, arg in reversed(list(enumerate(args))) if arg}
    if not named:
        return text
    any_arg = "|".join(re.escape(arg) for arg in sorted(named, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{any_arg})(?!\w)", lambda match: named[match.group()], text)


def text_fits(template: str, text: str) -> bool:
    """Whether a text is a template of a profile with something in the place of each `{name}`."""
    return re.fullmatch(".*".join(re.escape(part) for part in _PLACEHOLDER.split(template)), text, re.DOTALL) is not None


def json_fits(template: object, value: Json) -> bool:
    """Whether a value is a template of a profile with something in the place of each `{name}` of its texts."""
    if isinstance(template, Mapping):
        return (
            isinstance(value, dict)
            and template.keys() == value.keys()
            and all(json_fits(template[key], value[key]) for key in template)
        )
    if isinstance(template, list | tuple):
        return isinstance(value, list) and len(template) == len(value) and all(map(json_fits, template, value))
    if isinstance(template, str):
        return isinstance(value, str) and text_fits(template, value)
    return template == value
