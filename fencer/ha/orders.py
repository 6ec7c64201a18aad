"""What an operator orders about the fence of one host: to fence it now, or to end the fence that is open.

`machine.step` calls these functions with its StepBuilder. Pure; times are seconds of the store's clock.

Rules
  1. An order proves nothing and passes no limit. The fence reads first, needs the same proof as any other, and its power-off is
     held like any other; only `fence-ha override` lets it pass.
  2. No fence is ordered of a host whose last health check passed.
  3. A fence that was cancelled is never committed, and none of its reads counts for a later fence.
  4. After a cancel no power command is sent to the host until it is Available again, or until a later order or override. The host
     is still watched and read: if it is proved off, it becomes Down without a command.
  5. A cancel is answered when no power command is leaving any more. What has left cannot be recalled; the answer says so.
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import cluster, fence, recovery
from fencer.ha.effects import AlertName
from fencer.ha.observations import CancelFence, OrderFence
from fencer.ha.record import FencePhase, HostRecord, SignedOrder
from fencer.ha.states import HAEvent, HAState
from fencer.ha.step_builder import StepBuilder

S, E = HAState, HAEvent

_WAITING = frozenset({FencePhase.BACK_OFF, FencePhase.BLOCKED})


def on_order(builder: StepBuilder, observation: OrderFence) -> None:
    """`fence-ha fence`: begins a fence without waiting for activity samples or a recovery, or ends the wait of an open one."""
    record, request = builder.record, observation.request
    refused = _why_not(record, observation)
    if refused is not None:
        builder.answer(request, False, refused)
        return
    if builder.command_in_flight and record.state is not S.FENCING:
        return  # a reset is leaving: the order is taken when it has ended
    if record.state is S.AVAILABLE:
        builder.transition(E.HEALTH_CHECK_FAILED)
        cluster.suspect(builder, keep_count=False)
    elif record.state is S.RECOVERED:
        builder.transition(E.HEALTH_CHECK_FAILED, S.SUSPECT)
        cluster.suspect(builder, keep_count=True)
    builder.record = replace(
        builder.record, ordered=SignedOrder(who=observation.who, why=observation.why, at=builder.now), cancelled=None,
        silent_since=builder.now if record.silent_since is None else record.silent_since, held_since=None,
    )  # fmt: skip
    builder.alert(
        AlertName.FENCE_ORDERED, f"ordered/{request}", f"{observation.who} orders a fence of {record.host}: {observation.why}"
    )
    if builder.record.fence is None:
        recovery.fence_at_once(builder)
    elif builder.record.fence.phase in _WAITING:
        fence.hurry(builder)
    builder.answer(
        request, True,
        f"{builder.fence_id} is open; the power is read first, and a power-off is sent only if no limit holds it "
        "(fence-ha override lets it pass)",
    )  # fmt: skip


def _why_not(record: HostRecord, observation: OrderFence) -> str | None:
    """Returns why this fence is not begun, or None."""
    host = record.host
    if not observation.why.strip():
        return "a fence needs a reason: what have you seen?"
    if record.state is S.FENCED:
        return f"{host} is Down already ({record.released})"
    if record.state in (S.DISABLED, S.INELIGIBLE):
        return f"{host} is not under HA ({record.state})"
    if record.healthy:
        return f"{host} passed its last health check, and no power command goes to a host that answers"
    return None


def on_cancel(builder: StepBuilder, observation: CancelFence) -> None:
    """`fence-ha cancel`: ends the open fence without a proof. The host is Suspect again."""
    record, request, host = builder.record, observation.request, builder.record.host
    if not observation.why.strip():
        builder.answer(request, False, "a cancel needs a reason")
        return
    if record.fence is None:
        builder.answer(request, False, f"no fence of {host} is open ({record.state}); fence-ha disable takes a host out of HA")
        return
    if observation.fence_id not in ("", record.fence.id):
        builder.answer(request, False, f"{observation.fence_id} is not open any more; {record.fence.id} is")
        return
    if builder.command_in_flight and not observation.withdrawn:
        return
    sent = record.fence.sent_before if builder.command_in_flight else record.fence.command_sent
    known = f"a power-off was sent and cannot be recalled, so {host} may still go off" if sent else "no power-off of it was sent"
    fence.abort(builder, f"{observation.who} cancelled the fence ({observation.why}); {known}")
    builder.transition(E.FENCE_ABORTED)
    builder.record = replace(
        builder.record, cancelled=SignedOrder(who=observation.who, why=observation.why, at=builder.now), override=None,
        ordered=None, held_since=None, samples=(), sampling_since=None, next_activity_at=builder.now, next_read_at=builder.now,
    )  # fmt: skip
    if not builder.record.eligible:
        builder.transition(E.INELIGIBLE)  # R1: the fence has ended
    builder.answer(
        request, True,
        f"{record.fence.id} is cancelled; {known}; {host} is read on, and gets no power command before it answers again, or "
        "fence-ha fence or override",
    )  # fmt: skip
