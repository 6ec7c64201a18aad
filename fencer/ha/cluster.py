"""What the state of the whole cluster means for one host: the hold after a storm, one machine behind two BMCs, overrides.

`machine.step` calls these functions with its StepBuilder; `fence_limiter` judges the cluster. Pure; times are seconds of the
store's clock.

Rules
  1. A host that was suspect during a storm keeps the mark until it has not been suspect for `settle`. A storm lasts as long as
     any host has the mark, so no host was suspect for `settle` when it ends. The marks are in the records, so a storm survives
     its manager.
  2. An override counts for one trouble of one host, and ends with it. It takes back a cancel that came before it.
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import fence_limiter
from fencer.ha.effects import AlertName
from fencer.ha.observations import OverrideLimits, Tick
from fencer.ha.record import SignedOrder
from fencer.ha.step_builder import StepBuilder


def on_tick(builder: StepBuilder, tick: Tick) -> None:
    _mark_storm(builder, tick.storm)
    record = builder.record
    if tick.login_refused_at is not None and (record.login_refused_at is None or record.login_refused_at < tick.login_refused_at):
        builder.record = record = replace(record, login_refused_at=tick.login_refused_at)
    for device, refused_at in tick.devices_refused_at:
        memory = record.memory(device)
        if memory.login_refused_at is None or memory.login_refused_at < refused_at:
            builder.record = record = record.remembering(replace(memory, login_refused_at=refused_at))
    if tick.same_machine != record.same_machine:
        builder.record = replace(record, same_machine=tick.same_machine)
        if tick.same_machine:
            others = ", ".join(tick.same_machine)
            builder.alert(
                AlertName.SAME_MACHINE, f"same-machine/{others}",
                f"the BMC of {record.host} shows the same machine as the BMC of {others}; no command is sent to any of them, "
                "and no Off of them counts",
            )  # fmt: skip


def _mark_storm(builder: StepBuilder, storm: bool) -> None:
    record, now = builder.record, builder.now
    if fence_limiter.is_suspect(record, builder.policy):
        if (storm and not record.storm) or record.calm_since is not None:
            builder.record = replace(record, storm=True, calm_since=None)
    elif record.storm and record.calm_since is None:
        builder.record = replace(record, calm_since=now)
    elif record.storm and record.calm_since is not None and now >= record.calm_since + builder.policy.settle:
        builder.record = replace(record, storm=False, calm_since=None)


def suspect(builder: StepBuilder, *, keep_count: bool) -> None:
    """The host has become Suspect: what was known of its power and activity does not count any more.

    `keep_count`: it is still the same trouble, so the recoveries that were tried count.
    """
    builder.record = replace(
        builder.record, suspect_since=builder.now, samples=(), next_activity_at=builder.now, next_read_at=builder.now,
        off_run=None, last_read="", sampling_since=None, shaken=False, identity_shown=False,
        recovery_count=builder.record.recovery_count if keep_count else 0, reset_sent=False, read_on_at=None, boot_until=None,
    )  # fmt: skip
    if not keep_count:
        _begin_trouble(builder)


def _begin_trouble(builder: StepBuilder) -> None:
    """The host fell silent: its last power cut now belongs to an earlier trouble."""
    record = builder.record
    cuts = fence_limiter.recent_cuts(record, builder.policy, builder.now)
    builder.record = replace(
        record, cuts=cuts, cut_at=None, held_since=None, override=None, ordered=None, cancelled=None
    )  # fmt: skip


def on_override(builder: StepBuilder, observation: OverrideLimits) -> None:
    """`fence-ha override`: the limits do not hold back power commands to this host any more."""
    record = builder.record
    if not observation.why.strip():
        builder.answer(observation.request, False, "an override needs a reason")
    elif record.state not in fence_limiter.SUSPECT or not fence_limiter.is_taken_for_silent(record):
        builder.answer(observation.request, False, f"{record.host} is {record.state} and not silent: nothing of it is held back")
    else:
        order = SignedOrder(who=observation.who, why=observation.why, at=builder.now)
        builder.record = replace(record, override=order, cancelled=None)
        text = f"{observation.who} lets power commands to {record.host} pass the limits: {observation.why}"
        builder.alert(AlertName.LIMITS_OVERRIDDEN, f"override/{observation.request}", text, fence_id=builder.fence_id)
        builder.answer(observation.request, True, f"power commands to {record.host} are not held back by the limits any more")
