"""Runs the probes of a manager in worker threads: health and activity of its hosts, and the witness of the manager itself.

`Manager` calls it in its loop's thread; answers come back to that thread. Times are seconds of the store's clock.

Rules
  1. The start of each round is noted by the thread that runs it, when it runs it: a round that waited for a thread is not old.
  2. One round of health probes per host, and one of the witness, at a time.
"""

from __future__ import annotations

from collections.abc import Callable

from fencer.ha.clock import SharedClock
from fencer.ha.config import Config, HostPart
from fencer.ha.observations import Activity, Health, Observation
from fencer.ha.probes import AnyProbe
from fencer.ha.workers import Workers

RunProbes = Callable[[list[AnyProbe], float], bool | None]
ProbeFinding = tuple[float, bool | None]


class Probing:
    """`post` runs a function in the loop's thread; `apply` passes an observation of a host to the rules there."""

    def __init__(
        self,
        config: Config,
        clock: SharedClock,
        run_probes: RunProbes,
        workers: Workers,
        post: Callable[[Callable[[], None]], None],
        apply: Callable[[str, Observation], None],
    ) -> None:
        self._config, self._policy, self._clock = config, config.policy, clock
        self._run_probes, self._workers, self._post, self._apply = run_probes, workers, post, apply
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

        def found(began: float | None, passed: bool | None) -> None:
            self._under_way.discard(host.name)
            self._apply(host.name, Health(passed=passed, began=began, wanted_since=self.health_wanted_since))

        self._submit(host.health, self._policy.health_timeout, found)

    def witness(self) -> None:
        """Starts a round of the manager's witness probes, if it is due: they say whether the manager itself is cut off."""
        now, probes = self._clock.now(), self._config.part.witness
        if not probes or now < self._next_witness:
            return
        self._next_witness = now + self._policy.poll + self._policy.health_timeout  # if this round does not end

        def found(began: float | None, passed: bool | None) -> None:
            self._next_witness = now + self._policy.poll
            if passed:
                self.witness_passed_at = began

        self._submit(probes, self._policy.health_timeout, found)

    def activity(self, name: str, epoch: int, vms: int) -> None:
        """Starts an activity sample. `vms`: how many VMs the host has."""
        host = self._config.host(name)

        def found(began: float | None, active: bool | None) -> None:
            self._apply(name, Activity(active=active, epoch=epoch, began=began, vms=vms))

        # Without activity probes the health probes are used: if all of them fail, the sample has no activity.
        self._submit(host.activity or host.health, self._policy.activity_timeout, found)

    def _submit(self, probes: list[AnyProbe], timeout: float, found: Callable[[float | None, bool | None], None]) -> None:
        def work() -> ProbeFinding:
            return self._clock.now(), self._run_probes(list(probes), timeout)

        def done(got: ProbeFinding | None, error: BaseException | None) -> None:
            began, answer = got or (None, None)
            self._post(lambda: found(began, answer))

        self._workers.submit("probe", work, done)
