"""What a store holds, as data: entries with versions, changes against these versions, and one snapshot of all entries.

`ledger` decides which changes are allowed; a store writes them. Times are seconds of the store's clock.

Rules
  1. Pure data. Field names are part of the format of every store; a field that is added later has a default.
  2. An entry is named by its kind and name. Its version is 1 when it is written first and increases by 1 with each write.
  3. A change names the version that it is based on (0: there is no such entry). If another version is current, the whole
     `Write` to which the change belongs is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from fencer.ha.effects import Detail, LineKind, TimelineLine
from fencer.ha.record import HostRecord
from fencer.ha.vm_record import VmPhase, VmRecord


class Kind(StrEnum):
    HOST = "host"
    MANAGER = "manager"
    VM = "vm"
    DRAIN = "drain"
    REQUEST = "request"
    RECONCILIATION = "reconciliation"


Key = tuple[Kind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerLease:
    """The lease of one manager on all hosts that name it as their owner.

    It is valid until `until`, and only within the boot that `boot` names: no manager outlives a boot. `pid` and
    `process_started` (clock ticks since boot, field 22 of /proc/<pid>/stat) identify its process on this machine.
    """

    owner: str
    until: float
    boot: str = ""
    pid: int = 0
    process_started: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """An operator wants the host empty: it takes no VM any more, and its VMs move to other hosts."""

    host: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRequest:
    """A request of an operator. `ok` is None until a manager has answered it."""

    id: int
    host: str
    what: str
    detail: dict[str, str]
    ok: bool | None = None
    answer: str | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """After a restore: the hosts of which nobody has said yet which VMs run on them. While there are any, no VM is started."""

    hosts: tuple[str, ...]
    since: float


Value = HostRecord | ManagerLease | VmRecord | Drain | OperatorRequest | Reconciliation

THE_RECONCILIATION: Key = (Kind.RECONCILIATION, "all")


def key_of(value: Value) -> Key:
    match value:
        case HostRecord():
            return Kind.HOST, value.host
        case ManagerLease():
            return Kind.MANAGER, value.owner
        case VmRecord():
            return Kind.VM, value.vm
        case Drain():
            return Kind.DRAIN, value.host
        case OperatorRequest():
            return Kind.REQUEST, str(value.id)
        case _:  # a Reconciliation; the type checker says so
            return THE_RECONCILIATION


@dataclass(frozen=True, slots=True)
class Put:
    """Writes `value`, if the entry has `version`."""

    value: Value
    version: int

    @property
    def key(self) -> Key:
        return key_of(self.value)


@dataclass(frozen=True, slots=True)
class Check:
    """Writes nothing; the entry must have `version`."""

    key: Key
    version: int


@dataclass(frozen=True, slots=True)
class Remove:
    """Removes the entry, if it has `version`."""

    key: Key
    version: int


Change = Put | Check | Remove


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLine:
    """A line of the timeline, with the host that it is about."""

    host: str
    line: TimelineLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Changes and timeline lines that are written together, or not at all. `at`: the time of the lines."""

    changes: tuple[Change, ...]
    lines: tuple[HostLine, ...] = ()
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One line of the timeline. `t`: seconds of the store's clock; `seq` increases with each line; 0: it is not stored."""

    seq: int
    t: float
    host: str
    kind: LineKind
    detail: dict[str, Detail]


@dataclass(frozen=True, slots=True)
class Entry:
    version: int
    value: Value


