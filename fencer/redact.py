"""Removes passwords and keys from text before it is printed, logged or stored in a Failure.

The agent and the transports make one Redactor per target. It is immutable after creation, so any thread may call it.

Rules
  1. A form of MIN_ANYWHERE characters or more is replaced wherever it stands.
  2. A shorter one (the password "x", its hexadecimal form "78") would be found in every message: it is replaced only where it
     is a whole word in quotation marks, or follows `=`. Who reads a message learns nothing from it elsewhere.
"""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Iterable

MASK = "[hidden]"
MIN_ANYWHERE = 6


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
        ordered = sorted(forms - {""}, key=len, reverse=True)
        self._forms = [form for form in ordered if len(form) >= MIN_ANYWHERE]
        short = "|".join(re.escape(form) for form in ordered if len(form) < MIN_ANYWHERE)
        alone = rf"""(?P<before>["'`])(?:{short})(?=(?P=before))|(?P<equals>=["']?)(?:{short})(?=["'&;,\s]|$)"""
        self._short = re.compile(alone) if short else None

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, MASK)
        return self._short.sub(lambda found: (found["before"] or found["equals"]) + MASK, text) if self._short else text
