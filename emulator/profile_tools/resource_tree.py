"""The resources of one Redfish service by path, and what could not be read. Pure.

A path is as in `@odata.id`, without a slash at its end, a query or a fragment: `/redfish/v1/Systems/1`. `service_path` refuses
every path that would be a file outside of a folder, because paths come from a BMC and become names of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from emulator.profile_tools.json_values import JsonObject, found, pairs

ROOT: Final = "/redfish/v1"
_LONGEST_SEGMENT_BYTES: Final = 200
_LONGEST_PATH_BYTES: Final = 1000
_NOT_FOLLOWED: Final = ("/redfish/v1/$metadata", "/redfish/v1/odata")
_URI_KEYS: Final = frozenset({"@odata.id", "@Redfish.ActionInfo", "Members@odata.nextLink"})


@dataclass(frozen=True, slots=True)
class MissingResource:
    """A resource that is missing from the tree, and why."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceTree:
    """`is_live`: from a service, so that headers are known; a mock-up shows bodies only."""

    resources: Mapping[str, JsonObject]
    troubles: tuple[MissingResource, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the answer for the service root, with names in small letters."""
    root_text: bytes = b""
    """The body of the service root as it was sent; only its form is used, since it is not scrubbed."""
    is_live: bool = False

    def at(self, path: str | None) -> JsonObject:
        """The body of a resource; an empty one where it was not read."""
        return self.resources.get(service_path(path or "") or "", {})


def service_path(uri: str) -> str | None:
    """The path of a reference, or None for what is no resource of a service: another scheme, `..`, an empty part."""
    try:
        split = urlsplit(uri)
    except ValueError:
        return None
    path = split.path.rstrip("/")
    if split.scheme not in ("", "http", "https") or (not split.scheme and split.netloc):
        return None
    if not path.startswith("/") or len(path.encode(errors="replace")) > _LONGEST_PATH_BYTES:
        return None
    return path if all(_is_name(segment) for segment in path[1:].split("/")) else None


def _is_name(segment: str) -> bool:
    name = unquote(segment)
    is_plain = name.isprintable() and "/" not in name and "\\" not in name
    return is_plain and name not in ("", ".", "..") and len(segment.encode(errors="replace")) <= _LONGEST_SEGMENT_BYTES


def references(body: JsonObject) -> Iterator[str]:
    """The URIs that a body refers to and that GET can read, as they stand there."""
    for key, value in pairs(body):
        if isinstance(value, str) and key in _URI_KEYS and not _is_apart(value):
            yield value
        elif key == "Location" and isinstance(value, dict):  # of a MessageRegistryFile
            uri = value.get("Uri")
            if isinstance(uri, str) and not _is_apart(uri):
                yield uri


def _is_apart(uri: str) -> bool:
    return uri.startswith(_NOT_FOLLOWED) or ("/JsonSchemas/" in uri and uri.endswith(".json")) or "/SchemaStore/" in uri


def link(body: JsonObject, *path: str) -> str | None:
    """The `@odata.id` of the reference at a path of keys."""
    uri = found(body, *path, "@odata.id")
    return uri if isinstance(uri, str) else None


def links(body: JsonObject, *path: str) -> tuple[str, ...]:
    """The `@odata.id`s of the list of references at a path of keys."""
    there = found(body, *path)
    uris = [found(each, "@odata.id") for each in there] if isinstance(there, list) else []
    return tuple(uri for uri in uris if isinstance(uri, str))


def last_part(path: str) -> str:
    """The id in a path: `1` of `/redfish/v1/Systems/1`."""
    return path.rstrip("/").rpartition("/")[2]
