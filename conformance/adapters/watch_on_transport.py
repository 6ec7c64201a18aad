"""What an HA manager is handed on virtual time: the site that it watches (adapter `python-transport`, with the capability watch).

It is called as `function("watch", bmc, transport=..., clock=..., site=..., **params)` and works in its own loop:

    while not site.over:
        ...                          # transport.http reaches BMCs and agents; clock.sleep lets time pass
        site.taken_up()              # once every host has been seen healthy: then they fail
        site.called_down("target")   # its claim

It ends when `site.over` holds. One thread, that of the emulated BMCs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance.adapters.base import Invocation
from conformance.vocabulary import Claim

if TYPE_CHECKING:
    from conformance.agents_on_virtual_time import SocketlessAgents
    from emulator import Transport, TransportAnswer, TransportClock

READY_S: Final = 300.0
"""Virtual seconds that it may take until it has taken up all hosts."""
AFTER_SHARE: Final = 0.5
"""For how long it goes on after its claim: this part of its deadline, so that it can start what ran on the host."""


def limit_s(invocation: Invocation) -> float:
    """Virtual seconds that a watch may take in all: nobody waits beyond."""
    assert invocation.site is not None
    return READY_S + (1 + AFTER_SHARE) * invocation.site.patience_s + invocation.cap


@dataclass(slots=True)
class WatchedOnTransport:
    """`hosts` maps names to {"agent": URL, "bmc": values, "vms": names}. Times are those of `clock`."""

    invocation: Invocation
    clock: TransportClock
    claim: Claim = Claim.FAILED
    claim_after: float = 0.0
    hosts: Mapping[str, Mapping[str, object]] = field(init=False)
    target: str = field(init=False)
    _failed_at: float | None = None
    _until: float = 0.0

    def __post_init__(self) -> None:
        site = self.invocation.site
        assert site is not None
        self.hosts = {host.name: {"agent": host.agent.url, "bmc": dict(host.bmc), "vms": host.workloads} for host in site.hosts}
        self.target = site.target
        self._until = self.clock.now() + READY_S

    @property
    def over(self) -> bool:
        """Whether nobody waits for anything more of this manager."""
        return self.clock.now() >= self._until

    def taken_up(self) -> None:
        """Every host has been seen healthy. More than one call makes no difference."""
        if self._failed_at is None:
            assert self.invocation.site is not None
            self.invocation.on_watching()
            self._failed_at = self.clock.now()
            self._until = self._failed_at + self.invocation.site.patience_s

    def called_down(self, host: str) -> None:
        """The manager calls a host down. Only the first word about the target counts."""
        if host != self.target or self.claim is Claim.OFF or self._failed_at is None:
            return
        assert self.invocation.site is not None
        self.invocation.on_end()
        self.claim, self.claim_after = Claim.OFF, self.clock.now() - self._failed_at
        self.invocation.on_down()
        self._until = self.clock.now() + AFTER_SHARE * self.invocation.site.patience_s

    def end(self) -> None:
        """The function has returned: without a claim that is its answer now."""
        if self.claim is not Claim.OFF:
            self.invocation.on_end()
            self.claim_after = self.clock.now() - (self._failed_at or 0.0) if not self.clock.is_over else self.invocation.cap


@dataclass(slots=True)
class SiteTransport:
    """The network of a manager: agents and BMCs."""

    agents: SocketlessAgents
    bmcs: Transport
    clock: TransportClock

    def http(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float | None = None,
        *,
        ca_file: str | None = None,
    ) -> TransportAnswer:
        """As `Transport.http`."""
        if self.agents.has(url):
            return self.agents.exchange(method, url, body, timeout, self.clock.sleep)
        return self.bmcs.http(method, url, headers or {}, body, timeout, ca_file=ca_file)

    def datagram(self, data: bytes, timeout: float | None = None, *, address: tuple[str, int] | None = None) -> bytes:
        """As `Transport.datagram`."""
        return self.bmcs.datagram(data, timeout, address=address)
