"""Compares the identities that a machine shows: UUID, IPMI GUID and serial numbers. The transports and the procedure use it.

Rules
  1. Pure. UUIDs are compared without case, hyphens and braces.
  2. Zeros and a firmware's placeholders show nothing: they neither confirm nor contradict.
  3. An IPMI GUID (16 bytes) means one of three byte orders. A configured UUID matches any of them; for display SMBIOS's
     order comes first, as in ipmitool, because most BMCs use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PLACEHOLDERS = frozenset({
    "", "none", "null", "n/a", "na", "unknown", "not specified", "not available", "default string", "empty",
    "to be filled by o.e.m.", "system serial number", "0123456789",
})  # fmt: skip
UUID_VERSIONS = frozenset(range(1, 6))  # RFC 4122, 4.1.3
HEX_32 = re.compile(r"[0-9a-f]{32}")

ShownIdentities = tuple[tuple[str, str], ...]


def canonical(text: str) -> str:
    """Returns the form in which two identities are compared."""
    folded = text.strip().casefold()
    digits = folded.removeprefix("urn:uuid:").strip("{}").replace("-", "")
    return digits if HEX_32.fullmatch(digits) else folded


def is_uuid(text: str) -> bool:
    return HEX_32.fullmatch(canonical(text)) is not None


def is_blank(text: str) -> bool:
    """True for zeros (or all F) and for texts that firmware shows where no identity was set."""
    known = canonical(text)
    return known in PLACEHOLDERS or not known.strip("0") or (is_uuid(text) and not known.strip("f"))


def pin(pinned: ShownIdentities, shown: Iterable[tuple[str, str]]) -> ShownIdentities:
    """Returns `pinned` with the properties that it does not have yet: the first value of each property stays."""
    have = {name for name, _ in pinned}
    return (*pinned, *((name, value) for name, value in shown if name not in have))


def other(pinned: ShownIdentities, shown: Iterable[tuple[str, str]]) -> tuple[str, str, str] | None:
    """Returns (property, value before, value now) if one property shows another value than before."""
    before = dict(pinned)
    for name, value in shown:
        if name in before and canonical(before[name]) != canonical(value):
            return name, before[name], value
    return None


def guid_orders(guid: bytes) -> tuple[str, str, str]:
    """Returns the UUID that 16 GUID bytes mean in the orders of SMBIOS, of IPMI 2.0 (20.8) and of RFC 4122."""
    import uuid  # loads much more than itself, and only IPMI needs it

    return str(uuid.UUID(bytes_le=guid)), str(uuid.UUID(bytes=guid[::-1])), str(uuid.UUID(bytes=guid))


def guid_text(guid: bytes) -> str:
    """Returns the GUID in the first of the three orders in which its version is one of RFC 4122; else in SMBIOS's."""
    orders = guid_orders(guid)
    return next((text for text in orders if int(text[14], 16) in UUID_VERSIONS), orders[0])
