"""What a reader of the store sees of hosts and VMs, as plain data for `--json`, the HTTP API and the metrics.

`fence-ha status`, `hosts` and `vms` and the API's threads call it, each with a store of its own. Times are seconds of the
store's clock, which are seconds of Unix time.

Rules
  1. It only reads.
  2. The keys are documented in docs/ha.md and in the OpenAPI document; they do not change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from fencer.ha import remarks
from fencer.ha.config import Config
from fencer.ha.effects import AlertName
from fencer.ha.entries import StoredEvent
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState, host_status
from fencer.ha.store import Store
from fencer.ha.vm_record import VmPhase

StoreView = dict[str, object]

ALERTS_SHOWN = 20
EVIDENCE_KEYS = ("how", "level", "devices", "first_read_at", "last_read_at", "path", "word", "chassis_check", "who", "why")
"""What a FENCED alert says about its proof."""


class UnknownHost(Exception):
    """Nobody knows a host of this name; the text says which there are."""


def host_names(config: Config, store: Store) -> list[str]:
    """The hosts of the file in its order, then those that only the store knows (they were removed from the file)."""
    return list(dict.fromkeys((*config.host_names, *store.hosts())))


def require_host(config: Config, store: Store, name: str) -> None:
    """Raises UnknownHost unless the store knows the host. A host that only the file has is waiting for a manager."""
    if name in store.hosts():
        return
    if name in config.host_names:
        raise UnknownHost(f"no manager has taken {name} up yet: start fence-ha run with this file")
    raise UnknownHost(f"no host is called {name}; there are {', '.join(host_names(config, store)) or 'none'}")


def host_view(config: Config, store: Store, name: str) -> StoreView:
    """Everything that is known of one host. Raises UnknownHost."""
    require_host(config, store, name)
    return _view(config, store.load(name), store.now(), store.placements(), store.alerts(name, ALERTS_SHOWN))


def host_views(config: Config, store: Store) -> list[StoreView]:
    """One view for each host; a host of the file that no manager has taken up yet has the state None."""
    now, placements, known = store.now(), store.placements(), store.hosts()
    return [
        _view(config, store.load(name), now, placements, store.alerts(name, ALERTS_SHOWN)) if name in known else _unseen(name)
        for name in host_names(config, store)
    ]


def _unseen(name: str) -> StoreView:
    return {
        "host": name, "state": None, "host_status": None, "status": None, "owner": None, "epoch": 0, "in_file": True,
        "fence_id": None, "phase": None, "level": None, "devices": [], "levels": [],
        "attempts": 0, "healthy": None, "seen_healthy": False,
        "error": None, "fencing": "not checked", "remarks": [],
        "evidence": None, "alerts": [], "vms": [],
    }  # fmt: skip


def _view(
    config: Config, record: HostRecord, now: float, placements: Mapping[str, str | None], alerts: Sequence[StoredEvent]
) -> StoreView:
    fence, status = record.fence, str(host_status(record.state))
    at_level = record.state in (HAState.FENCING, HAState.FENCED)
    return {
        "host": record.host,
        "state": str(record.state),
        "host_status": status,
        "status": status,
        "owner": record.owner if record.lease_until > now else None,
        "epoch": record.epoch,
        "in_file": record.host in config.host_names,
        "healthy": record.healthy,
        "seen_healthy": record.seen_healthy,
        "fence_id": fence.id if fence else record.released,
        "phase": str(fence.phase) if fence else None,
        "level": record.level if at_level else None,
        "devices": list(record.asked_devices) if at_level else [],
        "levels": [list(devices) for devices in record.all_levels],
        "attempts": fence.attempts if fence else 0,
        "error": record.last_error.text if record.last_error else None,
        "fencing": remarks.fencing(record),
        "remarks": list(remarks.of(record)),
        "evidence": _evidence(record, alerts),
        "alerts": [alert_view(event) for event in alerts],
        "vms": [vm for vm, at in placements.items() if at == record.host],
    }


def level_text(row: StoreView) -> str:
    """`, level 2 of 2 (pdu1, pdu2)` for a host that has levels; else nothing."""
    levels, devices = row["levels"], row["devices"]
    if not isinstance(levels, list) or not isinstance(devices, list) or levels in ([], [["bmc"]]) or not devices:
        return ""
    return f", level {row['level']} of {len(levels)} ({', '.join(devices)})"


def alert_view(event: StoredEvent) -> StoreView:
    return {"t": round(event.t, 3), **{key: value for key, value in event.detail.items() if value is not None}}


def _evidence(record: HostRecord, alerts: Sequence[StoredEvent]) -> StoreView | None:
    """Why the host is Down, or what a fence that is open has seen so far; None without either."""
    if record.released is not None:
        for event in reversed(alerts):
            if event.detail.get("alert") == AlertName.FENCED and event.detail.get("fence_id") == record.released:
                return {key: event.detail[key] for key in EVIDENCE_KEYS if event.detail.get(key) is not None}
    run = record.off_run
    if run is None:
        return None
    level = {"level": record.level, "devices": list(run.devices)} if record.fence else {}
    return {
        "off_reads": run.count,
        "epoch": run.epoch,
        **level,
        "first": _known(asdict(run.first)),
        "last": _known(asdict(run.last)),
    }


def _known(fields: Mapping[str, object]) -> StoreView:
    return {key: value for key, value in fields.items() if value not in (None, "")}


def vm_views(store: Store) -> list[StoreView]:
    """One view for each VM: the only host on which it may run, and what is still to be done for it."""
    return [
        {
            "vm": record.vm,
            "host": record.host,
            "phase": str(record.phase),
            "boot": record.boot,
            "fence_id": record.fence_id,
            "may_have_started": record.maybe_started,
            "tries": record.tries,
            "retry_at": record.retry_at if record.tries else None,
            "reason": record.last_error or None,
            "missing_since": record.missing_since,
            "given_up": record.given_up,
            "seen_on": record.seen_on,
            "to_stop_on": [left.host for left in record.left],
        }
        for record in store.snapshot().vms()
        if record.phase is not VmPhase.REMOVED
    ]
