"""A store in memory, for the contract of stores and for tests of what uses them. Instances of one `SharedMemory` share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fencer.ha.entries import Entry, Key, Put, Remove, Snapshot, StoredEvent, Write
from fencer.ha.record import HostRecord
from fencer.ha.store import KEEP_EVENTS, Store


class SharedMemory:
    """`log`: every change of an entry, in order."""

    def __init__(self, store_id: str = "memory") -> None:
        self.store_id, self.time = store_id, 1000.0
        self.versions: dict[Key, int] = {}
        self.log: list[tuple[Key, Entry | None]] = []
        self.lines: list[StoredEvent] = []
        self.printed: set[int] = set()
        self.seq = 0


class MemoryStore(Store):
    def __init__(self, shared: SharedMemory) -> None:
        self.shared = shared
        self._snapshot, self._seen = Snapshot(shared.store_id), 0

    def now(self) -> float:
        return self.shared.time

    def snapshot(self) -> Snapshot:
        for key, entry in self.shared.log[self._seen :]:
            self._snapshot.set(key, entry)
        self._seen = len(self.shared.log)
        return self._snapshot

    def commit(self, writes: Sequence[Write]) -> list[bool]:
        done = [self._commit(write) for write in writes]
        self.snapshot()
        return done

    def _commit(self, write: Write) -> bool:
        if any(self.shared.versions.get(change.key, 0) != change.version for change in write.changes):
            return False
        for change in write.changes:
            if isinstance(change, Put):
                value, version = change.value, change.version + 1
                self.shared.versions[change.key] = version
                value = replace(value, version=version) if isinstance(value, HostRecord) else value
                self.shared.log.append((change.key, Entry(version, value)))
            elif isinstance(change, Remove):
                del self.shared.versions[change.key]
                self.shared.log.append((change.key, None))
        for said in write.lines:
            self.shared.seq += 1
            event = StoredEvent(
                seq=self.shared.seq, t=write.at, host=said.host, kind=said.line.kind, detail=dict(said.line.detail)
            )
            self.shared.lines = [*self.shared.lines, event][-KEEP_EVENTS:]
        return True

    def watch(self, seconds: float) -> bool:
        return self._seen != len(self.shared.log)

    def timeline(self, host: str | None = None, after: int = 0) -> list[StoredEvent]:
        return [line for line in self.shared.lines if line.seq > after and host in (None, line.host)]

    def unprinted(self, after: int = 0, most: int = 500) -> list[StoredEvent]:
        return [line for line in self.shared.lines if line.seq > after and line.seq not in self.shared.printed][:most]

    def mark_printed(self, seqs: Sequence[int]) -> None:
        self.shared.printed.update(seqs)

    def close(self) -> None:
        pass
