"""What an adapter brings back from one run of a fencer. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.vocabulary import Ask, Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCounts:
    """How many lines of a manager said that a fence has succeeded, and that an attempt has failed, by its file's patterns."""

    successes: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FencerOutcome:
    """One ask, answered or not. `duration` and `cap` are seconds of wall clock."""

    ask: Ask
    claim: Claim
    exit: int | None = None  # None: killed at the cap
    stdout: str = ""
    stderr: str = ""
    duration: float = 0.0
    timed_out: bool = False
    leftover: tuple[str, ...] = ()  # names of processes that outlived the fencer
    files: tuple[str, ...] = ()  # names of files that it left and that hold the password
    argv: tuple[tuple[str, ...], ...] = ()  # every command line that was seen, the fencer's own first
    conduct: tuple[str, ...] = ()  # what it did to its watchers, its HOME or the machine, each completing "it ..."
    unprotected: tuple[str, ...] = ()  # which protection against it this machine does not give
    sigterm_at: float | None = None  # when it was sent SIGTERM, in seconds since its start; None: it was not
    alerts: AlertCounts | None = None  # of a manager whose file says how its alerts read
    unsearched: tuple[str, ...] = ()  # where the password may stand and was not looked for

    @property
    def text(self) -> str:
        """Everything the fencer said, what it meant for people first."""
        return "\n".join(part for part in (self.stderr.strip(), self.stdout.strip()) if part)
