"""Loads profiles from files: `load`, `names`, `all_names`, `path`.

Theory
  Each file is checked alone (form, and evidence for every value that it sets). Then it is merged with its parents and
  checked for missing values. Then the whole is checked for names that do not exist. All problems are reported in one
  `ProfileError`; only a tree without problems becomes a `Profile`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fencelab_yaml.errors import Mark, Problem, Problems, did_you_mean, listed
from fencelab_yaml.source import USUAL, YamlList, YamlMap, YamlNode, YamlScalar, child, parse, text_of
from profiles import places, references
from profiles.build import build
from profiles.checked import is_checked
from profiles.errors import ProfileError, profile_problems
from profiles.merge import fields, merged, one_shape_of_evidence
from profiles.model import Profile
from profiles.resource_files import IN_FOLDER, NO_FILES, ResourceFiles, read_files

VENDORS: Final = places.VENDORS
MAX_CHAIN: Final = 5

_NO_OVERRIDES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Resolved:
    """A profile before it is built: the merged tree, the file's own tree and the names of its parents."""

    root: YamlMap
    own: YamlMap
    extends: tuple[str, ...]
    files: ResourceFiles = NO_FILES

    def profile(self, overrides: Mapping[str, str] = _NO_OVERRIDES) -> Profile:
        """As `load`, for a rack of many machines: the file is read once and built once per machine.

        Raises ProfileError for a base that no BMC can have, and for an override of a var that is not there.
        """
        file = Mark(self.own.mark.file)
        if child_is_true(self.root, "abstract"):
            raise ProfileError([Problem(file, "abstract", "only a base for others: name a profile that extends it")])
        known = child(self.root, "vars")
        words = known.entries if isinstance(known, YamlMap) else {}
        for name in overrides:
            if name not in words:
                raise ProfileError([Problem(file, f"vars.{name}", f"the profile has no var '{name}'{did_you_mean(name, words)}")])
        wrong = [Problem(file, f"{block}.{key}", said) for block, key, _, said in references.filled(self.root, overrides)]
        if wrong:
            raise ProfileError(wrong)
        return build(self.root, self.extends, overrides, self.files)


FEEDERS: Final = frozenset({"pdu", "enclosure"})
"""Blocks that make a profile one of what gives power to BMCs with their hosts."""

AlsoCheck = Callable[[YamlMap, Problems], None]
"""Adds what else is wrong with a merged tree: what only the emulator can know, such as the parameters of its faults."""


def load(name_or_path: str | Path, overrides: Mapping[str, str] = _NO_OVERRIDES, *, also: AlsoCheck | None = None) -> Profile:
    """Returns the profile with that name, or in that file (a name with a slash, or ending in .yaml).

    `overrides` replace `vars` of the profile, for example `serial` for each machine of a rack.
    Raises ProfileError with every mistake in the file and its parents; nothing else, whatever the file holds.
    """
    return resolve(name_or_path, also).profile(overrides)


def names() -> tuple[str, ...]:
    """Returns the names of the shipped profiles that a BMC can have, sorted. What feeds others is no BMC: see `feeder_names`."""
    return tuple(name for name, tree in _usable() if not FEEDERS & tree.entries.keys())


def feeder_names() -> tuple[str, ...]:
    """Returns the names of the shipped profiles of PDUs and enclosures, sorted."""
    return tuple(name for name, tree in _usable() if FEEDERS & tree.entries.keys())


def _usable() -> Iterator[tuple[str, YamlMap]]:
    for name, file in places.files().items():
        try:
            tree = _tree(file, profile_problems())
        except ProfileError:  # a user's own file: whoever loads it is told
            continue
        if not child_is_true(tree, "abstract"):
            yield name, tree


def all_names() -> tuple[str, ...]:
    """Returns the names of all profiles of `places`, including those that are only a base for others."""
    return tuple(places.files())


def _hint(name: str, known: Iterable[str]) -> str:
    """What may have been meant: a file or folder that is here, or a profile of a similar name."""
    here = [each for each in (f"./{name}", f"./{name}.yaml") if os.path.exists(each)]
    if here:
        return f"; what is in this folder is named with its path: {here[0]}"
    return (did_you_mean(name, known) or f"; there are: {listed(names())}") + f" (a file is named with its path: ./{name}.yaml)"


def path(name: str) -> Path:
    """Returns the file of a profile of `places`. Raises ProfileError for an unknown name, and for two profiles of one name."""
    places.check_places()
    known = places.files()
    if name not in known:
        raise ProfileError([Problem(Mark(name), "", f"no such profile{_hint(name, known)}")])
    return known[name]


def _in(folder: Path, name: str) -> Path | None:
    """The file of a profile in a folder: NAME.yaml, or NAME/profile.yaml."""
    return next((file for file in (folder / f"{name}.yaml", folder / name / IN_FOLDER) if file.is_file()), None)


def child_is_true(root: YamlMap, key: str) -> bool:
    node = root.entries.get(key)
    return isinstance(node, YamlScalar) and node.value is True


