"""The project's own Python files, for tests that look at source text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("emulator", "conformance", "fencer", "profiles", "fencelab_yaml", "lab", "demo", "tools", "tests")
PACKAGES = (
    "emulator.core",
    "emulator.faults",
    "emulator.redfish",
    "emulator.ipmi",
    "emulator.wire",
    "emulator.backends",
    "emulator",
    "conformance",
    "fencer.ha",
    "fencer",
    "profiles",
    "fencelab_yaml",
    "lab",
    "demo",
)
"""Where a word has its home, the narrowest first."""


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Every Python file below these folders (default: all), without what tools have written there."""
    found = (path for folder in folders or FOLDERS for path in (ROOT / folder).rglob("*.py"))
    modules = () if folders else tuple(ROOT.glob("*.py"))
    return (*modules, *sorted(path for path in found if "__pycache__" not in path.parts))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def package_of(path: Path) -> str | None:
    """The package of PACKAGES that a file belongs to."""
    module = relative(path).removesuffix(".py").replace("/", ".")
    return next((package for package in PACKAGES if module == package or module.startswith(f"{package}.")), None)


def defined_types(tree: ast.Module) -> Iterator[str]:
    """Classes and type aliases of a module's top level; names with an underscore are nobody else's business."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_type(value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if "TypeAlias" in ast.unparse(annotation):
                pass
            case _:
                continue
        if not name.startswith("_") and not (name.isupper() and len(name) > 1):
            yield name


def _is_type(value: ast.expr) -> bool:
    """Whether a value reads as a type: a subscript of a name, a union, or NewType."""
    match value:
        case ast.Subscript(value=ast.Name(id=name)):
            return name[:1].isupper() or name in ("dict", "list", "tuple", "set", "frozenset", "type")
        case ast.BinOp(op=ast.BitOr()):
            return True
        case ast.Call(func=ast.Name(id="NewType")):
            return True
        case _:
            return False
