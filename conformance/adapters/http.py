"""An HA manager: started with files that are made for the run, polled over HTTP until it calls the failed host down, stopped.

The cell's thread polls; a thread of the run watches the process (`process.run`).

Rules
  1. The manager's own word for the target, found on a page by a JSON path, is the claim; it is stamped when it is first seen.
  2. A manager that has called nobody down within the deadline has claimed nothing: that is an answer, not a HANG.
  3. Where an operator confirms by hand, that is tried until the manager takes it (2xx); then the claim is waited for.
  4. It is stopped by SIGTERM; after `STOP_S` it is killed, which is a HANG.
"""

from __future__ import annotations

import json
import re
import secrets
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Self

from conformance.adapters.base import Adapter, CannotStart, Interrupted, Invocation
from conformance.adapters.json_path import JsonPath, NotThere
from conformance.adapters.manager_file import (
    ManagerFile,
    Page,
    TemplateFailed,
    TextTemplate,
    Values,
    read_manager,
    sample_values,
)
from conformance.adapters.process import Ended, run
from conformance.adapters.programs import StandIns, find, lack
from conformance.adapters.section import Section
from conformance.outcome import AlertCounts, FencerOutcome
from conformance.site import OPERATOR, ManagedSite, SiteHost
from conformance.vocabulary import Ask, Claim, Protocol

START_S: Final = 60.0
STOP_S: Final = 10.0
REQUEST_S: Final = 3.0
CONFIRM_S: Final = 15.0
MOST_BYTES: Final = 4_000_000


@dataclass(frozen=True, kw_only=True)
class ManagerAdapter(Adapter):
    """Adapter `http`."""

    name: ClassVar[str] = "http"
    form: ClassVar[str] = "conformance.fencer_forms.manager:MANAGER"
    default_protocols: ClassVar[frozenset[Protocol]] = frozenset({Protocol.REDFISH})

    manager: ManagerFile

    @classmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        return base if base is not None else cls(folder=section.folder, built_in=section.built_in, manager=read_manager(section))

    @property
    def asks(self) -> frozenset[Ask]:
        return frozenset({Ask.WATCH})

    def texts(self) -> Iterator[str]:
        return iter(())

    def is_told(self, name: str) -> bool:
        """ "confirm": whether its file says how an operator confirms."""
        return name == "confirm" and self.manager.confirm is not None

    def missing(self) -> str | None:
        return lack(self.manager.start[0](sample_values()), self.folder)

    def run(self, invocation: Invocation) -> FencerOutcome:
        assert invocation.site is not None
        values = {**_values(invocation.site), "port": _free_port(), "token": secrets.token_hex(16)}
        try:
            values["files"] = _write(self.manager.files, values, invocation.site)
            argv = tuple(word(values) for word in self.manager.start)
            env = {name: text(values) for name, text in self.manager.env.items()}
        except TemplateFailed as error:
            raise CannotStart(f"the fencer file cannot be filled in: {error}") from error
        return _Watch(self, self.manager, invocation, values).play((find(argv[0], self.folder) or argv[0], *argv[1:]), env)


