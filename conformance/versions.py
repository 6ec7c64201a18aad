"""Which version of the suite this is. Reports, `--version` and runs on several machines ask it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def our_version() -> str:
    try:
        return version("fencelab")
    except PackageNotFoundError:
        return "not installed"
