"""Writes a ResourceTree and its profile into a new folder. `capture` calls it in the main thread.

All files go to a hidden folder beside it first, which then gets the name: the folder is there as a whole or not at all.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Final

from emulator.profile_tools.captured_profile import RESOURCES
from emulator.profile_tools.resource_tree import ROOT, MissingResource, ResourceTree

PROFILE_FILE: Final = "profile.yaml"


class CannotWrite(Exception):
    """The folder cannot be made; `str()` is one sentence."""


def check_free(folder: Path) -> None:
    """Raises CannotWrite if there is something at that place already."""
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise CannotWrite(f"{folder} exists already: name a new folder, or move it away")


def write_capture(folder: Path, tree: ResourceTree, profile_yaml: str) -> tuple[MissingResource, ...]:
    """Makes the folder. Returns the resources that have no place in it. Raises CannotWrite."""
    check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise CannotWrite(f"{folder}: {(error.strerror or 'cannot be written').lower()}") from None
    try:
        (work / PROFILE_FILE).write_text(profile_yaml, encoding="utf-8")
        left = tuple(_write_resources(work / RESOURCES, tree))
        work.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        work.rename(folder)
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        raise CannotWrite(f"{folder}: {(error.strerror or 'cannot be written').lower()}") from None
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return left


def _write_resources(folder: Path, tree: ResourceTree) -> list[MissingResource]:
    left = []
    for path, body in tree.resources.items():
        if path != ROOT and not path.startswith(f"{ROOT}/"):
            left.append(MissingResource(path, f"not below {ROOT}, so it is left out"))
            continue
        home = folder.joinpath(*path[1:].split("/"))
        try:
            written = (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()
            home.mkdir(parents=True, exist_ok=True)
            (home / "index.json").write_bytes(written)
        except UnicodeEncodeError:
            left.append(MissingResource(path, "it holds half of a UTF-16 pair, which no file can hold"))
        except OSError as error:
            left.append(MissingResource(path, f"its file cannot be written: {(error.strerror or str(error)).lower()}"))
    return left
