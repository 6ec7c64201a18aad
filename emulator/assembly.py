"""The composition root: a rack, its front ends and its wire, in one thread of its own.

    with Emulator([UnitSpec(name="node1", profile=load("dell-idrac9"))]) as emulator:
        print(emulator.endpoints["node1"].redfish_url)

Only this module sees all the rooms. Whatever touches the rack runs in the reactor's thread: `call` is the way in.
"""

from __future__ import annotations

import ipaddress
import logging
import random
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from emulator.backends.container import ContainerHosts, DockerHost, Engine, LabAction
from emulator.backends.process import ProcessHost, ProcessHosts
from emulator.clock_operations import ClockOperations
from emulator.core.bmc.view import BmcView
from emulator.core.errors import RackMisconfigured
from emulator.core.journal import Journal
from emulator.core.rack import Rack, UnitSpec
from emulator.core.truth.host import News
from emulator.core.truth.virtual_hosts import VirtualHosts
from emulator.core.vocab import Rail
from emulator.endpoints import Endpoint, Endpoints, SystemRef
from emulator.fleet import Fleet
from emulator.frontends import FrontEnds, Place
from emulator.journal_file import JournalFile
from emulator.operations import system_id
from emulator.redfish.service.paths import CHASSIS, system_path
from emulator.surroundings import Reusable, Surroundings, on_sockets
from emulator.wire.ports import before_port
from emulator.wire.reactor import ReactorStopped
from profiles.model import ABSENT

T = TypeVar("T")
_log = logging.getLogger("fencelab.journal")
NO_DOCKER_SDK = "hosts that are containers need the Docker SDK for Python: pip install 'fencelab[lab]'"


