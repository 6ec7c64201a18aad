"""Whom to fence, and within which bounds.

Rules
  1. Pure data: importing this file imports no network code.
  2. Secrets never appear in `repr`, so that a log line or a failed assertion cannot leak them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fencer.outcome import Failure


class Protocol(StrEnum):
    """How the BMC is spoken to."""

    REDFISH = "redfish"
    IPMI = "ipmi"


class ChassisCheck(StrEnum):
    """What a Chassis that is linked from the System may say against an Off of the System."""

    REQUIRE = "require"  # any linked chassis that says other than Off contradicts it
    OWN = "own"  # a chassis that holds several systems is not asked
    IGNORE = "ignore"  # no chassis is asked; recorded in the evidence


class Auth(StrEnum):
    """Redfish only."""

    AUTO = "auto"  # Basic; a session where the BMC refuses Basic
    BASIC = "basic"
    SESSION = "session"  # Basic where the session table is full


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One host behind one BMC.

    `system` selects among several Systems by URI, Id or UUID. `identity` is a UUID or serial number: a BMC that shows
    another one is refused. `url` ("http://127.0.0.1:8000") overrides scheme, host and port for Redfish.
    """

    host: str
    protocol: Protocol = Protocol.REDFISH
    port: int | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    system: str | None = None
    identity: str | None = None
    url: str | None = None
    redfish_uri: str = "/redfish/v1"
    verify_tls: bool = True
    ca_file: str | None = None
    auth: Auth = Auth.AUTO
    cipher: int | None = None  # IPMI cipher suite, 3 or 17; None tries 17, then 3
    kg: bytes = field(default=b"", repr=False)
    privilege: int = 4  # IPMI: 2 user, 3 operator, 4 administrator

    def __post_init__(self) -> None:
        if not self.host and not self.url:
            raise ValueError("no BMC address")
        if self.port is not None and not 0 < self.port < 65536:
            raise ValueError(f"port {self.port} is not between 1 and 65535")

    @property
    def name(self) -> str:
        """How messages call it."""
        if self.url:
            return self.url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one action. All times in seconds of the caller's monotonic clock."""

    deadline: float = 60.0  # the whole action, connects and slow answers included
    connect: float = 5.0  # one TCP connect with its TLS handshake
    request: float = 10.0  # one call on the BMC, whatever it does meanwhile
    stable_for: float = 1.0  # from the first to the last read that prove Off
    poll: float = 0.5  # first pause between reads; grows to `poll_max`
    poll_max: float = 1.0
    power_wait: float = 0.0  # extra pause after an accepted power command
    max_commands: int = 3  # power commands of one half (off, on)
    graceful: float = 0.0  # budget for a polite shutdown before ForceOff; 0: none
    chassis_check: ChassisCheck = ChassisCheck.REQUIRE

    def __post_init__(self) -> None:
        for name in ("deadline", "connect", "request", "poll"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0 seconds")
        for name in ("stable_for", "power_wait", "graceful"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative")
        if self.poll_max < self.poll:
            raise ValueError("poll_max must not be less than poll")
        if self.max_commands < 1:
            raise ValueError("max_commands must be at least 1")

    @property
    def call(self) -> float:
        """The limit for one call: at most a third of the deadline, so that a lost answer can still be checked."""
        return min(self.request, self.deadline / 3)


class FenceError(Exception):
    """A single read that brought no answer; nothing is known about the host's power."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure
