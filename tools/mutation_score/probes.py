"""Finds out in which scenarios the text that a mutant changes is used at all. Pure.

The fencer is played once with a probe at each place that is to be changed. Where a run does not pass the probes of a mutant, the
mutant's run would be the same, so it is not played again.

Rules
  1. A change inside a function has its probe in front of the innermost statement around it; one of several statements at the
     start of the function.
  2. A change of a constant at the level of the module or of a class has one in front of each statement of a function that names
     the constant, in whatever module.
  3. A change for which neither can be said counts as used in every run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutation_score.literal_change import Mutant, read

Function = ast.FunctionDef | ast.AsyncFunctionDef
ALWAYS = -1
"""The number of a change that counts as used in every run."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Stands in front of the statement of `file` that begins at `line` and `column`. `number` is that of the mutant."""

    file: str
    line: int
    column: int
    number: int


def probes_of(root: Path, mutants: Sequence[Mutant], files: Iterable[str]) -> tuple[Probe, ...]:
    """All probes of a table. `files` are all sources in which a constant may be named."""
    trees = {file: ast.parse((root / file).read_text(encoding="utf-8")) for file in files}
    return tuple(probe for number, mutant in enumerate(mutants) for probe in _probes(root, number, mutant, trees))


def _probes(root: Path, number: int, mutant: Mutant, trees: Mapping[str, ast.Module]) -> Iterator[Probe]:
    lines = mutant.lines(read(root, mutant))
    statement = _innermost(trees[mutant.file], lines)
    if statement is not None:
        yield Probe(mutant.file, statement.lineno, statement.col_offset, number)
        return
    name = _constant(trees[mutant.file], lines)
    uses = [] if name is None else [(file, use) for file, tree in trees.items() for use in _uses(tree, name)]
    if not uses or any(use is None for _, use in uses):
        yield Probe("", 0, 0, number)
        return
    for file, use in uses:
        assert use is not None
        yield Probe(file, use.lineno, use.col_offset, number)


def always_used(probes: Iterable[Probe]) -> frozenset[int]:
    """The numbers of the mutants of rule 3."""
    return frozenset(probe.number for probe in probes if not probe.file)


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _innermost(tree: ast.Module, lines: range) -> ast.stmt | None:
    """The smallest statement in the body of a function that covers these lines; None where the text is outside of bodies."""
    found = [statement for function in _functions(tree) for statement in _statements(function) if _covers(statement, lines)]
    around = [function for function in _functions(tree) if function.body[0].lineno <= lines[0] and _covers(function, lines)]
    if found:
        return min(found, key=lambda each: _end(each) - each.lineno)
    return min(around, key=lambda each: _end(each) - each.lineno).body[0] if around else None


def _statements(function: Function) -> Iterator[ast.stmt]:
    return (node for part in function.body for node in ast.walk(part) if isinstance(node, ast.stmt))


def _end(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno


def _covers(node: ast.stmt, lines: range) -> bool:
    return node.lineno <= lines[0] and lines[-1] <= _end(node)


def _constant(tree: ast.Module, lines: range) -> str | None:
    """The name that the statement of these lines gives to a value, at the level of the module or of a class."""
    classes = (statement.body for statement in tree.body if isinstance(statement, ast.ClassDef))
    for statement in (each for body in (tree.body, *classes) for each in body):
        if _covers(statement, lines):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                    return name
    return None


def _uses(tree: ast.Module, name: str) -> Iterator[ast.stmt | None]:
    """The statements of functions that name it; None for a use outside of functions, which cannot have a probe."""
    inside: set[ast.AST] = set()
    for function in _functions(tree):
        for statement in function.body:
            inside.update(ast.walk(statement))
    statements = [node for node in inside if isinstance(node, ast.stmt)]
    for node in ast.walk(tree):
        named = (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)) or (
            isinstance(node, ast.Attribute) and node.attr == name
        )
        if not named:
            continue
        if node not in inside:
            yield None
            continue
        lines = range(node.lineno, node.lineno + 1)
        yield min((each for each in statements if _covers(each, lines)), key=lambda each: _end(each) - each.lineno)


def probed(tree: ast.Module, probes: Sequence[Probe], name: str) -> ast.Module:
    """The tree with the probes in it: each adds its number to the set that is called `name`."""
    wanted: dict[tuple[int, int], list[int]] = {}
    for probe in probes:
        wanted.setdefault((probe.line, probe.column), []).append(probe.number)
    for node in ast.walk(tree):
        for part in ("body", "orelse", "finalbody"):
            statements = getattr(node, part, None)
            if isinstance(statements, list) and not isinstance(node, ast.Module | ast.ClassDef):
                setattr(node, part, [each for statement in statements for each in _with_probe(statement, wanted, name)])
    return tree


def _with_probe(statement: ast.stmt, wanted: Mapping[tuple[int, int], Sequence[int]], name: str) -> Iterator[ast.stmt]:
    numbers = wanted.get((statement.lineno, statement.col_offset)) if isinstance(statement, ast.stmt) else None
    if numbers:
        yield from ast.parse(f"{name}.update({list(numbers)!r})").body
    yield statement
