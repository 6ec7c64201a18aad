"""What of an emulator survives its restart: `bmc-emulator run --state FILE`.

Kept: whether each host has power, whether its operating system runs, hangs or has stopped; input power and restore policy;
armed faults with what is left of their counts; BMCs that were added and removed; the rate of the clock. Not kept: sessions,
accounts and passwords that clients have changed, event logs, the journal, what was under way at the end.

`run` loads the file before it makes the emulator (`StateFile.load`, `SavedState.units`), carries out the rest once the BMCs
answer (`restore`), and keeps it up to date while it runs (`StateKeeper`), in a thread of its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emulator import (
    BmcPresence,
    BmcStatus,
    Emulator,
    EmulatorError,
    Event,
    EventKind,
    FaultStatus,
    HostSpec,
    Os,
    PowerAction,
    Rail,
    RestorePolicy,
    SystemStatus,
    UnitSpec,
    arming_from_mapping,
    check_profile,
    mapping_from_arming,
)
from emulator.control.told import all_statuses
from profiles import loader
from profiles.errors import ProfileError

FORMAT: Final = "state/1"
RestorePolicyWord = Literal["always-off", "previous", "always-on"]
SAVE_EVERY_S: Final = 0.5
"""Real seconds between two saves at least; after a save that took long, twenty times as long."""
_TURNING = frozenset(
    {
        EventKind.RAIL,
        EventKind.OUTLET,
        EventKind.OS,
        EventKind.ARM,
        EventKind.FAULT,
        EventKind.UNIT,
        EventKind.BMC,
        EventKind.SETTING,
        EventKind.CLOCK,
    }
)
_MAX_BYTES: Final = 256 << 20
_log = logging.getLogger("fencelab.control")


class StateRefused(Exception):
    """The file cannot be read or written, or is none of ours. One sentence."""


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SavedSystem(_Saved):
    power: Literal["on", "off"]
    os: Literal["running", "hung", "stopped"]


class SavedBmc(_Saved):
    profile: str
    added: str | None = None  # the profile as it was named, where the BMC was added while the emulator ran
    dark: bool = False
    restore_policy: RestorePolicyWord = "previous"
    systems: list[SavedSystem] = Field(default_factory=list)
    faults: list[dict[str, Any]] = Field(default_factory=list)


class SavedState(_Saved):
    schema_: Literal["state/1"] = Field(alias="schema")
    rate: float = Field(1.0, gt=0)
    bmcs: dict[str, SavedBmc] = Field(default_factory=dict)
    removed: list[str] = Field(default_factory=list)

    def units(self, units: Sequence[UnitSpec], *, real: frozenset[str] = frozenset()) -> list[UnitSpec]:
        """The BMCs of a rack with their hosts as they were. Hosts in `real` are processes or containers: how they are is not
        ours to say."""
        return [self._unit(unit, real) for unit in units]

    def _unit(self, unit: UnitSpec, real: frozenset[str]) -> UnitSpec:
        saved = self.of(unit)
        if saved is None or len(saved.systems) != len(unit.hosts):
            return unit
        hosts = tuple(
            host if (host.name or unit.name) in real else replace(host, power=system.power, hung=system.os == "hung")
            for host, system in zip(unit.hosts, saved.systems, strict=True)
        )
        return replace(unit, hosts=hosts)

    def of(self, unit: UnitSpec) -> SavedBmc | None:
        """What was saved of this BMC; None also where it has another profile now."""
        saved = self.bmcs.get(unit.name)
        return saved if saved is not None and saved.profile == unit.profile.id else None


class StateFile:
    """A file that only its user can read. It is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> SavedState | None:
        """None: there is no file yet. Raises StateRefused."""
        try:
            with self.path.open("rb") as file:
                data = file.read(_MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateRefused(f"{self.path}: {(error.strerror or str(error)).lower()}") from None
        try:
            return SavedState.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            raise StateRefused(f"{self.path}: this is no state of the form {FORMAT}: {where or 'JSON'}: {first['msg']}") from None

    def save(self, state: SavedState) -> None:
        """Raises StateRefused."""
        hidden = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(state.model_dump_json(by_alias=True, exclude_defaults=True))
                file.flush()
                os.fsync(file.fileno())
            hidden.replace(self.path)
        except OSError as error:
            hidden.unlink(missing_ok=True)
            raise StateRefused(f"{self.path}: {(error.strerror or str(error)).lower()}") from None


def restore(emulator: Emulator, state: SavedState) -> dict[str, str]:
    """Carries out what cannot be said before the start. Returns the profiles of the BMCs that were added, by name.

    What does not fit this emulator any more is left out, with a warning in the log.
    """
    added: dict[str, str] = {}
    for name in state.removed:
        with contextlib.suppress(EmulatorError):  # it is not in the rack any more, or its hosts are real
            emulator.remove(name)
    for name, saved in state.bmcs.items():
        if saved.added is not None and name not in emulator.endpoints and _add_again(emulator, name, saved):
            added[name] = saved.added
        if name in emulator.endpoints and emulator.status(name).profile == saved.profile:
            _restore_bmc(emulator, name, saved)
    if state.rate != 1.0:
        emulator.set_clock(rate=state.rate)
    return added


def _add_again(emulator: Emulator, name: str, saved: SavedBmc) -> bool:
    assert saved.added is not None
    try:
        profile = loader.load(Path(saved.added) if os.sep in saved.added else saved.added, also=check_profile)
        hosts = tuple(HostSpec(power=each.power, hung=each.os == "hung") for each in saved.systems)
        emulator.add(UnitSpec(name=name, profile=profile, hosts=hosts or (HostSpec(),)))
    except (ProfileError, EmulatorError, OSError) as error:
        _log.warning("the saved BMC %s is left out: %s", name, error)
        return False
    return True


def _restore_bmc(emulator: Emulator, name: str, saved: SavedBmc) -> None:
    if saved.restore_policy != "previous":
        emulator.set_restore_policy(name, RestorePolicy(saved.restore_policy))
    for system, told in zip(emulator.status(name).systems, saved.systems, strict=False):
        if told.os == "stopped" and system.rail is Rail.UP:
            emulator.power(name, PowerAction.CRASH, system.id)
    if saved.dark and emulator.status(name).presence is not BmcPresence.DARK:  # else its outlets are off
        emulator.mains_lost(name)
    for fault in saved.faults:
        try:
            emulator.arm(name, arming_from_mapping(fault))
        except EmulatorError as error:
            _log.warning("a saved fault of %s is left out: %s", name, error)


class StateKeeper:
    """Saves the state soon after it has changed, and at the end. A context manager, inside that of the emulator."""

    def __init__(self, emulator: Emulator, file: StateFile, added: Mapping[str, str], removed: Sequence[str] = ()) -> None:
        """`added` may grow while it runs: the BMCs that clients add. `removed` are those of the rack that are gone already.

        Saves at once. Raises StateRefused.
        """
        self._emulator = emulator
        self._file = file
        self._added = added
        self._first = frozenset(emulator.endpoints) - frozenset(added) | frozenset(removed)
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._broken = False
        self._took_s = self._save()
        self._end = emulator.subscribe(self._saw)
        self._thread = threading.Thread(target=self._run, name="fencelab-state", daemon=True)
        self._thread.start()

    def __enter__(self) -> StateKeeper:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()
        self._closing.set()
        self._changed.set()
        self._thread.join()
        self._try_to_save()

    def _saw(self, event: Event) -> None:
        if event.kind in _TURNING:
            self._changed.set()

    def _run(self) -> None:
        while not self._closing.wait(max(SAVE_EVERY_S, 20 * self._took_s)):
            self._changed.wait()
            if not self._closing.is_set():
                self._changed.clear()
                self._try_to_save()

    def _try_to_save(self) -> None:
        with contextlib.suppress(RuntimeError):  # the emulator has ended by itself
            try:
                self._took_s = self._save()
                self._broken = False
            except StateRefused as error:
                if not self._broken:
                    _log.error("the state is not saved any more: %s", error)
                self._broken = True

    def _save(self) -> float:
        began = time.monotonic()
        self._file.save(self._state())
        return time.monotonic() - began

    def _state(self) -> SavedState:
        faults: dict[str, list[dict[str, Any]]] = {}
        for armed in self._emulator.faults():
            if (written := _written(armed)) is not None:
                faults.setdefault(armed.bmc, []).append(written)
        bmcs = {
            status.name: _saved(status, self._added.get(status.name), faults.get(status.name, []))
            for status in all_statuses(self._emulator)
        }
        return SavedState(
            schema=FORMAT, rate=self._emulator.clock_status().rate, bmcs=bmcs, removed=sorted(self._first - bmcs.keys())
        )


def _saved(status: BmcStatus, added: str | None, faults: list[dict[str, Any]]) -> SavedBmc:
    dark = status.presence is BmcPresence.DARK
    systems = [_saved_system(each, status, dark) for each in status.systems]
    policy: RestorePolicyWord = status.systems[0].restore_policy.value
    return SavedBmc(profile=status.profile, added=added, dark=dark, restore_policy=policy, systems=systems, faults=faults)


def _saved_system(system: SystemStatus, status: BmcStatus, dark: bool) -> SavedSystem:
    """A host as it will be at the next start: one whose BMC is just starting after a loss of power has followed its policy."""
    is_on = system.rail is not Rail.DOWN
    if dark:
        is_on = system.was_on
    elif status.restores and not is_on:
        policy = system.restore_policy
        is_on = policy is RestorePolicy.ALWAYS_ON or (policy is RestorePolicy.PREVIOUS and system.was_on)
    return SavedSystem(power="on" if is_on else "off", os=_os(system.os, dark or (is_on and system.rail is Rail.DOWN)))


def _os(os: Os, dark: bool) -> Literal["running", "hung", "stopped"]:
    return "running" if dark else os.value


def _written(status: FaultStatus) -> dict[str, Any] | None:
    """The fault as it would be armed now: what it has used up of its count is gone; None: it is over, or has no written form."""
    if status.phase.value in ("spent", "over"):
        return None
    try:
        written: dict[str, Any] = mapping_from_arming(status.armed)
    except ValueError:
        return None
    if status.armed.count is not None:
        written["count"] = status.armed.count - status.fired
    if status.phase.value == "active":
        written.pop("after", None)
    return written
