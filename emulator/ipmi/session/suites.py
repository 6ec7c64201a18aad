"""Cipher suites: their algorithms, the choice for a client's proposal, and the privilege that each may be used for.

`RakpLogin` and the channel and LAN commands call it, in the emulator's one thread. All functions are pure.

A proposal must match one suite as a whole (IPMI 2.0, table 22-20): a BMC must not combine algorithms of two suites.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache


class RmcpStatus(IntEnum):
    """RMCP+ and RAKP message status codes (IPMI 2.0, table 13-15)."""

    OK = 0x00
    INSUFFICIENT_RESOURCES = 0x01
    INVALID_SESSION_ID = 0x02
    INVALID_AUTH_ALGORITHM = 0x04
    INVALID_ROLE = 0x09
    UNAUTHORIZED_ROLE = 0x0A
    INVALID_NAME_LENGTH = 0x0C
    UNAUTHORIZED_NAME = 0x0D
    INVALID_INTEGRITY_VALUE = 0x0F
    NO_MATCHING_CIPHER_SUITE = 0x11
    ILLEGAL_PARAMETER = 0x12


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """A cipher suite. `digest` (hashlib's name) is for RAKP, keys and packet integrity; `icv_length` bytes of it are sent."""

    id: int
    auth: int
    integrity: int
    confidentiality: int
    digest: str
    icv_length: int

    @property
    def algorithms(self) -> tuple[int, int, int]:
        return self.auth, self.integrity, self.confidentiality

    @property
    def record(self) -> bytes:
        """Its record in Get Channel Cipher Suites (table 22-18)."""
        return bytes((0xC0, self.id, self.auth, 0x40 | self.integrity, 0x80 | self.confidentiality))


AUTH_HMAC_SHA1 = 0x01

SUITES: Mapping[int, CipherSuite] = {
    3: CipherSuite(3, AUTH_HMAC_SHA1, 0x01, 0x01, "sha1", 12),
    17: CipherSuite(17, 0x03, 0x04, 0x01, "sha256", 16),
}
"""The suites that the emulator supports. Both encrypt with AES-CBC-128."""


@lru_cache(maxsize=64)
def enabled(ids: tuple[int, ...]) -> tuple[CipherSuite, ...]:
    """The suites of a profile, the strongest last. BMCs of a profile share the tuple. Raises ValueError for unsupported ones."""
    if unknown := sorted(set(ids) - SUITES.keys()):
        raise ValueError(f"cipher suites {unknown} are not spoken here; a profile may name {sorted(SUITES)}")
    return tuple(SUITES[n] for n in sorted(ids))


def choose(offered: Sequence[CipherSuite], proposal: tuple[int | None, int | None, int | None]) -> CipherSuite | RmcpStatus:
    """The suite for a proposal, or the status that refuses it. `offered` is as `enabled` gives it.

    None in a proposal: the BMC chooses that algorithm, and takes its strongest suite that fits.
    """
    for suite in reversed(offered):
        if all(want is None or want == have for want, have in zip(proposal, suite.algorithms, strict=True)):
            return suite
    if proposal == SUITES[3].algorithms and all(suite.auth != AUTH_HMAC_SHA1 for suite in offered):
        return RmcpStatus.INVALID_AUTH_ALGORITHM  # a BMC without SHA-1, as OpenBMC answers it
    return RmcpStatus.NO_MATCHING_CIPHER_SUITE


# -- privileges --------------------------------------------------------------------------------------------------------

SUITE_SLOTS = 16
"""The number of cipher suites in LAN parameters 23 and 24."""
PARAMETER_24_ORDER = (0, 1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17)
"""The order of suites in LAN parameter 24, for all BMCs. Hardware differs: some follow the BMC's own list, some the suite ids (as
manuals of clients say). This order was seen on hardware with suites 3 and 17 only; for suite 3 it agrees with the manuals."""
HIGHEST_PRIVILEGE = 4


def level_of(suite: CipherSuite, levels: bytes | None) -> int:
    """The highest privilege for which a suite may be used; OEM counts as administrator, 0: none. `levels` None: the default."""
    if levels is None:
        return HIGHEST_PRIVILEGE
    at = PARAMETER_24_ORDER.index(suite.id)
    return min(levels[at // 2] >> (4 * (at % 2)) & 0x0F, HIGHEST_PRIVILEGE)


def levels_of(suites: Sequence[CipherSuite], levels: bytes | None) -> bytes:
    """LAN parameter 24 without its first byte: eight bytes of two nibbles each, the low one first."""
    if levels is not None:
        return levels
    offered = {PARAMETER_24_ORDER.index(suite.id) for suite in suites}
    return bytes(sum(HIGHEST_PRIVILEGE << 4 * half for half in (0, 1) if at + half in offered) for at in range(0, SUITE_SLOTS, 2))


def usable(suites: tuple[CipherSuite, ...], levels: bytes | None) -> tuple[CipherSuite, ...]:
    """The suites that may be used for some privilege."""
    return suites if levels is None else tuple(suite for suite in suites if level_of(suite, levels))
