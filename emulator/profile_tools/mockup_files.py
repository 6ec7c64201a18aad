"""Reads mock-ups and captures from a folder or an archive into a ResourceTree.

Understood are trees of `index.json` whose root lies anywhere, files with the path in their name (`_redfish_v1_Systems_1.json`),
and loose answers that name themselves with `@odata.id`. `capture` calls it in the main thread.

Rules
  1. Nothing of an archive is unpacked: members are read one by one, and only regular files count.
  2. Where several files hold the same resource, the one with more properties counts; the others are named.
  3. Number and size of files are limited.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from emulator.profile_tools.json_values import JsonObject, found, parsed, text_at
from emulator.profile_tools.resource_tree import ROOT, MissingResource, ResourceTree, service_path

MAX_FILE_BYTES: Final = 8_000_000
_INDEX: Final = "index.json"
_ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip")


class NoMockup(Exception):
    """Nothing at that place can be read as a mock-up; `str()` is one sentence."""


def is_archive(path: Path) -> bool:
    return path.name.lower().endswith(_ARCHIVES)


def mockup(place: Path, *, count: int = 10_000, total_bytes: int = 200_000_000) -> ResourceTree:
    """The resources in a folder or an archive. Raises NoMockup."""
    bodies: dict[PurePosixPath, JsonObject] = {}
    troubles: list[MissingResource] = []
    total = 0
    try:
        for name, size, text in _archive(place) if is_archive(place) else _folder(place):
            total += size
            if size > MAX_FILE_BYTES:
                troubles.append(MissingResource(str(name), f"larger than {MAX_FILE_BYTES // 1_000_000} MB"))
            elif total > total_bytes or len(bodies) >= count:
                troubles.append(MissingResource(str(name), "not read, and none after it: the limit of number or size"))
                break
            elif (body := _body(name, text, troubles)) is not None:
                bodies[name] = body
    except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise NoMockup(f"{place}: {why or 'cannot be read'}") from None
    resources = _placed(bodies, troubles)
    if not resources:
        raise NoMockup(f"{place}: no Redfish resources in it: files named index.json, _redfish_v1_....json, or with an @odata.id")
    return ResourceTree(resources=resources, troubles=tuple(troubles))


def _folder(place: Path) -> Iterator[tuple[PurePosixPath, int, bytes]]:
    if not place.is_dir():
        raise NoMockup(f"{place}: no such folder, and not an archive ({', '.join(_ARCHIVES)})")
    for file in sorted(place.rglob("*.json")):
        if file.is_file():
            size = file.stat().st_size
            yield PurePosixPath(file.relative_to(place).as_posix()), size, file.read_bytes() if size <= MAX_FILE_BYTES else b""


def _archive(place: Path) -> Iterator[tuple[PurePosixPath, int, bytes]]:
    if place.name.lower().endswith(".zip"):
        with zipfile.ZipFile(place) as files:
            for entry in files.infolist():
                if entry.filename.endswith(".json") and not entry.is_dir():
                    is_small = entry.file_size <= MAX_FILE_BYTES
                    yield PurePosixPath(entry.filename), entry.file_size, files.read(entry) if is_small else b""
        return
    with tarfile.open(place) as archive:
        for member in archive:
            if not member.isreg() or not member.name.endswith(".json"):
                continue
            stream = archive.extractfile(member) if member.size <= MAX_FILE_BYTES else None
            yield PurePosixPath(member.name), member.size, stream.read() if stream is not None else b""


def _body(name: PurePosixPath, text: bytes, troubles: list[MissingResource]) -> JsonObject | None:
    try:
        value = parsed(text)
    except ValueError:
        troubles.append(MissingResource(str(name), "the file is not JSON"))
        return None
    if not isinstance(value, dict):
        troubles.append(MissingResource(str(name), "the file is not a JSON object"))
        return None
    return value


def _placed(bodies: dict[PurePosixPath, JsonObject], troubles: list[MissingResource]) -> dict[str, JsonObject]:
    top = _top(bodies)
    resources: dict[str, JsonObject] = {}
    for name, body in sorted(bodies.items(), key=lambda item: "?" in str(item[0])):
        if name.name == "headers.json":
            continue
        path = _path(name, body, top)
        if path in resources and "?" in str(name):
            _add_page(resources[path], body)
        elif path is None:
            troubles.append(MissingResource(str(name), "no resource: neither its name nor an @odata.id gives it a path"))
        elif path not in resources:
            resources[path] = body
        else:
            troubles.append(MissingResource(str(name), f"a second file for {path}: the one with more properties is used"))
            resources[path] = max(resources[path], body, key=len)
    return resources


def _add_page(first: JsonObject, page: JsonObject) -> None:
    """Adds the members of a later page, as `DellSlots?$skip=50/index.json`, to a collection."""
    members, more = first.get("Members"), page.get("Members")
    if isinstance(members, list) and isinstance(more, list):
        members.extend(each for each in more if each not in members)
        first.pop("Members@odata.nextLink", None)


def _top(bodies: dict[PurePosixPath, JsonObject]) -> PurePosixPath | None:
    """The folder that stands for `/redfish/v1`, where there are `index.json` files."""
    roots = [
        name.parent
        for name, body in bodies.items()
        if name.name == _INDEX and "#ServiceRoot." in (text_at(body, "@odata.type") or "")
    ]
    if roots:
        return min(roots, key=lambda root: len(root.parts))
    homes = [
        name.parent.parent for name in bodies if name.name == _INDEX and name.parent.name in ("Systems", "Chassis", "Managers")
    ]
    return min(homes, key=lambda home: len(home.parts), default=None)


def _path(name: PurePosixPath, body: JsonObject, top: PurePosixPath | None) -> str | None:
    if name.name == _INDEX and top is not None:
        home = top.parent.parent if top.parts[-2:] == ("redfish", "v1") else None
        if name.parent.is_relative_to(top):
            return service_path(f"{ROOT}/{name.parent.relative_to(top)}".removesuffix("/."))
        if home is not None and name.parent.is_relative_to(home):
            return service_path(f"/{name.parent.relative_to(home)}")
        return None
    uri = found(body, "@odata.id")
    if isinstance(uri, str) and uri.startswith(ROOT):
        return service_path(uri)
    stem = name.name.removesuffix(".json")
    if stem.startswith("_redfish_v1"):
        return service_path(stem.replace("_", "/"))
    return None
