"""Where the BMCs of a running emulator are and how to log in. Read by whoever starts an emulator, in any thread."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SystemRef:
    """How a client names one system of a BMC, and the URI of its chassis. `uuid` is empty where the vendor does not tell it."""

    uri: str
    id: str
    uuid: str
    chassis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a BMC is and how to log in."""

    name: str
    profile: str
    host: str
    redfish_port: int
    redfish_url: str
    ipmi_host: str
    ipmi_port: int
    username: str
    password: str
    password_is_default: bool
    systems: tuple[SystemRef, ...]
    ca_file: str
    http_port: int | None = None  # sends clients to HTTPS


class Endpoints(Mapping[str, Endpoint]):
    """Where the BMCs of a rack are, by name, in their order. Made when asked for: there may be ten thousand."""

    def __init__(self, names: Collection[str], make: Callable[[str], Endpoint]) -> None:
        self._names = names
        self._make = make

    def __getitem__(self, name: str) -> Endpoint:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
