"""Fencing levels: what the devices of one level say together, and when a level that fails passes the fence to the next one.

The HA rules call it. Pure; times are seconds of the store's clock. An error in this file can make a fence unsafe.

Rules
  1. A level says Off only if each of its devices says Off in the same read. Any other answer of one of them voids the series; a
     device that does not answer makes the whole read a missed one.
  2. A level passes the fence on after `level_attempts` failed attempts, or when `level_timeout` is over since its first command
     or failed attempt and one has failed. After the last level the first is tried again, after a back-off. A fence that is
     Blocked gives each level one attempt. A level that refused a log-in lately is passed over while another can be asked.
  3. Nothing that one level was seen to say counts at another.
  4. If all devices of a level say Off and the host's own BMC, which is none of them, answers On, the level has failed: the
     outlets may be another host's.

Theory
  A host with two cords lives on with one, so two PDUs at one level are one device with two parts. Reads of one level never
  overlap, so between the first and the last Off read of a proof there is a moment at which all its devices were off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fencer import proof as off_proof
from fencer.ha import proof
from fencer.ha.effects import AlertName, Detail
from fencer.ha.observations import DeviceRead, PowerRead
from fencer.ha.policy import Policy
from fencer.ha.record import OWN_BMC, Fence, FencePhase, HostRecord, LastError
from fencer.ha.states import HAState
from fencer.ha.step_builder import StepBuilder
from fencer.outcome import Cause, Failure, Power, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRead:
    """A read, judged. `record` remembers what each device showed. `read` is the answer of all devices together."""

    record: HostRecord
    read: PowerRead


def judged(record: HostRecord, devices: tuple[str, ...], observation: PowerRead, now: float) -> LevelRead:
    """Judges what each of `devices` answered, and puts it together (rules 1 and 4)."""
    first = DeviceRead(
        device=devices[0], reading=observation.reading, failure=observation.failure, contradicts=observation.contradicts
    )
    reads = []
    for read in (first, *observation.others):
        record, one = _judged_device(record, read, now)
        reads.append(one)
    own = next((read for read in reads if read.device == OWN_BMC), None)
    if own is None and observation.own is not None:
        record, own = _judged_witness(record, observation.own, now)
    together = replace(observation, others=(), own=own)
    if tuple(read.device for read in reads) != devices:
        failure = Failure(cause=Cause.BAD_RESPONSE, text=f"{', '.join(devices)} were to be read, and not all were")
        return LevelRead(record=record, read=replace(together, reading=None, failure=failure, contradicts=True))
    return LevelRead(record=record, read=_together(record, reads, together))


def _judged_device(record: HostRecord, read: DeviceRead, now: float) -> tuple[HostRecord, DeviceRead]:
    record = _note_login(record, read, now)
    if read.reading is None:
        return replace(record, shaken=True), read
    one = proof.judged(record, read.reading, read.device)
    if isinstance(one, Failure):
        return replace(record, shaken=True), DeviceRead(device=read.device, failure=one, contradicts=True)
    return proof.remember(record, one, read.device), replace(read, reading=one)


def _judged_witness(record: HostRecord, own: DeviceRead, now: float) -> tuple[HostRecord, DeviceRead]:
    """The host's own BMC beside a level that it is not in: nothing of its answer is a proof, and nothing is remembered."""
    record = _note_login(record, own, now)
    one = proof.judged(record, own.reading, OWN_BMC) if own.reading else own.failure
    return record, replace(own, reading=one if isinstance(one, Reading) else None)


def _note_login(record: HostRecord, read: DeviceRead, now: float) -> HostRecord:
    memory = record.memory(read.device)
    refused = read.failure is not None and read.failure.cause in proof.MAY_LOCK_ACCOUNT
    at = now if refused else memory.login_refused_at if read.reading is None else None
    return record if at == memory.login_refused_at else record.remembering(replace(memory, login_refused_at=at))


def _together(record: HostRecord, reads: list[DeviceRead], read: PowerRead) -> PowerRead:
    lost = next((one for one in reads if one.reading is None), None)
    readings = [one.reading for one in reads if one.reading is not None]
    if lost is not None and lost.failure is not None:
        others_say_more = any(not off_proof.says_off(reading) for reading in readings)
        contradicts = others_say_more or any(one.contradicts for one in reads)
        return replace(read, reading=None, failure=_named(lost.device, lost.failure), contradicts=contradicts)
    if len(reads) > 1:
        readings = [_as_one(reads, readings)]
    own = read.own.reading if read.own is not None and all(one.device != OWN_BMC for one in reads) else None
    if own is not None and own.power is Power.ON and off_proof.says_off(readings[0]):
        if record.state is HAState.FENCED:
            return replace(read, reading=own, failure=None)
        names = ", ".join(one.device for one in reads)
        text = f"{names} say Off and the BMC of {record.host} still says On: these may be the outlets of another host"
        return replace(read, reading=None, failure=Failure(cause=Cause.PRECONDITION, text=text), contradicts=True)
    return replace(read, reading=readings[0], failure=None)


