"""Values of the same form: digits for digits, letters for letters, the maker's part of a MAC address as it was. Pure.

`scrub` calls these functions. The same value and seed always give the same replacement, so that references between resources stay
whole. A seed must be secret: a serial number has so few possible values that whoever knows the seed can find the original.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Final

_MAKERS_LETTERS: Final = 3
_LONG_HEX: Final = re.compile(r"(?=.*[A-Fa-f])(?:[0-9A-F]{12,}|[0-9a-f]{12,})")
_EMPTY_HEX: Final = frozenset("0fF-:.")


class Shapes:
    """Replacements that are drawn from one seed. No two values get the same one."""

    def __init__(self, seed: bytes) -> None:
        self._key = hashlib.blake2b(seed, digest_size=32).digest()
        self._given: dict[tuple[str, str], str] = {}
        self._taken: set[tuple[str, str]] = set()

    @property
    def count(self) -> int:
        """How many replacements were drawn."""
        return len(self._given)

    def serial(self, value: str) -> str:
        """A serial number or tag: up to three letters at its beginning stay, since they name the maker's plant."""
        kept = re.match(r"[A-Za-z]{0,3}", value)
        start = kept.end() if kept is not None and any(sign.isdigit() for sign in value) else 0
        return self._drawn("serial", value, lambda draw: value[:start] + _redrawn(value[start:], draw))

    def secret(self, value: str) -> str:
        """A key, token, licence or password."""
        return self._drawn("secret", value, lambda draw: _redrawn(value, draw))

    def word(self, value: str, kind: str) -> str:
        """A name that people gave: `kind` and a number, such as `host-4711`."""
        return self._drawn(kind, value.lower(), lambda draw: f"{kind}-{1000 + (next(draw) * 256 + next(draw)) % 9000}")

    def mac(self, value: str) -> str:
        """A MAC address or WWN: the last three octets are drawn; of a longer thumbprint all but two. All zeros and ones stay."""
        if set(value) <= _EMPTY_HEX:
            return value
        plain = re.sub(r"[^0-9A-Fa-f]", "", value).lower()
        kept = len(plain) - 6 if len(plain) <= 16 else 4
        drawn = self._drawn("mac", plain, lambda draw: plain[:kept] + _hex(plain[kept:], draw))
        return _spelled(value, drawn)

    def uuid(self, value: str) -> str:
        """A UUID. Groups of zeros stay, as do version and variant, Dell's `4c4c4544-00`, and bytes that spell text."""
        if set(value) <= _EMPTY_HEX:
            return value
        plain = value.replace("-", "").lower()
        drawn = self._drawn("uuid", plain, lambda draw: _uuid(plain, draw))
        return _spelled(value, drawn)

    def ipv4(self, value: str) -> str:
        """An address out of 198.18.0.0/15, which nobody uses. Addresses of one /24 stay together."""
        network, _, host = value.rpartition(".")

        def elsewhere(draw: Iterator[int]) -> str:
            return f"198.{18 + next(draw) % 2}.{next(draw)}"

        there = self._drawn("network", network, elsewhere)
        last = int(host)
        return (
            f"{there}.{last if last in (0, 255) else self._drawn('last', value, lambda draw: str(1 + next(draw) % 254), there)}"
        )

    def ipv6(self, value: str) -> str:
        """An address of the same spelling; its first group stays where it names a scope (fe80, fd00, ff02)."""
        first, colon, rest = value.partition(":")
        if not re.fullmatch(r"f[c-f][0-9a-f]{2}", first.lower()):
            rest, first, colon = value, "", ""
        return first + colon + self._drawn("ipv6", rest.lower(), lambda draw: _hex(rest, draw))

    def _drawn(self, kind: str, value: str, make: Callable[[Iterator[int]], str], among: str = "") -> str:
        known = self._given.get((kind, value))
        if known is not None:
            return known
        taken = f"{kind} {among}"
        for attempt in range(64):
            found = make(self._bytes(f"{kind} {attempt} {value}"))
            if found != value and (taken, found) not in self._taken:
                break
        self._taken.add((taken, found))
        self._given[kind, value] = found
        return found

    def _bytes(self, label: str) -> Iterator[int]:
        block = 0
        while True:
            yield from hashlib.blake2b(f"{block} {label}".encode(), key=self._key).digest()
            block += 1


def _redrawn(value: str, draw: Iterator[int]) -> str:
    """Each digit and letter becomes another of its kind; all else stays. Hexadecimal stays hexadecimal, PEM keeps its frame."""
    if _LONG_HEX.fullmatch(value):
        return _hex(value, draw)
    if value.startswith("-----BEGIN"):
        lines = value.splitlines(keepends=True)
        return "".join(line if line.startswith("-----") else "".join(_sign(sign, draw) for sign in line) for line in lines)
    return "".join(_sign(sign, draw) for sign in value)


def _sign(sign: str, draw: Iterator[int]) -> str:
    if sign.isdigit():
        return str(next(draw) % 10)
    if sign.isascii() and sign.isalpha():
        letter = chr(ord("a") + next(draw) % 26)
        return letter.upper() if sign.isupper() else letter
    return "x" if sign.isalnum() else sign


def _hex(value: str, draw: Iterator[int]) -> str:
    return "".join(_hex_sign(sign, draw) for sign in value)


def _hex_sign(sign: str, draw: Iterator[int]) -> str:
    if sign not in "0123456789abcdefABCDEF":
        return sign
    drawn = f"{next(draw) % 16:x}"
    return drawn.upper() if sign.isupper() else drawn


def _uuid(plain: str, draw: Iterator[int]) -> str:
    octets = bytes.fromhex(plain)
    if octets[:4] == b"LLED":  # Dell: the service tag in seven of the octets
        tag = [5, 6, 9, 10, 13, 14, 15]
        return bytes(_letter(octet, draw) if place in tag else octet for place, octet in enumerate(octets)).hex()
    if all(chr(octet).isalnum() and octet < 128 for octet in octets):  # HPE: product and serial number
        return bytes(_letter(octet, draw) for octet in octets).hex()
    groups = [plain[start:end] for start, end in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))]
    drawn = [group if set(group) == {"0"} else _hex(group, draw) for group in groups]
    if set(groups[2]) != {"0"}:
        drawn[2] = groups[2][0] + drawn[2][1:]
        drawn[3] = groups[3][0] + drawn[3][1:]
    return "".join(drawn)


def _letter(octet: int, draw: Iterator[int]) -> int:
    return ord(_sign(chr(octet), draw)) if octet < 128 else octet


def _spelled(value: str, drawn: str) -> str:
    """The drawn hexadecimal digits in the places, and in the case, of those of `value`."""
    signs = iter(drawn)
    is_upper = value.upper() == value
    return "".join(
        (next(signs).upper() if is_upper else next(signs)) if sign in "0123456789abcdefABCDEF" else sign for sign in value
    )
