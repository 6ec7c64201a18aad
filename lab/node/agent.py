"""The agent of a host of the lab: answers health checks, runs virtual machines and writes a heartbeat file.

The emulator starts it as the host's operating system. SIGTERM shuts it down. POST /hang makes it hang like a kernel that has
lost network and init but not its disks: it answers nothing and ignores SIGTERM, but its machines keep writing. It uses only
the standard library. Times are seconds.

  GET  /healthz          {"host", "boot", "vms": [...]}
  GET  /vms              {"boot", "vms": [...]}: the boot of this host, and all machines that run here
  POST /vms/start        {"vm", "key", "boot"?}: starts a machine, exactly once per key; 412 if `boot` is another boot
  POST /vms/stop         {"vm", "key"}: stops a machine, if it runs here; a later start with this key starts nothing
  POST /hang             hangs

Settings come from the environment: NODE_NAME, NODE_DISK (the shared folder), NODE_BIND (default 127.0.0.1), NODE_PORT,
NODE_VMS (machines to start at the first boot, comma separated; only those whose disk has no writes yet).
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
HEARTBEAT_INTERVAL_S = 0.1
MAX_BODY_BYTES = 4096


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

    def _take(self, key: str) -> bool:
        """Takes a key, for all hosts and all boots. False if it was taken before."""
        keys = self.disk / "keys"
        keys.mkdir(exist_ok=True)
        try:
            # A key may have any characters, so the file name is its digest.
            os.close(os.open(keys / hashlib.sha256(key.encode()).hexdigest(), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        return True

    def start(self, vm: str, key: str) -> bool:
        """Starts a machine. False if this key has started one before, on any host, or if the machine runs here."""
        if not self._take(key):
            return False
        with self._lock:
            running = self._vms.get(vm)
            if running is not None and running.poll() is None:
                return False
            token = f"{self.name}-{secrets.token_hex(4)}"
            argv = [sys.executable, "-I", "-S", str(VM_PROGRAM), str(self.disk), vm, self.name, token]
            self._vms[vm] = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        return True

    def stop(self, vm: str, key: str = "") -> bool:
        if key:
            self._take(key)
        with self._lock:
            process = self._vms.pop(vm, None)
        if process is None:
            return False
        process.kill()
        process.wait()
        return True

    def first_boot(self, vms: list[str]) -> None:
        """Starts the machines that have never run on any host. A node that boots again starts none."""
        for vm in vms:
            if not (self.disk / f"{vm}.jsonl").exists():
                self.start(vm, f"first-{vm}")

    def beat(self, stopped: threading.Event) -> None:
        """Renews DISK/NAME.heartbeat until the host hangs or stops."""
        path = self.disk / f"{self.name}.heartbeat"
        while not self.hung.is_set():
            path.touch()
            if stopped.wait(HEARTBEAT_INTERVAL_S):
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
        elif self.path == "/vms":
            self._answer(HTTPStatus.OK, {"boot": self.node.boot, "vms": self.node.vms()})
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
            wish = json.loads(self.rfile.read(min(int(length), MAX_BODY_BYTES)))
            vm, key, boot = wish["vm"], wish["key"], wish.get("boot", self.node.boot)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._answer(HTTPStatus.BAD_REQUEST, {"error": 'the body must be {"vm": NAME, "key": KEY}'})
            return
        if not (is_name(vm) and isinstance(key, str) and (key or not start)):
            error = "vm is made of letters, digits, dashes, dots and underscores; key is any text"
            self._answer(HTTPStatus.BAD_REQUEST, {"error": error})
            return
        if start and boot != self.node.boot:
            self._answer(HTTPStatus.PRECONDITION_FAILED, {"error": f"this host has booted again; its boot is {self.node.boot}"})
        elif start:
            done = self.node.start(vm, key)
            self._answer(HTTPStatus.CREATED if done else HTTPStatus.OK, {"vm": vm, "host": self.node.name, "started": done})
        else:
            self._answer(HTTPStatus.OK, {"vm": vm, "host": self.node.name, "stopped": self.node.stop(vm, key)})

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

    def on_terminate(*_: object) -> None:
        if not node.hung.is_set():
            stopped.set()

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_terminate)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    node.first_boot([vm for vm in os.environ.get("NODE_VMS", "").split(",") if vm])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=node.beat, args=(stopped,), daemon=True).start()
    # Python runs signal handlers in the main thread between two waits, so wait for one second at a time.
    while not stopped.wait(1.0):
        if node.hung.is_set():
            server.socket.close()  # from now on nothing answers; the machines keep running
            signal.pause()
    for vm in node.vms():
        node.stop(vm)


if __name__ == "__main__":
    main()
