"""The files of fence_bmc without the rest of the project, for the Debian package and for the single file fence_bmc.pyz.

`tools.make_deb` and `tools.make_pyz` call it. It needs no library beside Python's own.
"""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
NOT_OF_THE_AGENT = ("ha", "page.py")
"""In `fencer/`: the HA manager, and what writes a page of the documentation."""


def version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def library() -> Mapping[PurePosixPath, bytes]:
    """The package `fencer` as fence_bmc uses it, and the metadata that tells its version; sorted by path."""
    sources = sorted((ROOT / "fencer").rglob("*.py"))
    names = [path.relative_to(ROOT / "fencer") for path in sources]
    files = {
        PurePosixPath("fencer", *name.parts): source.read_bytes()
        for source, name in zip(sources, names, strict=True)
        if name.parts[0] not in NOT_OF_THE_AGENT
    }
    metadata = f"Metadata-Version: 2.1\nName: fencelab\nVersion: {version()}\n"
    return files | {PurePosixPath(f"fencelab-{version()}.dist-info/METADATA"): metadata.encode()}


def built_at() -> int:
    """The time that is written into what is built, in seconds since 1970: SOURCE_DATE_EPOCH, else the last commit, else 1980."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return 315_532_800
    return int(asked.stdout) if asked.returncode == 0 and asked.stdout.strip() else 315_532_800
