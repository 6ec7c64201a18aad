"""Where profiles are found by name: the shipped ones, the folders in FENCELAB_PROFILES, and those of other distributions.

`loader` asks. A place is a folder with NAME.yaml files or folders NAME with a profile.yaml.

    FENCELAB_PROFILES=/etc/fencelab/profiles:~/profiles

    [project.entry-points."fencelab.profiles"]
    acme = "acme_profiles"          # a module: the folder in which it lies

Rules
  1. A name stands for one profile. Where two places have it, whoever asks for a profile by name gets one sentence; so for a
     folder that is not there, and for a distribution that cannot be loaded.
  2. Lists are given in spite of all that, because completion and help need them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import fencelab_plugins
from fencelab_yaml.errors import Mark, Problem
from profiles.errors import ProfileError
from profiles.resource_files import IN_FOLDER

VARIABLE: Final = "FENCELAB_PROFILES"
GROUP: Final = "fencelab.profiles"
VENDORS: Final = Path(__file__).resolve().parent / "vendors"


@dataclass(frozen=True, slots=True)
class ProfilePlace:
    """A folder of profiles; `named` says who named it."""

    folder: Path
    named: str


def files() -> Mapping[str, Path]:
    """All profiles of all places by name, sorted, the shipped ones first where a name is there twice. Never raises."""
    found: dict[str, Path] = {}
    for place in (ProfilePlace(VENDORS, "fencelab"), *_of_variable([]), *_of_distributions([])):
        for name, file in profiles_in(place.folder):
            found.setdefault(name, file)
    return dict(sorted(found.items()))


def check_places() -> None:
    """Raises ProfileError for a folder that is not there, a plug-in that is broken, and a name that two profiles have."""
    problems: list[Problem] = []
    found: dict[str, tuple[Path, ProfilePlace]] = {}
    for place in (ProfilePlace(VENDORS, "fencelab"), *_of_variable(problems), *_of_distributions(problems)):
        for name, file in profiles_in(place.folder):
            other, first = found.setdefault(name, (file, place))
            if other.resolve() != file.resolve():
                said = f"there are two profiles '{name}': this one ({place.named}) and {other} ({first.named}); rename one"
                problems.append(Problem(Mark(str(file)), "", said))
    if problems:
        raise ProfileError(problems)


def profiles_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """The profiles directly in a folder, by the name of their file or folder."""
    yield from ((file.stem, file) for file in sorted(folder.glob("*.yaml")) if file.is_file())
    yield from ((file.parent.name, file) for file in sorted(folder.glob(f"*/{IN_FOLDER}")) if file.is_file())


def _of_variable(problems: list[Problem]) -> Iterator[ProfilePlace]:
    for word in os.environ.get(VARIABLE, "").split(os.pathsep):
        folder = Path(word).expanduser() if word else None
        if folder is not None and folder.is_dir():
            yield ProfilePlace(folder, VARIABLE)
        elif folder is not None:
            problems.append(Problem(Mark(VARIABLE), "", f"there is no folder {word}"))


def _of_distributions(problems: list[Problem]) -> Iterator[ProfilePlace]:
    group = fencelab_plugins.load(GROUP)
    problems += [Problem(Mark(GROUP), "", str(each)) for each in group.broken]
    for plugin in group.plugins:
        for folder in _folders(plugin.module):
            yield ProfilePlace(folder, plugin.distribution)


def _folders(module: object) -> tuple[Path, ...]:
    """The folders of a package, or the folder in which a module lies."""
    paths = getattr(module, "__path__", None)
    if paths is not None:
        return tuple(Path(each) for each in paths)
    file = getattr(module, "__file__", None)
    return (Path(file).parent,) if isinstance(file, str) else ()
