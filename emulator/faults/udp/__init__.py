"""Seam datagram: what a network does to IPMI's datagrams. Use the envelope's `probability` for a share of them."""

from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["in", "out", "both"]
DIRECTION = "in: to the BMC, out: from it, or both"
