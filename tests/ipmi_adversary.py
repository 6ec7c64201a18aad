"""An IPMI BMC that does its worst, drawn from a seed, and many runs of `fencer.fence` against it at once.

The adversary keeps to one rule: while the rail is up, it never sends two signed answers in a row that say Off. So there is no
run of reads in which it says Off for as long as a proof takes. Unsigned, stale and spoilt packets may say Off at any time.
"""

from __future__ import annotations

import random
import struct
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from fencer import FenceVerdict, fence
from fencer.transport import rmcpplus as wire
from tests.fence_adversary import AT_ONCE, GRACE_S, LIMITS, Run
from tests.ipmi_responder import Responder, served, target

PATIENT = replace(LIMITS, deadline=8.0)
STATUS, CONTROL = (0x00, 0x01), (0x00, 0x02)
CODES = (0xC0, 0xC3, 0xCE, 0xCF, 0xD2, 0xD4, 0xD5, 0xFF)
RAKP_ERRORS = (0x01, 0x02, 0x08, 0x09, 0x0B, 0x11, 0x12, 0x7F)
SPOILT = (
    "dropped", "twice", "late", "stale", "garbage", "cut", "bit", "other session", "unsigned", "wrong code", "other command",
    "other sequence", "busy", "completion code", "short", "log-in error",
)  # fmt: skip


@dataclass
class Adversary(Responder):
    """One BMC. `said_off` and `in_a_row` keep it to its rule."""

    dice: random.Random = field(default_factory=random.Random)
    hostile: bool = False  # the rail stays up whatever is sent
    rate: float = 0.5
    said_off: bool = False
    in_a_row: int = 0
    control_broken: bool = False
    refused: bool = False
    held: list[bytes] = field(default_factory=list)  # answers that come late
    last: bytes = b""  # an earlier answer
    way: str = ""  # how the present answer is spoilt
    trail: list[str] = field(default_factory=list)

    def sent(self, packet: bytes) -> Iterator[bytes]:
        self.way = self._chosen(packet)
        name = "log-in"
        for answer in self.answers(packet):
            if self.keys and (signed := wire.unpack(answer, self.keys)):
                name = f"{signed.payload[5]:#x} {signed.payload[6:].hex()}"
            yield from self._spoilt(answer)
        self.trail.append(f"{name}: {self.way or 'as it is'}")

    def _chosen(self, packet: bytes) -> str:
        is_control = self.keys is not None and _command_of(packet, self.keys) == CONTROL
        # An honest BMC refuses or loses one command at most: two refusals with one cause, or three, end a fence early.
        spared = is_control and self.control_broken and not self.hostile
        wants = self.dice.random() < (0.3 if self.hostile else self.rate) and (self.hostile or self.in_a_row < 2)
        self.in_a_row = self.in_a_row + 1 if wants and not spared else 0
        if not wants or spared:
            return ""
        self.control_broken = self.control_broken or is_control
        return self.dice.choice(SPOILT)

    def handshake(self, packet: wire.Packet) -> Iterator[bytes]:
        for answer in super().handshake(packet):
            if self.way != "log-in error":
                yield answer
                continue
            status = self.dice.choice(RAKP_ERRORS)
            if not self.refused and self.dice.random() < 0.2:  # one refusal of the password; the second one ends a run
                self.refused, status = True, 0x0D
            kind, tag = answer[5] & 0x3F, packet.payload[0]
            yield wire.pack(kind, bytes([tag, status, 0, 0]) + struct.pack("<I", self.console))

    def command(self, packet: wire.Packet) -> Iterator[bytes]:
        netfn, command = packet.payload[1] >> 2, packet.payload[5]
        codes = {"busy": 0xC0, "completion code": self.dice.choice(CODES)}
        refusal = codes.get(self.way, 0)
        self.code = lambda netfn, command: refusal
        up = self.up
        if self.hostile and (netfn, command) == STATUS and not self.said_off and self.dice.random() < 0.5:
            self.up = False
        told_off = (netfn, command) == STATUS and not self.up and not refusal
        yield from super().command(packet)
        if (netfn, command) == STATUS:
            self.up = up if self.hostile else self.up
            delivered = self.way in ("", "twice", "unsigned", "log-in error")
            self.said_off = told_off if delivered else self.said_off

    def _spoilt(self, answer: bytes) -> Iterator[bytes]:
        late, self.held = self.held, []
        yield from self._copies(answer)
        yield from late

    def _copies(self, answer: bytes) -> Iterator[bytes]:
        if self.way == "bit" and not answer[5] & wire.SIGNED:
            # A spoilt code of RAKP 2 or 4 says that the password is wrong, and the second such word ends a run.
            self.way, self.refused = ("" if self.refused else "bit"), True
        stale, self.last = self.last, answer
        keys, is_signed = self.keys, bool(answer[5] & wire.SIGNED)
        match self.way:
            case "dropped":
                return
            case "twice":
                yield from (answer, answer)
            case "late" if not is_signed:
                self.held.append(answer)
            case "stale":
                yield stale if not self.hostile else b""
            case "garbage" | "late":
                yield self.dice.randbytes(self.dice.randrange(200))
            case "cut":
                yield answer[: self.dice.randrange(len(answer))]
            case "bit":
                spot = self.dice.randrange(4, len(answer))
                yield answer[:spot] + bytes([answer[spot] ^ 1 << self.dice.randrange(8)]) + answer[spot + 1 :]
            case "other session":
                yield answer[:6] + self.dice.randbytes(4) + answer[10:]
            case "unsigned" if keys is not None and is_signed:
                yield wire.pack(wire.IPMI, _status_off(), session=self.console, sequence=self.sequence)
                yield answer
            case "wrong code" if is_signed:
                yield answer[:-4] + self.dice.randbytes(4)
            case "other command" | "other sequence" | "short" if keys is not None and (signed := wire.unpack(answer, keys)):
                yield self._packed(_changed(signed.payload, self.way), keys)
            case _:
                yield answer

    def _packed(self, payload: bytes, keys: wire.RmcpKeys) -> bytes:
        self.sequence += 1
        iv = self.dice.randbytes(16)
        return wire.pack(wire.IPMI, payload, session=self.console, sequence=self.sequence, keys=keys, iv=iv)


