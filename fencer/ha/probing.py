"""Asks for the probes of a manager when they are due: health and activity of its hosts, and the witness of the manager itself.

`Manager` calls it in its loop's thread; answers come back to that thread. Times are seconds of the store's clock.

Rules
  1. The start of each round is noted when its probes start: a round that had to wait is not old.
  2. One round of health probes per host, and one of the witness, at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from fencer.ha.clock import SharedClock
from fencer.ha.config import Config, FileProbe, HostPart
from fencer.ha.observations import Activity, Health, Observation
from fencer.ha.probes import AnyProbe, ProbeFinding


class Prober(Protocol):
    def ask(self, wanted: Sequence[AnyProbe], timeout: float, found: Callable[[ProbeFinding], None]) -> None:
        """Runs one round of probes. Calls `found` once, in any thread. Never waits."""
        ...


class Probing:
    """`post` runs a function in the loop's thread; `apply` passes an observation of a host to the rules there."""

    def __init__(
        self,
        config: Config,
        clock: SharedClock,
        prober: Prober,
        post: Callable[[Callable[[], None]], None],
        apply: Callable[[str, Observation], None],
    ) -> None:
        self._config, self._policy, self._clock = config, config.policy, clock
        self._prober, self._post, self._apply = prober, post, apply
        self._next_health: dict[str, float] = {}
        self._under_way: set[str] = set()
        self._next_witness = clock.now()
        self.witness_passed_at: float | None = None  # start of the last witness round that passed
        self.health_wanted_since: float | None = None  # `Health.wanted_since`

    def health(self, host: HostPart) -> None:
        """Starts a round of health probes, if it is due."""
        now = self._clock.now()
        if host.name in self._under_way or now < self._next_health.get(host.name, 0.0):
            return
        self._under_way.add(host.name)
        self._next_health[host.name] = now + self._policy.poll

        def found(finding: ProbeFinding) -> None:
            self._under_way.discard(host.name)
            observation = Health(passed=finding.answer, began=finding.began, wanted_since=self.health_wanted_since)
            self._apply(host.name, observation)

        self._submit(host.health, self._policy.health_timeout, found)
        heartbeats = [probe for probe in host.activity if isinstance(probe, FileProbe)]
        if heartbeats:  # a heartbeat is judged by change, so it must have been watched before a sample needs it
            self._prober.ask(heartbeats, self._policy.health_timeout, lambda _: None)

    def witness(self) -> None:
        """Starts a round of the manager's witness probes, if it is due: they say whether the manager itself is cut off."""
        now, probes = self._clock.now(), self._config.part.witness
        if not probes or now < self._next_witness:
            return
        self._next_witness = now + self._policy.poll + self._policy.health_timeout  # if this round does not end

        def found(finding: ProbeFinding) -> None:
            self._next_witness = now + self._policy.poll
            if finding.answer:
                self.witness_passed_at = finding.began

        self._submit(probes, self._policy.health_timeout, found)

    def activity(self, name: str, epoch: int, vms: int) -> None:
        """Starts an activity sample. `vms`: how many VMs the host has."""
        host = self._config.host(name)

        def found(finding: ProbeFinding) -> None:
            active, began, changed_at = finding.answer, finding.began, finding.changed_at
            self._apply(name, Activity(active=active, epoch=epoch, began=began, changed_at=changed_at, vms=vms))

        # Without activity probes the health probes are used: if all of them fail, the sample has no activity.
        self._submit(host.activity or host.health, self._policy.activity_timeout, found)

    def _submit(self, wanted: Sequence[AnyProbe], timeout: float, found: Callable[[ProbeFinding], None]) -> None:
        self._prober.ask(wanted, timeout, lambda finding: self._post(lambda: found(finding)))
