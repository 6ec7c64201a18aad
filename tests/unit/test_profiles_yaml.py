"""How words in a file are read."""

from __future__ import annotations

from typing import Any

import pytest

from fencelab_yaml.errors import Problems
from fencelab_yaml.source import parse, plain, resolve
from profiles import template


def read(text: str) -> Any:
    problems = Problems()
    tree = parse(text.encode(), "x.yaml", problems)
    problems.raise_any()
    return plain(tree)


@pytest.mark.parametrize(
    "word",
    [
        "On",
        "Off",
        "on",
        "off",
        "yes",
        "no",
        "Yes",
        "NO",
        "y",
        "n",
        "True",
        "FALSE",
        "Null",
        "12:34:56",
        "0755",
        "1.9.0",
        "2026-11-20",
        "2026-11-20 10:00:00",
        "1_000",
        ".inf",
        ".nan",
        "0xZZ",
        "1e999",
        "=",
        "<<",
        "9" * 400,
    ],
)
def test_what_looks_like_text_is_text(word: str) -> None:
    assert resolve(word) == word


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("0xD5", 0xD5),
        ("0o17", 15),
        ("6.10", 6.1),
        ("1e3", 1000.0),
        (".5", 0.5),
    ],
)
def test_what_looks_like_a_value_is_one(word: str, value: object) -> None:
    assert resolve(word) == value
    assert type(resolve(word)) is type(value)


def test_power_states_as_keys_stay_text() -> None:
    assert read("On: {On: Off}\nOff: {yes: no}\n") == {"On": {"On": "Off"}, "Off": {"yes": "no"}}


def test_quotes_make_text() -> None:
    assert read("a: 'true'\nb: \"6.10\"\nc: |\n  5\n") == {"a": "true", "b": "6.10", "c": "5\n"}


def test_an_alias_means_its_anchor_and_merge_keys_mean_nothing() -> None:
    assert read("a: &x {b: 1}\nc: *x\nd: {<<: *x}\n") == {"a": {"b": 1}, "c": {"b": 1}, "d": {"<<": {"b": 1}}}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{serial}-{n}", "AB1-{n}"),
        ("{serial:hex}", "414231"),
        ("{serial:hex0}.{serial:hex2}.{serial:hex9}", "41.31."),
        ("{serial:high0}.{serial:high9}", "c1."),
        ("JID_{digits:12}", "JID_000000000012"),
        ("{other} {} {Serial} {serial", "{other} {} {Serial} {serial"),
    ],
)
def test_templates(text: str, filled: str) -> None:
    assert template.fill(text, {"serial": "AB1"}, lambda count: "12".rjust(count, "0")) == filled
