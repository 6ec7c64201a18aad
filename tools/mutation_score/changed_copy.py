"""Imports copies of a fencer's modules under other names, one of them with the change of a mutant.

A copy of `fencer.proof` is called `fencer_changed.proof`. Its imports lead to other copies, those inside functions too, so the
fencer itself stays as it is. There is one set of copies in a process at a time.

    with_copies(Originals(...), mutant)
    importlib.import_module("fencer_changed.run")
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType

from tools.mutation_score.literal_change import Mutant
from tools.mutation_score.probes import Probe, probed

SUFFIX = "_changed"
REACHED = "reached_probes"
"""The name of the set in which a copy with probes notes those that were reached."""


@dataclass(frozen=True, slots=True)
class Originals:
    """The modules and packages of which copies are made, by name, with the path of each: a file, or the folder of a package."""

    root: Path
    places: Mapping[str, str]

    def file_of(self, name: str) -> Path | None:
        """The source of a module by its full name; None where it is not one of these."""
        top, *rest = name.split(".")
        if top not in self.places:
            return None
        place = self.root.joinpath(self.places[top], *rest)
        candidates = (place / "__init__.py", place.with_suffix(".py"), place)
        return next((file for file in candidates if file.is_file()), None)


@dataclass(slots=True)
class CopyFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads copies. `reached` collects the numbers of the probes that were passed."""

    originals: Originals
    mutant: Mutant | None = None
    probes: Sequence[Probe] = ()
    reached: set[int] = field(default_factory=set)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        file = self.originals.file_of(original_name(fullname)) if fullname.partition(".")[0].endswith(SUFFIX) else None
        if file is None:
            return None
        return importlib.util.spec_from_file_location(
            fullname, file, loader=self, submodule_search_locations=[] if file.name == "__init__.py" else None
        )

    def exec_module(self, module: ModuleType) -> None:
        assert module.__file__ is not None
        file = Path(module.__file__)
        name = file.relative_to(self.originals.root).as_posix()
        changes = self.mutant is not None and self.mutant.file == name
        probes = tuple(probe for probe in self.probes if probe.file == name)
        setattr(module, REACHED, self.reached)
        exec(_code(file, self.originals, self.mutant if changes else None, probes), module.__dict__)


_known: dict[Path, CodeType] = {}
"""Compiled copies without a change: all mutants of a process and of those that it forks share them."""


def _code(file: Path, originals: Originals, mutant: Mutant | None, probes: Sequence[Probe]) -> CodeType:
    if mutant is None and not probes and file in _known:
        return _known[file]
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(mutant.applied(source) if mutant is not None else source, str(file))
    if probes:
        tree = probed(tree, probes, REACHED)
    tree = ast.fix_missing_locations(_Renamed(frozenset(originals.places)).visit(tree))
    code = compile(tree, str(file), "exec", dont_inherit=True)
    if mutant is None and not probes:
        _known[file] = code
    return code


def original_name(name: str) -> str:
    top, dot, rest = name.partition(".")
    return f"{top.removesuffix(SUFFIX)}{dot}{rest}"


class _Renamed(ast.NodeTransformer):
    """Lets the imports of a copy lead to copies. A text that is exactly such a name is the name of a module too."""

    def __init__(self, tops: frozenset[str]) -> None:
        self._tops = tops

    def _copied(self, name: str) -> str:
        top, dot, rest = name.partition(".")
        return f"{top}{SUFFIX}{dot}{rest}" if top in self._tops else name

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module is not None and node.level == 0:
            node.module = self._copied(node.module)
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        for alias in node.names:
            if self._copied(alias.name) != alias.name:
                assert "." not in alias.name, "`import package.module` binds the name of the package"
                alias.name, alias.asname = self._copied(alias.name), alias.asname or alias.name
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and node.value in self._tops:
            return ast.copy_location(ast.Constant(self._copied(node.value)), node)
        return node


def with_copies(originals: Originals, mutant: Mutant | None = None, probes: Sequence[Probe] = ()) -> CopyFinder:
    """Forgets the copies that this process has, and lets the next import of one make it anew."""
    for name in [name for name in sys.modules if name.partition(".")[0].endswith(SUFFIX)]:
        del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, CopyFinder)]
    finder = CopyFinder(originals, mutant, probes)
    sys.meta_path.insert(0, finder)
    return finder
