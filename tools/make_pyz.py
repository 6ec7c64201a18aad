"""Makes the agent in one file that Python runs: `python -m tools.make_pyz [FILE]`; without FILE dist/fence_bmc.pyz.

The same sources at the same time (`fence_bmc_files.built_at`) give the same bytes.
"""

from __future__ import annotations

import sys
import time
import zipfile
from pathlib import Path

from tools.fence_bmc_files import ROOT, built_at, library

INTERPRETER = "/usr/bin/python3 -I"
"""-I: neither the working directory nor the variables of the caller decide what a fence agent imports."""
MAIN = "import sys\n\nfrom fencer.agent import main\n\nsys.exit(main())\n"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # of the ZIP format


def make(file: Path) -> None:
    """Writes the file, executable."""
    moment = max(EARLIEST, time.gmtime(built_at())[:6])
    members = {"__main__.py": MAIN.encode(), **{str(name): content for name, content in library().items()}}
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.write(f"#!{INTERPRETER}\n".encode())
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(members.items()):
                member = zipfile.ZipInfo(name, moment)
                member.compress_type = zipfile.ZIP_DEFLATED
                member.create_system = 3  # Unix, whatever this machine is
                member.external_attr = 0o100644 << 16
                archive.writestr(member, content)
    file.chmod(0o755)


if __name__ == "__main__":
    wanted = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "fence_bmc.pyz"
    make(wanted)
    print(wanted)
