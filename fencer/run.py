"""Runs the fence procedure on a real transport and clock.

`fencer`'s public functions and the agent call this module. Everything happens in the caller's thread, which blocks.
Times are seconds of the monotonic clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol as Interface
from typing import TypeVar

from fencer.events_effects import (
    CommandAnswered,
    DeadlinePassed,
    Finish,
    NotPermitted,
    Observe,
    Pause,
    Permit,
    ProcedureEvent,
    Read,
    ReadAllowedCommands,
    ReadFailed,
    ReadOk,
    ReadTask,
    SendCommand,
    TimerFired,
)
from fencer.outcome import Action, Cause, Failure, FenceVerdict, Member, Outcome, PowerCommand, Reading
from fencer.procedure import begin, step
from fencer.target import ChassisCheck, FenceError, Limits, Protocol, Target
from fencer.transport.base import CallFailed, Transport
from fencer.transport.refused_logins import RefusedLogins

Result = TypeVar("Result")

MIN_CALL_S = 0.3  # with less time left no call is made: it would time out, and replace the real cause
MIN_CONFIRM_S = 0.05  # the same for a read that may complete a proof
LOGOUT_RESERVE_S = 0.5  # kept for the log-out before the deadline, but not more than a twentieth of the deadline
LOGOUT_S = 2.0  # longest log-out, whatever time is left: a success or a signal does not wait for a BMC that is silent now


NO_CRYPTOGRAPHY = "IPMI needs the Python library cryptography, which is not installed (Debian: python3-cryptography)"


class FenceClock(Interface):
    """A monotonic clock, in seconds."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class MonotonicClock:
    """The monotonic clock of this machine."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def run_procedure(
    action: Action,
    transport: Transport,
    clock: FenceClock,
    limits: Limits,
    *,
    permit: Permit | None = None,
    observe: Observe | None = None,
) -> Outcome:
    """Runs `action` until it ends and returns its Outcome. Does not close the transport."""
    began = clock.now()
    state, effect = begin(action, limits, began)
    while not isinstance(effect, Finish):
        if observe is not None:
            observe(clock.now(), effect)
        event = _perform_effect(effect, transport, clock, limits, began + limits.deadline, permit)
        if observe is not None:
            observe(clock.now(), event)
        state, effect = step(state, event, clock.now())
    if observe is not None:
        observe(clock.now(), effect)
    return effect.outcome


def _perform_effect(
    effect: Read | ReadAllowedCommands | SendCommand | ReadTask | Pause,
    transport: Transport,
    clock: FenceClock,
    limits: Limits,
    deadline_at: float,
    permit: Permit | None,
) -> ProcedureEvent:
    left = deadline_at - clock.now() - (min(LOGOUT_RESERVE_S, limits.deadline / 20) if transport.logged_in else 0.0)
    confirming = isinstance(effect, Read) and effect.confirming
    if left < min(MIN_CONFIRM_S if confirming else MIN_CALL_S, limits.deadline / 10):
        return DeadlinePassed()
    timeout = min(limits.call, left)  # of one request; a read may need several requests
    match effect:
        case Pause(seconds):
            clock.sleep(min(seconds, left))
            return TimerFired()
        case Read():
            read_end = clock.now() + left
            try:
                return ReadOk(transport.read(left))
            except CallFailed as call_failed:
                failed = call_failed
                cut_short = failed.failure.cause is Cause.TIMEOUT and clock.now() >= read_end
                return ReadFailed(
                    failed.failure, failed.retry_after, final=failed.final, contradicts=failed.contradicts, cut_short=cut_short
                )
        case ReadAllowedCommands():
            return transport.allowed_commands(timeout)
        case ReadTask(task):
            return transport.read_task(task, timeout)
        case SendCommand(command):
            if permit is not None and not permit(command):
                return NotPermitted()
            return transport.command(command, timeout)


def open_transport(
    target: Target, limits: Limits, request: float, clock: FenceClock, refused: RefusedLogins | None = None
) -> Transport:
    """Creates the transport of the target's protocols and addresses. No request on it takes longer than `request` seconds.

    `refused` counts the refused log-ins, where several runs share one BMC. Raises CallFailed if the target's settings cannot
    work.
    """
    refused = refused or RefusedLogins()
    if target.second is None and not target.others:
        return _one_transport(target, limits, request, clock, refused)
    from fencer.transport.channels import RedfishAndIpmi, SeveralAddresses

    def one_protocol(target: Target) -> Transport:
        every = [target, *(replace(target, host=other.host, port=other.port) for other in target.others)]
        transports = [_one_transport(replace(each, others=()), limits, request, clock, refused) for each in every]
        return transports[0] if len(transports) == 1 else SeveralAddresses(transports)

    alone = replace(target, second=None)
    if target.second is None:
        return one_protocol(alone)
    by_protocol: dict[Protocol, Transport] = {}
    for protocol, port in ((target.protocol, target.port), (target.second, target.second_port)):
        others = target.others if protocol is target.protocol else tuple(replace(each, port=port) for each in target.others)
        by_protocol[protocol] = one_protocol(replace(alone, protocol=protocol, port=port, others=others))
    return RedfishAndIpmi(by_protocol[Protocol.REDFISH], by_protocol[Protocol.IPMI])


def _one_transport(target: Target, limits: Limits, request: float, clock: FenceClock, refused: RefusedLogins) -> Transport:
    if target.protocol is Protocol.IPMI:
        try:
            from fencer.transport.ipmi import IpmiTransport
        except ModuleNotFoundError as error:
            raise CallFailed(Failure(cause=Cause.CONFIG, text=NO_CRYPTOGRAPHY), final=True) from error

        return IpmiTransport(target, request, clock.now, refused)
    if target.protocol is Protocol.PDU:
        from fencer.transport.pdu import PduTransport

        return PduTransport(target, limits, request, clock.now, refused)
    from fencer.transport.redfish import RedfishTransport

    return RedfishTransport(target, limits, request, clock.now, refused)


def fence_target(
    action: Action,
    target: Target,
    limits: Limits,
    *,
    permit: Permit | None = None,
    observe: Observe | None = None,
) -> Outcome:
    """Opens the transport, runs the procedure, and always logs out."""
    clock = MonotonicClock()
    deadline_at = clock.now() + limits.deadline
    try:
        transport = open_transport(target, limits, limits.call, clock)
    except CallFailed as call_failed:
        return Outcome(verdict=FenceVerdict.UNKNOWN, action=action, failure=call_failed.failure)
    try:
        return run_procedure(action, transport, clock, limits, permit=permit, observe=observe)
    finally:
        transport.close(min(max(deadline_at - clock.now(), 0.0), LOGOUT_S))


def read_once(target: Target, timeout: float, chassis_check: ChassisCheck, chassis: tuple[str, ...] = ()) -> Reading:
    """Reads the power state once and logs out. `timeout` in seconds. Raises FenceError."""
    limits = Limits(
        deadline=timeout, request=timeout, connect=min(timeout, 5.0), chassis_check=chassis_check, chassis=chassis
    )  # fmt: skip
    return _call_once(target, limits, lambda transport: transport.read(timeout))


def send_diag(target: Target, limits: Limits) -> CommandAnswered:
    """Sends one diagnostic interrupt (NMI). Returns no Outcome, because no BMC shows whether the host received it.

    Raises FenceError if the BMC could not be read.
    """
    return _call_once(target, limits, lambda transport: _diag(transport, limits))


def _diag(transport: Transport, limits: Limits) -> CommandAnswered:
    transport.read(limits.deadline)
    allowed = transport.allowed_commands(limits.call)
    if allowed.listed and PowerCommand.NMI not in allowed.commands:
        text = f"{allowed.source} allows no {PowerCommand.NMI}; it allows {', '.join(sorted(allowed.commands))}"
        return CommandAnswered(Failure(cause=Cause.UNSUPPORTED, text=text))
    return transport.command(PowerCommand.NMI, limits.call)


def list_hosts(target: Target, limits: Limits) -> tuple[Member, ...]:
    """Lists the hosts (Redfish Systems) behind a BMC, or the selected one. Raises FenceError."""
    return _call_once(target, limits, lambda transport: transport.members(limits.deadline))


def _call_once(target: Target, limits: Limits, call: Callable[[Transport], Result]) -> Result:
    try:
        transport = open_transport(target, limits, limits.request, MonotonicClock())
        try:
            return call(transport)
        finally:
            transport.close(LOGOUT_S)
    except CallFailed as call_failed:
        raise FenceError(call_failed.failure) from call_failed
