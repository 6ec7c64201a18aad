"""The loop of one manager: claims hosts, passes observations to the HA rules, writes the records, performs the effects.

`fence-ha run` calls `run_round` and `wait` in its main thread. Times are seconds of the store's clock.

Rules
  1. All state that decides anything is in the store, so that another manager can go on after this one is killed.
  2. An effect is performed only after the transaction that decided it has succeeded.
  3. The loop never waits for a BMC, a probe or a VM. Those calls run in worker threads; their answers come through the inbox.
  4. Only the loop's thread uses the store.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from fencer.ha import cloudstack, fence_limiter, machine, proof
from fencer.ha.bmc import BmcClient, BmcReadFailed, CommandAnswer
from fencer.ha.clock import SharedClock
from fencer.ha.config import Config, HostPart
from fencer.ha.effects import CallBmc, CheckActivity, HaEffect, StopReleasedVms
from fencer.ha.event_lines import Sink
from fencer.ha.observations import (
    Activity,
    Claimed,
    CommandReply,
    CommandResult,
    Disable,
    Eligibility,
    Enable,
    Health,
    ManualFence,
    Observation,
    PowerRead,
    Tick,
)  # fmt: skip
from fencer.ha.policy import Policy, PolicyName
from fencer.ha.probes import AnyProbe
from fencer.ha.record import HostRecord, RequestKind
from fencer.ha.restarts import Restarts
from fencer.ha.states import HAState
from fencer.ha.store import OperatorRequest, Store
from fencer.outcome import Cause, Failure, Reading

T = TypeVar("T")
HaStep = Callable[[HostRecord, Observation, Policy, float], tuple[HostRecord, tuple[HaEffect, ...]]]
RunProbes = Callable[[list[AnyProbe], float], bool | None]

RULES: Mapping[PolicyName, HaStep] = {PolicyName.REFERENCE: machine.step, PolicyName.CLOUDSTACK: cloudstack.step}


class Workers(Protocol):
    def submit(self, pool: str, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        """Runs `work` in a thread of `pool`; calls `done` with its result or its exception, in any thread."""
        ...


class Pools:
    """Thread pools of fixed size for BMCs, probes and VMs. They are separate so that slow BMCs do not delay probes."""

    def __init__(self, bmc: int, probe: int, vm: int) -> None:
        sizes = {"bmc": bmc, "probe": probe, "vm": vm}
        self._pools = {name: ThreadPoolExecutor(size, thread_name_prefix=name) for name, size in sizes.items()}

    def submit(self, pool: str, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        def finished(future: Future[T]) -> None:
            if future.cancelled():
                return  # it never ran: the manager is stopping
            error = future.exception()
            done(None if error else future.result(), error)

        self._pools[pool].submit(work).add_done_callback(finished)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Lease:
    """This manager's lease on one host; valid until `until` (seconds of the store's clock)."""

    epoch: int
    until: float


class Manager:
    """One manager. `owner` is its name in the store and must be unique per process."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: SharedClock,
        bmcs: Mapping[str, BmcClient],
        restarts: Restarts,
        run_probes: RunProbes,
        workers: Workers,
        sink: Sink,
        owner: str,
    ) -> None:
        self._config, self._store, self._clock, self._bmcs = config, store, clock, bmcs
        self._restarts, self._run_probes, self._workers, self._sink, self._owner = (
            restarts,
            run_probes,
            workers,
            sink,
            owner,
        )
        self._policy = config.policy
        self._step = RULES[config.policy.name]
        self._leases: dict[str, Lease] = {}
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._next_health: dict[str, float] = {}
        self._probing: set[str] = set()
        self._started = clock.now()
        self._last_command: float | None = None
        for host in config.part.hosts:
            state = HAState.AVAILABLE if host.enabled else HAState.DISABLED
            identity = host.bmc.identity
            record = HostRecord(host=host.name, state=state, since=self._started, identity=identity)
            store.register(record, [vm.name for vm in config.part.vms if vm.host == host.name])

    # -- the loop

    def run_round(self) -> None:
        """Does everything that is due, once, without waiting."""
        for host in self._config.part.hosts:
            self._claim_or_renew(host)
        self._process_inbox()
        records = {name: self._store.load(name) for name in self._config.host_names}
        for host in self._config.part.hosts:
            if host.name not in self._leases:
                continue
            for request in self._store.open_requests(host.name):
                self._apply_operator_request(request)
            self._probe(host)
            now = self._clock.now()
            hold = fence_limiter.hold(list(records.values()), self._owner, self._policy, now, self._started, self._last_command)
            self._apply(host.name, Tick(hold=hold))
            records[host.name] = self._store.load(host.name)
        self._restarts.run_round({name: lease.epoch for name, lease in self._leases.items()}, records, self._post)
        self._print_events()

    def wait(self, seconds: float) -> None:
        """Waits until an answer arrives and handles it; at most `seconds`."""
        try:
            answer = self._inbox.get(timeout=seconds)
        except queue.Empty:
            return
        answer()

    def stop(self) -> None:
        """Releases the leases of hosts without a BMC request in flight. The other leases expire."""
        for name, lease in self._leases.items():
            if self._store.load(name).inflight is None:
                self._store.release(name, self._owner, lease.epoch, self._clock.now())
        self._leases.clear()

    @property
    def idle(self) -> float:
        """Seconds to wait between two rounds; short compared with every time in the policy."""
        return min(self._policy.poll / 16, 0.25)

    def _post(self, answer: Callable[[], None]) -> None:
        self._inbox.put(answer)

    def _process_inbox(self) -> None:
        while True:
            try:
                answer = self._inbox.get_nowait()
            except queue.Empty:
                return
            answer()

    def _print_events(self) -> None:
        for name in self._leases:
            events = self._store.unprinted(name)
            for event in events:
                self._sink(event)
            if events:
                self._store.mark_printed([event.seq for event in events])

    # -- ownership

    def _claim_or_renew(self, host: HostPart) -> None:
        now, name = self._clock.now(), host.name
        lease = self._leases.get(name)
        until = now + self._policy.lease
        if lease is None:
            if self._store.claim(name, self._owner, now, until):
                self._leases[name] = Lease(self._store.load(name).epoch, until)
                self._apply_configuration(host)
        elif lease.until - now <= self._policy.lease - self._policy.lease_renew:
            if self._store.renew(name, self._owner, lease.epoch, now, until):
                self._leases[name] = Lease(lease.epoch, until)
            else:
                del self._leases[name]

    def _apply_configuration(self, host: HostPart) -> None:
        """Writes identity, chassis check and maintenance of the configuration to the record, at the start of an epoch."""
        record = self._store.load(host.name)
        fresh = replace(record, identity=host.bmc.identity, chassis_check=host.bmc.chassis_check != "ignore")
        if fresh != record:
            self._store.save(record, fresh, (), self._clock.now())
        self._apply(host.name, Claimed())
        self._apply(host.name, Eligibility(eligible=not host.maintenance))

    # -- one step

    def _apply(self, name: str, observation: Observation) -> None:
        lease, now = self._leases.get(name), self._clock.now()
        if lease is None or lease.until <= now:
            return
        old = self._store.load(name)
        if old.owner != self._owner or old.epoch != lease.epoch:
            del self._leases[name]
            return
        new, effects = self._step(old, observation, self._policy, now)
        if new == old and not effects:
            return
        if not self._store.save(old, new, effects, now):
            return
        for effect in effects:
            self._perform(name, effect)

    def _perform(self, name: str, effect: HaEffect) -> None:
        match effect:
            case CallBmc():
                self._call(name, effect)
            case CheckActivity():
                self._check_activity(name, effect)
            case StopReleasedVms():
                self._restarts.stop_released_vms(name, effect.fence_id, self._post)

    # -- BMCs

    def _call(self, name: str, effect: CallBmc) -> None:
        request, epoch, bmc, timeout = effect.request, effect.epoch, self._bmcs[name], self._policy.request_timeout
        if request.ask is RequestKind.READ:
            self._read(name, request.id, epoch, bmc, timeout)
            return
        if request.ask is RequestKind.OFF:
            self._last_command = request.at

        def permit() -> bool:
            lease = self._leases.get(name)
            return lease is not None and lease.epoch == epoch and proof.may_start(lease.until, self._policy, self._clock.now())

        def work() -> CommandAnswer:
            if not permit():
                return CommandAnswer(result=CommandResult.NOT_SENT)
            return bmc.off(timeout, permit) if request.ask is RequestKind.OFF else bmc.reset(timeout, permit)

        def done(answer: CommandAnswer | None, error: BaseException | None) -> None:
            got = answer or CommandAnswer(result=CommandResult.AMBIGUOUS, failure=_client_error(error))
            observation = CommandReply(request=request.id, epoch=epoch, result=got.result, failure=got.failure)
            self._post(lambda: self._apply(name, observation))

        self._workers.submit("bmc", work, done)

    def _read(self, name: str, request: str, epoch: int, bmc: BmcClient, timeout: float) -> None:
        def work() -> tuple[float, Reading | Failure]:
            started = self._clock.now()
            try:
                return started, bmc.read(timeout)
            except BmcReadFailed as error:
                return started, error.failure

        def done(answer: tuple[float, Reading | Failure] | None, error: BaseException | None) -> None:
            started, got = answer or (self._clock.now(), _client_error(error))
            reading = got if isinstance(got, Reading) else None
            failure = got if isinstance(got, Failure) else None
            observation = PowerRead(request=request, epoch=epoch, started=started, reading=reading, failure=failure)
            self._post(lambda: self._apply(name, observation))

        self._workers.submit("bmc", work, done)

    # -- probes

    def _probe(self, host: HostPart) -> None:
        now = self._clock.now()
        if host.name in self._probing or now < self._next_health.get(host.name, 0.0):
            return
        self._probing.add(host.name)
        self._next_health[host.name] = now + self._policy.poll

        def done(passed: bool | None, error: BaseException | None) -> None:
            def answer() -> None:
                self._probing.discard(host.name)
                self._apply(host.name, Health(passed=passed))

            self._post(answer)

        self._workers.submit("probe", lambda: self._run_probes(list(host.health), self._policy.health_timeout), done)

    def _check_activity(self, name: str, effect: CheckActivity) -> None:
        host = self._config.host(name)
        # Without activity probes the health probes are used: if all of them fail, the sample has no activity.
        probes = list(host.activity or host.health)
        vms = sum(1 for at in self._store.placements().values() if at == name)

        def done(active: bool | None, error: BaseException | None) -> None:
            observation = Activity(active=active, epoch=effect.epoch, error=str(error or ""), vms=vms)
            self._post(lambda: self._apply(name, observation))

        self._workers.submit("probe", lambda: self._run_probes(probes, self._policy.activity_timeout), done)

    # -- operators

    def _apply_operator_request(self, request: OperatorRequest) -> None:
        detail = request.detail
        match request.what:
            case "enable":
                self._apply(request.host, Enable(request=request.id))
            case "disable":
                self._apply(request.host, Disable(request=request.id))
            case "confirm":
                fence = self._store.load(request.host).fence
                if fence is not None and fence.signature is not None and fence.signature.request == request.id:
                    return  # the signature is stored already; a live read decides
                observation = ManualFence(request=request.id, fence_id=detail["fence_id"], who=detail["who"], why=detail["why"])
                self._apply(request.host, observation)


def _client_error(error: BaseException | None) -> Failure:
    """The failure for an unexpected exception of a BMC client: an error of this program. The host is still watched."""
    return Failure(cause=Cause.BAD_RESPONSE, text=f"the BMC client failed with {type(error).__name__}: {error}")
