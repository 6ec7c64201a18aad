"""`bmc-emulator clock`: the emulator's time."""

from __future__ import annotations

from typing import Any

import click

from emulator.control.commands.common import as_json, control, instance, say, say_json


@click.group("clock", invoke_without_command=True)
@instance
@as_json
@click.pass_context
def clock(context: click.Context, instance: str | None, as_json: bool) -> None:
    """Show the emulator's clock, pause it, move it forward, or let it run faster.

    All delays of profiles and faults, and the time-outs of sessions and connections, run on this clock.
    """
    if context.invoked_subcommand is None:
        _change(instance, as_json)


@clock.command("pause")
@instance
@as_json
def pause(instance: str | None, as_json: bool) -> None:
    """Stop the clock: requests are answered, and nothing happens by itself."""
    _change(instance, as_json, paused=True)


@clock.command("resume")
@instance
@as_json
def resume(instance: str | None, as_json: bool) -> None:
    """Let a paused clock run again."""
    _change(instance, as_json, paused=False)


@clock.command("step")
@click.argument("seconds", type=click.FloatRange(0, 86_400))
@instance
@as_json
def step(seconds: float, instance: str | None, as_json: bool) -> None:
    """Move the clock forward: all that is due on the way happens at once."""
    _change(instance, as_json, step_s=seconds)


@clock.command("rate")
@click.argument("rate", type=click.FloatRange(0.001, 1000))
@instance
@as_json
def rate(rate: float, instance: str | None, as_json: bool) -> None:
    """How many seconds pass in a real one."""
    _change(instance, as_json, rate=rate)


def _change(instance: str | None, as_json: bool, **change: Any) -> None:
    with control(instance) as client:
        shown = client.set_clock(**change) if change else client.clock()
        if as_json:
            say_json(shown)
        else:
            say(f"{shown['now_s']:.3f} s  rate {shown['rate']:g}{'  paused' if shown['paused'] else ''}")
