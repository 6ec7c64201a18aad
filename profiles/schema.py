"""`schema.json` for editors: `python -m profiles.schema` writes it anew from `format`; a test says when it is stale.

It knows the form only. References, evidence and what a parent gives are checked by the loader.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from profiles.format import FORMAT, PROFILE

FILE: Final = Path(__file__).resolve().parent / "schema.json"


def text() -> str:
    """The schema as it stands in the file."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": FORMAT,
        "title": "A BMC profile of fencelab",
    }
    return json.dumps(head | PROFILE.schema(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
