"""Rules of a parent that name ResetTypes, without those that a child does not have: such names would be mistakes. Pure."""

from __future__ import annotations

from emulator.profile_tools.yaml_text import YamlValue
from profiles.model import Profile, Span


def trimmed_after(parent: Profile, types: tuple[str, ...]) -> dict[str, YamlValue]:
    """`bmc_reset.after` for these types: what of it must be said, or nothing."""
    after = parent.bmc_reset.after
    named = tuple(after.get("reset", ())) if after is not None else ()
    if not named or set(named) <= set(types):
        return {}
    kept = [word for word in named if word in types]
    return {"after": {"reset": kept} if kept else None}


def trimmed_windows(parent: Profile, types: tuple[str, ...]) -> dict[str, YamlValue]:
    """`power.windows` for these types."""
    windows = parent.power.windows
    if all(set(window.reset) <= set(types) for window in windows):
        return {}
    kept: list[YamlValue] = []
    for index, window in enumerate(windows):
        reset = [word for word in window.reset if word in types]
        claim = claim_of(parent, f"power.windows[{index}]")
        if reset:
            kept.append(
                {
                    "after": window.after,
                    "for_s": seconds(window.for_s),
                    "reset": reset,
                    "outcome": window.outcome,
                    "evidence": claim,
                }
            )
    return {"windows": kept or None}


def claim_of(parent: Profile, path: str) -> list[YamlValue]:
    """The evidence of a value of the parent, as a profile writes it."""
    evidence = parent.evidence[path]
    return [evidence.confidence.value, *evidence.sources]


def seconds(span: Span) -> YamlValue:
    """A time as a profile writes it: one number, or the two ends of a span."""
    ends = [int(end) if end == int(end) else end for end in (span.low, span.high)]
    return ends[0] if ends[0] == ends[1] else ends


def trimmed_faults(parent: Profile, types: tuple[str, ...]) -> dict[str, YamlValue]:
    """`faults` for these types: a fault that no type is left for goes."""
    found: dict[str, YamlValue] = {}
    for name, fault in parent.faults.items():
        named = tuple(fault.get("when", {}).get("reset", ()))
        if named and not set(named) <= set(types):
            kept = [word for word in named if word in types]
            found[name] = {"when": {"reset": kept}, "evidence": claim_of(parent, f"faults.{name}")} if kept else None
    return found
