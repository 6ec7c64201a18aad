"""What a BMC showed: the device check in the background, the pinned identity, and a fenced host that is On again.

`machine.step` calls these functions with its StepBuilder. Pure; times are seconds of the store's clock.

Rules
  1. Each BMC is checked within `device_check_first` after its host was claimed, then each `device_check`. A check sends no
     power command, and none starts within `auth_poll` after a refused log-in.
  2. What a BMC showed first is pinned. Only `fence-ha pin` removes it.
  3. A fenced host is read on. If it is On again, an alert and the status say so, and no VM of it starts elsewhere.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

from fencer.ha import fence, proof
from fencer.ha.effects import AlertName
from fencer.ha.observations import DeviceChecked, Pin, PowerRead
from fencer.ha.record import OWN_BMC, DeviceMemory, DeviceState, HostRecord
from fencer.ha.step_builder import StepBuilder
from fencer.outcome import Failure, Power
from fencer.proof import says_off
from fencer.witnesses import WitnessMemory

PART_OF_FIRST = 0.7
"""The first checks start within this part of `device_check_first`, so that they have ended within it."""


def on_claim(builder: StepBuilder) -> None:
    """Plans the first check of this manager. The hosts are spread, so that not all BMCs are asked at once."""
    spread = zlib.crc32(builder.record.host.encode()) / 0xFFFFFFFF * PART_OF_FIRST
    first = builder.now + spread * builder.policy.device_check_first
    due = first if builder.record.device is None else min(builder.record.next_check_at, builder.now + builder.policy.device_check)
    builder.record = replace(builder.record, check=None, next_check_at=max(due, first))


def on_tick(builder: StepBuilder) -> None:
    record = builder.record
    due = builder.policy.device_check > 0 and builder.now >= record.next_check_at
    if due and record.check is None and record.inflight is None and builder.may_start(builder.every_device):
        builder.call_check()
        builder.record = replace(builder.record, next_check_at=builder.now + builder.policy.device_check)


def on_checked(builder: StepBuilder, observation: DeviceChecked) -> None:
    record = builder.record
    if record.check is None or record.check.id != observation.request or observation.epoch != record.epoch:
        return
    checked = record.check.devices
    failure, refusing = observation.failure, observation.device
    if observation.reading is not None:
        judged = proof.judged(record, observation.reading)
        if isinstance(judged, Failure):
            failure, refusing = judged, OWN_BMC
        else:
            record = proof.remember(record, judged)
    error = fence.error_of(failure, builder.now) if failure else None
    before = record.device
    if failure is None:
        for name in checked:
            if (memory := record.memory(name)).login_refused_at is not None:
                record = record.remembering(replace(memory, login_refused_at=None))
    elif failure.cause in proof.MAY_LOCK_ACCOUNT:
        record = record.remembering(replace(record.memory(refusing), login_refused_at=builder.now))
    builder.record = replace(
        record, check=None, device=DeviceState(at=builder.now, error=error, warnings=observation.warnings)
    )  # fmt: skip
    if failure is not None:
        builder.alert(
            AlertName.FENCING_UNAVAILABLE, f"device/{failure.cause}", f"{record.host} could not be fenced now: {failure.text}",
            reason=str(failure.cause), code=failure.code, message_id=failure.message_id, bmc_text=failure.bmc_text,
        )  # fmt: skip
    elif before is not None and before.error is not None:
        builder.alert(AlertName.FENCING_AVAILABLE, f"device/available/{builder.now:g}", f"{record.host} could be fenced again")


def on_pin(builder: StepBuilder, observation: Pin) -> None:
    """`fence-ha pin`: the machine was replaced, so what its BMC shows next is pinned."""
    record = builder.record
    if not observation.why.strip():
        builder.answer(observation.request, False, "pin needs a reason: what was replaced?")
        return
    was = ", ".join(f"{name} {value}" for name, value in record.pinned) or "nothing"
    devices = tuple(DeviceMemory(name=known.name, login_refused_at=known.login_refused_at) for known in record.devices)
    builder.record = replace(
        record, pinned=(), witnesses=WitnessMemory(), devices=devices, off_run=None, next_check_at=builder.now
    )  # fmt: skip
    text = f"{observation.who} says that the machine of {record.host} was replaced ({observation.why}); pinned was {was}"
    builder.alert(AlertName.IDENTITY_PINNED, f"pin/{observation.request}", text)
    builder.answer(observation.request, True, f"pinned was {was}; what the BMC of {record.host} shows next is pinned")


def on_fenced_read(builder: StepBuilder, observation: PowerRead) -> None:
    """Rule 3. `observation` is judged by `proof.judged`."""
    record, reading = builder.record, observation.reading
    if reading is None or observation.started < record.since:
        return
    if says_off(reading):
        builder.record = replace(record, last_off_at=observation.started, on_again_at=None)
    elif reading.power in (Power.ON, Power.MIXED) or reading.chassis_word == "On":
        builder.record = replace(record, on_again_at=builder.now if record.on_again_at is None else record.on_again_at)
        builder.alert(
            AlertName.ON_AGAIN, f"on-again/{record.released}",
            f"{record.host} is Down and {_who_says(record)} On again: VMs that start there by themselves run twice",
            fence_id=record.released,
        )  # fmt: skip


def _who_says(record: HostRecord) -> str:
    names = ["its BMC" if name == OWN_BMC else name for name in record.asked_devices]
    return f"{' and '.join(names)} {'says' if len(names) == 1 else 'say'}"