class Emulator(ClockOperations):
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
        latency: bool = False,
        event_hosts: frozenset[str] = frozenset(),
        processes: Mapping[str, ProcessHost] | None = None,
        containers: Mapping[str, DockerHost] | None = None,
        docker_url: str | None = None,
        journal_path: Path | None = None,
        journal_capacity: int = 200_000,
        on_journal_lost: Callable[[OSError], object] | None = None,
        reused: Reusable | None = None,
    ) -> None:
        """Ports: 0 takes free ones, else BMC n gets port + n; or `places` for each. Nothing listens for the BMCs in `refuse`.
        Plain HTTP at `http_port` leads to HTTPS where the vendor does so; None leaves it out.

        With `latency` every answer takes as long as the profile says in `timing.latency_ms`.

        Redfish events are delivered to loopback addresses and to `event_hosts`, nowhere else.
        With a `fleet` every BMC has an address of its own instead of `listen`, and all have the same IPMI port, and the same
        Redfish port if one is given; nobody can be in `refuse` then (ValueError).

        `reused` is what `reusable()` has made and other emulators use: their resource trees save half of the start. Certificates
        are made anew.

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
        self._latency = latency
        self._listen = listen
        self._event_hosts = event_hosts
        self._processes = dict(processes or {})
        self._containers = dict(containers or {})
        self._docker_url = docker_url
        self._journal_path = journal_path
        self._capacity = journal_capacity
        self.on_journal_lost = on_journal_lost or _say_lost
        self._reused = reused
        self._spill: JournalFile | None = None
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
        self._surroundings = self._make_surroundings()
        self._clock, self.reactor = self._surroundings.clock, self._surroundings.loop
        try:
            self._put_together()
            self.reactor.start()
        except BaseException:
            self.close()
            raise
        return self

    def _make_surroundings(self) -> Surroundings:
        """Time, network and chance: this is all in which a socketless emulator differs."""
        return on_sockets(self._reused)

    def _put_together(self) -> None:
        if self._journal_path is not None:
            self._spill = JournalFile(self._journal_path, self._journal_lost)
        self.journal = Journal(self._clock, self._capacity, self._spill.write if self._spill else None)
        self.rack = Rack(
            self._units,
            clock=self._clock,
            journal=self.journal,
            dice=random.Random(self._seed),
            make_token=self._surroundings.make_token,
            seed=self._seed,
            epoch=self._surroundings.epoch,
        )
        self._own_passwords = {unit.name: unit.password for unit in self._units if unit.password is not None}
        self._units = ()  # the rack has them now
        self.reactor.drive(self.rack.next_due, self.rack.advance)
        self._directory = tempfile.TemporaryDirectory(prefix="fencelab-")
        self._virtual = VirtualHosts(self.rack)
        self._settle_hosts()
        self._fronts = fronts = FrontEnds(
            self.rack,
            self._surroundings,
            places=self._places,
            tls=self._tls,
            refuse=self._refuse,
            event_hosts=self._event_hosts,
            directory=Path(self._directory.name),
            fleet=self._fleet,
            latency=self._latency,
        )
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
        if self._spill is not None:
            self._spill.close()
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def _journal_lost(self, error: OSError) -> None:
        if not self.endpoints:
            raise error  # still being put together: whoever asked for a journal hears that there is none
        self.on_journal_lost(error)

    def _settle_hosts(self) -> None:
        self.rack.hold_all(self._virtual)
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
        self.rack.feeds.settle()

    def _settle_containers(self, hosts: Mapping[tuple[str, str], DockerHost]) -> None:
        try:
            from emulator.backends.docker import DockerEngine  # the SDK costs 160 ms: only those pay who use it
        except ModuleNotFoundError as error:
            names = ", ".join(sorted(host.label for host in hosts.values()))
            raise RackMisconfigured(f"{names}: {NO_DOCKER_SDK}") from error

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
                SystemRef(
                    uri=system_path(view.profile, s.id),
                    id=s.id,
                    uuid="" if s.uuid == ABSENT else s.uuid,
                    chassis=f"{CHASSIS}/{s.chassis_id}",
                )
                for s in view.systems()
            ),
            ca_file=str(address.ca_file),
            http_port=address.http_port,
        )

    @property
    def seed(self) -> int:
        return self._seed

    @property
    def fleet_network(self) -> ipaddress.IPv4Network | None:
        """The network in which every BMC of a fleet has its address; None: this is no fleet."""
        return None if self._fleet is None else self._fleet.network

    # -- from other threads --------------------------------------------------------------------------------------------

    def call(self, function: Callable[[Rack], T]) -> T:
        """Runs `function(rack)` in the emulator's thread and returns what it returns."""

        def inside() -> T:
            self.rack.advance()
            return function(self.rack)

        return self.reactor.call(inside)

    def add(self, spec: UnitSpec, place: Place | None = None) -> Endpoint:
        """One more BMC with virtual hosts, on free ports of the address of all others unless `place` says where.

        Raises RackMisconfigured for a name that is or was in the rack, for what its profile cannot be, and in a fleet;
        CannotBind.
        """
        fronts, place = self._running(), place or Place(listen=self._listen)
        if self._fleet is not None:
            raise RackMisconfigured("a fleet's BMCs have their addresses from the start: none can be added")
        if spec.password is not None:
            self._own_passwords[spec.name] = spec.password

        def put_in(rack: Rack) -> None:
            rack.add(spec, self._virtual)
            try:
                fronts.open(spec.name, place)
            except BaseException:
                rack.remove(spec.name)
                raise

        self.call(put_in)
        return self.endpoints[spec.name]

    def remove(self, name: str) -> None:
        """A BMC goes: its ports close, its connections and sessions end, its hosts are gone.

        Raises NoSuchUnit, and RackMisconfigured in a fleet and for hosts that are processes or containers.
        """
        fronts = self._running()
        if self._fleet is not None:
            raise RackMisconfigured("a fleet's BMCs have their addresses from the start: none can be removed")

        def take_out(rack: Rack) -> None:
            if any(system.driver is not self._virtual for system in rack.unit(name).systems):
                raise RackMisconfigured(f"{name}: its hosts are real, and they would go on: stop the emulator instead")
            fronts.shut(name)  # first: nobody asks for a BMC that is not in the rack
            rack.remove(name)

        self.call(take_out)

    def responds(self, timeout_s: float) -> bool:
        """Whether the emulator's thread takes on work within so many seconds; False too where it has ended."""
        taken = threading.Event()
        try:
            self.reactor.post(taken.set)
            return taken.wait(timeout_s)
        except ReactorStopped:
            return False

    def _running(self) -> FrontEnds:
        if self._fronts is None:
            raise RuntimeError("the emulator does not run")
        return self._fronts

    def hang(self, name: str, system: str | None = None) -> None:
        """The host's operating system stops answering polite requests and goes on writing; a container is frozen altogether."""

        def hang_it(rack: Rack) -> None:
            key = name, system_id(rack, name, system)
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
