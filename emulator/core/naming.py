"""Makes the ids, UUIDs, serial numbers and MAC addresses of emulated machines from the seed. The same seed gives the same names.

Views and front ends call it whenever they show a machine.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from profiles.model import ABSENT

NAMES_KEPT = 256
"""Size of the caches. Clients read the same names again and again, and use only a few of ten thousand BMCs at a time."""


def numbered(first: str, n: int) -> str:
    """The id of the n-th of several, from 0: increases the number at the end of `first`, or appends one where there is none."""
    if n == 0:
        return first
    digits = len(first) - len(first.rstrip("0123456789"))
    if digits == 0:
        return f"{first}{n + 1}"
    return f"{first[:-digits]}{int(first[-digits:]) + n}"


@lru_cache(maxsize=NAMES_KEPT)
def derived_uuid(form: str, key: str) -> str:
    """A UUID that is different for every `key`. It keeps all of the vendor's `form` but the last twelve digits.

    `form` is a UUID, "random" (nothing of it is kept), or ABSENT, which is returned as it is.
    """
    if form == ABSENT:
        return ABSENT
    digest = hashlib.sha256(key.encode()).hexdigest()
    if form == "random":
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    return f"{form[:-12].lower()}{digest[:12]}" if len(form) == 36 else form


@lru_cache(maxsize=NAMES_KEPT)
def derived_serial(key: str) -> str:
    """A serial number of seven characters, like a service tag."""
    letters = "BCDFGHJKLMNPQRSTVWXYZ0123456789"
    digest = hashlib.sha256(f"serial/{key}".encode()).digest()
    return "".join(letters[byte % len(letters)] for byte in digest[:7])


def derived_mac(key: str) -> str:
    """A MAC address with the "locally administered" bit set."""
    digits = derived_uuid("random", key).replace("-", "")
    return ":".join(("02", *(digits[n : n + 2] for n in range(0, 10, 2)))).upper()
