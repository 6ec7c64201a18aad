"""What a fencer can do beside what every fencer can: words of a fencer file (`capabilities`) that scenarios ask for (`needs`)."""

from __future__ import annotations

import re
from typing import Final

from conformance.vocabulary import Ask, Protocol
from fencelab_yaml.errors import did_you_mean, listed

DUAL: Final = "dual"
"""It asks one BMC over both protocols for the same claim."""
PDU: Final = "pdu"
"""It switches the outlets of a host at a PDU."""
KNOWN: Final = (
    *Ask, *Protocol, "basic-auth", "sessions", "password-file", "password-script", "tls-verify", "ca-file", "identity",
    "host-port", "cli", DUAL, PDU, "cipher-17", "kg",
)  # fmt: skip
FOREIGN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def slip(word: str) -> str | None:
    """What is wrong with a capability, as a sentence. One of which the suite knows nothing may be the user's own; one that looks
    like a known one is a slip."""
    if word in KNOWN or (FOREIGN.fullmatch(word) and not did_you_mean(word, KNOWN)):
        return None
    return f"no such capability{did_you_mean(word, KNOWN)}; there are: {listed(KNOWN)}"
