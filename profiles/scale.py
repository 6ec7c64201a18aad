"""Scales the times of a profile: every duration of the machine changes, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from profiles.model import EffectStep, Profile, Span


def _span(span: Span, scale: float) -> Span:
    return Span(span.low * scale, span.high * scale)


def _steps(steps: tuple[EffectStep, ...], scale: float) -> tuple[EffectStep, ...]:
    return tuple(replace(step, at=_span(step.at, scale)) for step in steps)


def at_scale(profile: Profile, scale: float) -> Profile:
    """Returns the scaled profile: with `scale` 0.1, an effect of 4 s takes 0.4 s.

    Session time-outs and lockouts are not scaled, because clients rely on them.
    """
    power = profile.power
    return replace(
        profile,
        power=replace(
            power,
            effects={name: _steps(steps, scale) for name, steps in power.effects.items()},
            on_os_down=_steps(power.on_os_down, scale),
            windows=tuple(replace(window, for_s=_span(window.for_s, scale)) for window in power.windows),
        ),
        timing=replace(
            profile.timing,
            os_shutdown_s=_span(profile.timing.os_shutdown_s, scale),
            latency_ms={name: value * scale for name, value in profile.timing.latency_ms.items()},
        ),
    )
