"""Without the extra a cluster is refused in one sentence."""

from __future__ import annotations

import sys

import pytest

from conformance import cluster


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(cluster.NoCluster, match=r"pip install 'fencelab\[cluster\]'"):
        cluster.reach("tcp://127.0.0.1:8786")
