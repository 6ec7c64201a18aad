"""The acts of the demonstration, played: emulated BMCs, real processes, a real fence-ha."""

from __future__ import annotations

import pytest

from demo.acts import ACTS, play, read

pytestmark = pytest.mark.long

ACT = {act.id: act for act in ACTS}


@pytest.mark.xdist_group("acts")
def test_b_a_dead_host_is_down_without_a_single_power_command(tmp_path):
    story = read(play(ACT["b"], tmp_path))
    assert story.posts == ()
    assert story.down_at is not None
    assert story.rail_down_at <= story.down_at
    assert set(story.moved()) == {"db1", "web1"}
    assert story.writes_after(story.down_at) == 0
    assert story.alert_counts() == {"HEALTH_LOST": 1, "FENCE_STARTED": 1, "FENCED": 1, "VM_RESTART_DONE": 1}


@pytest.mark.xdist_group("acts")
def test_c_trusting_a_204_splits_the_brain_and_wanting_proof_does_not(tmp_path):
    trusting = read(play(ACT["c1"], tmp_path / "c1"))
    assert {overlap.vm for overlap in trusting.overlaps()} == {"db1", "web1"}
    assert trusting.rail_down_at is None
    assert trusting.writes_after(trusting.down_at) > 0
    wary = read(play(ACT["c2"], tmp_path / "c2"))
    assert wary.overlaps() == ()
    assert [post.reset for post in wary.posts] == ["ForceOff"]
    assert wary.rail_down_at <= wary.down_at
    assert wary.writes_after(wary.down_at) == 0
