"""Calls of all devices of one fencing level as one request: a read, a power-off, a device check.

`BmcCalls` calls it in the worker threads of its pools. Timeouts are seconds.

Rules
  1. The devices share the time of one request, so several end as soon as one does.
  2. Each device is asked, whatever the others answered. Nothing is decided here of what they say: `fencer.ha.levels` does.
  3. The host's own BMC, if it is none of the level, is asked only when each device says Off.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fencer.device_check import DeviceCheck
from fencer.ha.bmc import BmcClient, BmcReadFailed, CommandAnswer, CommandPermit
from fencer.ha.observations import CommandResult, DeviceRead
from fencer.ha.proof import MAY_LOCK_ACCOUNT
from fencer.ha.record import OWN_BMC
from fencer.outcome import Failure

Clients = Sequence[tuple[str, BmcClient]]

GRAVITY = (
    CommandResult.FAILED, CommandResult.AMBIGUOUS, CommandResult.ACCEPTED, CommandResult.REFUSED, CommandResult.NOT_SENT,
)  # fmt: skip
"""The first of these that any device answered is the answer of the level."""


@dataclass(frozen=True, slots=True)
class LevelAnswer:
    """The answer of a level to a power command. `device`: the one that the failure is about."""

    answer: CommandAnswer
    device: str = OWN_BMC


def client_key(host: str, device: str) -> str:
    """The key of a device's client among the clients of all hosts. No name of a host has a slash."""
    return host if device == OWN_BMC else f"{host}/{device}"


def named(device: str, failure: Failure) -> Failure:
    return failure if device == OWN_BMC else replace(failure, text=f"{device}: {failure.text}")


def read(clients: Clients, own: BmcClient | None, timeout: float) -> tuple[list[DeviceRead], DeviceRead | None]:
    """Reads each device once. `own`: see rule 3; None: it is not asked."""
    end = time.monotonic() + timeout
    calls = len(clients) + (own is not None)
    reads: list[DeviceRead] = []
    for number, (device, client) in enumerate(clients):
        reads.append(_read(device, client, timeout if calls == 1 else max(end - time.monotonic(), 0.01) / (calls - number)))
    if own is None or any(one.reading is None or one.reading.word != "Off" for one in reads):
        return reads, None
    return reads, _read(OWN_BMC, own, max(end - time.monotonic(), 0.01))


def _read(device: str, client: BmcClient, timeout: float) -> DeviceRead:
    try:
        return DeviceRead(device=device, reading=client.read(timeout))
    except BmcReadFailed as error:
        return DeviceRead(device=device, failure=error.failure, contradicts=error.contradicts)


def command(clients: Clients, timeout: float, permit: CommandPermit, *, reset: bool) -> LevelAnswer:
    """Sends one power command to each device that does not say Off."""
    answers = []
    for device, client in clients:
        share = timeout / len(clients)
        answer = client.reset(share, permit) if reset else client.off(share, permit)
        answers.append(LevelAnswer(replace(answer, failure=answer.failure and named(device, answer.failure)), device))
    result = next(kind for kind in GRAVITY if any(one.answer.result is kind for one in answers))
    ranked = sorted(answers, key=lambda one: GRAVITY.index(one.answer.result))
    told = next((one for one in ranked if one.answer.failure is not None), ranked[0])
    return LevelAnswer(CommandAnswer(result=result, failure=told.answer.failure), told.device)


def check(clients: Clients, timeout: float) -> tuple[DeviceCheck, str]:
    """Checks each device. The reading is that of the host's own BMC; the name is that of the device that failed."""
    checks = [(device, client.check(timeout)) for device, client in clients]
    failed = [(device, one.failure) for device, one in checks if one.failure is not None]
    failed.sort(key=lambda pair: pair[1].cause not in MAY_LOCK_ACCOUNT)
    warnings = tuple(f"{device}: {text}" if device != OWN_BMC else text for device, one in checks for text in one.warnings)
    outcome = next((one.outcome for device, one in checks if device == OWN_BMC), None)
    if not failed:
        return DeviceCheck(outcome=outcome, failure=None, warnings=warnings), OWN_BMC
    device, first = failed[0]
    text = "; ".join(named(name, failure).text for name, failure in failed)
    return DeviceCheck(outcome=outcome, failure=replace(first, text=text), warnings=warnings), device
