"""Names that every machine has of its own, derived from the seed: same seed, same names."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from profiles.model import ABSENT

NAMES_KEPT = 256
"""Names are asked for again and again, and of ten thousand BMCs only a few are spoken to at a time."""


def numbered(first: str, n: int) -> str:
    """The id of the n-th of several: counts a trailing number on, else appends one."""
    if n == 0:
        return first
    digits = len(first) - len(first.rstrip("0123456789"))
    if digits == 0:
        return f"{first}{n + 1}"
    return f"{first[:-digits]}{int(first[-digits:]) + n}"


@lru_cache(maxsize=NAMES_KEPT)
def derived_uuid(form: str, key: str) -> str:
    """A UUID of its own for every system, in the vendor's form: the form's first eight digits stay.

    `form` is a UUID, "random" (nothing of the form is kept) or ABSENT, which stays absent.
    """
    if form == ABSENT:
        return ABSENT
    digest = hashlib.sha256(key.encode()).hexdigest()
    if form == "random":
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    return f"{form[:-12].lower()}{digest[:12]}" if len(form) == 36 else form


@lru_cache(maxsize=NAMES_KEPT)
def derived_serial(key: str) -> str:
    """Seven characters, like a service tag."""
    letters = "BCDFGHJKLMNPQRSTVWXYZ0123456789"
    digest = hashlib.sha256(f"serial/{key}".encode()).digest()
    return "".join(letters[byte % len(letters)] for byte in digest[:7])


def derived_mac(key: str) -> str:
    """A MAC address with the bit for locally administered ones set."""
    digits = derived_uuid("random", key).replace("-", "")
    return ":".join(("02", *(digits[n : n + 2] for n in range(0, 10, 2)))).upper()
