"""Which shipped profiles have been checked as they are now: `loader` does not check them again, which saves a third of a second.

`checked.json` has the SHA-256 of each file. A file that differs from it is checked like any other, so nobody has to keep it up to
date; `python -m tools.note_checked_profiles` writes it anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).resolve().parent / "checked.json"
VENDORS: Final = Path(__file__).resolve().parent / "vendors"


@cache
def _known() -> Mapping[str, str]:
    try:
        return {str(name): str(digest) for name, digest in json.loads(FILE.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def is_checked(file: Path, content: bytes) -> bool:
    """Whether this is a shipped profile with the content that was checked."""
    return file.is_relative_to(VENDORS) and _known().get(str(file.relative_to(VENDORS))) == hashlib.sha256(content).hexdigest()
