"""What a running emulator can be asked to do, from any thread: faults, power, truth, gates, the journal.

`Emulator` inherits these. Each method runs in the emulator's thread by way of `call` and returns when it is done.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import islice
from typing import Final, TypeVar

from emulator.core.bmc.machine import RestorePolicy
from emulator.core.bmc.view import BmcView
from emulator.core.errors import ActionRefused, RackMisconfigured
from emulator.core.faults.board import Armed, FaultId
from emulator.core.faults.control import FaultStatus
from emulator.core.faults.fault import Seam
from emulator.core.journal import Datum, Event, EventKind
from emulator.core.power.by_hand import PowerAction, check_by_hand
from emulator.core.rack import Rack
from emulator.core.truth.host import Host
from emulator.core.vocab import Os, Rail
from emulator.faults.plans import ASKED_OF
from emulator.faults.registry import make_fault
from emulator.status import MUTE, BmcStatus, status_of
from fencelab_yaml.errors import listed
from profiles.model import Profile

T = TypeVar("T")

PLUG_OUTAGE_S: Final = 3.0
"""How long a BMC that is plugged in answers nothing at most, in seconds of the emulator's clock, unless its profile's time
counts."""


class EmulatorOperations(ABC):
    @abstractmethod
    def call(self, function: Callable[[Rack], T]) -> T:
        """Runs `function(rack)` in the emulator's thread and returns what it returns."""

    # -- faults --------------------------------------------------------------------------------------------------------

    def arm(self, name: str, fault: Armed | str) -> FaultId:
        """Arms a fault on a BMC; a text names one of its profile's own `faults`. Returns the id of this arming.

        Raises NoSuchUnit, and RackMisconfigured for a fault that the profile does not have, or that lacks what its seam asks.
        """

        def arm_it(rack: Rack) -> FaultId:
            profile = rack.unit(name).profile
            armed = _named(profile, fault) if isinstance(fault, str) else fault
            check_armable(armed, profile)
            return rack.arm(name, armed)

        return self.call(arm_it)

    def disarm(self, fault_id: FaultId) -> None:
        """Takes a fault away. What it holds back goes on at once: a delayed, dripped or reordered answer. A connection that
        it has hung is closed; ports that it has shut open. Raises NoSuchFault."""
        self.call(lambda rack: rack.faults.disarm(fault_id))

    def faults(self, name: str | None = None) -> tuple[FaultStatus, ...]:
        """What is armed on a BMC, or on all: id, BMC, type, phase, and how often it matched and fired. Raises NoSuchUnit."""
        return self.call(lambda rack: rack.faults.all_statuses() if name is None else rack.faults.statuses((rack.unit(name),)))

    def named_faults(self, name: str) -> tuple[str, ...]:
        """The faults that the profile of a BMC names. Raises NoSuchUnit."""
        return self.call(lambda rack: tuple(rack.unit(name).profile.faults))

    def unfired(self, name: str) -> tuple[Armed, ...]:
        """Faults that had to fire and did not (ruling 6)."""
        return self.call(lambda rack: rack.unit(name).faults.unfired())

    def is_moving(self, name: str, system: str | None = None) -> bool:
        """Whether steps of a power command's effect are still to come for a host. Raises NoSuchUnit, NoSuchSystem."""
        return self.call(lambda rack: rack.unit(name).system(system_id(rack, name, system)).moves)

    def record(self, name: str, kind: EventKind, cause: int | None = None, **data: Datum) -> int:
        """Stamps an event of the caller's into the journal, in order with everything else."""
        return self.call(lambda rack: rack.journal.record(name, kind, cause, **data))

    def events(self) -> tuple[Event, ...]:
        """All events up to now."""
        return self.call(lambda rack: tuple(rack.journal))

    def events_after(self, seq: int, limit: int) -> tuple[Event, ...]:
        """At most `limit` events, the first ones behind `seq` that are still in memory. Where the first one is not number
        `seq` + 1, those between are forgotten."""
        return self.call(lambda rack: rack.journal.after(seq, limit))

    def last_seq(self) -> int:
        """The number of the newest event."""
        return self.call(lambda rack: rack.journal.last_seq)

    def subscribe(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Calls `callback(event)` for every event from now on, in the emulator's thread; what is returned ends that. The callback
        must be quick, and must ask nothing of the emulator."""
        end = self.call(lambda rack: rack.journal.subscribe(callback))
        return lambda: self.call(lambda rack: end())

    def now(self) -> float:
        """Seconds of the journal's clock."""
        return self.call(lambda rack: rack.clock.now())

    def last_response(self, name: str) -> int | None:
        """The journal position of the BMC's latest answer; None where it has not answered yet."""
        return self.call(
            lambda rack: max((e.seq for e in rack.journal if e.kind is EventKind.RESPONSE and e.bmc == name), default=None)
        )

    # -- gates (ruling 8) ----------------------------------------------------------------------------------------------

    def forget_open_gate(self, name: str, system: str | None = None) -> None:
        """A gate that has opened stays open; afterwards the next gated command gets a new one."""
        self.call(lambda rack: rack.effects.forget_open_gate(rack.unit(name).system(system_id(rack, name, system))))

    def expect_reads(self, name: str, reads: int, system: str | None = None) -> None:
        """A closed gate opens when the power has been read so often from now on."""
        self.call(lambda rack: rack.effects.expect_reads(rack.unit(name).system(system_id(rack, name, system)), reads))

    def limit_gates(self, seconds: float) -> None:
        """From now on every gate opens at most `seconds` from now, if the power has been read twice by then."""

        def limit(rack: Rack) -> None:
            rack.effects.gates_open_by = rack.clock.now() + seconds

        self.call(limit)

    def let_fall(self, name: str, system: str | None = None, *, timeout_s: float) -> bool:
        """Opens the gate of a host without a client's look, and waits until its rail is down, at most `timeout_s` seconds.

        Returns at once where nothing is under way. Returns whether the rail is down at the end.
        """
        fell = threading.Event()

        def begin(rack: Rack) -> tuple[Host, bool]:
            unit = rack.unit(name)
            state = unit.system(system_id(rack, name, system))

            def watch(unit_name: str, system_id: str, host: Host) -> None:
                if (unit_name, system_id) == (name, state.id) and host.rail is Rail.DOWN:
                    fell.set()

            rack.listen(watch)
            rack.effects.open_gate(unit, state)
            return state.host, bool(state.timers)

        host, under_way = self.call(begin)
        return host.rail is Rail.DOWN or (under_way and self._wait_for(fell, timeout_s))

    def _wait_for(self, event: threading.Event, timeout_s: float) -> bool:
        """Waits for what happens in the emulator's thread; whether it has happened."""
        return event.wait(timeout_s)

    # -- BMCs ----------------------------------------------------------------------------------------------------------

    def status(self, name: str) -> BmcStatus:
        """How a BMC and its hosts are, and what the BMC says. Raises NoSuchUnit."""
        return self.call(lambda rack: status_of(rack, rack.unit(name)))

    def statuses(self, offset: int, limit: int) -> tuple[BmcStatus, ...]:
        """The same for at most `limit` BMCs, in their order, from number `offset` on."""
        return self.call(lambda rack: tuple(status_of(rack, u) for u in islice(rack.units.values(), offset, offset + limit)))

    def mute(self, name: str) -> None:
        """The network swallows everything that is sent to the BMC: arms `wire.blackhole`, once. Raises NoSuchUnit."""

        def mute_it(rack: Rack) -> None:
            unit = rack.unit(name)
            if not any(arming.armed.fault.name == MUTE for arming in unit.faults.standing(Seam.PORT, rack.now)):
                rack.arm(name, Armed(fault=make_fault(MUTE), must_fire=False))

        self.call(mute_it)

    def unmute(self, name: str) -> None:
        """Takes every `wire.blackhole` of the BMC away. Raises NoSuchUnit."""

        def unmute_it(rack: Rack) -> None:
            for arming in rack.unit(name).faults.armings:
                if arming.armed.fault.name == MUTE:
                    rack.faults.disarm(arming.id)

        self.call(unmute_it)

    # -- hosts ---------------------------------------------------------------------------------------------------------

    def power(self, name: str, action: PowerAction, system: str | None = None, *, as_profile: bool = False) -> None:
        """What a person does at the machine. No client has commanded it.

        `on`, `off`: the rail moves at once, and the BMC's views follow as late as the profile says. `press`: a short press of the
        button. `unplug`: the BMC is dark too. `plug`: the BMC answers within 5 s, or with `as_profile` after the vendor's time,
        and its hosts follow their restore policy. `boot`, `hang`, `crash`: the operating system.
        A PDU has outlets for systems, which can be switched `on` and `off`; `unplug` and `plug` are the cord of the PDU itself.
        Raises NoSuchUnit, NoSuchSystem, and ActionRefused where it cannot happen to the host as it is.
        """
        self.call(lambda rack: check_by_hand(rack.unit(name), action, system))
        match action:
            case PowerAction.UNPLUG:
                self.mains_lost(name)
            case PowerAction.PLUG:
                self.call(lambda rack: rack.mains_back(name, None if as_profile else PLUG_OUTAGE_S))
            case PowerAction.HANG:
                host = self.host(name, system)
                if host.rail is not Rail.UP or host.os is Os.STOPPED:
                    raise ActionRefused(f"no operating system runs on {name}: it cannot hang")
                self.hang(name, system)
            case _:
                self.call(lambda rack: rack.by_hand(name, system_id(rack, name, system), action))

    @abstractmethod
    def hang(self, name: str, system: str | None = None) -> None:
        """The host's operating system stops answering polite requests and goes on writing."""

    def host(self, name: str, system: str | None = None) -> Host:
        """The truth about a host."""
        return self.call(lambda rack: rack.unit(name).system(system_id(rack, name, system)).host)

    def cut(self, name: str, system: str | None = None) -> None:
        """The host loses power by itself; no command was sent."""
        self.call(lambda rack: rack.cut(name, system_id(rack, name, system)))

    # -- input power ---------------------------------------------------------------------------------------------------

    def mains_lost(self, name: str) -> None:
        """The input power of a BMC and of all its hosts fails: the rails fall and the BMC is dark. Raises NoSuchUnit."""
        self.call(lambda rack: rack.mains_lost(name))

    def mains_back(self, name: str, *, restore_after_reads: int | None = None) -> None:
        """The input power returns: the BMC starts, and then its hosts follow their restore policy. Raises NoSuchUnit.

        With `restore_after_reads` the BMC answers normally at once, not after the times of its profile, and its hosts get power
        behind a gate: when their power state has been read so often (ruling 8).
        """
        if restore_after_reads is None:
            self.call(lambda rack: rack.mains_back(name))
        else:
            self.call(lambda rack: rack.mains_back_at_once(name, restore_after_reads))

    def set_restore_policy(self, name: str, policy: RestorePolicy) -> None:
        """What the hosts of a BMC do when their input power returns. Raises NoSuchUnit."""

        def set_it(rack: Rack) -> None:
            view = BmcView(rack, name)
            for system in view.system_ids():
                view.chassis.set_restore_policy(policy, system)

        self.call(set_it)


def _named(profile: Profile, fault: str) -> Armed:
    from emulator.faults.model import named_fault  # pydantic costs 100 ms: only those pay who use it

    return named_fault(profile, fault)


def check_armable(armed: Armed, profile: Profile) -> None:
    """Raises RackMisconfigured for a fault that its seam cannot use, or that names a reply that the profile does not have."""
    fault = armed.fault
    asked = ASKED_OF.get(fault.seam)
    if asked is not None and not isinstance(fault, asked):
        lacks = " or ".join(each.__name__ for each in asked)
        raise RackMisconfigured(f"{fault.name} is no fault of the seam {fault.seam}: it lacks something of {lacks}")
    reply = getattr(fault, "reply", None)
    if isinstance(reply, str) and reply not in profile.replies:
        raise RackMisconfigured(
            f"{fault.name}: the profile {profile.id} has no reply {reply!r}; it has {listed(profile.replies)}"
        )


def system_id(rack: Rack, name: str, system: str | None) -> str:
    return system if system is not None else rack.unit(name).first().id
