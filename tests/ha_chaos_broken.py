"""`fence-ha` with one rule taken out, for controls of `tests/ha_chaos.py`: python -m tests.ha_chaos_broken RULE run CONFIG ..."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

from fencer.ha import fence, fence_limiter, manager, proof, vm_executors
from fencer.ha.cli import main
from fencer.ha.observations import CommandReply, CommandResult
from fencer.ha.step_builder import StepBuilder

_ON_REPLY, _START_FAILED = fence.on_reply, vm_executors.StartFailed.__init__


def _accepted_is_off() -> None:
    def on_reply(builder: StepBuilder, observation: CommandReply) -> None:
        if observation.result is CommandResult.ACCEPTED:
            fence._commit(builder)
        else:
            _ON_REPLY(builder, observation)

    fence.on_reply = on_reply


def _no_limits() -> None:
    for hold in fence_limiter.LIMITS:
        fence_limiter.LIMITS[hold] = lambda view, record: False


def _a_lost_start_moves_on() -> None:
    def failed(self: vm_executors.StartFailed, text: str, *, nothing_started: bool) -> None:
        _START_FAILED(self, text, nothing_started=True)

    vm_executors.StartFailed.__init__ = failed  # type: ignore[method-assign]


def _nothing_is_ever_proved() -> None:
    proof.is_proved = lambda record, policy: False


def _store_ends_it() -> None:
    manager.Manager.run_round = manager.Manager._run_round  # type: ignore[method-assign]


def _vms_are_forgotten() -> None:
    """The host is Fenced, and its VMs are not released."""
    fence._release = lambda builder, fence_, how, words, **detail: setattr(
        builder, "record", replace(builder.record, fence=None, off_run=None, released=fence_.id)
    )


RULES: Mapping[str, Callable[[], None]] = {
    "accepted-is-off": _accepted_is_off,
    "no-limits": _no_limits,
    "a-lost-start-moves-on": _a_lost_start_moves_on,
    "nothing-is-ever-proved": _nothing_is_ever_proved,
    "the-store-ends-it": _store_ends_it,
    "vms-are-forgotten": _vms_are_forgotten,
}

if __name__ == "__main__":
    RULES[sys.argv.pop(1)]()
    main()
