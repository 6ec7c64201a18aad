"""Writes `schema.json` for editors from `format`: run `python -m profiles.schema`. A test fails if the file is out of date.

The schema describes the form only. The loader checks references, evidence and inherited values.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from profiles.format import FORMAT, PROFILE

FILE: Final = Path(__file__).resolve().parent / "schema.json"


def text() -> str:
    """Returns the text of the schema file."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": FORMAT,
        "title": "A BMC profile of fencelab",
    }
    return json.dumps(head | PROFILE.schema(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
