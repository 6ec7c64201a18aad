"""Translates the requests that operators write to the store into observations for the HA rules. Pure."""

from __future__ import annotations

from fencer.ha.entries import OperatorRequest
from fencer.ha.observations import (
    CancelFence,
    Disable,
    Enable,
    ManualFence,
    OperatorObservation,
    OrderFence,
    OverrideLimits,
    Pin,
)

ENDS_COMMANDS = frozenset({"disable", "cancel"})
"""These requests withdraw a power command that has not left yet."""


def observation_of(request: OperatorRequest, *, withdrawn: bool, unstopped: tuple[str, ...]) -> OperatorObservation | None:
    """Returns the observation, or None for a request that no rule knows. `withdrawn`: see `Disable`;
    `unstopped`: see `Enable`.
    """
    detail = request.detail
    match request.what:
        case "enable":
            return Enable(request=request.id, unstopped=unstopped)
        case "disable":
            return Disable(request=request.id, withdrawn=withdrawn)
        case "confirm":
            return ManualFence(request=request.id, fence_id=detail["fence_id"], who=detail["who"], why=detail["why"])
        case "override":
            return OverrideLimits(request=request.id, who=detail["who"], why=detail["why"])
        case "fence":
            return OrderFence(request=request.id, who=detail["who"], why=detail["why"])
        case "cancel":
            return CancelFence(
                request=request.id, who=detail["who"], why=detail["why"], fence_id=detail["fence_id"], withdrawn=withdrawn
            )  # fmt: skip
        case "pin":
            return Pin(request=request.id, who=detail["who"], why=detail["why"])
        case _:
            return None
