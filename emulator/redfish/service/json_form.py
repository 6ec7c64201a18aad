"""How a vendor writes JSON: with or without blanks, in lines, with escaped slashes, with a slash at the end of each @odata.id.

`service` and `error_shapes` call it for each body that they make. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from profiles.model import Http

_COMPACT: Final = partial(json.dumps, separators=(",", ":"))
FORMS: Final[Mapping[str, Callable[[object], str]]] = {
    "spaced": json.dumps,
    "compact": _COMPACT,
    "pretty": partial(json.dumps, indent=2),
    "escaped": lambda value: _COMPACT(value).replace("/", "\\/"),
}
"""For each `http.json` of a profile: a function that writes a value."""

_PATHS: Final = frozenset({"@odata.id", "target"})
_ROOT: Final = "/redfish/v1"


def writer_of(http: Http) -> Callable[[object], bytes]:
    """The function that makes the bytes of a body for this vendor."""
    form = FORMS[http.json]
    if http.slash not in ("ids", "redirect"):
        return lambda value: form(value).encode()
    return lambda value: form(with_slashes(value)).encode()


def as_asked(http: Http, path: str, body: bytes) -> bytes:
    """The body for a request of this path: some vendors end the ids with a slash where the path ends with one, and only there."""
    if http.slash != "as_asked" or not body.startswith(b"{"):
        return body
    if path.endswith("/"):
        return FORMS[http.json](with_slashes(json.loads(body))).encode()
    return FORMS[http.json](without_slashes(json.loads(body))).encode() if b'/"' in body else body


def with_slashes(value: object) -> object:
    """A copy in which the paths of resources and actions end with a slash. A path with a fragment or a query stays."""
    return _with_paths(value, _slashed)


def without_slashes(value: object) -> object:
    """A copy in which they end with none."""
    return _with_paths(value, lambda path: path.rstrip("/") if isinstance(path, str) and path.startswith("/") else path)


def _with_paths(value: object, change: Callable[[object], object]) -> object:
    if isinstance(value, Mapping):
        return {key: change(inner) if key in _PATHS else _with_paths(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_paths(inner, change) for inner in value]
    return value


def lacks_slash(http: Http, path: str) -> bool:
    """Whether this vendor redirects the path to the same path with a slash at its end."""
    return (http.slash == "redirect" and not path.endswith("/")) or (http.slash == "redirect_root" and path == _ROOT)


def _slashed(value: object) -> object:
    if not isinstance(value, str) or not value.startswith("/") or value.endswith("/") or "#" in value or "?" in value:
        return value
    return f"{value}/"
