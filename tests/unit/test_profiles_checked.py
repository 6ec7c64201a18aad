"""A shipped profile is not checked once more; one that was changed is."""

from __future__ import annotations

import hashlib
import json

from profiles import lint
from profiles.checked import FILE, VENDORS, is_checked


def test_a_file_counts_as_checked_only_as_it_was() -> None:
    file = VENDORS / "dmtf-generic.yaml"
    content = file.read_bytes()
    noted = json.loads(FILE.read_text()).get(file.name) == hashlib.sha256(content).hexdigest()
    assert is_checked(file, content) == noted
    assert not is_checked(file, content + b"# more")
    assert not is_checked(VENDORS.parent / file.name, content)


def test_what_is_noted_as_checked_has_no_mistakes() -> None:
    for name, digest in json.loads(FILE.read_text()).items():
        file = VENDORS / name
        if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest:
            assert lint(file).ok, name
