"""Reads the JSON files that `resources.base` and `resources.templates` of a profile name. `loader` calls it.

A file is the body of one resource. Its place under `redfish/v1` in the folder is its path: `redfish/v1/Systems/1/index.json` or
`redfish/v1/Systems/1.json`. Folders of templates may have the names `{system}` and `{member}`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

from fencelab_yaml.errors import Mark, Problems
from fencelab_yaml.source import YamlMap, YamlScalar, child, text_of
from profiles.data import frozen

BUILT_IN: Final = "built-in"
IN_FOLDER: Final = "profile.yaml"
"""The file of a profile that is a folder."""
CODE: Final = "oem.py"
MAX_FILES: Final = 20_000
MAX_FILE_BYTES: Final = 8 << 20
MAX_BYTES: Final = 256 << 20

Bodies = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ResourceFiles:
    """The bodies by path, read-only. `digest` is a SHA-256 of all files; empty without files."""

    base: Bodies | None = None
    templates: Bodies = field(default_factory=lambda: MappingProxyType({}))
    digest: str = ""
    code: str | None = None  # the path of oem.py


NO_FILES: Final = ResourceFiles()


def read_files(root: YamlMap, layers: Sequence[Path], problems: Problems) -> ResourceFiles:
    """Reads what the merged profile names. A folder is looked for beside the file that names it. Mistakes go to `problems`.

    `layers` are the files of the profile, the most distant parent first: the nearest one that is a folder with an oem.py
    gives the code. Nothing is imported here.
    """
    digest = hashlib.sha256()
    code = next((found for file in reversed(layers) if (found := file.parent / CODE).is_file() and file.name == IN_FOLDER), None)
    if code is not None:
        digest.update(code.read_bytes())
    base = _named(child(root, "resources", "base"), "resources.base", problems, digest)
    templates = _named(child(root, "resources", "templates"), "resources.templates", problems, digest)
    if base is None and templates is None and code is None:
        return NO_FILES
    if base is not None and "/redfish/v1" not in base:
        node = child(root, "resources", "base")
        assert node is not None
        problems.add(node.mark, "resources.base", "the folder has no service root: redfish/v1/index.json")
    return ResourceFiles(base, templates or MappingProxyType({}), digest.hexdigest(), None if code is None else str(code))


def _named(node: object, path: str, problems: Problems, digest: Any) -> Bodies | None:
    name = text_of(node) if isinstance(node, YamlScalar) else None
    if not isinstance(node, YamlScalar) or not name or (name == BUILT_IN and path == "resources.base"):
        return None
    folder = Path(node.mark.file).parent / name
    if not folder.is_dir():
        problems.add(node.mark, path, f"there is no folder {folder}")
        return None
    found: dict[str, Mapping[str, Any]] = {}
    size = 0
    files = tuple(sorted(each for each in folder.rglob("*.json") if not each.is_dir()))
    for count, file in enumerate(files, start=1):
        place = file.relative_to(folder)
        try:
            content = file.read_bytes() if file.is_file() and file.stat().st_size <= MAX_FILE_BYTES else None
        except OSError as error:
            problems.add(Mark(str(file)), path, error.strerror or "cannot be read")
            continue
        size += len(content or b"")
        if content is None or count > MAX_FILES or size > MAX_BYTES:
            limits = f"{MAX_FILES:,} files of {MAX_FILE_BYTES >> 20} MiB, {MAX_BYTES >> 20} MiB together"
            problems.add(node.mark, path, f"{folder} is too large at {place}: at most {limits}")
            break
        digest.update(f"{path}/{place}\0{len(content)}\0".encode() + content)
        body = _object(content, file, path, problems)
        if body is not None:
            found[resource_path(place)] = frozen(body)
    if not files:
        problems.add(node.mark, path, f"there is no JSON file in {folder}")
    return MappingProxyType(found)


def resource_path(place: Path) -> str:
    """The path of the resource whose body is at this place in a folder. Names may be percent-encoded, as in URLs."""
    parts = list(place.with_suffix("").parts)
    if parts[-1] == "index":
        parts.pop()
    if parts[:1] == ["redfish"]:
        parts.pop(0)
    if parts[:1] == ["v1"]:
        parts.pop(0)
    return unquote("/".join(("/redfish/v1", *parts)))


def _object(content: bytes, file: Path, path: str, problems: Problems) -> Mapping[str, Any] | None:
    try:
        body = json.loads(content)
    except json.JSONDecodeError as error:
        problems.add(Mark(str(file), error.lineno, error.colno), path, f"not JSON: {error.msg}")
        return None
    except (ValueError, RecursionError):
        problems.add(Mark(str(file)), path, "not JSON that can be read: not UTF-8, or too deep")
        return None
    if not isinstance(body, dict):
        problems.add(Mark(str(file), 1, 1), path, "must be a JSON object, the body of a resource")
        return None
    return body


def texts(bodies: Bodies) -> Iterator[tuple[str, str]]:
    """All texts in the bodies with the path of their resource, keys included."""
    for path, body in bodies.items():
        yield from ((path, text) for text in _texts(body))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _texts(inner)