def resolve(name_or_path: str | Path, also: AlsoCheck | None = None, *, again: bool = False) -> Resolved:
    """Returns the merged and checked tree. Raises ProfileError with all mistakes.

    A shipped profile that has been checked as it is now is not checked once more, unless `again`.

    Where a parent cannot be had, each file is checked alone, and nothing is said of what the parent may hold.
    """
    problems = profile_problems()
    file = _locate(name_or_path)
    layers = _Layers(problems)
    layers.collect(file, ())
    own = layers.trees[-1]
    if layers.checked and not again and not problems.found:
        files = read_files(merged(layers.trees), layers.files, problems)
        problems.raise_any()
        return Resolved(_with_own_mark(merged(layers.trees), own), own, tuple(name for name, _ in _parents(own)), files)
    from profiles.format import PROFILE  # it loads pydantic: only those pay who read a profile that has not been checked

    for tree in layers.trees:
        PROFILE.check(tree, problems, partial=True)
        references.check_layer(tree, problems, PROFILE)
    if layers.incomplete:
        problems.raise_any()
    for index in range(1, len(layers.trees)):
        references.check_parents(merged(layers.trees[:index]), layers.trees[index], problems)
    root = _with_own_mark(merged(layers.trees), own)
    PROFILE.check(root, problems)
    references.check(root, own.mark.file, problems)
    files = read_files(root, layers.files, problems)
    if also is not None:
        also(root, problems)
    if file in places.files().values() and text_of(child(own, "id")) not in (None, _name_of(file)):
        problems.add(own.entries["id"].mark, "id", f"must be '{_name_of(file)}', as the {_kind_of(file)} is called")
    problems.raise_any()
    return Resolved(root, own, tuple(name for name, _ in _parents(own)), files)


def _name_of(file: Path) -> str:
    return file.parent.name if file.name == IN_FOLDER else file.stem


def _kind_of(file: Path) -> str:
    return "folder" if file.name == IN_FOLDER else "file"


def _with_own_mark(root: YamlMap, own: YamlMap) -> YamlMap:
    return fields(root.entries, root.keys, own.mark)


def _locate(name_or_path: str | Path) -> Path:
    if isinstance(name_or_path, Path):
        return _file(name_or_path)
    if not name_or_path:
        raise ProfileError([Problem(Mark("profile"), "", f"no name given; there are: {listed(all_names())}")])
    if os.sep in name_or_path or name_or_path.endswith((".yaml", ".yml")):
        return _file(Path(name_or_path))
    return path(name_or_path)


def _file(given: Path) -> Path:
    """The file itself, or the profile in a folder."""
    return given / IN_FOLDER if os.path.isdir(given) else given


def _read(file: Path) -> bytes:
    def refuse(why: str) -> ProfileError:
        return ProfileError([Problem(Mark(str(file)), "", why)])

    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise refuse("not a file")
        with file.open("rb") as stream:
            return stream.read(USUAL.bytes + 1)
    except OSError as error:
        raise refuse(error.strerror or "cannot be read") from None
    except ValueError:
        raise refuse("not a file name") from None


def _tree(file: Path, problems: Problems) -> YamlMap:
    return parse(_read(file), str(file), problems)


def _parents(tree: YamlMap) -> list[tuple[str, YamlNode]]:
    node = tree.entries.get("extends")
    words = node.items if isinstance(node, YamlList) else (node,)
    return [(name, word) for word in words if word is not None and (name := text_of(word))]


def _is_name_or_names(node: YamlNode) -> bool:
    items = node.items if isinstance(node, YamlList) else (node,)
    return all(isinstance(item, YamlScalar) and (item.value is None or isinstance(item.value, str)) for item in items)


class _Layers:
    """Returns the file and its parents, each once, the most distant parent first."""

    def __init__(self, problems: Problems) -> None:
        self.trees: list[YamlMap] = []
        self.incomplete = False
        """Whether a parent cannot be had."""
        self.files: list[Path] = []
        self.checked = True
        """Whether all are shipped and have been checked as they are."""
        self._problems = problems
        self._done: set[Path] = set()

    def collect(self, file: Path, chain: tuple[Path, ...]) -> None:
        content = _read(file)
        self.checked = self.checked and is_checked(file, content)
        tree = one_shape_of_evidence(parse(content, str(file), self._problems))
        here = (*chain, file.resolve())
        above = tree.entries.get("extends")
        if above is not None and not _is_name_or_names(above):  # the form says what is wrong with it
            self.incomplete = True
        for name, node in _parents(tree):
            self._collect_parent(name, node, file, here)
        self._done.add(file.resolve())
        self.trees.append(tree)
        self.files.append(file)

    def _collect_parent(self, name: str, node: YamlNode, file: Path, chain: tuple[Path, ...]) -> None:
        try:
            parent = _beside(name, file)
        except ProfileError as error:
            self._refuse(node, error.problems[0].message)
            return
        resolved = parent.resolve()
        if resolved in chain:
            ring = " -> ".join(link.stem for link in (*chain[chain.index(resolved) :], resolved))
            self._refuse(node, f"extends itself: {ring}")
            return
        if len(chain) >= MAX_CHAIN:
            self._refuse(node, f"the chain of parents is longer than {MAX_CHAIN} files")
            return
        if resolved not in self._done:
            self.collect(parent, chain)

    def _refuse(self, node: YamlNode, message: str) -> None:
        self._problems.add(node.mark, "extends", message)
        self.incomplete = True


def _beside(name: str, file: Path) -> Path:
    """Finds a parent: a path relative to the child's folder, a file beside the child, or a shipped profile."""
    if os.sep in name or name.endswith((".yaml", ".yml")):
        candidate = _file(file.parent / name)
        if not candidate.is_file():
            raise ProfileError([Problem(Mark(name), "", f"there is no file {candidate}")])
        return candidate
    for folder in (file.parent, file.parent.parent) if file.name == IN_FOLDER else (file.parent,):
        beside = _in(folder, name)
        if beside is not None and beside.resolve() != file.resolve():
            return beside
    return path(name)