class Snapshot:
    """All entries of a store at one moment. One thread. The store updates it in place, with each `snapshot` and `commit`.

    Every question is answered from an index, so its cost does not grow with the number of hosts.
    """

    def __init__(self, store_id: str, boot: str = "") -> None:
        self.store_id, self.boot = store_id, boot
        self._entries: dict[Key, Entry] = {}
        self._groups: dict[tuple[str, ...], dict[str, None]] = {}
        self.newest_request = 0

    # -- for stores

    def set(self, key: Key, entry: Entry | None) -> None:
        """Replaces one entry; None removes it."""
        kind, name = key
        old = self._entries.pop(key, None)
        if old is not None:
            for group in _groups(old.value):
                self._groups[group].pop(name, None)
        if entry is not None:
            self._add(key, entry)
        if kind is Kind.MANAGER:
            for host in self._group("hosts of", name):
                self._show_lease((Kind.HOST, host))

    def _add(self, key: Key, entry: Entry) -> None:
        kind, name = key
        self._entries[key] = entry
        for group in _groups(entry.value):
            self._groups.setdefault(group, {})[name] = None
        if isinstance(entry.value, HostRecord):
            self._show_lease(key)
        if kind is Kind.REQUEST:
            self.newest_request = max(self.newest_request, int(name))

    def version(self, key: Key) -> int:
        entry = self._entries.get(key)
        return entry.version if entry else 0

    # -- hosts and managers

    @property
    def hosts(self) -> list[str]:
        """The names of all hosts that were ever registered, sorted."""
        return sorted(self._group("hosts"))

    def record(self, host: str) -> HostRecord:
        """The record, with the end of its owner's lease in `lease_until`. Raises KeyError for an unknown host."""
        record = self._entries[Kind.HOST, host].value
        assert isinstance(record, HostRecord)
        return record

    def _show_lease(self, key: Key) -> None:
        """Writes the end of the owner's lease into the record, once for each change, because records are asked for so often."""
        entry = self._entries[key]
        assert isinstance(entry.value, HostRecord)
        until = self.lease_until(entry.value.owner)
        if (entry.value.lease_until, entry.value.version) != (until, entry.version):
            self._entries[key] = Entry(entry.version, replace(entry.value, lease_until=until, version=entry.version))

    def lease(self, owner: str | None) -> ManagerLease | None:
        entry = self._entries.get((Kind.MANAGER, owner or ""))
        return entry.value if entry is not None and isinstance(entry.value, ManagerLease) else None

    def lease_until(self, owner: str | None) -> float:
        """The end of the owner's lease; 0 if it has none, or one of another boot."""
        lease = self.lease(owner)
        return lease.until if lease is not None and lease.boot == self.boot else 0.0

    def leases(self) -> list[ManagerLease]:
        return [lease for name in self._group("managers") if (lease := self.lease(name)) is not None]

    # -- VMs

    def vm(self, name: str) -> VmRecord | None:
        entry = self._entries.get((Kind.VM, name))
        return entry.value if entry is not None and isinstance(entry.value, VmRecord) else None

    def vms(self, *group: str) -> list[VmRecord]:
        """All VMs, by name; or those of one group: "open" (something is to be done), "kept apart", "of fence" and a fence id,
        and "on", "seen on", "wanted on" and "left on" with a host.
        """
        return [record for name in sorted(self._group("vms", *group)) if (record := self.vm(name)) is not None]

    def vms_on(self, host: str | None) -> list[str]:
        """The VMs that are bound to the host, sorted; for None those that wait for a host."""
        return sorted(self._group("vms", "on", host or ""))

    def placements(self) -> dict[str, str | None]:
        """The host of each VM; None if it waits for one."""
        return {record.vm: record.host for record in self.vms() if record.phase is not VmPhase.REMOVED}

    @property
    def hosts_with_vms(self) -> list[str]:
        """The hosts to which a VM is bound, whether they are registered or not."""
        return [
            group[2]
            for group, names in self._groups.items()
            if group[:2] == ("vms", "on") and len(group) == 3 and names and group[2]
        ]

    @property
    def drains(self) -> list[str]:
        """The hosts that an operator wants empty, sorted."""
        return sorted(self._group("drains"))

    @property
    def reconciliation(self) -> Reconciliation | None:
        """None unless VMs must be counted first, after a restore."""
        entry = self._entries.get(THE_RECONCILIATION)
        return entry.value if entry is not None and isinstance(entry.value, Reconciliation) else None

    # -- operators

    def request(self, number: int) -> OperatorRequest:
        """Raises KeyError if there is no such request, or no more."""
        entry = self._entries[Kind.REQUEST, str(number)]
        assert isinstance(entry.value, OperatorRequest)
        return entry.value

    def open_requests(self, host: str) -> list[OperatorRequest]:
        """The requests without an answer, oldest first."""
        return [self.request(number) for number in sorted(map(int, self._group("open requests", host)))]

    def answered_requests(self) -> list[OperatorRequest]:
        return [self.request(number) for number in sorted(map(int, self._group("answered requests")))]

    def _group(self, *group: str) -> dict[str, None]:
        return self._groups.get(group, {})


def _groups(value: Value) -> Iterator[tuple[str, ...]]:
    match value:
        case HostRecord():
            yield ("hosts",)
            yield ("hosts of", value.owner or "")
        case ManagerLease():
            yield ("managers",)
        case VmRecord():
            yield from _vm_groups(value)
        case Drain():
            yield ("drains",)
        case OperatorRequest():
            yield ("open requests", value.host) if value.ok is None else ("answered requests",)
        case _:  # a Reconciliation, which is alone
            return


def _vm_groups(record: VmRecord) -> Iterator[tuple[str, ...]]:
    yield ("vms",)
    if record.phase is not VmPhase.REMOVED:
        yield ("vms", "on", record.host or "")
    if record.phase in (VmPhase.WAITING, VmPhase.STARTING, VmPhase.STOPPING) or record.left:
        yield ("vms", "open")
    if record.seen_on:
        yield ("vms", "seen on", record.seen_on)
    if record.wanted:
        yield ("vms", "wanted on", record.wanted)
    if record.fence_id:
        yield ("vms", "of fence", record.fence_id)
    if record.spec and record.spec.apart:
        yield ("vms", "kept apart")
    for left in record.left:
        yield ("vms", "left on", left.host)
