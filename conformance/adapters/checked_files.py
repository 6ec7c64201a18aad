"""Which shipped fencer files have been checked as they are now: `reading` does not check them again, which saves 100 ms and more.

`checked.json` has the SHA-256 of each file. A file that differs from it is checked like any other, so nobody has to keep it up to
date; `python -m tools.note_checked_fencers` writes it anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

FENCERS: Final = Path(__file__).resolve().parent.parent / "fencers"
FILE: Final = FENCERS / "checked.json"


@cache
def _known() -> Mapping[str, str]:
    try:
        return {str(name): str(digest) for name, digest in json.loads(FILE.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def is_checked(file: Path, digest: str) -> bool:
    """Whether this is a shipped file with the content that was checked; `digest` is the SHA-256 of what was read."""
    return file.parent == FENCERS and _known().get(file.name) == digest
