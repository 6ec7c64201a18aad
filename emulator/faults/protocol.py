"""Seam protocol: a well-formed answer that the profile would not have given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from emulator.core.faults.fault import Fault, Seam
from emulator.faults.registry import fault


@fault("redfish.reply")
@dataclass(frozen=True, slots=True)
class HttpReply:
    """Answers this status instead, after doing what was asked (`executed`) or without.

    With `text` the body is an error in the profile's own shape, `message_id` inside; with `raw` these bytes go out as they are.
    """

    status: int
    message_id: str = "Base.1.8.GeneralError"
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    raw: bytes | None = None
    executed: bool = False
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL


@fault("ipmi.completion")
@dataclass(frozen=True, slots=True)
class Completion:
    """Answers this completion code instead, after doing what was asked (`executed`) or without (IPMI-002, IPMI-005)."""

    code: int
    executed: bool = False
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL


@fault("ipmi.silence")
@dataclass(frozen=True, slots=True)
class Silence:
    """Never answers this IPMI request; a lost reply where `executed`, a lost request where not."""

    executed: bool = False
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL


def answer_instead(fired: Iterable[Fault]) -> Completion | Silence | None:
    """The first of the fired faults that changes what an IPMI client hears."""
    for each in fired:
        if isinstance(each, Completion | Silence):
            return each
    return None
