"""Stand-ins for the agents on the hosts that a manager watches. They answer for a host as long as it has power.

`play_scenario` starts them beside the emulator. Each agent listens at a loopback address of its own; requests are answered in
threads of their own, and the journal's events come in the emulator's thread. What a manager may ask:

  GET  /health      200 {"host", "boot_id", "vms"}
  GET  /vms         200 {"host", "boot_id", "vms"}
  POST /vms/start   {"vm", "key"}: 200 started (or runs here already), 409 refused: nothing was started
  POST /vms/stop    {"vm", "key"}: 200 it does not run here

Rules
  1. An agent of a host without power, or out of sight, has no listening socket: connections are refused. Once they are observed
     (`observe`) it takes them and closes them without an answer.
  2. Every start, refusal and stop is in the journal before it is answered.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Final

from conformance.agent_trouble import LISTED, AgentAnswer, AgentTrouble, request_of
from conformance.site import AgentAddress, AgentRequest, AgentWord
from conformance.workloads import ASKED, REFUSE, RETURNS, RUNS, START, STOP
from emulator import Event, EventKind, Rail

if TYPE_CHECKING:
    from emulator import Emulator

MOST_BYTES: Final = 65_536
READ_S: Final = 5.0


class _Agent:
    """One agent. `lock` guards all of it."""

    def __init__(self, host: str, address: AgentAddress, workloads: Sequence[str]) -> None:
        self.host, self.address = host, address
        self.running = dict.fromkeys(workloads, "")
        self.boots, self.has_power, self.muted = 1, True, False
        self.server: _Server | None = None
        self.before: dict[str, object] = {}  # what it told when it was first observed

    @property
    def reachable(self) -> bool:
        return self.has_power and not self.muted

    @property
    def state(self) -> str:
        return "reached" if self.reachable else "silent" if self.has_power else "off"

    def told(self) -> dict[str, object]:
        return {"host": self.host, "boot_id": f"{self.host}-{self.boots}", "vms": sorted(self.running)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], answer: Callable[[str, str, object], AgentAnswer | None]) -> None:
        self.answer = answer
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A manager that hangs up."""


class _Handler(BaseHTTPRequestHandler):
    timeout = READ_S
    server: _Server

    def do_GET(self) -> None:
        self._reply(self.server.answer("GET", self.path, None))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self._reply(AgentAnswer(400, {"error": "Content-Length"}))
            return
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except (ValueError, RecursionError):
            self._reply(AgentAnswer(400, {"error": "not JSON"}))
            return
        self._reply(self.server.answer("POST", self.path, body))

    def _reply(self, answer: AgentAnswer | None) -> None:
        self.close_connection = True
        if answer is None:
            return
        time.sleep(answer.late_s)
        content = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