def _command_of(packet: bytes, keys: wire.RmcpKeys) -> tuple[int, int] | None:
    seen = wire.unpack(packet, keys)
    return (seen.payload[1] >> 2, seen.payload[5]) if seen is not None and len(seen.payload) > 5 else None


def _status_off() -> bytes:
    head, rest = bytes([0x81, 0x04]), bytes([0x20, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00])
    return head + bytes([-sum(head) & 0xFF]) + rest + bytes([-sum(rest) & 0xFF])


def _changed(payload: bytes, way: str) -> bytes:
    """The answer with another command or sequence number, or without its last bytes; its checksums are right."""
    head, rest = payload[:3], bytearray(payload[3:-1])
    if way == "short":
        rest = rest[: max(len(rest) - 3, 0)]
    elif way == "other sequence":
        rest[1] = (rest[1] + 4) & 0xFF
    else:
        rest[2] ^= 0x40
    return head + bytes(rest) + bytes([-sum(rest) & 0xFF])


def play(seed: int, *, hostile: bool) -> Run:
    dice = random.Random(seed)
    rate, up = dice.choice([0.1, 0.25, 0.35]), hostile or dice.random() < 0.5
    adversary = Adversary(dice=dice, hostile=hostile, rate=rate, up=up, stays_up=hostile)
    limits = LIMITS if hostile else PATIENT
    trouble = stuck = outcome = None
    began = time.monotonic()
    with served(adversary):
        try:
            outcome = fence(target(adversary), limits)
        except Exception as error:  # noqa: BLE001 (any exception is the finding)
            trouble = f"raised {error!r}"
    if outcome is not None and outcome.verdict is FenceVerdict.CONFIRMED and adversary.up:
        trouble = "claimed off while the rail was up"
    elif outcome is not None and outcome.verdict is not FenceVerdict.CONFIRMED and not hostile:
        stuck = str(outcome.failure)
    if time.monotonic() - began > limits.deadline + GRACE_S:
        trouble = trouble or "ran past its deadline"
    return Run(seed, trouble, stuck, tuple(adversary.trail))


def play_all(seeds: range, *, hostile: bool) -> tuple[list[Run], Counter[str]]:
    """Returns the runs that went wrong or stuck, and how often each answer was given."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(lambda seed: play(seed, hostile=hostile), seeds))
    given = Counter(step.rpartition(": ")[2] for run in runs for step in run.trail)
    return [run for run in runs if run.trouble or run.stuck], given
