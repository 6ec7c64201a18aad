"""Which fleets can be beside one another."""

from __future__ import annotations

import socket

import pytest

from emulator.wire.claims import PortClaim, RangeTaken, claim

SMALL = PortClaim("udp", 623, "127.92.0.1", "127.92.0.9")
LARGE = PortClaim("udp", 623, "127.93.0.1", "127.93.80.9", "lo")


@pytest.mark.parametrize("each", [SMALL, LARGE])
def test_a_claim_can_be_read_from_its_name(each: PortClaim) -> None:
    assert PortClaim.read(each.name()) == each


@pytest.mark.parametrize("name", ["", "fencelab-fleet", "fencelab-fleet udp x 1 2 lo", "other udp 623 127.0.0.1 127.0.0.2 lo"])
def test_other_names_are_no_claims(name: str) -> None:
    assert PortClaim.read(name) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SMALL, LARGE),
        (SMALL, PortClaim("tcp", 623, "127.92.0.1", "127.92.0.9")),
        (SMALL, PortClaim("udp", 624, "127.92.0.1", "127.92.0.9")),
        (SMALL, PortClaim("udp", 623, "127.92.0.10", "127.92.0.20")),
        (LARGE, PortClaim("udp", 623, "127.94.0.1", "127.94.80.9", "eth1")),
    ],
)
def test_these_can_be_beside_one_another(one: PortClaim, other: PortClaim) -> None:
    assert one.clashes_with(other) is None
    assert other.clashes_with(one) is None


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (SMALL, SMALL, "the BMCs of another emulator have 127.92.0.1 to 127.92.0.9"),
        (PortClaim("udp", 623, "127.92.0.9", "127.92.0.20"), SMALL, "the BMCs of another emulator have 127.92.0.1 to"),
        (SMALL, PortClaim("udp", 623, "127.92.0.4", "127.92.0.4"), "the BMCs of another emulator have 127.92.0.4"),
        (PortClaim("udp", 623, "127.94.0.1", "127.94.0.9", "lo"), LARGE, "127.93.0.1 to 127.93.80.9, share one socket"),
    ],
)
def test_these_cannot(one: PortClaim, other: PortClaim, why: str) -> None:
    assert why in str(one.clashes_with(other))
    assert other.clashes_with(one) is not None


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.92.0.1", 0))
        return int(sock.getsockname()[1])


def test_addresses_are_claimed_once_and_are_free_when_the_claim_is_given_up() -> None:
    port = free_port()
    wanted = PortClaim("udp", port, "127.92.0.1", "127.92.0.9")
    more = PortClaim("udp", port, "127.92.0.7", "127.92.0.20")
    with claim(wanted), claim(PortClaim("udp", port, "127.92.1.1", "127.92.1.9")):
        with pytest.raises(RangeTaken, match=r"have 127\.92\.0\.1 to 127\.92\.0\.9"):
            claim(wanted)
        with pytest.raises(RangeTaken, match=r"have 127\.92\.0\.1 to 127\.92\.0\.9"):
            claim(more)
    with claim(more):
        pass
