"""`/metrics` in the text format of Prometheus (exposition format 0.0.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from emulator import BmcStatus


def metrics_text(
    statuses: Iterable[BmcStatus], last_seq: int, dropped: int, connections: int, refused: int, answers: dict[int, int]
) -> str:
    """`statuses` of all BMCs; the rest as `ServerCounts` and `JournalReader` count it."""
    presence: Counter[str] = Counter()
    rails: Counter[str] = Counter()
    outlets: Counter[str] = Counter()
    faults = 0
    for status in statuses:
        presence["muted" if status.muted else status.presence.value] += 1
        (outlets if status.kind != "bmc" else rails).update(system.rail.value for system in status.systems)
        faults += status.faults
    lines = [
        *_family("fencelab_bmcs", "gauge", "BMCs by whether they answer", _labelled("presence", presence)),
        *_family("fencelab_hosts", "gauge", "Hosts by their rail, the truth", _labelled("rail", rails)),
        *_family("fencelab_outlets", "gauge", "Outlets of PDUs by whether they are on, the truth", _labelled("rail", outlets)),
        *_family("fencelab_faults_armed", "gauge", "Faults that are armed", {"": faults}),
        *_family("fencelab_journal_events_total", "counter", "Events in the journal so far", {"": last_seq}),
        *_family("fencelab_journal_dropped_total", "counter", "Events that followers of the journal missed", {"": dropped}),
        *_family("fencelab_control_connections", "gauge", "Open connections to the control listener", {"": connections}),
        *_family("fencelab_control_refused_total", "counter", "Connections beyond the limit", {"": refused}),
        *_family(
            "fencelab_control_answers_total",
            "counter",
            "Answers of the control listener",
            _labelled("status", {str(status): count for status, count in sorted(answers.items())}),
        ),
    ]
    return "\n".join(lines) + "\n"


def _labelled(label: str, counts: dict[str, int]) -> dict[str, int]:
    return {f'{{{label}="{value}"}}': count for value, count in sorted(counts.items())}


def _family(name: str, kind: str, about: str, values: dict[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    for labels, value in values.items():
        yield f"{name}{labels} {value}"
