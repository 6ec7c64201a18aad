"""Content negotiation (RFC 9110 section 12). `service` calls it for each read. Pure."""

from __future__ import annotations


def acceptable(accept: str | None, media: str) -> bool:
    """Whether a client that sent this Accept header accepts `media` (RFC 9110 12.5.1); q=0 excludes a type."""
    if accept is None or not accept.strip():
        return True
    kind = media.partition("/")[0]
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        refused = any(p.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for p in parameters)
        if name in ("*/*", f"{kind}/*", media) and not refused:
            return True
    return False
