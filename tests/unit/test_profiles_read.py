"""Every key of the profile format is read by somebody: what is accepted and does nothing misleads whoever writes a profile."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from fencelab_yaml.form import keys_with_descriptions
from profiles import model
from profiles.format import PROFILE
from profiles.loader import VENDORS
from profiles.model import Profile

ROOT = Path(__file__).resolve().parents[2]
READERS = ("emulator", "conformance", "lab", "tools", "tests/peers")

FOR_PEOPLE = {
    "title": "shown by `bmc-emulator profiles`",
    "firmware": "which firmware a profile is modelled on: for its reader",
    "maintainers": "whom to ask",
    "evidence": "where a value is known from: lint and reports",
    "sources": "the evidence's references",
    "ref": "part of a source",
    "commit": "part of a source",
    "licence": "part of a source",
    "confidence": "part of evidence",
    "schema": "the loader's own",
    "extends": "the loader's own",
    "abstract": "the loader's own",
    "because": "why a validator's finding is right: for its reader",
}
"""Keys that no behaviour hangs on, and why."""


def words() -> frozenset[str]:
    """Every attribute and every text in the code that reads profiles."""
    found: set[str] = set()
    for folder in READERS:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute):
                    found.add(node.attr)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return frozenset(found)


WORDS = words()


def keys() -> Iterator[tuple[str, str]]:
    """(path, key) of every key with a meaning of its own in the format."""
    for path, _, schema in keys_with_descriptions(PROFILE.schema()):
        *above, key = path.replace("[]", "").split(".")
        if not FOR_PEOPLE.keys() & set(above) and "not" not in schema:
            yield path, key


FORMAT_KEYS = sorted(dict(keys()).items())


def read(key: str) -> bool:
    return key in FOR_PEOPLE or key in WORDS


@pytest.mark.parametrize(("path", "key"), FORMAT_KEYS, ids=[path for path, _ in FORMAT_KEYS])
def test_every_key_of_the_format_is_read_somewhere_outside_profiles(path: str, key: str) -> None:
    assert read(key), f"{path} is accepted and nothing reads it: make it work or refuse it"


def test_a_key_that_nobody_reads_is_found() -> None:
    assert not read("a_key_that_nobody" + "_reads")


def test_every_field_of_the_model_is_in_the_format_or_made_from_it() -> None:
    known = (
        {key for _, key in FORMAT_KEYS}
        | set(FOR_PEOPLE)
        | {"id", "feeder", "ids", "vars", "given", "digest", "abstract", "deviations"}
    )
    assert {field.name for field in dataclasses.fields(Profile)} <= known
    assert {field.name for field in dataclasses.fields(model.Timing)} <= known
    assert VENDORS.is_dir()
