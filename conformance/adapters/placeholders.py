"""Placeholders of a fencer file: what they are called, which protocol they give away, and how they are filled in.

What names something that a scenario does not have is left out: a parameter, an item of a command line, or a whole bracketed group
of items. So a fencer without a selector is a fencer that was given none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from conformance.vocabulary import Protocol

PLACEHOLDER: Final = re.compile(r"\{([a-z_]+\.[a-z_.]*)\}")
BMC_KEYS: Final = (
    "host", "port", "url", "user", "password", "password_file", "password_script", "system_uri", "system_id", "uuid", "ipmi_host",
    "ipmi_port", "ipmi_target", "outlets", "kg", "insecure", "ca_file", "verbose",
)  # fmt: skip
KEYS: Final = frozenset(f"bmc.{key}" for key in BMC_KEYS)
SPEAKS: Final[Mapping[str, Protocol]] = {
    "bmc.ipmi_host": Protocol.IPMI,
    "bmc.ipmi_port": Protocol.IPMI,
    "bmc.ipmi_target": Protocol.IPMI,
    "bmc.kg": Protocol.IPMI,
    "bmc.port": Protocol.REDFISH,
    "bmc.url": Protocol.REDFISH,
    "bmc.system_uri": Protocol.REDFISH,
    "bmc.system_id": Protocol.REDFISH,
    "bmc.ca_file": Protocol.REDFISH,
}
"""Which protocol a placeholder gives away; the others are used with either."""

Item = str | tuple[str, ...]
"""One argument, or a group of arguments that stands or falls together."""


def placeholders(text: str) -> frozenset[str]:
    return frozenset(PLACEHOLDER.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str | None:
    """The text with its placeholders filled in; None where one of them is empty in this scenario."""
    if any(not values[name] for name in placeholders(text)):
        return None
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def fill_all(items: Sequence[Item], values: Mapping[str, str]) -> tuple[str, ...]:
    """A command line with its placeholders filled in, incomplete items and groups left out."""
    line: list[str] = []
    for item in items:
        group = (item,) if isinstance(item, str) else item
        filled = [fill(part, values) for part in group]
        if None not in filled:
            line += [part for part in filled if part is not None]
    return tuple(line)


def fill_map(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    filled = {key: fill(text, values) for key, text in texts.items()}
    return {key: text for key, text in filled.items() if text is not None}


def parts(items: Sequence[Item]) -> Iterator[str]:
    """Every single argument of a command line, those in groups too."""
    for item in items:
        yield from (item,) if isinstance(item, str) else item
