"""Performs the requests to BMCs that the HA rules decided: reads, device checks and power commands.

`Manager` calls it in its loop's thread. The calls run in the worker threads of the pools "bmc" and "check"; their answers go
back to the loop's thread. Times are seconds of the store's clock.

Rules
  1. A request goes to all devices of the level that the rules name; `level_calls` puts their answers together.
  2. A power command is asked about three times: the limits after its intent was written, so that two managers see one
     another's intents; the lease; and the record, in the moment before its bytes leave.
  3. A command that was withheld is answered as NOT_SENT.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from fencer.device_check import DeviceCheck
from fencer.ha import level_calls
from fencer.ha.bmc import BmcClient, CommandAnswer
from fencer.ha.clock import SharedClock
from fencer.ha.command_gate import CommandGate
from fencer.ha.effects import CallBmc
from fencer.ha.level_calls import Clients, LevelAnswer, client_key
from fencer.ha.observations import CommandReply, CommandResult, DeviceChecked, Observation, PowerRead
from fencer.ha.policy import Policy
from fencer.ha.record import OWN_BMC, BmcRequest, RequestKind
from fencer.ha.workers import Workers
from fencer.outcome import Cause, Failure

T = TypeVar("T")


LeasePermit = Callable[[], bool]


class BmcCalls:
    def __init__(
        self,
        bmcs: Mapping[str, BmcClient],
        clock: SharedClock,
        policy: Policy,
        workers: Workers,
        lease_of: Callable[[str, int], LeasePermit],
        is_held: Callable[[str], bool] | None,
        post: Callable[[Callable[[], None]], None],
        apply: Callable[[str, Observation], None],
    ) -> None:
        """`bmcs`: the clients of all devices of all hosts, by `client_key`. `lease_of` returns, for a host and its epoch, a
        function that says whether a command may start under today's lease. `is_held` asks the limits for a host; None: the policy
        has none. `post` runs a function in the loop's thread.
        """
        self._bmcs, self._clock, self._policy, self._workers = bmcs, clock, policy, workers
        self._lease_of, self._is_held, self._post, self._apply = lease_of, is_held, post, apply
        self._gate = CommandGate()
        self.last_command: float | None = None
        self.under_way = 0  # reads and commands; a device check changes nothing, so nobody waits for it

    def call(self, name: str, effect: CallBmc) -> None:
        match effect.request.ask:
            case RequestKind.READ:
                self._read(name, effect.request, effect.epoch)
            case RequestKind.CHECK:
                self._check(name, effect.request, effect.epoch)
            case _:
                self._command(name, effect.request, effect.epoch)

    def withdraw(self, name: str) -> bool:
        """True if no power command to this host is leaving; one that has not left yet never will."""
        return self._gate.withdraw(name)

    def _clients(self, name: str, request: BmcRequest) -> Clients:
        return [(device, self._bmcs[client_key(name, device)]) for device in request.devices]

    def _command(self, name: str, request: BmcRequest, epoch: int) -> None:
        clients, timeout = self._clients(name, request), self._policy.request_timeout
        self.last_command = request.at
        if self._is_held is not None and self._is_held(name):
            self._apply_later(name, CommandReply(request=request.id, epoch=epoch, result=CommandResult.NOT_SENT))
            return
        self._gate.open(name, request.id)

        lease_allows = self._lease_of(name, epoch)

        def permit() -> bool:
            return lease_allows() and (self._is_held is None or self._gate.leave(name, request.id))

        def work() -> LevelAnswer:
            if not lease_allows() or (self._is_held is not None and not self._gate.is_open(name, request.id)):
                return LevelAnswer(CommandAnswer(result=CommandResult.NOT_SENT))
            return level_calls.command(clients, timeout, permit, reset=request.ask is RequestKind.RESET)

        def done(answer: LevelAnswer | None, error: BaseException | None) -> None:
            self._gate.ended(name, request.id)
            got = answer or LevelAnswer(CommandAnswer(result=CommandResult.AMBIGUOUS, failure=_client_error(error)))
            reply = CommandReply(
                request=request.id, epoch=epoch, result=got.answer.result, failure=got.answer.failure, device=got.device
            )
            self._apply_later(name, reply)

        self._submit(work, done)

    def _read(self, name: str, request: BmcRequest, epoch: int) -> None:
        clients, timeout = self._clients(name, request), self._policy.request_timeout
        own = self._bmcs[client_key(name, OWN_BMC)] if request.own_too else None

        def work() -> PowerRead:
            started = self._clock.now()
            (first, *others), own_read = level_calls.read(clients, own, timeout)
            return PowerRead(
                request=request.id, epoch=epoch, started=started, reading=first.reading, failure=first.failure,
                contradicts=first.contradicts, others=tuple(others), own=own_read,
            )  # fmt: skip

        def done(answer: PowerRead | None, error: BaseException | None) -> None:
            failed = PowerRead(request=request.id, epoch=epoch, started=self._clock.now(), failure=_client_error(error))
            self._apply_later(name, answer or failed)

        self._submit(work, done)

    def _submit(self, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        self.under_way += 1

        def ended() -> None:
            self.under_way -= 1

        def finished(answer: T | None, error: BaseException | None) -> None:
            self._post(ended)
            done(answer, error)

        self._workers.submit("bmc", work, finished)

    def _apply_later(self, name: str, observation: Observation) -> None:
        self._post(lambda: self._apply(name, observation))

    def _check(self, name: str, request: BmcRequest, epoch: int) -> None:
        clients, timeout = self._clients(name, request), self._policy.request_timeout

        def work() -> tuple[float, DeviceCheck, str]:
            return self._clock.now(), *level_calls.check(clients, timeout)

        def done(answer: tuple[float, DeviceCheck, str] | None, error: BaseException | None) -> None:
            failed = (self._clock.now(), DeviceCheck(outcome=None, failure=_client_error(error)), OWN_BMC)
            started, got, device = answer or failed
            reading = got.outcome.readings[-1] if got.outcome and got.outcome.readings else None
            observation = DeviceChecked(
                request=request.id, epoch=epoch, started=started, reading=reading, failure=got.failure, warnings=got.warnings,
                device=device,
            )  # fmt: skip
            self._apply_later(name, observation)

        self._workers.submit("check", work, done)


def _client_error(error: BaseException | None) -> Failure:
    """The failure for an unexpected exception of a BMC client: an error of this program. The host is still watched."""
    return Failure(cause=Cause.BAD_RESPONSE, text=f"the BMC client failed with {type(error).__name__}: {error}")
