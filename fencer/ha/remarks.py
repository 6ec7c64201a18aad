"""What people must know of a host beside its state, in words. `status` and the HTTP API show it. Pure."""

from __future__ import annotations

from fencer.ha.record import HostRecord
from fencer.ha.states import HAState


def of(record: HostRecord) -> tuple[str, ...]:
    """Returns short remarks, the most urgent first; empty if there is nothing to say."""
    found = []
    if record.on_again_at is not None:
        found.append("On again")
    if record.state is HAState.FENCED and record.returned_at is not None:
        found.append("back, waits for enable")
    if record.same_machine:
        found.append(f"same machine as {', '.join(record.same_machine)}")
    if record.device is not None and record.device.error is not None:
        found.append("fencing unavailable")
    if record.storm:
        found.append("held: too many hosts were lost")
    if record.cancelled is not None:
        found.append(f"fence cancelled by {record.cancelled.who}: no power command")
    if record.ordered is not None:
        found.append(f"fence ordered by {record.ordered.who}")
    if record.override is not None:
        found.append(f"limits overridden by {record.override.who}")
    if record.state is HAState.AVAILABLE and not record.seen_healthy:
        found.append("never seen healthy")
    return tuple(found)


def fencing(record: HostRecord) -> str:
    """Returns the column `fencing` of `status`: `ok`, `not checked` or why the host could not be fenced."""
    if record.device is None:
        return "not checked"
    if record.device.error is not None:
        return record.device.error.text
    return "; ".join(("ok", *record.device.warnings))
