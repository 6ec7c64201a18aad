"""Any history of one VM, three hosts, their agents and two managers: it never runs twice, and in the end it runs.

Truth is kept by the test: what each host runs, which requests are still under way, which keys an agent has used. Steps: starts
that are refused, lost, late or answered late, managers that lose a host, hosts that die, are fenced, boot again and are let
in, lists that arrive late, a VM that ends, a VM that an operator moves by hand, a drain.

`tests/property/test_ha_vm_any_history.py` lets Hypothesis choose the steps; the tests of broken rules have them written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fencer.ha import placement, vm_machine
from fencer.ha.placement import HostRoom
from fencer.ha.policy import Policy
from fencer.ha.vm_record import StartResult, VmPhase, VmRecord, VmSpec

HOSTS = ("a", "b", "c")
POLICY = Policy(vm_restart_limit=1000)


@dataclass
class Machine:
    """The truth about one host. `used`: keys that its agent has taken; they are on shared storage, so a boot keeps them."""

    up: bool = True
    fenced: bool = False
    boot: int = 1
    runs: bool = False
    used: set[str] = field(default_factory=set)

    @property
    def boot_id(self) -> str:
        return f"boot{self.boot}"


@dataclass(frozen=True)
class Request:
    """A start or stop on the way. `number`: the try; an answer to it counts only while the record has the same number."""

    host: str
    key: str
    boot: str | None
    number: int
    stop: bool = False


class AnyHistory(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now, self.fences = 0.0, 0
        self.hosts = {name: Machine() for name in HOSTS}
        self.hosts["a"].runs = True
        self.vm = vm_machine.registered("v", "a", 0.0)
        self.flying: list[Request] = []
        self.late: list[Request] = []
        self.lists: list[tuple[str, str, bool, float]] = []
        self.asked: dict[str, float] = {}

    @initialize(fenced=st.booleans())
    def begin(self, fenced: bool) -> None:
        """Half of the histories begin where it gets interesting: the host is fenced, and the VM must start."""
        if fenced:
            self.a_host_dies("a")
            self.a_dead_host_is_fenced("a")
            self.a_manager_works()

    # -- the manager

    def take(self, step: tuple[VmRecord, object]) -> None:
        self.vm = step[0]

    def tick(self) -> None:
        self.now += 1.0

    def rooms(self) -> dict[str, HostRoom]:
        return {name: HostRoom(name=name, available=host.up and not host.fenced) for name, host in self.hosts.items()}

    @rule()
    def a_manager_works(self) -> None:
        self.tick()
        vm = self.vm
        if vm.phase is VmPhase.WAITING:
            choice = placement.choose(vm, VmSpec(), self.rooms(), self.now, 4)
            if choice.host is None:
                self.take(vm_machine.cannot_place(vm, choice.why, POLICY, self.now))
            else:
                self.start(choice.host)
        elif (
            vm.phase is VmPhase.STARTING
            and not vm.in_flight
            and self.now >= vm.retry_at
            and self.rooms()[vm.host or ""].available
        ):
            self.start(vm.host or "")
        elif vm.phase is VmPhase.STOPPING and not vm.in_flight and self.now >= vm.retry_at:
            self.take(vm_machine.stop_claimed(vm, 1))
            self.flying.append(Request(vm.host or "", vm.key, None, self.vm.starts, stop=True))

    def start(self, host: str) -> None:
        self.take(vm_machine.start_claimed(self.vm, host, 1, "s", self.hosts[host].boot_id, self.now))
        self.flying.append(Request(host, self.vm.key, self.vm.boot, self.vm.starts))

    # -- requests and agents

    def arrives(self, request: Request) -> StartResult:
        """What an agent does, and what it would answer."""
        host = self.hosts[request.host]
        if not host.up:
            return StartResult.NOT_STARTED
        if request.stop:
            host.used.add(request.key)
            host.runs = False
            return StartResult.STARTED
        if request.boot != host.boot_id:
            return StartResult.NOT_STARTED
        if request.key not in host.used:
            host.used.add(request.key)
            host.runs = True
        return StartResult.STARTED

    def answer(self, request: Request, result: StartResult) -> None:
        if request.stop:
            error = None if result is StartResult.STARTED else "no answer"
            self.take(vm_machine.stop_ended(self.vm, request.number, error, POLICY, self.now))
        else:
            self.take(vm_machine.start_ended(self.vm, request.number, result, "x", POLICY, self.now))

    @precondition(lambda self: self.flying)
    @rule(fate=st.sampled_from(["works", "works", "refused", "answer lost", "late"]))
    def a_request(self, fate: str) -> None:
        self.tick()
        request = self.flying.pop(0)
        if fate == "refused":
            self.answer(request, StartResult.UNKNOWN if request.stop else StartResult.NOT_STARTED)
        elif fate == "late":
            self.late.append(request)
            self.answer(request, StartResult.UNKNOWN)
        else:
            result = self.arrives(request)
            self.answer(request, StartResult.UNKNOWN if fate == "answer lost" else result)

    @precondition(lambda self: self.late)
    @rule(answered=st.booleans())
    def a_late_request_arrives(self, answered: bool) -> None:
        self.tick()
        request = self.late.pop(0)
        if not request.stop:  # a stop that arrives late may hit only what it was meant for: agents compare keys
            result = self.arrives(request)
            if answered:
                self.answer(request, result)

    @precondition(lambda self: self.vm.in_flight and self.flying)
    @rule()
    def another_manager_takes_the_host(self) -> None:
        self.late += self.flying
        self.flying.clear()
        self.take((vm_machine.owner_changed(self.vm), ()))

    # -- hosts

    @rule(name=st.sampled_from(HOSTS))
    def a_host_dies(self, name: str) -> None:
        self.hosts[name].up, self.hosts[name].runs = False, False

    @rule(name=st.sampled_from(HOSTS))
    def a_dead_host_is_fenced(self, name: str) -> None:
        host = self.hosts[name]
        if host.up or host.fenced:
            return
        self.tick()
        self.fences += 1
        host.fenced = True
        self.vm = vm_machine.host_fenced(self.vm, name, f"{name}-f{self.fences}", self.now)
        assert self.vm.host != name, "it stays on a host that is off"

    @rule(name=st.sampled_from(HOSTS))
    def a_host_boots(self, name: str) -> None:
        host = self.hosts[name]
        host.boot += not host.up
        host.up = True

    @rule(name=st.sampled_from(HOSTS), arrives=st.booleans(), answered=st.booleans())
    def a_returned_host_stops_what_left(self, name: str, arrives: bool, answered: bool) -> None:
        host = self.hosts[name]
        for left in [left for left in self.vm.left if left.host == name and host.up]:
            if arrives:
                host.used.add(left.key)
                host.runs = False
            error = None if arrives and answered else "no answer"
            self.take(vm_machine.left_stop_ended(self.vm, name, left.fence_id, error, POLICY, self.now))

    @rule(name=st.sampled_from(HOSTS))
    def a_returned_host_is_let_in(self, name: str) -> None:
        if self.hosts[name].up and name not in {left.host for left in self.vm.left}:
            self.hosts[name].fenced = False

    # -- lists, and what happens without a manager

    @rule(name=st.sampled_from(HOSTS))
    def an_agent_is_asked(self, name: str) -> None:
        self.tick()
        host = self.hosts[name]
        if host.up:
            self.lists.append((name, host.boot_id, host.runs, self.now))

    @precondition(lambda self: self.lists)
    @rule(newest=st.booleans())
    def a_list_arrives(self, newest: bool) -> None:
        self.tick()
        name, boot, runs, at = self.lists.pop(-1 if newest else 0)
        self.asked[name] = max(at, self.asked.get(name, 0.0))
        others = [self.asked.get(other) for other in HOSTS if other != name and not self.hosts[other].fenced]
        since = None if None in others else min([at for at in others if at is not None], default=1e9)
        if runs:
            self.take(vm_machine.listed(self.vm, name, boot, at, POLICY, self.now))
        else:
            self.take(vm_machine.absent(self.vm, name, boot, at, since, POLICY, self.now))

    @rule()
    def all_agents_are_asked_and_heard(self) -> None:
        for name in HOSTS:
            self.lists.clear()
            self.an_agent_is_asked(name)
            if self.lists:
                self.a_list_arrives(newest=True)

    @rule()
    def the_vm_ends(self) -> None:
        for host in self.hosts.values():
            host.runs = False

    @precondition(lambda self: self.vm.phase is VmPhase.RUNNING)
    @rule(name=st.sampled_from(HOSTS))
    def an_operator_moves_it_by_hand(self, name: str) -> None:
        source = self.hosts[self.vm.host or ""]
        if source.runs and self.hosts[name].up and not self.hosts[name].fenced and self.vm.host != name:
            source.runs, self.hosts[name].runs = False, True

    @precondition(lambda self: self.vm.phase is VmPhase.RUNNING and self.hosts[self.vm.host or ""].runs)
    @rule()
    def a_drain(self) -> None:
        self.vm = vm_machine.leave(self.vm, None)

    # -- promises

    @invariant()
    def it_runs_at_most_once(self) -> None:
        assert sum(host.runs for host in self.hosts.values()) <= 1, "it runs twice"

    @invariant()
    def it_is_bound_or_it_waits(self) -> None:
        assert (self.vm.host is None) == (self.vm.phase in (VmPhase.WAITING, VmPhase.REMOVED))

    def teardown(self) -> None:
        """Without more faults the VM runs on the host that the record names."""
        for request in self.late:
            if not request.stop:
                self.arrives(request)
        self.late.clear()
        for name in HOSTS:
            self.a_host_boots(name)
        for _ in range(40):
            for name in HOSTS:
                self.a_returned_host_stops_what_left(name, arrives=True, answered=True)
                self.a_returned_host_is_let_in(name)
            self.now += 700
            self.a_manager_works()
            while self.flying:
                self.a_request("works")
            self.all_agents_are_asked_and_heard()
            if self.vm.phase is VmPhase.RUNNING and self.vm.missing_since is not None and self.vm.boot is None:
                self.vm = vm_machine.retried(self.vm, self.now)  # the operator who was asked
            self.it_runs_at_most_once()
        assert self.vm.phase is VmPhase.RUNNING, self.vm
        assert self.hosts[self.vm.host or ""].runs, self.vm
