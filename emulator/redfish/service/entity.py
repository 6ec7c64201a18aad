"""What a client gets of a resource: bytes, entity tag and headers. `service` makes and caches them, in the emulator's thread."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.redfish.service.call import HeaderList
from profiles.model import ABSENT


@dataclass(frozen=True, slots=True)
class Entity:
    """A representation of a resource: bytes, entity tag and headers."""

    body: bytes
    etag: str | None
    headers: HeaderList
    opaque: bool = False  # a document outside the data model, to which no query applies
    power: str | None = ABSENT  # its PowerState, if that is about a host
