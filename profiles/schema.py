"""Writes `schema.json` for editors from `format`: run `python -m profiles.schema`. A test fails if the file is out of date.

The schema describes the form only. The loader checks references, evidence and inherited values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from profiles.format import PROFILE

FILE: Final = Path(__file__).resolve().parent / "schema.json"


def text() -> str:
    """Returns the text of the schema file: keys may be left out, and null deletes what a parent says."""
    return PROFILE.text(partial=True)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
