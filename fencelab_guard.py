"""Our import packages have common names. If another distribution has taken one over, say so instead of failing oddly.

A module of its own beside the packages: it must be there even where one of them is not ours.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib import metadata
from pathlib import Path

OURS = ("emulator", "conformance", "fencer", "profiles")
ADVICE = "install fencelab into a virtual environment of its own"


def foreign_package() -> str | None:
    """One sentence about a package of ours that would be loaded from somewhere else, or None."""
    home = Path(__file__).resolve().parent
    for name in OURS:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            return f"fencelab: the package {name!r} is missing beside {home}; {ADVICE}"
        if Path(spec.origin).resolve().parent.parent != home:
            return f"fencelab: the package {name!r} would come from {spec.origin}, not from {home}; {ADVICE}"
    owners = metadata.packages_distributions()
    for name in OURS:
        others = sorted(set(owners.get(name, ())) - {"fencelab"})
        if others:
            return f"fencelab: the distribution {others[0]!r} installs a package {name!r} too; {ADVICE}"
    return None


def insist() -> None:
    """Ends the command with exit code 2 and one sentence where a package is not ours."""
    if sentence := foreign_package():
        sys.stderr.write(f"{sentence}\n")
        raise SystemExit(2)
