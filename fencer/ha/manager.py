"""The loop of one manager: claims hosts, passes observations to the HA rules, writes the records, performs the effects.

`fence-ha run` calls `run_round` and `wait` in its main thread. Times are seconds of the store's clock.

Rules
  1. All state that decides anything is in the store, so that another manager can go on after this one is killed.
  2. An effect is performed only after the transaction that decided it has succeeded.
  3. The loop never waits for a BMC, a probe or a VM. Those calls run in worker threads; their answers come through the inbox.
  4. Only the loop's thread uses the store.
  5. A power command leaves only if the limits hold after its intent was written, so that two managers see one another's
     intents, and if lease and record allow it in the moment before its bytes leave (`CommandGate`).
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol, TypeVar

from fencer.ha import cloudstack, machine
from fencer.ha.bmc import BmcClient
from fencer.ha.bmc_calls import BmcCalls, Lease
from fencer.ha.clock import SharedClock
from fencer.ha.config import Config, HostPart
from fencer.ha.effects import CallBmc, CheckActivity, HaEffect, StopReleasedVms
from fencer.ha.event_lines import Sink
from fencer.ha.fence_limiter import PASSING, ClusterView, ManagerFacts
from fencer.ha.observations import (
    Activity,
    Claimed,
    Disable,
    Eligibility,
    Enable,
    Health,
    ManualFence,
    Observation,
    OverrideLimits,
    Pin,
    PowerRead,
    WithdrawManualFence,
)  # fmt: skip
from fencer.ha.policy import Policy, PolicyName
from fencer.ha.probes import AnyProbe
from fencer.ha.record import HostRecord
from fencer.ha.restarts import Restarts
from fencer.ha.states import HAState
from fencer.ha.store import OperatorRequest, Store

T = TypeVar("T")
HaStep = Callable[[HostRecord, Observation, Policy, float], tuple[HostRecord, tuple[HaEffect, ...]]]
RunProbes = Callable[[list[AnyProbe], float], bool | None]

RULES: Mapping[PolicyName, HaStep] = {PolicyName.REFERENCE: machine.step, PolicyName.CLOUDSTACK: cloudstack.step}


class Workers(Protocol):
    def submit(self, pool: str, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        """Runs `work` in a thread of `pool`; calls `done` with its result or its exception, in any thread."""
        ...


class Pools:
    """Thread pools of fixed size for BMCs, device checks, probes and VMs. They are separate so that none delays another."""

    def __init__(self, bmc: int, probe: int, vm: int) -> None:
        sizes = {"bmc": bmc, "probe": probe, "vm": vm, "check": max(bmc // 4, 1)}
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
        self._config, self._store, self._clock = config, store, clock
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
        self._is_limited = config.policy.name is PolicyName.REFERENCE  # CloudStack has no limits
        self._bmc_calls = BmcCalls(
            bmcs, clock, config.policy, workers, self._leases, self._is_held if self._is_limited else None, self._later
        )
        self._me = ManagerFacts(owner=owner, started=self._started, has_witness=bool(config.part.witness))
        self._next_witness = self._started
        self._bmc_names = {host.name: host.bmc.device for host in config.part.hosts}
        self._health_wanted_since: float | None = None
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
        self._probe_witness()
        records = {name: self._store.load(name) for name in self._config.host_names}
        view = self._view(records)
        for host in self._config.part.hosts:
            if host.name not in self._leases:
                continue
            self._apply_operator_requests(records[host.name])
            self._probe(host)
            record = self._store.load(host.name)
            if self._is_limited and record.inflight is not None and view.hold(record, PASSING) is not None:
                self._bmc_calls.withdraw(host.name)
            self._apply(host.name, view.tick(record))
            records[host.name] = after = self._store.load(host.name)
            if after.inflight != record.inflight and after.inflight is not None and after.inflight.cuts_power:
                view = self._view(records)  # what is decided for the next host must count this command
        self._restarts.run_round({name: lease.epoch for name, lease in self._leases.items()}, records, self._post)
        self._print_events()

    def _view(self, records: Mapping[str, HostRecord]) -> ClusterView:
        me = replace(self._me, last_command=self._bmc_calls.last_command)
        view = ClusterView(list(records.values()), self._policy, self._clock.now(), me, self._bmc_names)
        self._health_wanted_since = view.health_wanted_since
        return view

    def _is_held(self, name: str) -> bool:
        """Asks the limits again, now that the intent is written: another manager may have written one at the same time."""
        records = {host: self._store.load(host) for host in self._config.host_names}
        return self._view(records).hold(records[name], PASSING) is not None

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

    def _later(self, name: str, observation: Observation) -> None:
        """Applies an observation in the loop's thread. Any thread may call it."""
        self._post(lambda: self._apply(name, observation))

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
        """Writes what the configuration says of the host to the record, at the start of an epoch."""
        record, probes = self._store.load(host.name), host.probes_key
        fresh = replace(
            record, identity=host.bmc.identity, chassis_check=host.bmc.chassis_check != "ignore", heartbeat=bool(host.activity),
            delay=host.delay * self._config.part.scale, probes=probes,
            seen_healthy=record.seen_healthy and record.probes in ("", probes),
        )  # fmt: skip
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
            if isinstance(observation, PowerRead) and self._withdraw_signature(old):
                self._apply(name, observation)
            return
        for effect in effects:
            self._perform(name, effect)

    def _perform(self, name: str, effect: HaEffect) -> None:
        match effect:
            case CallBmc():
                self._bmc_calls.call(name, effect)
            case CheckActivity():
                self._check_activity(name, effect)
            case StopReleasedVms():
                self._restarts.stop_released_vms(name, effect.fence_id, self._post)

    # -- probes

    def _probe(self, host: HostPart) -> None:
        now = self._clock.now()
        if host.name in self._probing or now < self._next_health.get(host.name, 0.0):
            return
        self._probing.add(host.name)
        self._next_health[host.name] = now + self._policy.poll

        def work() -> tuple[float, bool | None]:
            return self._clock.now(), self._run_probes(list(host.health), self._policy.health_timeout)

        def done(got: tuple[float, bool | None] | None, error: BaseException | None) -> None:
            began, passed = got or (now, None)

            def answer() -> None:
                self._probing.discard(host.name)
                self._apply(host.name, Health(passed=passed, began=began, wanted_since=self._health_wanted_since))
                if passed and self._is_limited:
                    self._bmc_calls.withdraw(host.name)

            self._post(answer)

        self._workers.submit("probe", work, done)

    def _probe_witness(self) -> None:
        """Runs the witness probes of this manager: they say whether the manager itself is cut off."""
        now, probes = self._clock.now(), list(self._config.part.witness)
        if not probes or now < self._next_witness:
            return
        self._next_witness = now + self._policy.poll + self._policy.health_timeout  # not before this round has ended

        def work() -> tuple[float, bool | None]:
            return self._clock.now(), self._run_probes(probes, self._policy.health_timeout)

        def done(got: tuple[float, bool | None] | None, error: BaseException | None) -> None:
            def answer() -> None:
                self._next_witness = now + self._policy.poll
                if got is not None and got[1]:
                    self._me = replace(self._me, witness_passed_at=got[0])

            self._post(answer)

        self._workers.submit("probe", work, done)

    def _check_activity(self, name: str, effect: CheckActivity) -> None:
        host = self._config.host(name)
        # Without activity probes the health probes are used: if all of them fail, the sample has no activity.
        probes = list(host.activity or host.health)
        vms = sum(1 for at in self._store.placements().values() if at == name)

        def work() -> tuple[float, bool | None]:
            return self._clock.now(), self._run_probes(probes, self._policy.activity_timeout)

        def done(got: tuple[float, bool | None] | None, error: BaseException | None) -> None:
            began, active = got or (None, None)
            observation = Activity(active=active, epoch=effect.epoch, began=began, error=str(error or ""), vms=vms)
            self._post(lambda: self._apply(name, observation))

        self._workers.submit("probe", work, done)

    # -- operators

    def _apply_operator_requests(self, record: HostRecord) -> None:
        self._withdraw_signature(record)
        signature = record.fence.signature if record.fence else None
        for request in self._store.open_requests(record.host):
            if signature is None or signature.request != request.id:  # else a live read decides
                self._apply_operator_request(request)

    def _withdraw_signature(self, record: HostRecord) -> bool:
        """True if the operator has taken back the confirmation that the record holds; it does not count any more."""
        signature = record.fence.signature if record.fence else None
        if signature is None or signature.request in {request.id for request in self._store.open_requests(record.host)}:
            return False
        self._apply(record.host, WithdrawManualFence(request=signature.request))
        return True

    def _apply_operator_request(self, request: OperatorRequest) -> None:
        detail, host = request.detail, request.host
        match request.what:
            case "enable":
                self._apply(host, Enable(request=request.id))
            case "disable":
                self._apply(host, Disable(request=request.id, withdrawn=self._bmc_calls.withdraw(host)))
            case "confirm":
                fence_id, who, why = detail["fence_id"], detail["who"], detail["why"]
                self._apply(host, ManualFence(request=request.id, fence_id=fence_id, who=who, why=why))
            case "override":
                self._apply(host, OverrideLimits(request=request.id, who=detail["who"], why=detail["why"]))
            case "pin":
                self._apply(host, Pin(request=request.id, who=detail["who"], why=detail["why"]))
