"""Our import packages have common names. If another distribution has taken one over, say so instead of failing oddly.

A module of its own beside the packages, and where every command begins: a package that is not ours may fail already when it is
imported. The agent and the manager need only `fencer`, so a foreign `emulator` stops nobody's fencing.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

OURS = ("emulator", "conformance", "fencer", "profiles")
ADVICE = "install fencelab into a virtual environment of its own"
EXIT_USAGE = 2
EXIT_AGENT = 1
"""Of a fence agent, where 2 means "the host is off"."""


def foreign_package(names: Sequence[str] = OURS) -> str | None:
    """One sentence about a package of ours that would be loaded from somewhere else, or None."""
    home = Path(__file__).resolve().parent
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            return f"fencelab: the package {name!r} is missing beside {home}; {ADVICE}"
        if Path(spec.origin).resolve().parent.parent != home:
            return f"fencelab: the package {name!r} would come from {spec.origin}, not from {home}; {ADVICE}"
    owners = metadata.packages_distributions()
    for name in names:
        others = sorted(set(owners.get(name, ())) - {"fencelab"})
        if others:
            return f"fencelab: the distribution {others[0]!r} installs a package {name!r} too; {ADVICE}"
    return None


def insist(names: Sequence[str] = OURS, exit_code: int = EXIT_USAGE) -> None:
    """Ends the command with one sentence where a package is not ours."""
    if sentence := foreign_package(names):
        sys.stderr.write(f"{sentence}\n")
        raise SystemExit(exit_code)


def insist_on_linux() -> None:
    """Ends the command with one sentence where emulated BMCs cannot run; the agent and the manager run elsewhere too."""
    if sys.platform != "linux":
        sys.stderr.write(f"fencelab: emulated BMCs need Linux (epoll), this is {sys.platform}\n")
        raise SystemExit(EXIT_USAGE)


def bmc_emulator() -> None:
    insist()
    insist_on_linux()
    from emulator.cli import main

    main()


def fence_conformance() -> None:
    insist()
    insist_on_linux()
    from conformance.cli import main

    main()


def fence_bmc() -> int:
    insist(("fencer",), EXIT_AGENT)
    from fencer.agent import main

    return main()


def fence_ha() -> None:
    insist(("fencer",))
    from fencer.ha.cli import main

    main()
