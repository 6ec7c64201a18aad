"""A test that this machine cannot run is left out, and in CI it fails."""

from __future__ import annotations

import pytest

from tests.lacking import leave_out


def test_in_ci_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no PID namespace here"):
        leave_out("no PID namespace here")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no PID namespace here: CI must run this test"):
        leave_out("no PID namespace here")
