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


def writer_of(http: Http) -> Callable[[object], bytes]:
    """The function that makes the bytes of a body for this vendor."""
    form = FORMS[http.json]
    if http.slash == "either":
        return lambda value: form(value).encode()
    return lambda value: form(with_slashes(value)).encode()


def with_slashes(value: object) -> object:
    """A copy in which the paths of resources and actions end with a slash. A path with a fragment or a query stays."""
    if isinstance(value, Mapping):
        return {key: _slashed(inner) if key in _PATHS else with_slashes(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_slashes(inner) for inner in value]
    return value


def lacks_slash(http: Http, path: str) -> bool:
    """Whether this vendor redirects the path to the same path with a slash at its end."""
    return http.slash == "redirect" and not path.endswith("/")


def _slashed(value: object) -> object:
    if not isinstance(value, str) or not value.startswith("/") or value.endswith("/") or "#" in value or "?" in value:
        return value
    return f"{value}/"
