"""The target of a fence action (BMC, credentials, System) and its limits (times in seconds).

Callers of `fencer` create these; `fencer.settings` and `fencer.ha.config` build them from user input.

Rules
  1. Pure data: importing this file imports no network code.
  2. Secrets never appear in `repr`, so that no log line can contain them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fencer.outcome import Failure

MAX_SECONDS = 1_000_000
"""Longest time in Limits, some 11 days. The clocks of an operating system take no number of seconds that is much larger."""


class Protocol(StrEnum):
    """The management protocol of the device."""

    REDFISH = "redfish"
    IPMI = "ipmi"
    PDU = "pdu"  # Redfish too: the outlets of a PDU


class ChassisCheck(StrEnum):
    """Which chassis must agree when the System says Off (the PowerState of a Chassis is optional in DSP0268)."""

    REQUIRE = "require"  # every chassis that the System links to, except those that never had a PowerState
    OWN = "own"  # as `require`, but a chassis with several Systems is left out
    IGNORE = "ignore"  # no chassis is read; the evidence says so
    LISTED = "listed"  # the chassis of `Limits.chassis`, and each of them must have a PowerState


class IdentityCheck(StrEnum):
    """When `Target.identity` must be shown."""

    REQUIRE = "require"  # in at least one read of the action, before a power command and before a success
    WHEN_SHOWN = "when-shown"  # a BMC that shows no identity is accepted; another identity never is


class Auth(StrEnum):
    """How to log in. Redfish only."""

    AUTO = "auto"  # Basic; a session if the BMC refuses Basic
    BASIC = "basic"
    SESSION = "session"  # a session; Basic if the session table is full


@dataclass(frozen=True, slots=True)
class Address:
    """One more address of the same BMC. `port` None is the standard port of the protocol."""

    host: str
    port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One host behind one BMC.

    `system` selects one of several Systems by URI, Id or UUID. `outlets` are all outlets of the host on a PDU, by Id or URI; for
    Protocol.PDU only, and needed for every action but `monitor` and `list`. `identity` is the UUID or serial number of the
    machine: another one makes every read fail; `identity_check` says whether it must be shown. `url` ("http://127.0.0.1:8000")
    replaces scheme, host and port for Redfish. `others` are more addresses of the same BMC, tried in order if one does not
    answer. `second` is a protocol that confirms each Off of the first one, and takes its place if that does not answer; its
    port is `second_port`. `fingerprint` is the SHA-256 of the BMC's certificate (64 hexadecimal digits): no other is accepted.
    Raises ValueError for a missing address or a port out of range.
    """

    host: str
    protocol: Protocol = Protocol.REDFISH
    port: int | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    system: str | None = None
    outlets: tuple[str, ...] = ()
    identity: str | None = None
    identity_check: IdentityCheck = IdentityCheck.REQUIRE
    url: str | None = None
    redfish_uri: str = "/redfish/v1"
    verify_tls: bool = True
    ca_file: str | None = None
    fingerprint: str | None = None
    others: tuple[Address, ...] = ()
    second: Protocol | None = None
    second_port: int | None = None
    auth: Auth = Auth.AUTO
    cipher: int | None = None  # IPMI cipher suite, 3 or 17; None tries 17, then 3
    kg: bytes = field(default=b"", repr=False)
    privilege: int = 4  # IPMI: 2 user, 3 operator, 4 administrator

    def __post_init__(self) -> None:
        if not self.host and not self.url:
            raise ValueError("no BMC address")
        for port in (self.port, self.second_port, *(address.port for address in self.others)):
            if port is not None and not 0 < port < 65536:
                raise ValueError(f"port {port} is not between 1 and 65535")
        if any(not address.host for address in self.others):
            raise ValueError("an empty BMC address")
        if self.second is self.protocol:
            raise ValueError(f"{self.second} is the first protocol already")
        if self.outlets and self.protocol is not Protocol.PDU:
            raise ValueError("outlets belong to a PDU")
        if self.second is Protocol.PDU or (self.second and self.protocol is Protocol.PDU):
            raise ValueError("a PDU is spoken to over one protocol")
        if self.url and (self.others or self.second):
            raise ValueError("a url has one address and one protocol")

    @property
    def name(self) -> str:
        """The name of the BMC in messages."""
        if self.url:
            return self.url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one action. All times in seconds. Raises ValueError for values out of range."""

    deadline: float = 60.0  # the whole action, including connections, slow answers and the log-out
    connect: float = 5.0  # one TCP connect with its TLS handshake
    request: float = 10.0  # one request to the BMC, even if it answers slowly
    # From the first to the last of the two reads that prove Off; three reads over twice this time after trouble with the BMC.
    stable_for: float = 1.0
    poll: float = 0.5  # first pause between reads; grows to `poll_max`
    poll_max: float = 1.0
    power_wait: float = 0.0  # extra pause after an accepted power command
    # Power commands of one half (off, on). If it is more than 1, commands refused as busy do not count, nor those of the
    # second half of a reboot.
    max_commands: int = 3
    graceful: float = 0.0  # time for GracefulShutdown before ForceOff; 0: no GracefulShutdown
    chassis_check: ChassisCheck = ChassisCheck.REQUIRE
    chassis: tuple[str, ...] = ()  # URIs, for ChassisCheck.LISTED only

    def __post_init__(self) -> None:
        for name in ("deadline", "connect", "request", "poll", "poll_max"):
            if not 0 < getattr(self, name) <= MAX_SECONDS:
                raise ValueError(f"{name} must be more than 0 seconds, and not more than {MAX_SECONDS}")
        for name in ("stable_for", "power_wait", "graceful"):
            if not 0 <= getattr(self, name) <= MAX_SECONDS:
                raise ValueError(f"{name} must be 0 to {MAX_SECONDS} seconds")
        if self.poll_max < self.poll:
            raise ValueError("poll_max must not be less than poll")
        if (self.chassis_check is ChassisCheck.LISTED) != bool(self.chassis):
            raise ValueError("chassis_check needs a list of chassis URIs, or none of them")
        if self.max_commands < 1:
            raise ValueError("max_commands must be at least 1")

    @property
    def call(self) -> float:
        """Seconds for one request: at most a third of the deadline, so that the state can be read after a lost answer."""
        return min(self.request, self.deadline / 3)


class FenceError(Exception):
    """A single read returned no power state. The power state of the host is unknown."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure
