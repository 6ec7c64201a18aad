"""The loop of one manager: claims hosts, passes observations to the HA rules, writes the records, performs the effects.

`fence-ha run` calls `run_round` and `wait` in its main thread. Times are seconds of the store's clock.

Rules
  1. All state that decides anything is in the store, so that another manager can go on after this one is killed.
  2. An effect is performed only after the transaction that decided it has succeeded.
  3. The loop never waits for a BMC, a probe or a VM. Those calls run in worker threads; their answers come through the inbox.
  4. Only the loop's thread uses the store. It reads one snapshot per round and writes what it decides in one commit.
  5. An error of the store never ends a manager. It lets go of all hosts, says so, and claims them again when the store is back
     and no BMC call of its own is under way.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from fencer.ha import cloudstack, fence_limiter, ledger, machine, proof
from fencer.ha.bmc import BmcClient, BmcReadFailed, CommandAnswer
from fencer.ha.clock import SharedClock
from fencer.ha.config import Config, HostPart
from fencer.ha.effects import AlertName, CallBmc, CheckActivity, Detail, HaEffect, LineKind, OperatorAnswer, StopReleasedVms
from fencer.ha.entries import ManagerLease, OperatorRequest, Snapshot, StoredEvent
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
    Hold,
    ManualFence,
    Observation,
    PowerRead,
    Tick,
)  # fmt: skip
from fencer.ha.policy import Policy, PolicyName
from fencer.ha.probes import AnyProbe
from fencer.ha.record import HostRecord, RequestKind
from fencer.ha.restarts import Ownership, Restarts
from fencer.ha.states import HAState
from fencer.ha.store import Store, StoreError
from fencer.ha.workers import Workers
from fencer.outcome import Cause, Failure, Reading

HaStep = Callable[[HostRecord, Observation, Policy, float], tuple[HostRecord, tuple[HaEffect, ...]]]
T = TypeVar("T")
RunProbes = Callable[[list[AnyProbe], float], bool | None]

SAY_AGAIN_S = 900.0
"""So often a manager repeats that the store cannot be used."""

RULES: Mapping[PolicyName, HaStep] = {PolicyName.REFERENCE: machine.step, PolicyName.CLOUDSTACK: cloudstack.step}


@dataclass(slots=True)
class Tenure:
    """From the lease that a manager got until it lost it. Every tenure has an owner name of its own in the store.

    `epochs`: the hosts that are owned, with their epochs. `until`: the end of the lease; 0: there is none yet.
    """

    owner: str
    until: float = 0.0
    epochs: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Decided:
    """What this turn has decided about one host and not written yet. `base` is the record in the store."""

    base: HostRecord
    new: HostRecord
    effects: list[HaEffect] = field(default_factory=list)


class Manager:
    """One manager. `owner` is its name in the store and must be unique per process. `process`: pid and start time."""

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
        process: tuple[int, int] = (0, 0),
    ) -> None:
        self._config, self._store, self._clock, self._bmcs = config, store, clock, bmcs
        self._restarts, self._run_probes, self._workers, self._sink = restarts, run_probes, workers, sink
        self._name, self._process = owner, process
        self._policy = config.policy
        self._step = RULES[config.policy.name]
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._first: Callable[[], None] | None = None
        self._bmc_calls = 0
        self._next_health: dict[str, float] = {}
        self._probing: set[str] = set()
        self._started = clock.now()
        self._last_command: float | None = None
        self.store_error: StoreError | None = None
        self._lost_at, self._said_at = 0.0, 0.0
        self._tenures = 1
        self._tenure = Tenure(owner)
        self._ended: list[Tenure] = []
        self._store_id = ""
        self._claim_from = 0.0
        self._snapshot = Snapshot("")
        self._decided: dict[str, Decided] = {}
        self._looked_up_to = 0

    # -- the loop

    def run_round(self) -> None:
        """Does everything that is due, once, without waiting. An error of the store ends the round, not the manager (rule 5)."""
        try:
            self._run_round()
        except StoreError as error:
            self._lose_store(error)

    def _run_round(self) -> None:
        snapshot = self._store.snapshot()
        if snapshot.store_id != self._store_id:
            self._enter(snapshot)
        self._snapshot = snapshot
        self._process_inbox()
        if self._hold_lease():
            self._claim_hosts()
        hold, drains = self._hold(), set(snapshot.drains)
        for host in self._config.part.hosts:
            if host.name not in self._tenure.epochs:
                continue
            for request in snapshot.open_requests(host.name):
                if not self._is_answered(request):
                    self._apply_operator_request(request)
            self._probe(host)
            if host.name in drains:
                self._apply_eligibility(host)
            self._apply(host.name, Tick(hold=hold))
            if self._decided_a_command(host.name):
                hold = self._hold()
        self._write_decided()
        records = {name: snapshot.record(name) for name in self._config.host_names}
        self._restarts.run_round(Ownership(epochs=self._tenure.epochs, records=records, post=self._post, permit=self._permit()))
        self._print_events()

    def wait(self, seconds: float) -> None:
        """Waits until an answer arrives, at most `seconds`. The next round handles it."""
        if self._first is None:
            try:
                self._first = self._inbox.get(timeout=seconds)
            except queue.Empty:
                return

    def stop(self) -> None:
        """Lets go of the hosts without a BMC request in flight. The lease on the others ends by itself."""
        tenure = self._tenure
        self._end_tenure()
        try:
            self._store.let_go(tenure.owner, tenure.epochs)
        except StoreError as error:
            self._say(AlertName.STORE_LOST, f"{error}; the lease ends by itself")

    @property
    def idle(self) -> float:
        """Seconds to wait between two rounds; short compared with every time in the policy."""
        return min(self._policy.poll / 16, 0.25)

    def _post(self, answer: Callable[[], None]) -> None:
        """Any thread may call it."""
        self._inbox.put(answer)

    def _process_inbox(self) -> None:
        first, self._first = self._first, None
        if first is not None:
            first()
        while True:
            try:
                answer = self._inbox.get_nowait()
            except queue.Empty:
                return
            answer()

    def _print_events(self) -> None:
        """Prints the lines about hosts that this manager owns, and about those that nobody does."""
        printed = []
        for event in self._store.unprinted(self._looked_up_to):
            if event.host in self._tenure.epochs or event.host not in self._bmcs:
                if self._sink(event) is False:
                    break
                printed.append(event.seq)
            self._looked_up_to = event.seq
        self._store.mark_printed(printed)

    # -- the store

    def _enter(self, snapshot: Snapshot) -> None:
        """Registers the hosts and VMs of the configuration in a store that this manager has not used before."""
        records = []
        for host in self._config.part.hosts:
            state = HAState.AVAILABLE if host.enabled else HAState.DISABLED
            record = HostRecord(host=host.name, state=state, since=self._started, identity=host.bmc.identity)
            records.append((record, [vm.name for vm in self._config.part.vms if vm.host == host.name]))
        self._store.register_all(records)
        restored_at = self._store.restored_at()
        # A manager of the store that was copied may still have a command under way.
        self._claim_from = 0.0 if restored_at is None else restored_at + self._policy.lease
        self._store_id = snapshot.store_id

    def _lose_store(self, error: StoreError) -> None:
        """Lets go of all leases: nothing can be decided any more, and `permit` refuses what has not left yet."""
        now = self._clock.now()
        self._end_tenure()
        if self.store_error is None:
            self._lost_at = now
        if self.store_error is None or self.store_error.trouble is not error.trouble or now - self._said_at >= SAY_AGAIN_S:
            self._say(AlertName.STORE_LOST, f"{error}; the leases are given up, and it is tried again")
            self._said_at = now
        self.store_error = error

    def _note_that_the_store_is_back(self) -> None:
        if self.store_error is not None:
            self.store_error = None
            lost = self._clock.now() - self._lost_at
            self._say(AlertName.STORE_BACK, f"the store can be used again, after {lost:.1f} s")

    def _say(self, alert: AlertName, text: str) -> None:
        """A line that cannot be stored: it goes to the sink at once."""
        detail: dict[str, Detail] = {"alert": str(alert), "text": text}
        self._sink(StoredEvent(seq=0, t=self._clock.now(), host=self._name, kind=LineKind.ALERT, detail=detail))

    # -- ownership

    def _end_tenure(self) -> None:
        self._decided.clear()
        if self._tenure.until:
            self._ended.append(self._tenure)
            self._tenures += 1
            self._tenure = Tenure(f"{self._name}-{self._tenures}")

    def _hold_lease(self) -> bool:
        """Renews the lease in time. False: this manager has none, and must not act."""
        now, tenure = self._clock.now(), self._tenure
        if tenure.until and tenure.until - now > self._policy.lease - self._policy.lease_renew:
            return True
        if not tenure.until and not self._may_begin_a_tenure(now):
            return False
        until, (pid, started) = now + self._policy.lease, self._process
        lease = ManagerLease(owner=tenure.owner, until=until, boot=self._snapshot.boot, pid=pid, process_started=started)
        if self._store.renew(lease, now):
            tenure.until = until
            self._note_that_the_store_is_back()
            return True
        self._end_tenure()
        return False

    def _may_begin_a_tenure(self, now: float) -> bool:
        """A command of an earlier tenure must have ended, here and at the managers of a store that was copied."""
        if self._bmc_calls or now < self._claim_from:
            return False
        while self._ended:
            ended = self._ended[-1]
            self._store.let_go(ended.owner, self._config.host_names, all_calls_ended=True)
            self._ended.pop()
        return True

    def _claim_hosts(self) -> None:
        epochs = self._tenure.epochs
        wanted = [name for name in self._config.host_names if name not in epochs]
        if not wanted:
            return
        for name in self._store.claim(wanted, self._tenure.owner, self._clock.now()):
            epochs[name] = self._snapshot.record(name).epoch
            self._looked_up_to = 0  # the old owner may have left lines that it did not print
            self._apply_configuration(self._config.host(name))

    def _apply_configuration(self, host: HostPart) -> None:
        """Writes identity, chassis check and maintenance of the configuration to the record, at the start of an epoch."""
        record = self._snapshot.record(host.name)
        fresh = replace(record, identity=host.bmc.identity, chassis_check=host.bmc.chassis_check != "ignore")
        if fresh != record:
            self._decided[host.name] = Decided(record, fresh)
        self._apply(host.name, Claimed())
        self._apply_eligibility(host)

    def _apply_eligibility(self, host: HostPart) -> None:
        """A host in maintenance, or one that was drained and is empty, is Ineligible."""
        eligible = not host.maintenance and not self._restarts.is_emptied(host.name)
        if eligible != self._record(host.name).eligible:
            self._apply(host.name, Eligibility(eligible=eligible))

    # -- one step

    def _record(self, name: str) -> HostRecord:
        decided = self._decided.get(name)
        return decided.new if decided else self._snapshot.record(name)

    def _apply(self, name: str, observation: Observation) -> None:
        epoch, now = self._tenure.epochs.get(name), self._clock.now()
        if epoch is None or self._tenure.until <= now:
            return
        old = self._record(name)
        if old.owner != self._tenure.owner or old.epoch != epoch:
            del self._tenure.epochs[name]
            return
        new, effects = self._step(old, observation, self._policy, now)
        if new == old and not effects:
            return
        decided = self._decided.setdefault(name, Decided(old, new))
        decided.new = new
        decided.effects += effects

    def _write_decided(self) -> None:
        """One commit for everything that this round has decided; then the effects of what was written (rule 2)."""
        decided, self._decided, now = self._decided, {}, self._clock.now()
        writes = [ledger.save(self._snapshot, one.base, one.new, one.effects, now) for one in decided.values()]
        for (name, one), written in zip(decided.items(), self._store.commit(writes), strict=True):
            if written:
                for effect in one.effects:
                    self._perform(name, effect)

    def _perform(self, name: str, effect: HaEffect) -> None:
        match effect:
            case CallBmc():
                self._call(name, effect)
            case CheckActivity():
                self._check_activity(name, effect)
            case StopReleasedVms():
                self._restarts.stop_released_vms(name)

    def _hold(self) -> Hold | None:
        records = [self._record(name) for name in self._config.host_names]
        return fence_limiter.hold(records, self._tenure.owner, self._policy, self._clock.now(), self._started, self._last_command)

    def _decided_a_command(self, name: str) -> bool:
        decided = self._decided.get(name)
        if decided is None:
            return False
        sent = [
            effect.request.at
            for effect in decided.effects
            if isinstance(effect, CallBmc) and effect.request.ask is RequestKind.OFF
        ]
        self._last_command = max(sent, default=self._last_command)
        return bool(sent)

    # -- BMCs

    def _call(self, name: str, effect: CallBmc) -> None:
        request, epoch, bmc, timeout = effect.request, effect.epoch, self._bmcs[name], self._policy.request_timeout
        if request.ask is RequestKind.READ:
            self._read(name, request.id, epoch, bmc, timeout)
            return
        tenure = self._tenure

        def permit() -> bool:
            mine = tenure is self._tenure and tenure.epochs.get(name) == epoch
            return mine and proof.may_start(tenure.until, self._policy, self._clock.now())

        def work() -> CommandAnswer:
            if not permit():
                return CommandAnswer(result=CommandResult.NOT_SENT)
            return bmc.off(timeout, permit) if request.ask is RequestKind.OFF else bmc.reset(timeout, permit)

        def done(answer: CommandAnswer | None, error: BaseException | None) -> None:
            got = answer or CommandAnswer(result=CommandResult.AMBIGUOUS, failure=_client_error(error))
            observation = CommandReply(request=request.id, epoch=epoch, result=got.result, failure=got.failure)
            self._post(lambda: self._apply(name, observation))

        self._submit_bmc_call(work, done)

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

        self._submit_bmc_call(work, done)

    def _submit_bmc_call(self, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        self._bmc_calls += 1

        def ended() -> None:
            self._bmc_calls -= 1

        def finished(answer: T | None, error: BaseException | None) -> None:
            self._post(ended)
            done(answer, error)

        self._workers.submit("bmc", work, finished)

    def _permit(self) -> Callable[[str, int], bool]:
        """Returns whether a VM call on a host may leave now. Any thread may ask."""
        tenure = self._tenure

        def permit(name: str, epoch: int) -> bool:
            mine = tenure is self._tenure and tenure.epochs.get(name) == epoch
            return mine and tenure.until - self._clock.now() > self._policy.clock_margin

        return permit

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
                unstopped = bool(passed and self._restarts.unstopped(host.name))
                self._apply(host.name, Health(passed=passed, unstopped=unstopped))

            self._post(answer)

        self._workers.submit("probe", lambda: self._run_probes(list(host.health), self._policy.health_timeout), done)

    def _check_activity(self, name: str, effect: CheckActivity) -> None:
        host = self._config.host(name)
        # Without activity probes the health probes are used: if all of them fail, the sample has no activity.
        probes = list(host.activity or host.health)
        vms = len(self._snapshot.vms_on(name))

        def done(active: bool | None, error: BaseException | None) -> None:
            observation = Activity(active=active, epoch=effect.epoch, error=str(error or ""), vms=vms)
            self._post(lambda: self._apply(name, observation))

        self._workers.submit("probe", lambda: self._run_probes(probes, self._policy.activity_timeout), done)

    # -- operators

    def _end_drain(self, name: str) -> None:
        if name in self._snapshot.drains:
            self._store.commit([ledger.set_drain(self._snapshot, name, drain=False, answer=None, now=self._clock.now())])
            self._apply_eligibility(self._config.host(name))

    def _is_answered(self, request: OperatorRequest) -> bool:
        """True if this round has decided the answer, which the snapshot does not show yet."""
        decided = self._decided.get(request.host)
        effects = decided.effects if decided else ()
        return any(isinstance(effect, OperatorAnswer) and effect.request == request.id for effect in effects)

    def _apply_operator_request(self, request: OperatorRequest) -> None:
        detail = request.detail
        match request.what:
            case "enable":
                self._end_drain(request.host)
                self._apply(request.host, Enable(request=request.id, unstopped=self._restarts.unstopped(request.host)))
            case "disable":
                self._apply(request.host, Disable(request=request.id))
            case "confirm":
                fence = self._record(request.host).fence
                if fence is not None and fence.signature is not None and fence.signature.request == request.id:
                    return  # the signature is stored already; a live read decides
                observation = ManualFence(request=request.id, fence_id=detail["fence_id"], who=detail["who"], why=detail["why"])
                self._apply(request.host, observation)


def _client_error(error: BaseException | None) -> Failure:
    """The failure for an unexpected exception of a BMC client: an error of this program. The host is still watched."""
    return Failure(cause=Cause.BAD_RESPONSE, text=f"the BMC client failed with {type(error).__name__}: {error}")