@dataclass(slots=True)
class _Watch:
    """One run of a manager."""

    adapter: ManagerAdapter
    manager: ManagerFile
    invocation: Invocation
    values: Values
    ended: list[Ended] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)  # the process has ended
    terminate: threading.Event = field(default_factory=threading.Event)
    kill: threading.Event = field(default_factory=threading.Event)
    why: str = ""  # what the last look has found, where it was no claim
    claim_after: float = 0.0  # seconds from the failure of the host to the answer

    def play(self, argv: tuple[str, ...], env: Mapping[str, str]) -> FencerOutcome:
        """To the end of the manager. Raises Interrupted and CannotStart."""
        thread = threading.Thread(target=self._program, args=(argv, env), name="manager", daemon=True)
        thread.start()
        claim = Claim.FAILED
        try:
            claim = self._watch()
        finally:  # here with a KeyboardInterrupt where the caller is the main thread
            self.terminate.set()
            hung = not self.over.wait(STOP_S)
            self.kill.set()
            thread.join()
        if self.invocation.stop.is_set():
            raise Interrupted
        for error in self.errors:
            if not isinstance(error, Interrupted):
                raise error
        return self._outcome(claim, hung)

    def _program(self, argv: tuple[str, ...], env: Mapping[str, str]) -> None:
        most = START_S + self._site.patience_s + self.manager.after_s + 3 * STOP_S
        watched = replace(self.invocation, cap=most, on_end=lambda: None, sigterm=self.terminate, stop=self.kill)
        stand_ins = StandIns(self.invocation.watch)
        try:
            self.ended.append(run(argv, watched, stand_ins, cwd=self.adapter.working_directory(self.invocation), env=env))
        except (CannotStart, Interrupted) as error:
            self.errors.append(error)
        finally:
            self.over.set()

    @property
    def _site(self) -> ManagedSite:
        assert self.invocation.site is not None
        return self.invocation.site

    def _watch(self) -> Claim:
        """Until it is ready; then until it calls the target down, or the time is over."""
        ready = self._until(self._is_ready, START_S)
        if ready:
            self.invocation.on_watching()
        elif not self.over.is_set():
            self.why = f"not ready within {START_S:g} s: {self.why}"
        began = time.monotonic()
        if ready and self._site.is_confirmed:
            ready = self._until(self._is_confirmed, self._site.patience_s)
        down = ready and self._until(self._is_down, self._site.patience_s)
        self.claim_after = min(time.monotonic() - began, self._site.patience_s)
        if self.invocation.stop.is_set() or self.errors:
            return Claim.FAILED
        self.invocation.on_end()
        if not down:
            return Claim.FAILED
        self.invocation.on_down()
        self._until(lambda: False, self.manager.after_s)
        return Claim.OFF

    def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether it holds within so many seconds, before the manager ends and before anybody wants it to."""
        until = time.monotonic() + seconds
        while not (self.over.is_set() or self.invocation.stop.is_set() or self.invocation.sigterm.is_set()):
            if holds():
                return True
            if time.monotonic() >= until:
                return False
            self.over.wait(self.manager.every_s)
        return False

    def _is_ready(self) -> bool:
        status, _ = self._get(self.manager.ready)
        return status == self.manager.ready_status

    def _is_down(self) -> bool:
        word = self._on_page(self.manager.path)
        return word is not None and self.manager.down.search(word) is not None

    def _is_confirmed(self) -> bool:
        """Tells the manager that an operator has seen the target off; whether it takes that."""
        assert self.manager.confirm is not None
        seen = {name: self._on_page(path) for name, path in self.manager.confirm.seen.items()}
        if None in seen.values() or "null" in seen.values():
            return False
        values = {**self.values, "operator": OPERATOR, "seen": seen}
        try:
            body = self.manager.confirm.body(values).encode()
        except TemplateFailed as error:
            self.why = str(error)
            return False
        status, content = self._get(self.manager.confirm.page, body, CONFIRM_S)
        if not 200 <= status < 300:
            self.why = f"the confirmation: {self.why} {content[:500].decode(errors='replace')}"
        return 200 <= status < 300

    def _on_page(self, path: JsonPath) -> str | None:
        """What `path` finds on the page `poll`, as text; None where it is not there, and `why` says why."""
        status, content = self._get(self.manager.poll)
        if status != 200:
            return None
        try:
            word = path.find(json.loads(content))
        except (ValueError, RecursionError, NotThere):
            self.why = f"{path.text} is not on its page"
            return None
        return word if isinstance(word, str) else json.dumps(word)

    def _get(self, page: Page, body: bytes | None = None, seconds: float = REQUEST_S) -> tuple[int, bytes]:
        """Status and body; 0 where there is no answer, and `why` says why. With `body` it is a POST."""
        try:
            headers = {name: text(self.values) for name, text in page.headers.items()}
            request = urllib.request.Request(page.url(self.values), data=body, headers=headers)
            with _OPENER.open(request, timeout=seconds) as answer:
                return int(answer.status), answer.read(MOST_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                self.why = f"HTTP {error.code}"
                return error.code, b"" if body is None else error.read(MOST_BYTES)
        except (OSError, ValueError, TemplateFailed) as error:
            self.why = str(error)
            return 0, b""

    def _outcome(self, claim: Claim, hung: bool) -> FencerOutcome:
        if not self.ended:  # it did not end when it was told to, and was killed
            return FencerOutcome(ask=Ask.WATCH, claim=claim, stderr=self.why, duration=self.claim_after + STOP_S, timed_out=True)
        outcome = self.ended[0].outcome(self.invocation, claim)
        said = "\n".join(part for part in (outcome.stderr.strip(), self.why) if part and claim is not Claim.OFF) or outcome.stderr
        return replace(
            outcome,
            claim=claim,
            stderr=said,
            duration=self.claim_after,
            timed_out=hung or outcome.timed_out,
            alerts=self._alerts(outcome.text),
            sigterm_at=outcome.sigterm_at if self.invocation.sigterm.is_set() else None,
        )

    def _alerts(self, said: str) -> AlertCounts | None:
        success, failure = self.manager.success, self.manager.failure
        if success is None or failure is None:
            return None
        return AlertCounts(successes=self._lines(success, said), failures=self._lines(failure, said))

    def _lines(self, pattern: TextTemplate, said: str) -> int:
        wanted = re.compile(pattern(self.values))
        return sum(1 for line in said.splitlines() if wanted.search(line))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())


def _values(site: ManagedSite) -> dict[str, object]:
    hosts = {host.name: _host(host) for host in site.hosts}
    return {
        "hosts": list(hosts.values()),
        "vms": [{"name": vm, "host": host.name} for host in site.hosts for vm in host.workloads],
        "target": hosts[site.target],
        "folder": str(site.folder),
    }


def _host(host: SiteHost) -> dict[str, object]:
    agent = {"host": host.agent.host, "port": host.agent.port, "url": host.agent.url}
    return {"name": host.name, "bmc": dict(host.bmc), "agent": agent, "vms": list(host.workloads)}


def _write(files: Mapping[str, TextTemplate], values: Values, site: ManagedSite) -> dict[str, str]:
    """Writes all files; their paths by name, which every one of them may use."""
    paths = {name: site.files / name for name in files}
    known = {**values, "files": {name: str(path) for name, path in paths.items()}}
    for name, text in files.items():
        with suppress(FileNotFoundError):
            paths[name].unlink()
        paths[name].touch(0o600)
        paths[name].write_text(text(known), encoding="utf-8")
    return {name: str(path) for name, path in paths.items()}


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
