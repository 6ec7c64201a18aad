"""The page /metrics in Prometheus' text format 0.0.4. `routes` calls it with the views of the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from fencer.ha.api.progress import Progress
from fencer.ha.states import HAState, HostStatus
from fencer.ha.views import StoreView

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[Mapping[str, str], float]


def page(hosts: Sequence[StoreView], vms: Sequence[StoreView], progress: Progress) -> bytes:
    return "".join(_lines(hosts, vms, progress)).encode()


def _lines(hosts: Sequence[StoreView], vms: Sequence[StoreView], progress: Progress) -> Iterator[str]:
    named = [({"host": str(row["host"])}, row) for row in hosts]
    yield from _metric(
        "fence_ha_host_state", "gauge", "1 for the state that the host is in.",
        (({**label, "state": str(state)}, float(row["state"] == state)) for label, row in named for state in HAState),
    )  # fmt: skip
    yield from _metric(
        "fence_ha_host_status", "gauge", "1 for the status that the rest of a cloud sees: Up, Disconnected or Down.",
        (({**label, "status": str(s)}, float(row["host_status"] == s)) for label, row in named for s in HostStatus),
    )  # fmt: skip
    yield from _metric(
        "fence_ha_host_owned", "gauge", "1 if a manager has the host's lease.",
        ((label, float(row["owner"] is not None)) for label, row in named),
    )  # fmt: skip
    yield from _metric(
        "fence_ha_host_healthy", "gauge", "1 if the last health check passed; no sample if nobody knows.",
        ((label, float(row["healthy"] is True)) for label, row in named if isinstance(row.get("healthy"), bool)),
    )  # fmt: skip
    yield from _metric(
        "fence_ha_fence_open", "gauge", "1 while a fence of the host is open.",
        ((label, float(row["phase"] is not None)) for label, row in named),
    )  # fmt: skip
    yield from _metric(
        "fence_ha_fence_failed_attempts", "gauge", "Failed attempts of the fence that is open.",
        ((label, _number(row["attempts"])) for label, row in named),
    )  # fmt: skip
    yield from _metric(
        "fence_ha_fence_level", "gauge", "1 for each device of the level of the open fence, or that fenced the host.",
        (
            ({**label, "level": str(row["level"]), "device": str(device)}, 1.0)
            for label, row in named
            for device in (row["devices"] if isinstance(row["devices"], list) else ())
        ),
    )  # fmt: skip
    yield from _metric(
        "fence_ha_host_vms", "gauge", "VMs assigned to the host.",
        ((label, float(len(row["vms"])) if isinstance(row["vms"], list) else 0.0) for label, row in named),
    )  # fmt: skip
    yield from _metric(
        "fence_ha_vms_without_host", "gauge", "VMs that wait for a host.", [({}, float(sum(vm["host"] is None for vm in vms)))]
    )
    yield from _metric(
        "fence_ha_events_total", "counter", "Events that this process has printed, by kind and name.",
        (({"kind": kind, "name": name}, float(count)) for (kind, name), count in sorted(progress.events().items())),
    )  # fmt: skip
    yield from _metric("fence_ha_rounds_total", "counter", "Rounds of the manager's loop.", [({}, float(progress.rounds))])
    yield from _metric(
        "fence_ha_seconds_since_round", "gauge", "Seconds since the loop's last round.", [({}, progress.since_last_round)]
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _metric(name: str, kind: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(word)}"' for key, word in labels.items())
        yield f"{name}{'{' + inside + '}' if inside else ''} {value:g}\n"


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
