"""Entity tags in the form of each vendor, made from the content of a resource and never from a clock. Pure functions.

`service.service` calls it for each body that it makes, and for each If-Match and If-None-Match.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

_EPOCH: Final = 1_600_000_000
"""Unix time, in seconds, at which the tags that look like a time begin."""

FORMS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "none": lambda digest: None,
    "strong-digits": lambda digest: f'"{int(digest[:12], 16) % 10**12:012d}"',
    "strong-hex": lambda digest: f'"{digest[:32]}"',
    "weak-hex8": lambda digest: f'W/"{digest[:8].upper()}"',
    "weak-time": lambda digest: f'W/"{_EPOCH + int(digest[:7], 16)}"',
    "bare-integer": lambda digest: str(int(digest[:8], 16)),
    "hash": lambda digest: f'"{digest[:8].upper()}"',
}
"""For each `http.etag` of a profile: a function that makes the tag from a SHA-256 digest in hexadecimal."""


def etag_of(form: str, content: bytes) -> str | None:
    return FORMS[form](hashlib.sha256(content).hexdigest())


def matches(header: str, etag: str | None) -> bool:
    """Whether an If-Match or If-None-Match names this tag. The comparison is weak: several emulated services send weak tags."""
    if header.strip() == "*":
        return True
    return etag is not None and _opaque(etag) in {_opaque(tag) for tag in header.split(",")}


def _opaque(tag: str) -> str:
    return tag.strip().removeprefix("W/").strip('"')
