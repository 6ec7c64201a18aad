"""Prints the acts and the matrix on the terminal, with rich. `python -m demo` calls it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.act_facts import StoryLine, facts
from demo.matrix import KEY, Matrix
from demo.story import Story

MARK = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}
STYLE = {"PASS": "green", "UNSAFE": "bold white on red", "STUCK": "yellow", "HANG": "yellow", "ERROR": "reverse", "NONE": "dim"}


def heading(console: Console, act: str, title: str, detail: str) -> None:
    console.print()
    console.print(Text.assemble((f"({act}) ", "bold"), (title, "bold")), soft_wrap=True)
    console.print(Text(f"    {detail}", "dim"), soft_wrap=True)


def line(console: Console, said: StoryLine) -> None:
    mark, style = MARK[said.good]
    console.print(Text.assemble((f"    {mark} ", style), (said.text, style if said.good is False else "")), soft_wrap=True)


def act(console: Console, story: Story) -> None:
    for said in facts(story):
        line(console, said)


def matrix(console: Console, grid: Matrix) -> None:
    """Prints one row per scenario and one column per fencer; fits 80 columns."""
    shown = [row for row in grid.rows if not row.missing]
    table = Table(show_edge=False, pad_edge=False, padding=(0, 1), header_style="dim", box=None)
    table.add_column("", no_wrap=True)
    for row in shown:
        table.add_column(_broken(row.fencer), justify="center", no_wrap=True)
    for n, column in enumerate(grid.scenarios):
        table.add_row(f"    {column.id}", *(Text(row.cells[n].word, STYLE.get(row.cells[n].kind, "cyan")) for row in shown))
    console.print(table)
    for word, meaning in KEY:
        console.print(Text(f"    {word}  {meaning}", "dim"), soft_wrap=True)
    for row in grid.rows:
        if row.missing:
            console.print(Text(f"    {row.fencer}: {row.missing}", "dim"), soft_wrap=True)


def _broken(name: str) -> str:
    """Breaks a long name into two lines."""
    for mark in ("_", "-"):
        head, found, tail = name.partition(mark)
        if found:
            return f"{head}{mark}\n{tail}"
    return name
