"""The composition root: a rack, its front ends and its wire, in one thread of its own.

    with Emulator([UnitSpec(name="node1", profile=load("dell-idrac9"))]) as emulator:
        print(emulator.endpoints["node1"].redfish_url)

Only this module sees all the rooms. Whatever touches the rack runs in the reactor's thread: `call` is the way in.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TextIO, TypeVar

from emulator.backends.container import ContainerHosts, DockerHost, Engine, LabAction
from emulator.backends.process import ProcessHost, ProcessHosts
from emulator.core.bmc.view import BmcView
from emulator.core.errors import RackMisconfigured
from emulator.core.faults.board import Armed, Arming
from emulator.core.faults.fault import Seam
from emulator.core.journal import Datum, Event, EventKind, Journal
from emulator.core.rack import Rack, UnitSpec
from emulator.core.truth.host import Host, News
from emulator.core.truth.virtual_hosts import VirtualHosts
from emulator.core.vocab import Rail
from emulator.endpoints import Endpoint, Endpoints, SystemRef
from emulator.faults.wire import WireFault
from emulator.fleet import Fleet
from emulator.frontends import FrontEnds, Place
from emulator.tokens import session_token
from emulator.wire.ports import before_port
from emulator.wire.reactor import Reactor
from emulator.wire.wallclock import WallClock
from profiles.model import ABSENT

T = TypeVar("T")
_log = logging.getLogger("fencelab.journal")


class Emulator:
    """Emulated BMCs on real sockets; a context manager, to be entered once."""

    def __init__(
        self,
        units: Sequence[UnitSpec],
        *,
        seed: int = 0,
        listen: str = "127.0.0.1",
        redfish_port: int = 0,
        ipmi_port: int = 0,
        http_port: int | None = None,
        places: Mapping[str, Place] | None = None,
        fleet: Fleet | None = None,
        tls: bool = True,
        refuse: frozenset[str] = frozenset(),
        event_hosts: frozenset[str] = frozenset(),
        processes: Mapping[str, ProcessHost] | None = None,
        containers: Mapping[str, DockerHost] | None = None,
        docker_url: str | None = None,
        journal_path: Path | None = None,
        journal_capacity: int = 200_000,
        on_journal_lost: Callable[[OSError], object] | None = None,
    ) -> None:
        """Ports: 0 takes free ones, else BMC n gets port + n; or `places` for each. Nothing listens for the BMCs in `refuse`.
        Plain HTTP at `http_port` leads to HTTPS where the vendor does so; None leaves it out.

        Redfish events are delivered to loopback addresses and to `event_hosts`, nowhere else.

        With a `fleet` every BMC has an address of its own instead of `listen`, and all have the same IPMI port, and the same
        Redfish port if one is given; nobody can be in `refuse` then (ValueError).

        `processes` and `containers` map a host's name to what it really is; all other hosts are virtual.
        Raises CannotBind where a port is taken, RackMisconfigured where a fleet has no room, NotOurs where a container lacks the
        lab's label, OSError where the journal cannot be written. Where that happens only later (a full disk), the file ends
        there, the BMCs go on, and `on_journal_lost` is called once, in the emulator's thread.
        """
        if fleet is not None and refuse:
            raise ValueError("the one IPMI socket of a fleet cannot refuse for some of its BMCs")
        self._units = tuple(units)
        self._seed = seed
        self._fleet = fleet
        if fleet is not None and units:
            fleet.address(len(units) - 1)  # says at once that there is no room
        self._places: Iterable[Place] = (
            [places[unit.name] for unit in units]
            if places
            else _places(len(units), fleet, listen, redfish_port, ipmi_port, http_port)
        )
        self._tls = tls
        self._refuse = refuse
        self._event_hosts = event_hosts
        self._processes = dict(processes or {})
        self._containers = dict(containers or {})
        self._docker_url = docker_url
        self._journal_path = journal_path
        self._capacity = journal_capacity
        self.on_journal_lost = on_journal_lost or _say_lost
        self._spill: TextIO | None = None
        self._room: ProcessHosts | None = None
        self._fronts: FrontEnds | None = None
        self._docker_room: ContainerHosts | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._entered = False
        self.endpoints: Mapping[str, Endpoint] = {}

    # -- life ----------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Emulator:
        """Raises RuntimeError if it ran already."""
        if self._entered:
            raise RuntimeError("an emulator runs once; make another one")
        self._entered = True
        self._clock = WallClock()
        self.reactor = Reactor(self._clock)
        try:
            self._put_together()
            self.reactor.start()
        except BaseException:
            self.close()
            raise
        return self

    def _put_together(self) -> None:
        if self._journal_path is not None:
            descriptor = os.open(self._journal_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            self._spill = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8")
        self.journal = Journal(self._clock, self._capacity, self._write_line if self._spill else None)
        self.rack = Rack(
            self._units,
            clock=self._clock,
            journal=self.journal,
            dice=random.Random(self._seed),
            make_token=session_token,
            seed=self._seed,
            epoch=time.time() - self._clock.now(),
        )
        self.reactor.drive(self.rack.next_due, self.rack.advance)
        self._directory = tempfile.TemporaryDirectory(prefix="fencelab-")
        self._settle_hosts()
        self._fronts = fronts = FrontEnds(
            self.rack,
            self.reactor,
            places=self._places,
            tls=self._tls,
            refuse=self._refuse,
            event_hosts=self._event_hosts,
            directory=Path(self._directory.name),
            fleet=self._fleet,
        )
        self._own_passwords = {unit.name: unit.password for unit in self._units if unit.password is not None}
        self._units = ()  # the rack has them now
        self.endpoints = Endpoints(self.rack.units, partial(self._endpoint, fronts))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stops everything; safe to call twice."""
        if self._room is not None:
            self._room.close()
            self._room = None
        if self._fronts is not None:
            self._fronts.close()
            self._fronts = None
        if self._docker_room is not None:
            self._docker_room.close()
            self._docker_room = None
        self.reactor.stop()
        self._end_spill()
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def _write_line(self, line: str) -> None:
        if self._spill is None:
            return
        try:
            self._spill.write(line + "\n")
        except OSError as error:
            self._end_spill()
            if not self.endpoints:
                raise  # still being put together: whoever asked for a journal hears that there is none
            self.on_journal_lost(error)

    def _end_spill(self) -> None:
        if self._spill is not None:
            with contextlib.suppress(OSError):  # what could not be written before cannot be written now
                self._spill.close()
            self._spill = None

    def _settle_hosts(self) -> None:
        self.rack.hold_all(VirtualHosts(self.rack))
        processes: dict[tuple[str, str], ProcessHost] = {}
        containers: dict[tuple[str, str], DockerHost] = {}
        for unit in self.rack.units.values():
            for system in unit.systems:
                key, name = (unit.name, system.id), system.host_name
                if name in self._processes:
                    processes[key] = self._processes[name]
                elif name in self._containers:
                    containers[key] = self._containers[name]
        self._room = ProcessHosts(processes, self._tell_from_anywhere)
        for key in processes:
            self.rack.hold(*key, self._room)
            if self.rack.unit(key[0]).system(key[1]).host.rail is Rail.UP:
                self._room.switch_on(*key)
        if containers:
            self._settle_containers(containers)

    def _settle_containers(self, hosts: Mapping[tuple[str, str], DockerHost]) -> None:
        from emulator.backends.docker import DockerEngine  # the SDK costs 160 ms: only those pay who use it

        for key in hosts:
            self.rack.news(*key, News.OUT_OF_SIGHT)  # until the engine has said what they are

        def connect() -> Engine:
            return DockerEngine(self._docker_url)

        self._docker_room = ContainerHosts(hosts, self._tell_from_anywhere, connect)
        for key in hosts:
            self.rack.hold(*key, self._docker_room)

    def _tell_from_anywhere(self, unit: str, system: str, news: News, cause: int | None) -> None:
        def tell() -> None:
            self.rack.advance()
            self.rack.news(unit, system, news, cause)

        self.reactor.post(tell)

    def _endpoint(self, fronts: FrontEnds, name: str) -> Endpoint:
        view, address = BmcView(self.rack, name), fronts.address(name)
        account, own_password = view.profile.auth.accounts[0], self._own_passwords.get(name)
        scheme = "https" if self._tls else "http"
        return Endpoint(
            name=name,
            profile=view.profile.id,
            host=address.host,
            redfish_port=address.redfish_port,
            redfish_url=f"{scheme}://{before_port(address.host)}:{address.redfish_port}",
            ipmi_host=address.host,
            ipmi_port=address.ipmi_port,
            username=account.name,
            password=account.password if own_password is None else own_password,
            password_is_default=own_password is None,
            systems=tuple(
                SystemRef(f"/redfish/v1/Systems/{s.id}", s.id, "" if s.uuid == ABSENT else s.uuid) for s in view.systems()
            ),
            ca_file=str(address.ca_file),
            http_port=address.http_port,
        )

    # -- from other threads --------------------------------------------------------------------------------------------

    def call(self, function: Callable[[Rack], T]) -> T:
        """Runs `function(rack)` in the emulator's thread and returns what it returns."""

        def inside() -> T:
            self.rack.advance()
            return function(self.rack)

        return self.reactor.call(inside)

    def arm(self, name: str, *faults: Armed) -> None:
        """Raises RackMisconfigured for a fault that lacks what its seam asks of it; those before it are armed then."""

        def arm_all(rack: Rack) -> None:
            for armed in faults:
                if armed.fault.seam is Seam.WIRE and not isinstance(armed.fault, WireFault):
                    raise RackMisconfigured(f"{armed.fault.name} is no fault of the seam wire: it lacks something of WireFault")
                rack.arm(name, armed)

        self.call(arm_all)

    def faults(self, name: str) -> tuple[Arming, ...]:
        """What is armed on a BMC, in the order of arming, and how often each has fired up to now."""
        return self.call(lambda rack: tuple(replace(arming) for arming in rack.unit(name).faults.armings))

    def unfired(self, name: str) -> tuple[Armed, ...]:
        """Faults that had to fire and did not (ruling 6)."""
        return self.call(lambda rack: rack.unit(name).faults.unfired())

    def record(self, name: str, kind: EventKind, cause: int | None = None, **data: Datum) -> int:
        """Stamps an event of the caller's into the journal, in order with everything else."""
        return self.call(lambda rack: rack.journal.record(name, kind, cause, **data))

    def events(self) -> tuple[Event, ...]:
        """All events up to now."""
        return self.call(lambda rack: tuple(rack.journal))

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
        self.call(lambda rack: rack.effects.forget_open_gate(rack.unit(name).system(_system_id(rack, name, system))))

    def let_fall(self, name: str, system: str | None = None, *, timeout_s: float) -> bool:
        """Opens the gate of a host without a client's look, and waits until its rail is down, at most `timeout_s` seconds.

        Returns at once where nothing is under way. Returns whether the rail is down at the end.
        """
        fell = threading.Event()

        def begin(rack: Rack) -> tuple[Host, bool]:
            unit = rack.unit(name)
            state = unit.system(_system_id(rack, name, system))

            def watch(unit_name: str, system_id: str, host: Host) -> None:
                if (unit_name, system_id) == (name, state.id) and host.rail is Rail.DOWN:
                    fell.set()

            rack.listen(watch)
            rack.effects.open_gate(unit, state)
            return state.host, bool(state.timers)

        host, under_way = self.call(begin)
        return host.rail is Rail.DOWN or (under_way and fell.wait(timeout_s))

    # -- hosts ---------------------------------------------------------------------------------------------------------

    def host(self, name: str, system: str | None = None) -> Host:
        """The truth about a host."""
        return self.call(lambda rack: rack.unit(name).system(_system_id(rack, name, system)).host)

    def cut(self, name: str, system: str | None = None) -> None:
        """The host loses power by itself; no command was sent."""
        self.call(lambda rack: rack.cut(name, _system_id(rack, name, system)))

    def hang(self, name: str, system: str | None = None) -> None:
        """The host's operating system stops answering polite requests and goes on writing; a container is frozen altogether."""

        def hang_it(rack: Rack) -> None:
            key = name, _system_id(rack, name, system)
            if self._docker_room is not None and rack.unit(name).system(key[1]).host_name in self._containers:
                self._docker_room.lab(*key, LabAction.HANG)
            else:
                rack.news(*key, News.OS_HUNG)

        self.call(hang_it)


def _places(
    count: int, fleet: Fleet | None, listen: str, redfish_port: int, ipmi_port: int, http_port: int | None
) -> Iterator[Place]:
    for n in range(count):
        if fleet is not None:
            yield Place(listen=fleet.address(n), redfish_port=redfish_port, ipmi_port=ipmi_port, http_port=http_port)
        else:
            yield Place(
                listen=listen,
                redfish_port=redfish_port and redfish_port + n,
                ipmi_port=ipmi_port and ipmi_port + n,
                http_port=http_port and http_port + n,
            )


def _say_lost(error: OSError) -> None:
    _log.error("the journal file ends here: %s", error.strerror)


def _system_id(rack: Rack, name: str, system: str | None) -> str:
    return system if system is not None else rack.unit(name).first().id
