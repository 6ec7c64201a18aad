"""Who may use the control listener: whoever has the token, and no page in a browser.

`ControlApi` calls it in the thread of the connection, before it looks at what is asked.

Rules
  1. Every request needs an IP address or `localhost` as Host: a name that an attacker makes point here (DNS rebinding) is
     refused.
  2. A request that a browser sends for a page (it has Origin) is refused. No answer has a CORS header.
  3. The token is compared in constant time.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from typing import Final

MAX_HEADER_CHARACTERS: Final = 512


def host_is_allowed(host: str) -> bool:
    """Whether a Host header names an address and no name."""
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.rpartition(":")[0] or host
    return name.lower() == "localhost" or is_address(name[1:-1] if name.startswith("[") else name)


def is_address(text: str) -> bool:
    """Whether this is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def token_is_right(headers: Mapping[str, str], token: str) -> bool:
    """Whether the Authorization header has the token (RFC 6750 2.1)."""
    scheme, _, sent = headers.get("authorization", "")[:MAX_HEADER_CHARACTERS].partition(" ")
    return hmac.compare_digest(sent.strip().encode("utf-8", "replace"), token.encode()) and scheme.lower() == "bearer"
