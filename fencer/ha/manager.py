"""The loop of one manager: claims hosts, passes observations to the HA rules, writes the records, performs the effects.

`fence-ha run` calls `run_round` and `wait` in its main thread. Times are seconds of the store's clock.

Rules
  1. All state that decides anything is in the store, so that another manager can go on after this one is killed.
  2. An effect is performed only after the transaction that decided it has succeeded.
  3. The loop never waits for a BMC, a probe or a VM. Those calls run in worker threads; their answers come through the inbox.
  4. Only the loop's thread uses the store. It reads one snapshot per round and writes what it decides in one commit.
  5. An error of the store never ends a manager. It lets go of all hosts, says so, and claims them again when the store is back
     and no BMC call of its own is under way.
  6. A power command leaves only if the limits hold after its intent was written, so that two managers see one another's
     intents, and if lease and record allow it in the moment before its bytes leave (`BmcCalls`).
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from dataclasses import replace

from fencer.ha import cloudstack, ledger, machine, proof
from fencer.ha.bmc import BmcClient
from fencer.ha.bmc_calls import BmcCalls
from fencer.ha.clock import SharedClock
from fencer.ha.config import Config, HostPart
from fencer.ha.effects import AlertName, CallBmc, CheckActivity, HaEffect, StopReleasedVms
from fencer.ha.entries import ManagerLease, Snapshot
from fencer.ha.event_lines import Sink
from fencer.ha.fence_limiter import PASSING, ClusterView, ManagerFacts
from fencer.ha.manager_lines import ManagerLines
from fencer.ha.observations import Claimed, Eligibility, Health, Observation, OperatorObservation, Tick, WithdrawManualFence
from fencer.ha.operator_requests import ENDS_COMMANDS, observation_of
from fencer.ha.policy import Policy, PolicyName
from fencer.ha.probing import ManagerProbes, Prober
from fencer.ha.record import HostRecord
from fencer.ha.restarts import Ownership, Restarts
from fencer.ha.states import HAState
from fencer.ha.store import Store, StoreError
from fencer.ha.tenure import Decided, Tenure, configured, first_records
from fencer.ha.workers import Workers

HaStep = Callable[[HostRecord, Observation, Policy, float], tuple[HostRecord, tuple[HaEffect, ...]]]

QUIET = frozenset({HAState.AVAILABLE, HAState.DISABLED})

RULES: Mapping[PolicyName, HaStep] = {PolicyName.REFERENCE: machine.step, PolicyName.CLOUDSTACK: cloudstack.step}


class Manager:
    """One manager. `owner` is its name in the store and must be unique per process. `process`: pid and start time."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: SharedClock,
        bmcs: Mapping[str, BmcClient],
        restarts: Restarts,
        prober: Prober,
        workers: Workers,
        sink: Sink,
        owner: str,
        process: tuple[int, int] = (0, 0),
    ) -> None:
        self._config, self._store, self._clock = config, store, clock
        self._restarts, self._lines = restarts, ManagerLines(store, sink, clock, owner)
        self._name, self._process = owner, process
        self._policy = config.policy
        self._step = RULES[config.policy.name]
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._first: Callable[[], None] | None = None
        self._is_limited = config.policy.name is PolicyName.REFERENCE  # CloudStack has no limits
        self._bmc_calls = BmcCalls(
            bmcs, clock, config.policy, workers, self._lease_of, self._is_held if self._is_limited else None, self._post,
            self._apply,
        )  # fmt: skip
        self._probing = ManagerProbes(config, clock, prober, self._post, self._apply_probed)
        self._started = clock.now()
        self._bmc_names = {host.name: host.bmc.device for host in config.part.hosts}
        self._tenures = 1
        self._tenure = Tenure(owner)
        self._ended: list[Tenure] = []
        self._store_id = ""
        self._claim_from = 0.0
        self._snapshot = Snapshot("")
        self._decided: dict[str, Decided] = {}
        self._next_tick: dict[str, float] = {}

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
        self._probing.witness()
        view, drains = self._view(), set(snapshot.drains)
        for host in self._config.part.hosts:
            if host.name not in self._tenure.epochs:
                continue
            self._probing.health(host)
            if host.name in drains:
                self._apply_eligibility(host)
            record = self._record(host.name)
            if self._is_quiet(record, view.now):
                continue
            self._apply_operator_requests(record)
            record = self._record(host.name)
            self._withdraw_held_command(view, record)
            self._apply(host.name, view.tick(record))
            if self._decided_a_command(host.name):
                view = self._view()  # what is decided for the next host must count this command
        self._write_decided()
        records = {name: snapshot.record(name) for name in self._config.host_names}
        self._restarts.run_round(Ownership(epochs=self._tenure.epochs, records=records, post=self._post, permit=self._permit()))
        self._lines.print_stored(self._is_mine)

    def _is_quiet(self, record: HostRecord, now: float) -> bool:
        """True if nothing of this host depends on the time now. It gets a Tick all the same, once per `poll`."""
        if record.state not in QUIET or record.inflight is not None or now >= record.next_check_at:
            return False
        if now >= self._next_tick.get(record.host, 0.0) or self._snapshot.open_requests(record.host):
            self._next_tick[record.host] = now + self._policy.poll
            return False
        return True

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
            self._lines.say(AlertName.STORE_LOST, f"{error}; the lease ends by itself")

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

    # -- the store

    def _enter(self, snapshot: Snapshot) -> None:
        """Registers the hosts and VMs of the configuration in a store that this manager has not used before."""
        self._store.register_all(first_records(self._config, self._started))
        restored_at = self._store.restored_at()
        # A manager of the store that was copied may still have a command under way.
        self._claim_from = 0.0 if restored_at is None else restored_at + self._policy.lease
        self._store_id = snapshot.store_id

    def _lose_store(self, error: StoreError) -> None:
        """Lets go of all leases: nothing can be decided any more, and `permit` refuses what has not left yet."""
        self._end_tenure()
        self._lines.store_lost(error)

    @property
    def store_error(self) -> StoreError | None:
        """Why the store cannot be used now, or None."""
        return self._lines.trouble

    def _is_mine(self, host: str) -> bool:
        """True for a host that this manager owns, and for one that no manager watches."""
        return host in self._tenure.epochs or host not in self._bmc_names

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
            self._lines.store_is_back()
            return True
        self._end_tenure()
        return False

    def _may_begin_a_tenure(self, now: float) -> bool:
        """A command of an earlier tenure must have ended, here and at the managers of a store that was copied."""
        if self._bmc_calls.under_way or now < self._claim_from:
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
            self._lines.look_again()
            self._apply_configuration(self._config.host(name))

    def _apply_configuration(self, host: HostPart) -> None:
        """Writes what the configuration says of the host to the record, at the start of an epoch."""
        record = self._snapshot.record(host.name)
        fresh = configured(record, host, self._config)
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
        if not isinstance(observation, Tick | OperatorObservation):  # requests are read from the store again
            decided.answers.append(observation)
        if isinstance(observation, Health) and observation.passed and self._is_limited:
            self._bmc_calls.withdraw(name)

    def _write_decided(self) -> None:
        """One commit for everything that this round has decided; then the effects of what was written (rule 2)."""
        decided, self._decided, now = self._decided, {}, self._clock.now()
        writes = [ledger.save(self._snapshot, one.base, one.new, one.effects, now) for one in decided.values()]
        for (name, one), written in zip(decided.items(), self._store.commit(writes), strict=True):
            if written:
                for effect in one.effects:
                    self._perform(name, effect)
            else:
                self._apply_again(name, one.answers)

    def _apply_again(self, name: str, answers: list[Observation]) -> None:
        """A write was refused, for example because an operator withdrew what it granted: takes its answers once more."""

        def again() -> None:
            if name in self._tenure.epochs:
                self._withdraw_signature(self._record(name))
            for answer in answers:
                self._apply(name, answer)

        self._post(again)

    def _perform(self, name: str, effect: HaEffect) -> None:
        match effect:
            case CallBmc():
                self._bmc_calls.call(name, effect)
            case CheckActivity():
                self._probing.activity(name, effect.epoch, len(self._snapshot.vms_on(name)))
            case StopReleasedVms():
                self._restarts.stop_released_vms(name)

    # -- limits of power commands

    def _view(self) -> ClusterView:
        records = [self._record(name) for name in self._config.host_names]
        me = ManagerFacts(
            owner=self._tenure.owner, started=self._started, last_command=self._bmc_calls.last_command,
            has_witness=bool(self._config.part.witness), witness_passed_at=self._probing.witness_passed_at,
        )  # fmt: skip
        view = ClusterView(records, self._policy, self._clock.now(), me, self._bmc_names)
        self._probing.health_wanted_since = view.health_wanted_since
        return view

    def _is_held(self, name: str) -> bool:
        """Asks the limits again, now that the intent is written: another manager may have written one at the same time."""
        self._store.snapshot()
        return self._view().hold(self._record(name), PASSING) is not None

    def _withdraw_held_command(self, view: ClusterView, record: HostRecord) -> None:
        """A command that has not left yet never will, if a limit holds it back meanwhile."""
        flight = record.inflight
        if self._is_limited and flight is not None and flight.cuts_power and view.hold(record, PASSING) is not None:
            self._bmc_calls.withdraw(record.host)

    def _decided_a_command(self, name: str) -> bool:
        effects = self._decided[name].effects if name in self._decided else []
        sent = [effect.request.at for effect in effects if isinstance(effect, CallBmc) and effect.request.cuts_power]
        for at in sent:
            self._bmc_calls.last_command = at
        return bool(sent)

    def _lease_of(self, name: str, epoch: int) -> Callable[[], bool]:
        tenure = self._tenure

        def allows() -> bool:
            mine = tenure is self._tenure and tenure.epochs.get(name) == epoch
            return mine and proof.may_start(tenure.until, self._policy, self._clock.now())

        return allows

    def _permit(self) -> Callable[[str, int], bool]:
        """Returns whether a VM call on a host may leave now. Any thread may ask."""
        tenure = self._tenure

        def permit(name: str, epoch: int) -> bool:
            mine = tenure is self._tenure and tenure.epochs.get(name) == epoch
            return mine and tenure.until - self._clock.now() > self._policy.clock_margin

        return permit

    def _apply_probed(self, name: str, observation: Observation) -> None:
        if isinstance(observation, Health) and observation.passed and self._restarts.unstopped(name):
            observation = replace(observation, unstopped=True)
        self._apply(name, observation)

    # -- operators

    def _end_drain(self, name: str) -> None:
        if name in self._snapshot.drains:
            self._store.commit([ledger.set_drain(self._snapshot, name, drain=False, answer=None, now=self._clock.now())])
            self._apply_eligibility(self._config.host(name))

    def _apply_operator_requests(self, record: HostRecord) -> None:
        self._withdraw_signature(record)
        signature = record.fence.signature if record.fence else None
        for request in self._snapshot.open_requests(record.host):
            waits = signature is not None and signature.request == request.id  # a live read decides
            decided = self._decided.get(record.host)
            if waits or (decided is not None and decided.has_answered(request.id)):
                continue
            withdrawn = request.what in ENDS_COMMANDS and self._bmc_calls.withdraw(record.host)
            if request.what == "enable":
                self._end_drain(record.host)
            unstopped = self._restarts.unstopped(record.host) if request.what == "enable" else ()
            if (observation := observation_of(request, withdrawn=withdrawn, unstopped=unstopped)) is not None:
                self._apply(record.host, observation)

    def _withdraw_signature(self, record: HostRecord) -> None:
        """The operator has taken back the confirmation that the record holds: it does not count any more."""
        signature = record.fence.signature if record.fence else None
        if signature is not None and signature.request not in {r.id for r in self._snapshot.open_requests(record.host)}:
            self._apply(record.host, WithdrawManualFence(request=signature.request))
