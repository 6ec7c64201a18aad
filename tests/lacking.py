"""What a test needs of the machine beside Python: where it is not there the test is left out, but never in CI.

A machine without it is a broken machine there (`CI` in the environment, as CI services and `.ci/run` set it).
"""

from __future__ import annotations

import os

import pytest


def leave_out(why: str) -> None:
    """Skips the test; fails it in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{why}: CI must run this test", pytrace=False)
    pytest.skip(why)