class AgentStandIns:
    """The agents of one run, by host. Raises OSError when it is entered where no port can be had."""

    def __init__(self, emulator: Emulator, workloads: Mapping[str, tuple[str, ...]], address: str) -> None:
        self._emulator, self._address = emulator, address
        self._workloads = workloads
        self._agents: dict[str, _Agent] = {}
        self._lock = threading.RLock()
        self._refused: set[tuple[str, str]] | None = None  # None: nobody refuses
        self._commanded: dict[str, bool] = {}  # hosts that return after a command: whether one was taken
        self._news: queue.SimpleQueue[tuple[str, bool | None] | None] = queue.SimpleQueue()  # power; None: it is reached again
        self._follower = threading.Thread(target=self._follow, name="agents", daemon=True)
        self._end: Callable[[], None] = lambda: None
        self._trouble: AgentTrouble | None = None  # None: not observed

    def __enter__(self) -> AgentStandIns:
        for host, vms in self._workloads.items():
            agent = _Agent(host, self._first_address(), vms)
            self._agents[host] = agent
            self._listen(agent)
            for vm in vms:
                self._emulator.record(host, EventKind.MANAGER, what=RUNS, vm=vm)
        self._begin()
        self._end = self._emulator.subscribe(self._heard)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()
        self._finish()

    def _first_address(self) -> AgentAddress:
        return AgentAddress(host=self._address, port=0)

    def _begin(self) -> None:
        self._follower.start()

    def _finish(self) -> None:
        self._news.put(None)
        self._follower.join()
        with self._lock:
            self._trouble = None
            for agent in self._agents.values():
                agent.muted = True
                self._listen(agent)

    def address(self, host: str) -> AgentAddress:
        return self._agents[host].address

    # -- what happens to them --------------------------------------------------------------------------------------------

    def mute(self, *hosts: str) -> None:
        self._change(hosts, muted=True)

    def unmute(self, *hosts: str) -> None:
        self._change(hosts, muted=False)

    def answer_after_command(self, host: str) -> None:
        with self._lock:
            self._commanded.setdefault(host, False)

    def refuse_first_start(self) -> None:
        with self._lock:
            self._refused = set()

    def observe(self) -> None:
        with self._lock:
            self._trouble = self._trouble or AgentTrouble()
            for agent in self._agents.values():
                agent.before = agent.told()

    def deviate(self, host: str, request: AgentRequest, nth: int, word: AgentWord, seconds: float) -> None:
        with self._lock:
            self._trouble = self._trouble or AgentTrouble()
            self._trouble.plan(host, request, nth, word, seconds)

    def _change(self, hosts: Sequence[str], *, muted: bool) -> None:
        agents = [self._agents[host] for host in hosts]
        with self._lock:
            for agent in agents:
                agent.muted = muted
                if muted and agent.server is not None and self._trouble is None:
                    agent.server.socket.close()  # of all of them before any `shutdown`, which takes its time
            for agent in agents:
                self._listen(agent)

    def _heard(self, event: Event) -> None:
        if event.kind is EventKind.RAIL and event.bmc in self._agents:
            self._news.put((event.bmc, event.data.get("rail") == Rail.UP))
        elif event.kind is EventKind.COMMAND and event.bmc in self._commanded:
            self._commanded[event.bmc] = True
        elif event.kind is EventKind.LOOK and self._commanded.get(event.bmc):
            self._news.put((event.bmc, None))

    def _follow(self) -> None:
        while (news := self._news.get()) is not None:
            self._take(*news)

    def _take(self, host: str, has_power: bool | None) -> None:
        with self._lock:
            agent = self._agents[host]
            if has_power is None:
                self._return(agent)
                return
            if has_power and not agent.has_power:
                agent.boots += 1
            agent.has_power = has_power
            if not has_power:
                agent.running.clear()
            self._listen(agent)

    def _return(self, agent: _Agent) -> None:
        if agent.muted and agent.has_power:
            self._emulator.record(agent.host, EventKind.MANAGER, what=RETURNS)
            agent.muted = False
            self._listen(agent)

    def _listen(self, agent: _Agent) -> None:
        """Opens or closes the agent's port, as it should be now. The lock is held, or nobody else knows the agent yet."""
        wanted = agent.reachable or self._trouble is not None
        if wanted and agent.server is None:
            agent.server = _Server((agent.address.host, agent.address.port), self._answer_for(agent))
            agent.address = AgentAddress(host=agent.address.host, port=int(agent.server.server_address[1]))
            threading.Thread(target=agent.server.serve_forever, args=(0.05,), name=f"agent {agent.host}", daemon=True).start()
        elif not wanted and agent.server is not None:
            server, agent.server = agent.server, None
            server.socket.close()  # at once: `shutdown` waits for the serving thread
            with suppress(OSError):
                server.shutdown()
                server.server_close()

    # -- what they answer ------------------------------------------------------------------------------------------------

    def _answer_for(self, agent: _Agent) -> Callable[[str, str, object], AgentAnswer | None]:
        return lambda method, path, body: self._answer(agent, method, path.partition("?")[0], body)

    def _answer(self, agent: _Agent, method: str, path: str, body: object) -> AgentAnswer | None:
        with self._lock:
            request = request_of(method, path)
            if self._trouble is None or request is None:
                return self._plain(agent, method, path, body)
            nth, word, seconds = self._trouble.next(agent.host, request)
            state = agent.state
            answer = self._deviated(agent, word, method, path, body)
            self._emulator.record(
                agent.host, EventKind.MANAGER, what=ASKED, request=request, nth=nth, state=state, deviation=word,
                told="nothing" if answer is None else f"late {answer.status}" if word == "late" else str(answer.status),
            )  # fmt: skip
            return answer._replace(late_s=seconds) if answer is not None and word == "late" else answer

    def _deviated(self, agent: _Agent, word: str, method: str, path: str, body: object) -> AgentAnswer | None:
        """The answer to a request that is observed; `word` is how the agent deviates, empty where it does not."""
        match word:
            case "silent" | "lost-request":
                return None
            case "error":
                return AgentAnswer(503, {"error": "out of order"})
            case "alive":
                return AgentAnswer(200, agent.before)
            case "empty":
                return AgentAnswer(200, {**agent.told(), LISTED: []})
            case "refused":
                self._note(agent, REFUSE, _vm_of(body))
                return AgentAnswer(409, {"error": "no room; nothing was started"})
            case "returns":
                self._return(agent)
            case _:
                pass
        answer = self._plain(agent, method, path, body) if agent.reachable else None
        return None if word == "lost-answer" else answer

    def _plain(self, agent: _Agent, method: str, path: str, body: object) -> AgentAnswer:
        """What it answers as long as nothing is the matter. The lock is held."""
        if method == "GET":
            if not agent.reachable:
                return AgentAnswer(503, {"error": "not reached"})
            known = path in ("/health", "/vms")
            return AgentAnswer(200, agent.told()) if known else AgentAnswer(404, {"error": "no such page"})
        vm = _vm_of(body)
        if not vm or path not in ("/vms/start", "/vms/stop"):
            return AgentAnswer(400, {"error": 'POST {"vm", "key"} to /vms/start or /vms/stop'})
        if not agent.reachable:
            return AgentAnswer(503, {"error": "no power"})
        if path == "/vms/stop":
            if agent.running.pop(vm, None) is not None:
                self._note(agent, STOP, vm)
            return AgentAnswer(200, {"vm": vm, "runs": False})
        if self._refuses(agent, vm):
            self._note(agent, REFUSE, vm)
            return AgentAnswer(409, {"error": f"{agent.host} has no room for {vm}; nothing was started"})
        if vm not in agent.running:
            agent.running[vm] = str(body.get("key", "")) if isinstance(body, dict) else ""
            self._note(agent, START, vm)
        return AgentAnswer(200, {"vm": vm, "runs": True})

    def _refuses(self, agent: _Agent, vm: str) -> bool:
        if self._refused is None:
            return False
        if not self._refused:
            self._refused.add((agent.host, vm))
        return (agent.host, vm) in self._refused

    def _note(self, agent: _Agent, what: str, vm: str) -> None:
        self._emulator.record(agent.host, EventKind.MANAGER, what=what, vm=vm)


def _vm_of(body: object) -> str:
    """The VM that a request names; empty where it names none."""
    vm = body.get("vm") if isinstance(body, dict) else None
    return vm if isinstance(vm, str) else ""
