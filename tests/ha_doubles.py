"""Stand-ins for what a manager talks to: a clock that the test turns, workers that run when told to, BMCs and a VM executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fencer.device_check import DeviceCheck
from fencer.ha.bmc import CommandAnswer, CommandPermit
from fencer.ha.observations import CommandResult
from fencer.ha.vm_executors import AgentReport, ListFailed, StartFailed
from fencer.outcome import Power, Reading
from tests.ha_world import checked

T = TypeVar("T")


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time


class Bench:
    """Work that waits until `run` is called; `crash` forgets it, as a kill would."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, Callable[[], None]]] = []

    def submit(self, pool: str, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        def job() -> None:
            try:
                result = work()
            except (StartFailed, RuntimeError) as error:
                done(None, error)
            else:
                done(result, None)

        self.jobs.append((pool, job))

    def run(self, *pools: str) -> None:
        mine = [job for job in self.jobs if not pools or job[0] in pools]
        self.jobs = [job for job in self.jobs if job not in mine]
        for _, job in mine:
            job()


class FakeBmc:
    def __init__(self, word: str = "On") -> None:
        self.word, self.commands = word, 0
        self.error: Exception | None = None

    def read(self, timeout: float) -> Reading:
        if self.error:
            raise self.error
        power = {"On": Power.ON, "Off": Power.OFF}.get(self.word, Power.UNKNOWN)
        return Reading(power=power, word=self.word, at=0.0, path="redfish")

    def check(self, timeout: float) -> DeviceCheck:
        return checked(lambda: self.read(timeout))

    def off(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        assert permit()
        self.commands += 1
        self.word = "Off"
        return CommandAnswer(result=CommandResult.ACCEPTED)

    def reset(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        self.commands += 1
        return CommandAnswer(result=CommandResult.ACCEPTED)


class FakeExecutor:
    """A node agent that keeps its promise: two starts with one key are one start."""

    def __init__(self) -> None:
        self.running: dict[str, tuple[str, str]] = {}
        self.calls: list[tuple[str, str, str]] = []
        self.stops: list[tuple[str, str]] = []
        self.fail: StartFailed | None = None

    lists, names_boot = False, False

    def running(self, host: str, timeout: float) -> AgentReport:
        raise ListFailed("nobody asks")

    def start(self, vm: str, host: str, key: str, boot: str | None, timeout: float) -> None:
        if self.fail:
            raise self.fail
        self.calls.append((vm, host, key))
        assert self.running.get(vm, (host, key)) == (host, key) or self.running[vm][1] != key
        self.running[vm] = (host, key)

    def stop(self, vm: str, host: str, key: str, timeout: float) -> None:
        if self.fail:
            raise self.fail
        self.stops.append((vm, host))
