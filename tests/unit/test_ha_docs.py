"""docs/ha.md: every guarantee is linked to a test that exists; commands, routes and alerts are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

from fencer.ha.api.routes import ROUTES
from fencer.ha.cli import main
from fencer.ha.effects import AlertName

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "ha.md"
EXPLORERS = sorted((ROOT / "tests").glob("ha_*explorer.py"))
ROW = re.compile(r"^\| ([SL]\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)
LINK = re.compile(r"\[`(\w+)`\]\(([^)]+)\)")


def guarantees() -> dict[str, str]:
    return {row[1]: row[3] for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))}


def functions(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)}


def test_every_safety_and_liveness_property_has_a_row() -> None:
    assert list(guarantees()) == [*(f"S{n}" for n in range(1, 33)), *(f"L{n}" for n in range(1, 11))]


def test_every_property_that_an_exploration_looks_at_has_a_row() -> None:
    looked_at = {name for file in EXPLORERS for name in re.findall(r'"(S\d+)', file.read_text(encoding="utf-8"))}
    assert {"S19", "S28"} <= looked_at <= guarantees().keys()


@pytest.mark.parametrize("name", guarantees())
def test_a_guarantee_is_linked_to_a_test_that_exists(name: str) -> None:
    links = LINK.findall(guarantees()[name])
    assert links
    for test, path in links:
        assert test in functions(PAGE.parent / path), f"{name}: no {test} in {path}"


def test_the_commands_that_the_page_shows_are_commands_and_all_are_shown() -> None:
    shown = set(re.findall(r"^fence-ha ([a-z-]+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert shown == set(main.list_commands(click.Context(main)))


def test_the_page_names_every_route_and_every_alert() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for route in ROUTES:
        assert f"`{route.pattern.rpartition('/')[2]}`" in text or route.pattern in text, route.pattern
    assert [name for name in AlertName if f"`{name}`" not in text] == []
