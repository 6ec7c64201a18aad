"""Makes the ids, UUIDs, serial numbers and MAC addresses of emulated machines from the seed. The same seed gives the same names.

Views and front ends call it whenever they show a machine; the rack gives out serial numbers when it builds a BMC.

Rules
  1. What the rack file gives (`Profile.given`) is shown as it is, by the BMC's first system. Everything else is drawn.
  2. A drawn serial number has the shape of the profile's: letters where that has letters, digits where it has digits.
  3. No two systems of a rack get one drawn serial number or MAC address, nor one that a rack file gives.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from profiles import template
from profiles.model import ABSENT, Profile

NAMES_KEPT = 256
"""Size of the caches. Clients read the same names again and again, and use only a few of ten thousand BMCs at a time."""
LETTERS: Final = "BCDFGHJKLMNPQRSTVWXYZ"
DIGITS: Final = "0123456789"
DRAWN_AGAIN: Final = 40
"""So often a serial number is drawn before the shape of the profile's counts as used up."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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
def machine_uuid(
    form: str, key: str, serial: str, mac: str, given: tuple[tuple[str, str], ...] = (), *, first: bool = True
) -> str:
    """The UUID of a machine with this serial number and MAC address, where the vendor's `form` spells them or what is given.

    Any other form is that of `derived_uuid`; for all systems of a BMC but the `first`, so is one that spells only what is given.
    """
    own = {**dict(given), "serial": serial, "mac": mac.replace(":", "")}
    filled = template.fill(form, own)
    if not template.uses(form, own if first else ("serial", "mac")):
        return derived_uuid(filled, key)
    uuid = filled.lower()
    return uuid if _UUID.fullmatch(uuid) else derived_uuid("random", key)


@lru_cache(maxsize=NAMES_KEPT)
def derived_serial(key: str, shape: str | None = None) -> str:
    """A serial number of the shape of another one; None: seven characters, like a service tag."""
    if shape is None:
        digest = hashlib.sha256(f"serial/{key}".encode()).digest()
        return "".join((LETTERS + DIGITS)[byte % 31] for byte in digest[:7])
    octets = hashlib.shake_256(f"serial/{key}".encode()).digest(len(shape))
    return "".join(_like(sample, octet) for sample, octet in zip(shape, octets, strict=True))


def _like(sample: str, octet: int) -> str:
    if sample in DIGITS:
        return DIGITS[octet % len(DIGITS)]
    if not (sample.isascii() and sample.isalpha()):
        return sample
    letter = LETTERS[octet % len(LETTERS)]
    return letter if sample.isupper() else letter.lower()


@lru_cache(maxsize=NAMES_KEPT)
def derived_mac(key: str) -> str:
    """A MAC address with the "locally administered" bit set."""
    digits = derived_uuid("random", key).replace("-", "")
    return ":".join(("02", *(digits[n : n + 2] for n in range(0, 10, 2)))).upper()


def drawn_from(key: str, draw: int) -> str:
    """The text from which the names of a system's parts come. `draw` is how often its names were drawn before."""
    return derived_serial(_again(key, draw))


def mac_of(drawn: str, given: tuple[tuple[str, str], ...] = ()) -> str:
    """The MAC address of the BMC: the one that is given as twelve digits, or a drawn one."""
    for name, digits in given:
        if name == "mac":
            return ":".join(digits[n : n + 2] for n in range(0, 12, 2)).upper()
    return derived_mac(f"{drawn}/mac/bmc")


def _again(key: str, draw: int) -> str:
    return f"{key}/again/{draw}" if draw else key


class SerialNumbers:
    """The serial numbers of a rack. It is asked in the order in which systems are built, and remembers what it has given out."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        """`profiles` are those of all BMCs from the start: what they are given is drawn for no other."""
        self._taken: set[str | int] = set()
        for profile in profiles:
            self._reserve(profile)

    def _reserve(self, profile: Profile) -> str | None:
        serial = dict(profile.given).get("serial")
        if serial is not None:
            self._taken.add(serial)
        return serial

    def of(self, profile: Profile, key: str, number: int) -> tuple[str, int]:
        """The serial number of a BMC's system, the first of which has number 0, and the draw that its other names come from."""
        own = self._reserve(profile) if number == 0 else None
        shape = profile.vars.get("serial")
        for draw in range(DRAWN_AGAIN):
            serial, mac = own or derived_serial(_again(key, draw), shape), _mac_number(key, draw)
            if mac not in self._taken and (own is not None or serial not in self._taken):
                self._taken |= {serial, mac}
                return serial, draw
        return own or drawn_from(key, 0), 0


def _mac_number(key: str, draw: int) -> int:
    return int(mac_of(drawn_from(key, draw)).replace(":", ""), 16)
