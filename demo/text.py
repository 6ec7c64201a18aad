"""What the terminal shows."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.matrix import KEY, Matrix
from demo.story import Story
from demo.words import Line, facts

MARK = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}
STYLE = {"PASS": "green", "UNSAFE": "bold white on red", "STUCK": "yellow", "HANG": "yellow", "ERROR": "reverse", "NONE": "dim"}


def heading(console: Console, act: str, title: str, detail: str) -> None:
    console.print()
    console.print(Text.assemble((f"({act}) ", "bold"), (title, "bold"), (f"   {detail}", "dim")))


def line(console: Console, said: Line) -> None:
    mark, style = MARK[said.good]
    console.print(Text.assemble((f"    {mark} ", style), (said.text, style if said.good is False else "")), soft_wrap=True)


def act(console: Console, story: Story) -> None:
    for said in facts(story):
        line(console, said)


def matrix(console: Console, grid: Matrix) -> None:
    table = Table(show_edge=False, pad_edge=False, padding=(0, 1), header_style="dim")
    table.add_column("", no_wrap=True)
    for column in grid.scenarios:
        table.add_column(column.id.replace("-", "\n", 1), justify="center", no_wrap=True)
    for row in grid.rows:
        if row.missing:
            table.add_row(row.fencer, *([Text("–", "dim")] * len(grid.scenarios)))
        else:
            table.add_row(row.fencer, *(Text(cell.word, STYLE.get(cell.kind, "cyan")) for cell in row.cells))
    console.print(table)
    console.print(Text("    " + " · ".join(f"{word} {meaning}" for word, meaning in KEY[:-1]), "dim"), soft_wrap=True)
    for row in grid.rows:
        if row.missing:
            console.print(Text(f"    – {row.fencer}: {row.missing}", "dim"), soft_wrap=True)
