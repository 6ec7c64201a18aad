"""Plays a fence procedure on a transport and a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol as Interface
from typing import TypeVar

from fencer.events_effects import (
    CommandAnswered,
    DeadlinePassed,
    Finish,
    Follow,
    Observe,
    Pause,
    Permit,
    ProcedureEvent,
    Read,
    ReadFailed,
    ReadOk,
    SendCommand,
    Survey,
    TimerFired,
    Vetoed,
)
from fencer.outcome import Action, Cause, Failure, FenceVerdict, Outcome, PowerCommand, Reading
from fencer.procedure import begin, step
from fencer.target import ChassisCheck, FenceError, Limits, Protocol, Target
from fencer.transport.base import Transport, Unread

Answer = TypeVar("Answer")

LEAST_CALL = 0.3  # seconds: with less than that left a call would only fail, and hide the cause that matters


class FenceClock(Interface):
    """Seconds on a monotonic scale."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class MonotonicClock:
    """The machine's own."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def perform(
    action: Action,
    transport: Transport,
    clock: FenceClock,
    limits: Limits,
    *,
    permit: Permit | None = None,
    observe: Observe | None = None,
) -> Outcome:
    """Runs `action` to its end. Does not close the transport."""
    began = clock.now()
    state, effect = begin(action, limits, began)
    while not isinstance(effect, Finish):
        if observe is not None:
            observe(clock.now(), effect)
        event = _carry_out(effect, transport, clock, limits, began + limits.deadline, permit)
        if observe is not None:
            observe(clock.now(), event)
        state, effect = step(state, event, clock.now())
    if observe is not None:
        observe(clock.now(), effect)
    return effect.outcome


def _carry_out(
    effect: Read | Survey | SendCommand | Follow | Pause,
    transport: Transport,
    clock: FenceClock,
    limits: Limits,
    until: float,
    permit: Permit | None,
) -> ProcedureEvent:
    left = until - clock.now()
    if left < min(LEAST_CALL, limits.deadline / 10):
        return DeadlinePassed()
    timeout = min(limits.call, left)  # of one request; a read may need several
    match effect:
        case Pause(seconds):
            clock.sleep(min(seconds, left))
            return TimerFired()
        case Read():
            try:
                return ReadOk(transport.read(left))
            except Unread as unread:
                return ReadFailed(unread.failure, unread.retry_after)
        case Survey():
            return transport.offers(timeout)
        case Follow(task):
            return transport.follow(task, timeout)
        case SendCommand(command):
            if permit is not None and not permit(command):
                return Vetoed()
            return transport.command(command, timeout)


def open_transport(target: Target, limits: Limits, request: float, clock: FenceClock) -> Transport:
    """The transport of the target's protocol; no request on it takes longer than `request` seconds.

    Raises Unread where the target's settings cannot work.
    """
    if target.protocol is Protocol.IPMI:
        from fencer.transport.ipmi import IpmiTransport

        return IpmiTransport(target, request, clock.now)
    from fencer.transport.redfish import RedfishTransport

    return RedfishTransport(target, limits, request, clock.now)


def fence_target(
    action: Action,
    target: Target,
    limits: Limits,
    *,
    permit: Permit | None = None,
    observe: Observe | None = None,
) -> Outcome:
    """Opens the transport, performs, and logs out whatever happens."""
    clock = MonotonicClock()
    try:
        transport = open_transport(target, limits, limits.call, clock)
    except Unread as unread:
        return Outcome(verdict=FenceVerdict.UNKNOWN, action=action, failure=unread.failure)
    try:
        return perform(action, transport, clock, limits, permit=permit, observe=observe)
    finally:
        transport.close()


def read_once(target: Target, timeout: float, chassis_check: ChassisCheck) -> Reading:
    """One live read, and a log-out. Raises FenceError."""
    limits = Limits(deadline=timeout, request=timeout, connect=min(timeout, 5.0), chassis_check=chassis_check)
    return _ask_once(target, limits, lambda transport: transport.read(timeout))


def send_diag(target: Target, limits: Limits) -> CommandAnswered:
    """Asks for a diagnostic interrupt, once. No BMC can show that the host took it, so this is no Outcome."""
    return _ask_once(target, limits, lambda transport: _diag(transport, limits))


def _diag(transport: Transport, limits: Limits) -> CommandAnswered:
    transport.read(limits.deadline)
    offers = transport.offers(limits.call)
    if offers.listed and PowerCommand.NMI not in offers.commands:
        text = f"{offers.source} allows no {PowerCommand.NMI}; it allows {', '.join(sorted(offers.commands))}"
        return CommandAnswered(Failure(cause=Cause.UNSUPPORTED, text=text))
    return transport.command(PowerCommand.NMI, limits.call)


def list_hosts(target: Target, limits: Limits) -> tuple[str, ...]:
    """The hosts behind a BMC. Raises FenceError."""
    return _ask_once(target, limits, lambda transport: transport.members(limits.deadline))


def _ask_once(target: Target, limits: Limits, ask: Callable[[Transport], Answer]) -> Answer:
    try:
        transport = open_transport(target, limits, limits.request, MonotonicClock())
        try:
            return ask(transport)
        finally:
            transport.close()
    except Unread as unread:
        raise FenceError(unread.failure) from unread