def _as_one(reads: list[DeviceRead], readings: list[Reading]) -> Reading:
    """One reading for all devices: Off or On if all say so; else the word of the first that is not off, with its name."""
    first = readings[0]
    joined = replace(
        first, path=", ".join(dict.fromkeys(reading.path for reading in readings)),
        source="; ".join(f"{one.device} {reading.source}" for one, reading in zip(reads, readings, strict=True)),
        chassis_word=next((reading.chassis_word for reading in readings if reading.chassis_word), None),
        identity=next((reading.identity for reading in readings if reading.identity), None),
        requests=sum(reading.requests for reading in readings),
    )  # fmt: skip
    words = dict.fromkeys(reading.power for reading in readings)
    if len(words) == 1:
        return joined
    device, other = next(
        (one.device, reading) for one, reading in zip(reads, readings, strict=True) if not off_proof.says_off(reading)
    )
    power = Power.MIXED if words.keys() & {Power.ON, Power.MIXED} else Power.UNKNOWN
    return replace(joined, power=power, word=f"{device} {other.word or 'nothing'}", chassis_word=None)


def _named(device: str, failure: Failure) -> Failure:
    return failure if device == OWN_BMC else replace(failure, text=f"{device}: {failure.text}")


# -- from level to level


def level_of_own_bmc(record: HostRecord) -> int:
    return next((number for number, devices in enumerate(record.all_levels, 1) if OWN_BMC in devices), 1)


def detail(record: HostRecord) -> dict[str, Detail]:
    """`level` and `devices` for a line of the event stream; empty for a host that has its BMC alone."""
    return {"level": record.level, "devices": list(record.asked_devices)} if record.levels else {}


def is_used_up(record: HostRecord, policy: Policy, now: float) -> bool:
    """Rule 2: whether the level of this fence has failed for good, and another one can be asked."""
    fence = record.fence
    if fence is None or fence.level_attempts == 0 or fence.level_since is None or not _has_other(record, policy, now):
        return False
    attempts = 1 if fence.phase is FencePhase.BLOCKED else policy.level_attempts
    return fence.level_attempts >= attempts or now >= fence.level_since + policy.level_timeout


def _has_other(record: HostRecord, policy: Policy, now: float) -> bool:
    if len(record.all_levels) < 2:
        return False
    return proof.login_allowed(record, policy, now, record.all_levels[_next_level(record, policy, now) - 1])


def pass_on(builder: StepBuilder, fence: Fence, error: LastError, back_off: float) -> None:
    """Goes to the next level. `back_off`: seconds until the first attempt there, if all levels have had their turn."""
    level = _next_level(builder.record, builder.policy, builder.now)
    again = level <= builder.record.level
    phase = FencePhase.BACK_OFF if again else FencePhase.STATUS_FIRST
    due = builder.now + (back_off if again else 0.0)
    phase = FencePhase.BLOCKED if fence.phase is FencePhase.BLOCKED else phase
    _say_passed(builder, fence, level, error)
    go_to(builder, replace(fence, phase=phase, next_attempt_at=due), level)


def is_barred(record: HostRecord, policy: Policy, now: float) -> bool:
    """Whether this level must not be asked because of a refused log-in, and another one may."""
    fence = record.fence
    if fence is None or fence.signature is not None or proof.login_allowed(record, policy, now, record.asked_devices):
        return False
    return _has_other(record, policy, now)


def pass_over(builder: StepBuilder, fence: Fence) -> None:
    """Leaves a level that is barred. This is no attempt: a back-off goes on."""
    names = ", ".join(builder.record.asked_devices)
    text = f"{names} refused a log-in less than {builder.policy.auth_poll:g} s ago"
    level = _next_level(builder.record, builder.policy, builder.now)
    _say_passed(builder, fence, level, LastError(cause=Cause.AUTH, text=text, at=builder.now))
    go_to(builder, fence, level)


def _say_passed(builder: StepBuilder, fence: Fence, level: int, error: LastError) -> None:
    record, devices = builder.record, list(builder.record.asked_devices)
    builder.alert(
        AlertName.FENCE_LEVEL_FAILED, f"{fence.id}/level/{record.level}",
        f"level {record.level} ({', '.join(devices)}) cannot prove that {record.host} is off: {error.text}; "
        f"level {level} ({', '.join(record.all_levels[level - 1])}) is tried{' again' if level <= record.level else ''}",
        fence_id=fence.id, level=record.level, devices=devices, reason=str(error.cause),
    )  # fmt: skip


def go_to(builder: StepBuilder, fence: Fence, level: int) -> None:
    """Makes `level` the level of the fence. What was read before does not count there (rule 3)."""
    record = builder.record
    shaken = (*fence.shaken_levels, record.level) if record.shaken else fence.shaken_levels
    fence = replace(
        fence, level_attempts=0, level_since=None, shaken_levels=tuple(sorted(set(shaken))), confirm_until=None, not_off_at=None,
        refusal=None,
    )  # fmt: skip
    builder.record = replace(
        record, level=level, fence=fence, off_run=None, last_read="", shaken=level in shaken, sampling_since=None,
        next_read_at=builder.now,
    )  # fmt: skip


def _next_level(record: HostRecord, policy: Policy, now: float) -> int:
    """The next level in turn; one whose devices refused a log-in lately is passed over, if another one can be asked."""
    count = len(record.all_levels)
    turns = [(record.level + step - 1) % count + 1 for step in range(1, count)]
    free = (turn for turn in turns if proof.login_allowed(record, policy, now, record.all_levels[turn - 1]))
    return next(free, turns[0])
