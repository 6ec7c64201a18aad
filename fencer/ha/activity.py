"""Activity samples: does a silent host still write?

`machine.step` calls it with its StepBuilder. Pure; times are seconds of the store's clock.

Rules
  1. An unknown sample does not count.
  2. Activity contradicts Off reads if the sample began with or after the first of them, and no heartbeat says that it was
     older: such a host is not off.
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import recovery
from fencer.ha.effects import AlertName
from fencer.ha.observations import Activity
from fencer.ha.states import HAEvent, HAState
from fencer.ha.step_builder import StepBuilder


def on_sample(builder: StepBuilder, observation: Activity) -> None:
    """Handles one sample. Too many without activity start a recovery; activity makes the host Degraded."""
    if observation.epoch != builder.record.epoch:
        return
    _activity_against_off(builder, observation)
    if builder.record.state is not HAState.CHECKING:
        return
    if observation.active is not None:
        builder.record = replace(builder.record, samples=(*builder.record.samples, observation.active))
    builder.record = replace(builder.record, next_activity_at=builder.now + builder.policy.activity_interval)
    if observation.active is None or len(builder.record.samples) < builder.policy.activity_samples:
        builder.transition(HAEvent.TOO_FEW_SAMPLES)
    elif builder.record.samples.count(False) / len(builder.record.samples) > builder.policy.activity_ratio:
        builder.transition(HAEvent.ACTIVITY_FAILED)
        recovery.begin(builder)
    else:
        builder.transition(HAEvent.ACTIVITY_SEEN)
        builder.record = replace(builder.record, samples=())


def _activity_against_off(builder: StepBuilder, observation: Activity) -> None:
    """A host that writes is not off, whatever its BMC says: the reads may come from another machine."""
    run = builder.record.off_run
    if run is None or observation.began is None or observation.began < run.first.at or not builder.record.heartbeat:
        return
    builder.record = replace(builder.record, sampling_since=None)
    old = observation.changed_at is not None and observation.changed_at < run.first.at
    if observation.active and not old:
        builder.record = replace(builder.record, off_run=None)
        builder.alert(
            AlertName.OFF_BUT_ACTIVE, "off-but-active",
            f"the BMC of {builder.record.host} says {run.last.word}, and the host writes: that BMC may belong to another machine",
            fence_id=builder.fence_id,
        )  # fmt: skip
