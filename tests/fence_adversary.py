"""A Redfish BMC that does its worst, drawn from a seed, and many runs of `fencer.fence` against it at once.

The adversary keeps to one rule: while the rail is up, its chassis never says Off twice in a row and is never silent before it
has spoken. So there is no run of reads in which all its views say Off for as long as a proof takes.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import ThreadingHTTPServer

from fencer import FenceVerdict, Limits, fence
from tests.redfish_service import CHASSIS, RESET, SYSTEM, Handler, Service, system, target

OTHER = "/redfish/v1/Systems/2"
LIMITS = Limits(deadline=1.5, stable_for=0.1, poll=0.03, poll_max=0.06)
PATIENT = replace(LIMITS, deadline=8.0)
GRACE_S = 5.0
AT_ONCE = 16

Reply = Callable[[Handler], None]

BROKEN: dict[str, Reply] = {
    "dropped": Handler.drop,
    **{str(status): lambda it, status=status: it.reply(status) for status in (403, 404, 405, 423, 500, 501, 503, 504)},  # type: ignore[misc]
    "empty": lambda it: it.reply(200, b""),
    "html": lambda it: it.reply(200, b"<html>"),
    "no object": lambda it: it.reply(200, []),
    "cut": lambda it: it.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\nConnection: close\r\n\r\n{") and it.drop(),
    "no HTTP": lambda it: it.wfile.write(b"\x15\x03\x01\x00\x02\x02\x28\r\n\r\n") and it.drop(),
    "not gzip": lambda it: it.reply(200, b"{}", Content_Encoding="gzip"),
    "bad location": lambda it: it.reply(302, Location="http://[::1"),
    "other System": lambda it: it.reply(307, Location=OTHER),
    "retry later": lambda it: it.reply(503, Retry_After="1"),
}


@dataclass
class Adversary:
    """One BMC. `spoken`, `last_off` and `in_a_row` keep it to its rule."""

    dice: random.Random
    hostile: bool  # the rail stays up whatever is sent
    service: Service = field(default_factory=Service)
    rate: float = 0.5
    spoken: bool = False
    last_off: bool = False
    in_a_row: int = 0
    refused: bool = False
    post_broken: bool = False
    trail: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, it: Handler, body: bytes) -> bool:
        with self.lock:
            name, reply = self._chosen(it, body)
            self.trail.append(f"{it.command} {it.path}: {name}")
        reply(it)
        return True

    def _chosen(self, it: Handler, body: bytes) -> tuple[str, Reply]:
        # An honest BMC refuses one command at most: two refusals with one cause, or three, end a fence before its deadline.
        spared = it.command == "POST" and self.post_broken and not self.hostile
        if not spared and self._breaks():
            self.post_broken = self.post_broken or it.command == "POST"
            if not self.refused and self.dice.random() < 0.1:
                self.refused = True
                return "401", lambda it: it.reply(401, WWW_Authenticate="Basic")
            return self.dice.choice(list(BROKEN.items()))
        match it.command, it.path:
            case "POST", _ if it.path == RESET:
                self.service.up = self.service.up and self.hostile
                return "accepted", lambda it: it.reply(204)
            case "GET", path if path == SYSTEM:
                return self._system()
            case "GET", path if path == CHASSIS:
                return self._chassis()
            case "GET", path if path in self.service.documents:
                return "ok", lambda it: it.reply(200, self.service.documents[path])
            case _:
                return "unknown", lambda it: it.reply(404)

    def _breaks(self) -> bool:
        """A hostile BMC breaks as it likes, an honest one at most twice in a row."""
        wants = self.dice.random() < (0.2 if self.hostile else self.rate) and (self.hostile or self.in_a_row < 2)
        self.in_a_row = self.in_a_row + 1 if wants else 0
        return wants

    def _system(self) -> tuple[str, Reply]:
        honest = system(self.service)
        if not self.hostile:
            return str(honest["PowerState"]), lambda it: it.reply(200, honest)
        lie = {**honest, "PowerState": "Off"}
        lies: list[tuple[str, object]] = [
            ("Off", lie),
            ("Off", lie),
            ("PoweringOff", {**honest, "PowerState": "PoweringOff"}),
            ("another System", {**lie, "@odata.id": OTHER}),
            ("a bare word", {"PowerState": "Off"}),
            ("two words", json.dumps(honest)[:-1].encode() + b', "PowerState": "Off"}'),
            ("absent", {**lie, "Status": {"State": "Absent"}}),
            ("a number", {**lie, "PowerState": 0}),
            ("another machine", {**lie, "UUID": "99999999-2222-3333-4444-555555555555"}),
        ]
        if self.spoken:
            lies += [("no links", {**lie, "Links": {}}), ("no links", {**lie, "Links": {"Chassis": []}})]
        name, body = self.dice.choice([("On", honest), ("On", honest), *lies[:-2]]) if self.dice.random() < 0.3 else lies[0]
        if self.spoken and self.dice.random() < 0.2:
            name, body = self.dice.choice(lies)
        return name, lambda it: it.reply(200, body)

    def _chassis(self) -> tuple[str, Reply]:
        own = {"@odata.id": CHASSIS, "Id": "1"}
        if not self.hostile:
            word = "On" if self.service.up else "Off"
            return word, lambda it: it.reply(200, {**own, "PowerState": word})
        answers: list[tuple[str, object]] = [("On", {**own, "PowerState": "On"})]
        if self.spoken:
            answers += [
                ("null", {**own, "PowerState": None}),
                ("silent", own),
                ("bare", {"PowerState": "Off"}),
                ("another chassis", {**own, "@odata.id": CHASSIS + "0", "PowerState": "Off"}),
                ("a System", {**own, "@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem", "PowerState": "Off"}),
                ("absent", {**own, "PowerState": "Off", "Status": {"State": "Absent"}}),
            ]
            if not self.last_off:
                answers.append(("Off", {**own, "PowerState": "Off"}))
        name, body = self.dice.choice(answers)
        self.last_off = name == "Off"
        self.spoken = True
        return name, lambda it: it.reply(200, body)


@dataclass(frozen=True)
class Run:
    """How one run ended. `trouble` is a fault of the fencer; `stuck` an honest failure although the host was off."""

    seed: int
    trouble: str | None
    stuck: str | None
    trail: tuple[str, ...]


def play(seed: int, *, hostile: bool) -> Run:
    dice = random.Random(seed)
    adversary = Adversary(dice, hostile, rate=dice.choice([0.1, 0.25, 0.35]))
    service = adversary.service
    service.up = hostile or dice.random() < 0.5
    service.documents = {
        "/redfish/v1": {"Systems": {"@odata.id": "/redfish/v1/Systems"}},
        "/redfish/v1/Systems": {"Members": [{"@odata.id": SYSTEM}], "Members@odata.count": 1},
        OTHER: {"@odata.id": OTHER, "PowerState": "Off"},
    }
    service.special = adversary.answer
    server = _Server(("127.0.0.1", 0), Handler)
    server.service = service
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    limits = LIMITS if hostile else PATIENT
    trouble = stuck = None
    began = time.monotonic()
    try:
        outcome = fence(target(service), limits)
        if outcome.verdict is FenceVerdict.CONFIRMED and service.up:
            trouble = "claimed off while the rail was up"
        elif outcome.verdict is not FenceVerdict.CONFIRMED and not hostile:
            stuck = str(outcome.failure)
    except Exception as error:  # noqa: BLE001 (any exception is the finding)
        trouble = f"raised {error!r}"
    finally:
        service.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
    if time.monotonic() - began > limits.deadline + GRACE_S:
        trouble = trouble or "ran past its deadline"
    return Run(seed, trouble, stuck, tuple(adversary.trail))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    service: Service

    def handle_error(self, request: object, client_address: object) -> None: ...


def play_all(seeds: range, *, hostile: bool) -> tuple[list[Run], Counter[str]]:
    """Returns the runs that went wrong or stuck, and how often each answer was given."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(lambda seed: play(seed, hostile=hostile), seeds))
    given = Counter(step.rpartition(": ")[2] for run in runs for step in run.trail)
    return [run for run in runs if run.trouble or run.stuck], given
