"""Removes passwords and keys from text before it is printed, logged or stored in a Failure.

The agent and the transports make one Redactor per target. It is immutable after creation, so any thread may call it.
"""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Iterable

MASK = "[hidden]"


class Redactor:
    """Replaces each secret by `MASK`, also URL-quoted, in hexadecimal, in base64 and as base64 of user:secret."""

    def __init__(self, secrets: Iterable[str], user: str = "") -> None:
        forms: set[str] = set()
        for secret in secrets:
            if not secret:
                continue
            raw = secret.encode("utf-8", "surrogateescape")
            pair = f"{user}:{secret}".encode("utf-8", "surrogateescape")
            forms |= {
                secret,
                secret.strip(),
                repr(secret)[1:-1],
                urllib.parse.quote(raw),
                raw.hex(),
                base64.b64encode(raw).decode("ascii"),
                base64.b64encode(pair).decode("ascii"),
            }
        self._forms = sorted(forms - {""}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, MASK)
        return text
