"""Makes the Debian package of fence_bmc alone: `python -m tools.make_deb [FOLDER]`; without FOLDER in dist/. It needs dpkg-deb.

The agent stands in /usr/sbin, where Pacemaker looks for it, and its modules in /usr/share/fence-bmc, where no package of
another project can meet the common name `fencer`. The same sources at the same time (`fence_bmc_files.built_at`) give the same
bytes. DEBFULLNAME and DEBEMAIL name the maintainer, as for Debian's own tools; without them the package is a local build that
nobody answers mail for, and a lintian override in it says so.
"""

from __future__ import annotations

import email.utils
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from fencer.metadata import manpage
from tools.fence_bmc_files import ROOT, built_at, library, version

TEMPLATES = ROOT / "tools" / "debian"
COMMAND = PurePosixPath("usr/sbin/fence_bmc")
HOME = PurePosixPath("usr/share/fence-bmc")
DOCUMENTS = PurePosixPath("usr/share/doc/fence-bmc")
SCRIPT = f"""#!/usr/bin/python3 -I
import sys

sys.path.insert(0, "/{HOME}")

from fencer.agent import main

sys.exit(main())
"""
OVERRIDES = PurePosixPath("usr/share/lintian/overrides/fence-bmc")
NOBODY = "fencelab@localhost.localdomain"


def maintainer() -> str:
    return f"{os.environ.get('DEBFULLNAME', 'fencelab')} <{os.environ.get('DEBEMAIL', NOBODY)}>"


def _filled(template: str, **more: str) -> str:
    moment = built_at()
    values = {
        "version": version(),
        "maintainer": maintainer(),
        "year": str(time.gmtime(moment).tm_year),
        "date": email.utils.formatdate(moment),
        **more,
    }
    return (TEMPLATES / template).read_text(encoding="utf-8").format_map(values)


def contents() -> Mapping[PurePosixPath, bytes]:
    """The files that the package installs."""
    return {
        COMMAND: SCRIPT.encode(),
        **{HOME / name: content for name, content in library().items()},
        PurePosixPath("usr/share/man/man8/fence_bmc.8.gz"): _gzip(f"{manpage()}\n".encode()),
        DOCUMENTS / "changelog.gz": _gzip(_filled("changelog").encode()),
        DOCUMENTS / "copyright": _filled("copyright").encode(),
        DOCUMENTS / "fence_bmc.md.gz": _gzip((ROOT / "docs" / "fence_bmc.md").read_bytes()),
        **({} if "DEBEMAIL" in os.environ else {OVERRIDES: (TEMPLATES / "local-build.overrides").read_bytes()}),
    }


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def make(folder: Path) -> Path:
    """Returns the package. Raises CalledProcessError if dpkg-deb fails."""
    installed = contents()
    sums = "".join(f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}  {name}\n" for name, content in installed.items())
    kilobytes = sum((len(content) + 1023) // 1024 for content in installed.values())
    control = {
        PurePosixPath("DEBIAN/control"): _filled("control", kilobytes=str(kilobytes)).encode(),
        PurePosixPath("DEBIAN/md5sums"): sums.encode(),
        PurePosixPath("DEBIAN/postinst"): (TEMPLATES / "postinst").read_bytes(),
        PurePosixPath("DEBIAN/prerm"): (TEMPLATES / "prerm").read_bytes(),
    }
    executable = {COMMAND, PurePosixPath("DEBIAN/postinst"), PurePosixPath("DEBIAN/prerm")}
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / f"fence-bmc_{version()}_all.deb"
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        for name, content in {**control, **installed}.items():
            file = tree / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(0o755 if name in executable else 0o644)
        for directory in (tree, *(path for path in tree.rglob("*") if path.is_dir())):
            directory.chmod(0o755)
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(package)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": str(built_at())})
    return package


def main() -> int:
    if shutil.which("dpkg-deb") is None:
        sys.stderr.write("make_deb: dpkg-deb is not installed on this machine\n")
        return 4
    print(make(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
