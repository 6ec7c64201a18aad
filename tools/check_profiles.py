"""`bmc-emulator profile check` of every shipped profile of a BMC. Exit code 1 where a service is not as its file says."""

from __future__ import annotations

import sys

from emulator.profile_commands.check import checked
from profiles import loader


def main() -> int:
    wrong = 0
    for name in loader.names():
        cells = list(checked(loader.load(name)))
        differing = [cell for cell in cells if not cell.ok]
        wrong += len(differing)
        print(f"{name}: {len(cells)} cells checked, {len(differing)} differ")
        for cell in differing:
            print(f"  {cell.path}: the file says {cell.expected}, the service did {cell.found}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
