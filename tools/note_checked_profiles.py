"""Writes profiles/checked.json: the digests of the shipped profiles that lint accepts (python -m tools.note_checked_profiles)."""

from __future__ import annotations

import hashlib
import json

from emulator.faults.model import check_profile
from profiles import lint, loader
from profiles.checked import FILE, VENDORS


def main() -> None:
    good = [loader.path(name) for name in loader.all_names() if lint(name, also=check_profile).ok]
    digests = {str(file.relative_to(VENDORS)): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(good)}
    FILE.write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
