"""The answer to a power read: what it adds to the proof, when the next one is due, and which rules it concerns.

`machine.step` calls it with its StepBuilder. Pure; times are seconds of the store's clock.

Rules
  1. An answer of an older epoch or to another request changes nothing, and one of devices that are not asked any more only ends
     its request.
  2. `levels` judges each reading, and puts those of several devices together, before any other rule sees it.
  3. With the first Off read of a host that has activity probes, a sample begins, which may contradict it.
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import device, fence, levels, proof, recovery
from fencer.ha.effects import LineKind
from fencer.ha.observations import PowerRead
from fencer.ha.states import HAState
from fencer.ha.step_builder import StepBuilder
from fencer.outcome import Failure, Power, Reading

S = HAState

FAST = frozenset({S.SUSPECT, S.CHECKING, S.DEGRADED})
"""States in which a stable Off begins a fence at once."""


def on_read(builder: StepBuilder, observation: PowerRead) -> None:
    """Handles the answer to the read that is in flight, and hands it to the rules of the host's state."""
    record = builder.record
    if observation.epoch != record.epoch or record.inflight is None or record.inflight.id != observation.request:
        return
    if record.inflight.devices != record.asked_devices:
        builder.record = replace(record, inflight=None, next_read_at=builder.now)
        return
    judged = levels.judged(record, record.inflight.devices, observation, builder.now)
    record, observation = judged.record, judged.read
    failure, reading = observation.failure, observation.reading
    run = None if record.state is S.FENCED else proof.extend_off_run(record, observation, reading, builder.policy)
    word = _read_text(reading, failure)
    builder.record = record
    if word != record.last_read or (run is not None and run != record.off_run):
        _add_read_line(builder, observation, failure, word, run.count if run else 0)
    builder.record = replace(
        record, inflight=None, off_run=run, last_read=word, next_read_at=_next_read(builder, observation, failure),
        last_error=fence.error_of(failure, builder.now) if failure else None,
    )  # fmt: skip
    if run is not None and reading is not None:
        builder.record = replace(builder.record, next_read_at=proof.next_off_read(builder.record, run, builder.policy))
        if run.count == 1 and builder.record.heartbeat and builder.record.state in FAST | {S.FENCING}:
            builder.record = replace(builder.record, sampling_since=builder.now)
            builder.check_activity()
    if builder.record.state is S.RECOVERING:
        recovery.on_read(builder, observation, failure)
    elif builder.record.state in FAST and proof.is_stable(builder.record, builder.policy):
        recovery.fence_at_once(builder)  # the fast path: a host without power writes nothing
    elif builder.record.state is S.FENCING:
        fence.on_read(builder, observation)
    elif builder.record.state is S.FENCED:
        device.on_fenced_read(builder, observation)


def _read_text(reading: Reading | None, failure: Failure | None) -> str:
    if reading is not None:
        return reading.word or "nothing"
    return f"no answer ({failure.cause})" if failure else "nothing"


def _next_read(builder: StepBuilder, observation: PowerRead, failure: Failure | None) -> float:
    if failure is None or failure.cause in fence.NOT_BLOCKING:
        return observation.started + builder.policy.status_poll
    if failure.cause in proof.MAY_LOCK_ACCOUNT:
        return builder.now + builder.policy.auth_poll
    return observation.started + builder.policy.unreachable_poll


def _add_read_line(builder: StepBuilder, observation: PowerRead, failure: Failure | None, word: str, in_a_row: int) -> None:
    builder.add_line(
        LineKind.POWER_READ,
        power=str(observation.reading.power if observation.reading else Power.UNKNOWN),
        word=word,
        off_in_a_row=in_a_row,
        reason=str(failure.cause) if failure else None,
        text=failure.text if failure else None,
        request=observation.request,
        fence_id=builder.fence_id,
        **levels.detail(builder.record),
    )
