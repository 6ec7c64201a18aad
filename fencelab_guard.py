"""Entry points of all commands. Each first checks that the import packages come from this distribution.

The packages have common names (`emulator`, `profiles` ...), so another distribution may install one of the same name. This
module stands beside the packages, because a foreign package may fail when it is imported. `fence_bmc` and `fence-ha` check only
what they use, so that a foreign `emulator` does not stop fencing.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

OURS = ("emulator", "conformance", "fencer", "profiles", "fencelab_yaml")
ADVICE = "install fencelab into a virtual environment of its own"
EXIT_USAGE = 2
EXIT_AGENT = 1
"""For fence agents, where exit status 2 means that the host is off."""
EXIT_INTERRUPTED = 130


def foreign_package(names: Sequence[str] = OURS, *, owners_too: bool = True) -> str | None:
    """Returns one sentence about the first package that would be loaded from another place, or None.

    `owners_too` also looks whether another distribution wrote files into one of them, which takes 50 ms or more.
    """
    home = Path(__file__).resolve().parent
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            return f"fencelab: the package {name!r} is missing beside {home}; {ADVICE}"
        if Path(spec.origin).resolve().parent.parent != home:
            return f"fencelab: the package {name!r} would come from {spec.origin}, not from {home}; {ADVICE}"
    if not owners_too:
        return None
    from importlib import metadata  # costs as much time as all of fence_bmc

    owners = metadata.packages_distributions()
    for name in names:
        others = sorted(set(owners.get(name, ())) - {"fencelab"})
        if others:
            return f"fencelab: the distribution {others[0]!r} installs a package {name!r} too; {ADVICE}"
    return None


def require_own_packages(names: Sequence[str] = OURS, exit_code: int = EXIT_USAGE, *, owners_too: bool = True) -> None:
    """Ends the command with one sentence if a package comes from another distribution."""
    if sentence := foreign_package(names, owners_too=owners_too):
        sys.stderr.write(f"{sentence}\n")
        raise SystemExit(exit_code)


def require_linux() -> None:
    """Ends the command with one sentence if this is not Linux. Only emulated BMCs need Linux."""
    if sys.platform != "linux":
        sys.stderr.write(f"fencelab: emulated BMCs need Linux (epoll), this is {sys.platform}\n")
        raise SystemExit(EXIT_USAGE)


@contextmanager
def stopped_early(command: str) -> Iterator[None]:
    """Ctrl-C while the packages are imported ends the command with one sentence."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write(f"{command}: stopped before it had begun\n")
        raise SystemExit(EXIT_INTERRUPTED) from None


def bmc_emulator() -> None:
    with stopped_early("bmc-emulator"):
        require_own_packages()
        require_linux()
        from emulator.cli import main
    main()


def fence_conformance() -> None:
    with stopped_early("fence-conformance"):
        require_own_packages()
        require_linux()
        from conformance.cli import main
    main()


def fence_bmc() -> int:
    try:
        require_own_packages(("fencer",), EXIT_AGENT, owners_too=False)
        from fencer.agent import main
    except KeyboardInterrupt:
        sys.stderr.write("fence_bmc: stopped by a signal; nothing was sent\n")
        return EXIT_AGENT
    return main()


def fence_ha() -> None:
    with stopped_early("fence-ha"):
        require_own_packages(("fencer", "fencelab_yaml"))
        from fencer.ha.cli import main
    main()
