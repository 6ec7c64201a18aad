"""One word, one meaning: no class name exists twice without a reason, and the glossary names what there is."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from emulator.core.vocab import RESET_WORDS
from tests.source_tree import PACKAGES, defined_types, package_of, parsed, python_files, relative
from tools.print_vocabulary import BEGIN, END, PAGE, page, table

STRANGER = "the fencer imports nobody, so it has a copy of its own with the same meaning"
TWICE: dict[str, str] = {
    "Cause": STRANGER,
    "Protocol": STRANGER,
    "Transport": STRANGER,
    "Snapshot": STRANGER,
    "Write": STRANGER,
    "CommandsInFiles": STRANGER,
    "PowerCommand": "the core's is a command to a BMC in either protocol's words, the fencer's is what it can send",
    "Json": "the name of the format: an object in emulator.redfish, any value in fencer and conformance",
}
"""Names that exist in more than one module, and why each may."""

GLOSSARY_ROW = re.compile(r"^\| ([a-zA-Z][^|]*?) \| ([^|]+) \| `([a-z.]+): (\w+)` \|$", re.MULTILINE)


def homes(files: Iterable[tuple[str, ast.Module]]) -> dict[str, list[str]]:
    """Name of a class or alias -> the files that define it."""
    found: dict[str, list[str]] = defaultdict(list)
    for file, tree in files:
        for name in defined_types(tree):
            found[name].append(file)
    return dict(found)


def twice(files: Iterable[tuple[str, ast.Module]]) -> dict[str, list[str]]:
    return {name: files for name, files in homes(files).items() if len(files) > 1}


def source() -> list[tuple[str, ast.Module]]:
    return [(relative(path), parsed(path)) for path in python_files() if package_of(path)]


def test_no_class_name_has_two_meanings() -> None:
    unexplained = {name: files for name, files in twice(source()).items() if name not in TWICE}
    assert unexplained == {}, "rename one, or import it, or give the reason in TWICE"


def test_no_reason_has_outlived_its_name() -> None:
    assert set(TWICE) <= set(twice(source()))


@pytest.mark.parametrize(
    "text",
    [
        "class Word:\n    pass\n",
        "Word = dict[str, int]\n",
        "Word = int | None\n",
        "from typing import TypeAlias\nWord: TypeAlias = int\n",
        "Word = NewType('Word', int)\n",
    ],
)
def test_control_a_second_home_of_a_name_is_found(text: str) -> None:
    files = [("a.py", ast.parse("class Word:\n    pass\n")), ("b.py", ast.parse(text))]
    assert twice(files) == {"Word": ["a.py", "b.py"]}


def test_control_values_and_private_names_are_no_second_home() -> None:
    first = "class Word: ...\nclass _Inner: ...\nLIMITS = dict[str, int]\n"
    second = "Word = 3\nclass _Inner: ...\nLIMITS = dict[str, int]\ndef f():\n    class Word: ...\n"
    assert twice([("a.py", ast.parse(first)), ("b.py", ast.parse(second))]) == {}


# -- docs/vocabulary.md ------------------------------------------------------------------------------------------------


def glossary() -> list[tuple[str, str, str, str]]:
    """(word, meaning, package, class) of every row."""
    return GLOSSARY_ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_every_row_of_the_glossary_can_be_read() -> None:
    words = PAGE.read_text(encoding="utf-8").partition("## Our words")[2]
    rows = [line for line in words.splitlines() if line.startswith("| ") and not line.startswith(("| word", "| ---"))]
    assert len(rows) == len(glossary())


def test_a_word_stands_in_the_glossary_once() -> None:
    words = [word for word, *_ in glossary()]
    assert len(words) == len(set(words)) > 40


def test_the_glossary_names_classes_that_exist_where_it_says() -> None:
    files = defaultdict(set)
    for path in python_files():
        if (package := package_of(path)) is not None:
            files[package] |= set(defined_types(parsed(path)))
    assert [row for row in glossary() if row[2] not in PACKAGES or row[3] not in files[row[2]]] == []


def test_the_table_of_reset_words_is_what_the_code_says() -> None:
    present = PAGE.read_text(encoding="utf-8")
    assert present == page(present), "run: python -m tools.print_vocabulary"


def test_the_table_has_a_row_for_every_reset_word() -> None:
    rows = table().splitlines()[2:]
    assert len(rows) == len(RESET_WORDS)
    assert all(f"| {words.redfish} |" in row for words, row in zip(RESET_WORDS, rows, strict=True))


def test_printing_replaces_the_table_and_nothing_else() -> None:
    assert page(f"above\n{BEGIN}| stale |\n{END}below\n") == f"above\n{BEGIN}{table()}{END}below\n"


def test_a_page_without_its_marks_is_not_written_over() -> None:
    with pytest.raises(ValueError, match=Path(PAGE).name):
        page("# Vocabulary\n")
