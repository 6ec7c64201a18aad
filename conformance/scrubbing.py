"""Takes secrets out of what reports quote: what a fencer printed, what findings cite, and journals. Pure.

The runner calls it once per cell. Passwords are known, so they are found in every form that `secret_forms` knows. Session tokens
and cookies are known to nobody but the BMC and the fencer: they are taken out by the names under which programs print them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from conformance.givens.ipmi_setup import KG
from conformance.secret_forms import SHORTEST, redact

REMOVED: Final = "[removed]"
HEADERS: Final = ("x-auth-token", "authorization", "proxy-authorization", "cookie", "set-cookie")
"""HTTP headers whose values are secrets."""
KEYS: Final = ("password", "passwd", "token", "sessiontoken", "secret", "kg")
"""Keys of JSON, and of dictionaries as Python prints them, whose values are secrets."""

_QUOTED: Final = r"""b?"(?:[^"\\\n]|\\.)*"|b?'(?:[^'\\\n]|\\.)*'"""
_HEADER: Final = re.compile(
    rf"""(?i)(?:(?<![\w-])|(?<=\\[rn]))((?:{"|".join(HEADERS)})["']?\s*(?::|=|,)\s*)(?:{_QUOTED}|(?:(?!\\[rn])[^\r\n'"])+)"""
)
_KEY: Final = re.compile(rf"""(?i)(["'](?:{"|".join(KEYS)})["']\s*[:=]\s*)(?:{_QUOTED})""")


def scrub(text: str, secrets: Sequence[str]) -> str:
    """The text without these passwords, without the suite's own IPMI key, and without the values of secret headers and keys."""
    text = redact(text, (*secrets, KG, KG.encode().hex(), KG.encode().hex().upper()))
    return _KEY.sub(rf"\1{REMOVED}", _HEADER.sub(rf"\1{REMOVED}", text))


def scrub_journal(journal: str, secrets: Sequence[str]) -> str:
    """A journal without these passwords: a client may have put one into a path. What is short stands in many a line by chance."""
    return redact(journal, [secret for secret in secrets if len(secret) >= SHORTEST])
