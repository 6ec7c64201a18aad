"""A "KVM host" of the lab: one small agent that answers heartbeats, runs virtual machines and writes its own heartbeat.

It is the host's operating system: SIGTERM shuts it down politely, POST /hang makes it hang, as a kernel does that has lost its
network and its init but not its disks: no answers, no polite shutdown, and its machines go on writing. Standard library only.

  GET  /healthz          {"host", "boot", "vms": [...]}
  POST /vms/start        {"vm", "key"}: starts a machine; a key that was used before starts nothing (exactly once)
  POST /vms/stop         {"vm", "key"}: stops a machine, if it runs here
  POST /hang             hangs

Settings come from the environment: NODE_NAME, NODE_DISK (the shared folder), NODE_BIND (default 127.0.0.1), NODE_PORT,
NODE_VMS (machines to start at first boot, comma separated: only those whose disk nobody has ever written to).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

VM_PROGRAM = Path(__file__).with_name("vm.py")
HEARTBEAT_EVERY = 0.1
MAX_BODY = 4096


class NodeAgent:
    """The machines of one host, and whether it hangs."""

    def __init__(self, name: str, disk: Path) -> None:
        self.name = name
        self.disk = disk
        self.boot = secrets.token_hex(4)
        self.hung = threading.Event()
        self._vms: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def vms(self) -> list[str]:
        with self._lock:
            return sorted(name for name, process in self._vms.items() if process.poll() is None)

    def start(self, vm: str, key: str) -> bool:
        """False where this key has started a machine before, here or elsewhere."""
        keys = self.disk / "keys"
        keys.mkdir(exist_ok=True)
        try:
            # A key is anybody's text, so its digest is the file's name.
            os.close(os.open(keys / hashlib.sha256(key.encode()).hexdigest(), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        with self._lock:
            running = self._vms.get(vm)
            if running is not None and running.poll() is None:
                return False
            token = f"{self.name}-{secrets.token_hex(4)}"
            argv = [sys.executable, "-I", "-S", str(VM_PROGRAM), str(self.disk), vm, self.name, token]
            self._vms[vm] = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        return True

    def stop(self, vm: str) -> bool:
        with self._lock:
            process = self._vms.pop(vm, None)
        if process is None:
            return False
        process.kill()
        process.wait()
        return True

    def first_boot(self, vms: list[str]) -> None:
        """Starts those machines that have never run anywhere: a node that boots again starts nothing by itself."""
        for vm in vms:
            if not (self.disk / f"{vm}.jsonl").exists():
                self.start(vm, f"first-{vm}")

    def beat(self, stopped: threading.Event) -> None:
        """Renews DISK/NAME.heartbeat until the host hangs or stops."""
        path = self.disk / f"{self.name}.heartbeat"
        while not self.hung.is_set():
            path.touch()
            if stopped.wait(HEARTBEAT_EVERY):
                return


def is_name(text: object) -> bool:
    """Names of machines become file names: letters, digits, dash, dot, underscore, and no leading dot."""
    return isinstance(text, str) and 0 < len(text) <= 200 and text[0] != "." and all(c.isalnum() or c in "-._" for c in text)


class AgentHandler(BaseHTTPRequestHandler):
    node: ClassVar[NodeAgent]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, {"host": self.node.name, "boot": self.node.boot, "vms": self.node.vms()})
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"nothing at {self.path}"})

    def do_POST(self) -> None:
        if self.path == "/hang":
            self._answer(HTTPStatus.ACCEPTED, {"hung": True})
            self.node.hung.set()
        elif self.path in ("/vms/start", "/vms/stop"):
            self._start_or_stop(start=self.path == "/vms/start")
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"nothing at {self.path}"})

    def _start_or_stop(self, *, start: bool) -> None:
        length = self.headers.get("Content-Length", "0")
        try:
            wish = json.loads(self.rfile.read(min(int(length), MAX_BODY)))
            vm, key = wish["vm"], wish["key"]
        except (ValueError, KeyError, TypeError):
            self._answer(HTTPStatus.BAD_REQUEST, {"error": 'the body must be {"vm": NAME, "key": KEY}'})
            return
        if not (is_name(vm) and isinstance(key, str) and key):
            error = "vm is made of letters, digits, dashes, dots and underscores; key is any text"
            self._answer(HTTPStatus.BAD_REQUEST, {"error": error})
            return
        if start:
            done = self.node.start(vm, key)
            self._answer(HTTPStatus.CREATED if done else HTTPStatus.OK, {"vm": vm, "host": self.node.name, "started": done})
        else:
            self._answer(HTTPStatus.OK, {"vm": vm, "host": self.node.name, "stopped": self.node.stop(vm)})

    def _answer(self, status: HTTPStatus, body: dict[str, object]) -> None:
        if self.node.hung.is_set():
            self.close_connection = True
            return
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    node = NodeAgent(os.environ["NODE_NAME"], Path(os.environ["NODE_DISK"]))
    node.disk.mkdir(parents=True, exist_ok=True)
    AgentHandler.node = node
    server = ThreadingHTTPServer((os.environ.get("NODE_BIND", "127.0.0.1"), int(os.environ["NODE_PORT"])), AgentHandler)
    server.daemon_threads = True
    stopped = threading.Event()

    def polite(*_: object) -> None:
        if not node.hung.is_set():
            stopped.set()

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, polite)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    node.first_boot([vm for vm in os.environ.get("NODE_VMS", "").split(",") if vm])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=node.beat, args=(stopped,), daemon=True).start()
    # Signal handlers run in the main thread, which must come back to Python now and then: wait in slices.
    while not stopped.wait(1.0):
        if node.hung.is_set():
            server.socket.close()  # from now on nobody answers; the machines know nothing of it
            signal.pause()
    for vm in node.vms():
        node.stop(vm)


if __name__ == "__main__":
    main()
