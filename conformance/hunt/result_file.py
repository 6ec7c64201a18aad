"""`hunt/1`: what a hunt has found and every run that it made, as JSON. `--state` goes on from it, and `--diff` compares two.

Steps that are equal are written once, in `steps`; a run names them by their numbers.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from typing import Final

from conformance.hunt.observation import ObservedStep
from conformance.hunt.trace import Trace, as_list, from_list
from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Verdict

FORMAT: Final = "hunt/1"


class HuntFileUnreadable(Exception):
    """The file is none of ours; the text is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedFind:
    """A find that has been made smaller and played again. `replays` of `of` runs came out the same. `scenario` is its id."""

    run: HuntedRun
    scenario: str
    replays: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HuntResult:
    """One hunt. `radius` is the sentence about safety; the digests say what was hunted."""

    fencer: str
    fencer_digest: str
    profile: str
    profile_digest: str
    seed: int
    budget: int
    depth: int
    seconds: float
    radius: str
    runs: tuple[HuntedRun, ...]
    finds: tuple[ConfirmedFind, ...] = ()
    version: str = ""
    finished: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)


def to_json(result: HuntResult) -> str:
    numbers: dict[ObservedStep, int] = {}
    runs = [_run(run, numbers) for run in result.runs]
    finds = [
        {"run": _run(find.run, numbers), "scenario": find.scenario, "replays": find.replays, "of": find.of}
        for find in result.finds
    ]
    told = {
        "format": FORMAT,
        "version": result.version,
        "fencer": result.fencer,
        "fencer_digest": result.fencer_digest,
        "profile": result.profile,
        "profile_digest": result.profile_digest,
        "seed": result.seed,
        "budget": result.budget,
        "depth": result.depth,
        "seconds": round(result.seconds, 1),
        "finished": result.finished,
        "radius": result.radius,
        "left_out": dict(result.left_out),
        "finds": finds,
        "steps": [astuple(step) for step in numbers],
        "runs": runs,
    }
    return json.dumps(told, ensure_ascii=False) + "\n"


def _run(run: HuntedRun, numbers: dict[ObservedStep, int]) -> list[object]:
    steps = [numbers.setdefault(step, len(numbers)) for step in run.steps]
    flags = [run.undetectable, run.complete, run.assumed]
    return [as_list(run.trace), steps, run.end, run.key, run.verdict.value, run.kind, run.why, *flags]


def write(result: HuntResult, file: Path) -> None:
    """Raises OSError. A file that is there is replaced as a whole."""
    beside = file.with_name(f"{file.name}.new")
    beside.write_text(to_json(result), encoding="utf-8")
    beside.replace(file)


def read(file: Path) -> HuntResult:
    """Raises HuntFileUnreadable. Devices are not read: some of them never end."""
    try:
        if stat.S_ISCHR(kind := file.stat().st_mode) or stat.S_ISBLK(kind):
            raise HuntFileUnreadable(f"{file} is not the result of a hunt: it is a device")
        told = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise HuntFileUnreadable(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise HuntFileUnreadable(f"{file} is not the result of a hunt: it is not JSON") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise HuntFileUnreadable(f"{file} is not the result of a hunt in the form {FORMAT}")
    try:
        return _result(told)
    except KeyError as error:
        raise HuntFileUnreadable(f"{file} is damaged: {error} is missing") from None
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise HuntFileUnreadable(f"{file} is damaged: {error}") from None


def _result(told: Mapping[str, object]) -> HuntResult:
    left_out = told["left_out"]
    if not isinstance(left_out, dict):
        raise ValueError("left_out is no map")
    steps = [_step(_listed(values)) for values in _listed(told["steps"])]
    return HuntResult(
        fencer=str(told["fencer"]),
        fencer_digest=str(told["fencer_digest"]),
        profile=str(told["profile"]),
        profile_digest=str(told["profile_digest"]),
        seed=_number(told["seed"]),
        budget=_number(told["budget"]),
        depth=_number(told["depth"]),
        seconds=float(str(told["seconds"])),
        radius=str(told["radius"]),
        version=str(told["version"]),
        finished=told["finished"] is True,
        left_out={str(world): str(why) for world, why in left_out.items()},
        runs=tuple(_hunted(_listed(run), steps) for run in _listed(told["runs"])),
        finds=tuple(
            ConfirmedFind(
                run=_hunted(_listed(find.get("run")), steps),
                scenario=str(find.get("scenario")),
                replays=_number(find.get("replays")),
                of=_number(find.get("of")),
            )
            for find in map(_mapped, _listed(told["finds"]))
        ),
    )


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"{str(value)[:40]!r} is no list")
    return value


def _mapped(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{str(value)[:40]!r} is no map")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no whole number")
    return value


def _step(values: Sequence[object]) -> ObservedStep:
    made: dict[str, object] = {}
    for each, value in zip(fields(ObservedStep), values, strict=True):
        if not isinstance(value, {"str": str, "int": int, "bool": bool}[str(each.type)]):
            raise ValueError(f"{value!r} is no value of {each.name!r}")
        made[each.name] = value
    return ObservedStep(**made)  # type: ignore[arg-type]  # checked one by one


def _hunted(told: Sequence[object], steps: Sequence[ObservedStep]) -> HuntedRun:
    try:
        trace, numbers, end, key, verdict, kind, why, undetectable, complete, *later = told
    except ValueError:
        raise ValueError(f"{str(told)[:40]!r} is no run") from None
    return HuntedRun(
        trace=from_list(_listed(trace)),
        steps=tuple(_step_of(_number(number), steps) for number in _listed(numbers)),
        end=str(end),
        key=str(key),
        verdict=Verdict(str(verdict)),
        kind=str(kind),
        why=str(why),
        undetectable=undetectable is True,
        complete=complete is True,
        assumed=_number(later[0]) if later else 0,  # older hunts did not count them
    )


def _step_of(number: int, steps: Sequence[ObservedStep]) -> ObservedStep:
    if not 0 <= number < len(steps):
        raise ValueError(f"there is no step {number}")
    return steps[number]


def known_runs(result: HuntResult) -> Mapping[Trace, HuntedRun]:
    """The runs by their traces; those that could not be played are left out, to be tried again."""
    return {run.trace: run for run in result.runs if run.verdict is not Verdict.ERROR}
