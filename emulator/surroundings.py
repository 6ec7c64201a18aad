"""What an emulator needs from outside: a clock with a loop, a network, random numbers.

On sockets all of them are the machine's; on virtual time all follow from the seed.

`assembly` asks for them once per emulator and hands them to the front ends.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from emulator.background import AtOnce, Background, BackgroundThread
from emulator.core.clock import Clock, VirtualClock
from emulator.redfish.events.event_delivery import ThreadedEventDelivery
from emulator.redfish.events.subscriptions import EventDelivery, NoEventDelivery
from emulator.redfish.service.app import SharedTrees
from emulator.tokens import session_token
from emulator.wire.certs import CertificateStore
from emulator.wire.network import Loop, SocketNetwork, WireNetwork
from emulator.wire.reactor import Reactor
from emulator.wire.virtual_loop import VirtualLoop
from emulator.wire.virtual_network import VirtualNetwork
from emulator.wire.wallclock import WallClock

VIRTUAL_EPOCH: Final = 1_767_225_600.0
"""2026-01-01T00:00:00Z: what BMCs take for the date when the virtual clock is 0."""

PostToLoop = Callable[[Callable[[], None]], object]


class ClosingDelivery(EventDelivery, Protocol):
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """`epoch` is the Unix time, in seconds, at which the clock was 0. `entropy(n)` gives n random bytes.

    `certificates` and `trees` may be those of an earlier emulator: what they hold never changes.
    """

    clock: Clock
    loop: Loop
    network: WireNetwork
    epoch: float
    entropy: Callable[[int], bytes]
    make_token: Callable[[], str]
    event_delivery: Callable[[PostToLoop, frozenset[str]], ClosingDelivery]
    background: Callable[[PostToLoop], Background]
    certificates: CertificateStore
    trees: SharedTrees | None = None


def on_sockets(reused: Reusable | None = None) -> Surroundings:
    """This machine's clock, sockets and random numbers. Certificates are not reused: clients remember them."""
    clock = WallClock()
    reactor = Reactor(clock)
    return Surroundings(
        clock=clock,
        loop=reactor,
        network=SocketNetwork(reactor),
        epoch=time.time() - clock.now(),
        entropy=secrets.token_bytes,
        make_token=session_token,
        event_delivery=ThreadedEventDelivery,
        background=BackgroundThread,
        certificates=CertificateStore(),
        trees=reused.trees if reused is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Reusable:
    """What one emulator after the other may use, and what takes long to make."""

    certificates: CertificateStore
    trees: SharedTrees


MOST_PROFILES: Final = 24
"""Profiles whose resource trees are kept; each takes a few megabytes."""


def reusable() -> Reusable:
    return Reusable(CertificateStore(), SharedTrees(MOST_PROFILES))


def on_virtual_time(clock: VirtualClock, loop: VirtualLoop, network: VirtualNetwork, seed: int, reused: Reusable) -> Surroundings:
    """Everything follows from the seed; Redfish events are delivered to nobody."""
    entropy = random.Random(f"{seed}/entropy").randbytes
    return Surroundings(
        clock=clock,
        loop=loop,
        network=network,
        epoch=VIRTUAL_EPOCH,
        entropy=entropy,
        make_token=lambda: session_token(entropy),
        event_delivery=lambda post, hosts: NoEventDelivery(),
        background=lambda post: AtOnce(),
        certificates=reused.certificates,
        trees=reused.trees,
    )
