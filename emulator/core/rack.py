"""The rack: BMCs, their hosts, pending timers, and the journal. It connects the parts of the core.

The wire loop, the views of the front ends, host drivers and tests call it, all in the emulator's one thread. Times are in seconds
on the rack's clock.

Rules
  1. Every request, news of a host or timer starts with `advance(now)`, so a rack works under any single-threaded server
     (ruling 14).
  2. The rack never changes a rail by itself. It gives an order to the host's driver, and the truth changes when the driver
     reports what happened (`news`).
  3. All randomness comes from the generator that the caller passes in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from emulator.core.bmc.accounts import Accounts
from emulator.core.bmc.alarms import Alarms
from emulator.core.bmc.bmc_life import BmcLife
from emulator.core.bmc.bmc_log_writer import BmcLogWriter
from emulator.core.bmc.eventlog import LOG_LIMIT, EventLog, LogEntry, Overflow
from emulator.core.bmc.unit import Unit
from emulator.core.bmc.watchdogs import Watchdogs
from emulator.core.clock import Clock, Instant
from emulator.core.errors import NoSuchUnit, RackMisconfigured
from emulator.core.faults.board import Armed, FaultId
from emulator.core.faults.control import FaultControl
from emulator.core.faults.incidents import Incidents
from emulator.core.journal import EventKind, Journal
from emulator.core.naming import SerialNumbers, numbered
from emulator.core.power.by_hand import ByHand, PowerAction
from emulator.core.power.commands import Effects
from emulator.core.power.feeds import NO_FEEDS, Feeds
from emulator.core.power.system import SystemState
from emulator.core.timers import Timer, Timers
from emulator.core.truth.host import FirstTruth, Host, HostDriver, News, Order, host_off, host_on, transition
from emulator.core.vocab import Os
from profiles.model import Profile, Span, View


class Dice(Protocol):
    """The part of `random.Random` that the core uses."""

    def uniform(self, a: float, b: float) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSpec:
    """The state of a host when the rack is made."""

    power: str = "on"  # on | off
    hung: bool = False
    name: str | None = None  # defaults to the BMC's name

    def host(self) -> Host:
        if self.power == "off":
            return host_off()
        return replace(host_on(), os=Os.HUNG) if self.hung else host_on()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSpec:
    """The description of one BMC: its name, its profile, one host per system.

    With the profile of a PDU a system is an outlet, and its "host" says whether that is on at first; the first of `hosts` is that
    of all outlets where there are not as many as outlets.
    """

    name: str
    profile: Profile
    hosts: tuple[HostSpec, ...] = (HostSpec(),)
    password: str | None = None  # instead of the profile's public default of the first account
    os_shutdown_s: float | None = None  # seconds, instead of the profile's; for virtual hosts
    log_limit: int = LOG_LIMIT
    log_overflow: Overflow = Overflow.DROP_OLDEST
    feeds: Mapping[str, Sequence[str]] = field(default_factory=lambda: NO_FEEDS)  # of a PDU: the BMCs that each outlet feeds


class Rack:
    """All BMCs and hosts of one emulator.

    Raises RackMisconfigured for two BMCs of one name, or a BMC without a host.
    """

    def __init__(
        self,
        units: Sequence[UnitSpec],
        *,
        clock: Clock,
        journal: Journal,
        dice: Dice,
        make_token: Callable[[], str],
        seed: int = 0,
        epoch: float = 0.0,
    ) -> None:
        """`epoch` is the Unix time, in seconds, at which the clock was 0. Event logs show it; the journal never does."""
        self.clock = clock
        self.epoch = epoch
        self.journal = journal
        self.seed = seed
        self.make_token = make_token
        self._dice = dice
        self._timers = Timers()
        self._changing = False  # whether a timer or news is being carried out
        self._now: Instant = clock.now()
        self._listeners: list[Callable[[str, str, Host], None]] = []
        self.units: dict[str, Unit] = {}
        self.faults = FaultControl(self, self.units)
        self.effects = Effects(self)
        self.log_writer = BmcLogWriter(self, epoch)
        self.watchdogs = Watchdogs(self, self.log_writer)
        self.alarms = Alarms(self, self.log_writer)
        self.life = BmcLife(self, self.log_writer, self.watchdogs, self.alarms)
        self.incidents = Incidents(self, self.life)
        self._by_hand = ByHand(self, self.effects)
        self.feeds = Feeds(self.life, self.units)
        self.faults.on_change(self._fault_changed)
        self._gone: frozenset[str] = frozenset()
        self._serials = SerialNumbers(unit.profile for unit in units)
        self._added: list[Callable[[str], None]] = []
        self._removed: list[Callable[[str], None]] = []
        journal.record("", EventKind.RACK, seed=seed, profiles={u.profile.id: u.profile.digest for u in units})
        for spec in units:
            if spec.name in self.units:
                raise RackMisconfigured(f"two BMCs are called {spec.name!r}")
            self.units[spec.name] = self._build(spec)
        for spec in units:
            if spec.feeds:
                self.feeds.connect(spec.name, spec.feeds)

    # -- while it runs -------------------------------------------------------------------------------------------------

    def add(self, spec: UnitSpec, holder: HostDriver) -> None:
        """One more BMC, whose hosts are the holder's.

        Raises RackMisconfigured for a name that is or was in the rack (the journal knows BMCs by name, so each is used once), and
        where a listener cannot work with its profile; it is not in the rack then.
        """
        if spec.name in self.units or spec.name in self._gone:
            raise RackMisconfigured(f"a BMC is or was called {spec.name!r}: the journal needs another name")
        self.journal.record(spec.name, EventKind.UNIT, None, what="added", profile=spec.profile.id, digest=spec.profile.digest)
        self.units[spec.name] = unit = self._build(spec)
        for system in unit.systems:
            system.driver = holder
        try:
            for listener in self._added:
                listener(spec.name)
        except RackMisconfigured:
            self.remove(spec.name)
            raise

    def remove(self, name: str) -> None:
        """A BMC leaves the rack with its hosts; news of them that come later are ignored. Raises NoSuchUnit."""
        unit = self.unit(name)
        self.faults.forget(unit)
        for system in unit.systems:
            system.drop_timers()
        del self.units[name]
        self.feeds.forget(name)
        self._gone |= {name}
        for listener in self._removed:
            listener(name)
        self.journal.record(name, EventKind.UNIT, None, what="removed")

    def on_units(self, added: Callable[[str], None], removed: Callable[[str], None]) -> None:
        """Calls `added(name)` when a BMC has come into the rack, and `removed(name)` when one has left it."""
        self._added.append(added)
        self._removed.append(removed)

    # -- building ------------------------------------------------------------------------------------------------------

    def _build(self, spec: UnitSpec) -> Unit:
        if not spec.hosts:
            raise RackMisconfigured(f"{spec.name}: a BMC needs at least one host")
        profile = spec.profile
        hosts = spec.hosts
        if profile.feeder is not None and len(hosts) != len(profile.feeder.outlets):
            hosts = hosts[:1] * len(profile.feeder.outlets)
        systems = tuple(self._system(spec, n, host_spec) for n, host_spec in enumerate(hosts))
        shutdown = profile.timing.os_shutdown_s
        if spec.os_shutdown_s is not None:
            shutdown = Span(spec.os_shutdown_s, spec.os_shutdown_s)
        unit = Unit(
            name=spec.name,
            profile=profile,
            systems=systems,
            accounts=Accounts(profile.auth, spec.password),
            os_shutdown=shutdown,
            ipmi_lan=profile.ipmi.lan,
        )
        if (spec.log_limit, spec.log_overflow) != (LOG_LIMIT, Overflow.DROP_OLDEST):
            unit.log = EventLog(spec.log_limit, spec.log_overflow)
        return unit

    def _system(self, spec: UnitSpec, n: int, host_spec: HostSpec) -> SystemState:
        name = host_spec.name or (spec.name if len(spec.hosts) == 1 else f"{spec.name}.{n + 1}")
        ids, pdu, host = spec.profile.ids, spec.profile.feeder, host_spec.host()
        if pdu is not None:
            name = f"{spec.name}/{pdu.outlets[n]}"
        serial, draw = self._serials.of(spec.profile, f"{self.seed}/{spec.name}/{n}", n)
        system = SystemState(
            id=numbered(ids.system, n) if pdu is None else pdu.outlets[n],
            chassis_id=numbered(ids.chassis, n) if pdu is None else ids.chassis,
            number=n, host_name=name, host=host, serial=serial, draw=draw, since=self._now,
        )  # fmt: skip
        if pdu is not None:
            self.journal.record(spec.name, EventKind.OUTLET, system=system.id, rail=host.rail, was="initial")
        else:
            self.journal.append(spec.name, EventKind.RAIL, None, FirstTruth(system.id, name, host), at_once=True)
        return system

    def unit(self, name: str) -> Unit:
        """The BMC of that name. Raises NoSuchUnit."""
        try:
            return self.units[name]
        except KeyError:
            raise NoSuchUnit(f"the rack has no BMC {name!r}") from None

    def hold(self, unit: str, system: str, driver: HostDriver) -> None:
        """Orders for this host go to `driver` from now on."""
        self.unit(unit).system(system).driver = driver

    def hold_all(self, driver: HostDriver) -> None:
        """Orders for every host go to `driver` from now on."""
        for unit in self.units.values():
            for system in unit.systems:
                system.driver = driver

    def on_log(self, listener: Callable[[str, LogEntry], None]) -> None:
        """Calls `listener(unit, entry)` after every new log entry of any BMC, in the emulator's thread."""
        self.log_writer.listeners.append(listener)

    def listen(self, listener: Callable[[str, str, Host], None]) -> None:
        """Calls `listener(unit, system, host)` after every news of a host, in the emulator's thread."""
        self._listeners.append(listener)

    def arm(self, unit: str, armed: Armed) -> FaultId:
        """Arms a fault on a BMC. Raises RackMisconfigured for a fault that lacks a method of its seam's protocol."""
        return self.faults.arm(self.unit(unit), armed)

    def _fault_changed(self, name: str, fault_id: FaultId, disarmed: bool) -> None:
        if disarmed:
            self.effects.disarmed(self.unit(name), fault_id)

    # -- time ----------------------------------------------------------------------------------------------------------

    def next_due(self) -> Instant | None:
        """When the next timer is due; None where no timer is pending."""
        return self._timers.next_due()

    @property
    def now(self) -> Instant:
        """The instant up to which the rack has run its timers."""
        return self._now

    def advance(self, now: Instant | None = None) -> None:
        """Runs all timers that are due by `now` (default: the clock's time). Within a timer and within `news` it does nothing:
        one change is whole before the next one begins."""
        if self._changing:
            return
        now = self.clock.now() if now is None else now
        self._changing = True
        try:
            while (timer := self._timers.pop_due(now)) is not None:
                self._now = max(self._now, timer.due)
                timer.fire()
        finally:
            self._changing = False
        if now > self._now:
            self._now = now

    def after(self, seconds: float, do: Callable[[], None]) -> Timer:
        """Calls `do` in so many seconds, unless the timer is cancelled before."""
        return self._timers.at(self._now + seconds, do)

    def draw(self, span: Span) -> float:
        """A random number from the span; no randomness is used where the span has one value."""
        return span.low if span.low == span.high else self._dice.uniform(span.low, span.high)

    # -- orders and news -----------------------------------------------------------------------------------------------

    def order(
        self, unit: Unit, system: SystemState, order: Order, cause: int, says: Mapping[View, str | None] | None = None
    ) -> None:
        """Gives an order to the host's driver. `says` is what the BMC will say when the driver reports the change."""
        system.awaiting, system.awaiting_cause = says, cause
        assert system.driver is not None, f"nobody holds the host {system.host_name}"
        system.driver.perform(unit.name, system.id, order, cause)

    def cut(self, unit_name: str, system_id: str) -> None:
        """Cuts the host's power without any command of a client, as when its power supply fails."""
        unit = self.unit(unit_name)
        self.incidents.power_lost(unit, unit.system(system_id))

    def by_hand(self, unit_name: str, system_id: str, action: PowerAction) -> None:
        """Somebody switches a host, presses its button, or stops or boots its OS. Raises ActionRefused."""
        unit = self.unit(unit_name)
        self._by_hand.act(unit, unit.system(system_id), action)

    def mains_lost(self, unit_name: str) -> None:
        """The input power of a BMC and its hosts fails: the rails fall and the BMC answers nothing."""
        self.feeds.pull(self.unit(unit_name))

    def mains_back(self, unit_name: str, outage_at_most_s: float | None = None) -> None:
        """The input power returns: the BMC starts, and then its hosts follow their restore policy. With `outage_at_most_s` it
        answers normally after so many seconds at most, whatever its profile says. Raises ActionRefused where all of its outlets
        are off."""
        self.feeds.plug(self.unit(unit_name))
        self.life.mains_back(self.unit(unit_name), outage_at_most_s)

    def mains_back_at_once(self, unit_name: str, restore_after_reads: int) -> None:
        """The input power returns, the BMC answers at once, and its hosts follow their restore policy behind a gate.
        Raises ActionRefused where all of its outlets are off."""
        self.feeds.plug(self.unit(unit_name))
        self.life.mains_back_at_once(self.unit(unit_name), restore_after_reads)

    def news(self, unit_name: str, system_id: str, news: News, cause: int | None = None) -> None:
        """Records what happened to a host. Its driver calls this. `cause` is the order's `seq`; None: nobody ordered it.

        Raises IllegalStimulus, and changes nothing, where a host in this state cannot have such news.
        """
        if unit_name in self._gone:
            return
        was, self._changing = self._changing, True
        try:
            self._take_in(self.unit(unit_name), system_id, news, cause)
        finally:
            self._changing = was

    def _take_in(self, unit: Unit, system_id: str, news: News, cause: int | None) -> None:
        system = unit.system(system_id)
        before = system.host
        system.host = after = transition(before, news)
        if cause is None:
            cause = system.awaiting_cause
        seq = cause
        if unit.profile.feeder is not None:
            self._outlet_changed(unit, system, before, news, cause)
            return
        if after != before:
            system.awaiting_cause = None  # the order had its effect: it is not the cause of later news
            seq = self.journal.record(
                unit.name,
                EventKind.RAIL if after.rail is not before.rail else EventKind.OS,
                cause,
                system=system_id,
                host=system.host_name,
                rail=after.rail,
                os=after.os,
                incarnation=after.incarnation,
                was=news,
            )
            self.log_writer.host_changed(unit, system, news, before, seq)
            self.watchdogs.host_changed(unit, system, news)
            self.alarms.check(unit, system, seq)
            if after.rail is not before.rail:
                self.faults.saw(unit, system)
        self._report_after(unit, system, news, seq)
        for listener in self._listeners:
            listener(unit.name, system_id, after)

    def _outlet_changed(self, pdu: Unit, outlet: SystemState, before: Host, news: News, cause: int | None) -> None:
        after, seq = outlet.host, cause
        if after.rail is not before.rail:
            outlet.awaiting_cause = None
            seq = self.journal.record(pdu.name, EventKind.OUTLET, cause, system=outlet.id, rail=after.rail, was=news)
            self.faults.saw(pdu, outlet)
        self._report_after(pdu, outlet, news, seq)
        for listener in self._listeners:
            listener(pdu.name, outlet.id, after)
        if after.rail is not before.rail:
            self.feeds.outlet_changed(pdu, outlet, seq)

    def _report_after(self, unit: Unit, system: SystemState, news: News, seq: int | None) -> None:
        match news:
            case News.WENT_DOWN | News.CAME_UP:
                word = "Off" if news is News.WENT_DOWN else "On"
                says, system.awaiting = system.awaiting, None
                self.say(unit, system, says if says is not None else dict.fromkeys(View, word), seq)
                system.last_power_event = word
            case News.OUT_OF_SIGHT:
                system.awaiting = None  # nobody knows whether the order was carried out
                self.say(unit, system, dict.fromkeys(View), seq)
            case News.OS_WENT_DOWN:
                self.effects.follow_os_down(unit, system, seq)
            case _:
                pass

    def say(self, unit: Unit, system: SystemState, says: Mapping[View, str | None], cause: int | None) -> None:
        """Changes what the BMC says about a system's power, and journals the views whose word changed."""
        changed = {view.value: word for view, word in says.items() if system.says[view] != word}
        system.says = {**system.says, **says}
        if changed:
            self.journal.record(unit.name, EventKind.REPORT, cause, system=system.id, says=changed)
