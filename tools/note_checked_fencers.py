"""Writes conformance/fencers/checked.json: the digests of the shipped fencer files (python -m tools.note_checked_fencers)."""

from __future__ import annotations

import hashlib
import json

from conformance.adapters.checked_files import FENCERS, FILE
from conformance.adapters.reading import read


def digests() -> dict[str, str]:
    """SHA-256 by name. Raises FencerFileError where a file has mistakes."""
    found: dict[str, str] = {}
    for file in sorted(FENCERS.glob("*.yaml")):
        read(file, built_in=True, again=True)
        found[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(digests(), indent=1) + "\n", encoding="utf-8")
