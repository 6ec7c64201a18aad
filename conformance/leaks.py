"""Files in which a fencer has left its password (G3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

LARGEST: Final = 4_000_000  # bytes; nobody's log grows beyond that in one run


def files_with(secrets: Sequence[str], *, left_in: Path, beside: Path, since: float) -> tuple[str, ...]:
    """Names of files that hold a secret: all below `left_in`; in `beside` those written after `since` (Unix time)."""
    needles = [secret.encode() for secret in secrets]
    found = [file for file in left_in.rglob("*") if _holds(file, needles, 0.0)]
    found += [file for file in beside.iterdir() if _holds(file, needles, since)]
    return tuple(dict.fromkeys(file.name for file in found))


def _holds(file: Path, needles: Sequence[bytes], since: float) -> bool:
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_mtime < since:
            return False
        with file.open("rb") as opened:
            content = opened.read(LARGEST)
    except OSError:
        return False  # gone, or another user's: then it does not show the password to many
    return any(needle in content for needle in needles)
