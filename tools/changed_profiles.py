"""Prints the profiles of BMCs that a change touches, with commas: those whose file, or a parent's, differs from a revision.

`python -m tools.changed_profiles REVISION`; `make profiles` plays tier 0 on these.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from profiles import loader, origins

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = "profiles/vendors"


def changed_files(revision: str) -> list[Path]:
    """Files of vendors that differ from the revision, or that git does not know yet. Raises CalledProcessError."""
    differing = _git("diff", "--name-only", "--diff-filter=d", revision, "--", FOLDER)
    return [ROOT / name for name in (*differing, *_git("ls-files", "--others", "--exclude-standard", "--", FOLDER))]


def _git(*words: str) -> list[str]:
    done = subprocess.run(("git", *words), cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def touched(names: Iterable[str], files: Iterable[Path]) -> list[str]:
    """The names of `names` that are made of one of these files; a file beside profile.yaml counts as that profile's."""
    changed = {file.resolve() for file in files}
    homes = {home for file in changed for home in file.parents if (home / "profile.yaml").is_file()}
    return [name for name in names if any(file in changed or file.parent in homes for file in made_of(name))]


def made_of(name: str) -> set[Path]:
    """The profile's file and those of its parents."""
    resolved = loader.resolve(name)
    return {Path(value.mark.file).resolve() for value in (*origins.values(resolved.root), *origins.values(resolved.own))}


def main(revision: str) -> None:
    try:
        files = changed_files(revision)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        sys.exit(f"git cannot say what differs from {revision}: {getattr(error, 'stderr', '') or error}".strip())
    print(",".join(touched(loader.names(), files)))


if __name__ == "__main__":
    main(sys.argv[1])
