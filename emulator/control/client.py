"""The Python client of the control API: power, faults, time and the journal of an emulator that runs in another process.

    from emulator import ControlClient

    control = ControlClient.find()                       # the only emulator that runs; or find("rack"), or find("4711")
    fault = control.arm("bmc1", {"type": "report.says", "params": {"word": "On"}})
    control.power("bmc1", "unplug")
    for event in control.follow(kind="rail"):
        print(event)

Every method is one request on a connection of its own, so a client may be used from several threads. Answers are dictionaries
in the shapes of `/openapi.json`. All raise ControlError, whose text is one sentence for a person.
"""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from emulator.control.instance_files import FolderRefused, InstanceFile, running

TIMEOUT_S: Final = 30.0
JOURNAL_PAGE: Final = 10_000

Json = dict[str, Any]
"""A JSON object as the server has made it; /openapi.json gives its shape."""


class ControlError(Exception):
    """What was asked could not be done. `status` is the HTTP status of the answer, None: there was no answer. `problems` are
    (path, sentence) for what was written wrongly."""

    def __init__(self, sentence: str, status: int | None = None, problems: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.problems = problems


class NoInstance(ControlError):
    """No emulator runs, or several do and none was named. `instances` are those that run."""

    def __init__(self, sentence: str, instances: tuple[InstanceFile, ...]) -> None:
        super().__init__(sentence)
        self.instances = instances


class ControlClient:
    """A client of one emulator."""

    def __init__(self, host: str, port: int, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """`timeout_s` bounds every wait for the server, in seconds."""
        self._host = host
        self._port = port
        self._token = token
        self._timeout_s = timeout_s

    @classmethod
    def find(cls, instance: str | None = None, *, timeout_s: float = TIMEOUT_S) -> ControlClient:
        """A client of the emulator of that name or process number; None: of the only one that runs. Raises NoInstance."""
        try:
            found = tuple(running())
        except FolderRefused as error:
            raise NoInstance(str(error), ()) from None
        chosen = [each for each in found if instance is None or instance in (each.name, str(each.pid))]
        if len(chosen) == 1:
            return cls(chosen[0].host, chosen[0].port, chosen[0].token, timeout_s=timeout_s)
        if chosen:
            of_name = "" if instance is None else f" called {instance}"
            raise NoInstance(f"{len(chosen)} emulators{of_name} run: name one by --instance NAME or PID", tuple(chosen))
        if instance is not None:
            raise NoInstance(f"no emulator is called {instance}, nor is it the number of one's process", found)
        raise NoInstance("no emulator runs that can be controlled: start one with bmc-emulator run", ())

    # -- the instance --------------------------------------------------------------------------------------------------

    def instance(self) -> Json:
        """Name, process, version, seed, counts, clock."""
        return self._json("GET", "/v1/instance")

    def stop(self) -> None:
        """Ends the emulator, as Ctrl-C does. Returns when it has taken that on."""
        self._json("POST", "/v1/stop")

    def metrics(self) -> str:
        """In the text format of Prometheus."""
        with self._asked("GET", "/metrics") as answer:
            return answer.read().decode()

    # -- BMCs ----------------------------------------------------------------------------------------------------------

    def bmcs(self) -> Iterator[Json]:
        """All BMCs with their hosts, page by page."""
        offset: int | None = 0
        while offset is not None:
            page = self._json("GET", f"/v1/bmcs?offset={offset}")
            yield from page["bmcs"]
            offset = page["next"]

    def bmc(self, name: str) -> Json:
        """One BMC with its hosts and how to log in."""
        return self._json("GET", _bmc(name))

    def power(self, name: str, action: str, system: str | None = None, *, as_profile: bool = False) -> Json:
        """`action`: on, off, press, unplug, plug, hang, crash, boot. Returns the BMC as it is then."""
        return self._json("POST", f"{_bmc(name)}/power", {"action": action, "system": system, "as_profile": as_profile})

    def mute(self, name: str, muted: bool = True) -> Json:
        """Lets the network swallow everything that is sent to a BMC, or not any more."""
        return self._json("PUT", f"{_bmc(name)}/mute", {"muted": muted})

    def add(self, profile: str, name: str | None = None, **settings: object) -> Json:
        """One more BMC. `settings`: power, listen, redfish_port, ipmi_port."""
        return self._json("POST", "/v1/bmcs", {"profile": profile, "name": name, **settings})

    def remove(self, name: str) -> None:
        """Takes a BMC and its hosts away."""
        self._json("DELETE", _bmc(name))

    # -- faults --------------------------------------------------------------------------------------------------------

    def fault_types(self) -> list[Json]:
        types: list[Json] = self._json("GET", "/v1/fault-types")["types"]
        return types

    def fault_type(self, name: str) -> Json:
        return self._json("GET", f"/v1/fault-types/{quote(name, safe='')}")

    def arm(self, name: str, fault: Mapping[str, object] | str) -> Json:
        """Arms a fault on a BMC: `fault/1` as a mapping, or the name of one of its profile's own. The answer has its `id`."""
        return self._json("POST", f"{_bmc(name)}/faults", {"named": fault} if isinstance(fault, str) else dict(fault))

    def faults(self, name: str | None = None) -> list[Json]:
        """What is armed on a BMC, or on all."""
        query = "" if name is None else f"?{urlencode({'bmc': name})}"
        armed: list[Json] = self._json("GET", f"/v1/faults{query}")["faults"]
        return armed

    def disarm(self, fault_id: str) -> None:
        self._json("DELETE", f"/v1/faults/{quote(fault_id, safe='')}")

    # -- time and the journal ------------------------------------------------------------------------------------------

    def clock(self) -> Json:
        return self._json("GET", "/v1/clock")

    def set_clock(self, *, rate: float | None = None, paused: bool | None = None, step_s: float = 0.0) -> Json:
        """First the rate, then pause or resume, then a step forward."""
        return self._json("PATCH", "/v1/clock", {"rate": rate, "paused": paused, "step_s": step_s})

    def journal(
        self, *, after: int = 0, bmc: str | None = None, kind: str | None = None, since_s: float | None = None
    ) -> Iterator[Json]:
        """All events that are still in memory and fit, oldest first, page by page."""
        last = after
        while True:
            seen = 0
            with self._asked("GET", _journal(after=last, limit=JOURNAL_PAGE, bmc=bmc, kind=kind, since_s=since_s)) as answer:
                for event in _lines(answer):
                    seen, last = seen + 1, event["seq"]
                    yield event
            if seen < JOURNAL_PAGE:
                return

    def follow(
        self, *, after: int | None = None, bmc: str | None = None, kind: str | None = None, since_s: float | None = None
    ) -> Iterator[Json]:
        """Events as they come, from now on unless `after` or `since_s` says otherwise, until the emulator ends.

        A reader that is too slow gets `{"dropped": n}` in place of what it has missed. The first item may take as long as the
        first event; the request itself is answered when this is called.
        """
        stack = contextlib.ExitStack()
        answer = stack.enter_context(
            self._asked("GET", _journal(after=after, bmc=bmc, kind=kind, since_s=since_s, follow="true"))
        )
        answer.readline()  # the greeting: from here on nothing is missed

        def events() -> Iterator[Json]:
            with stack:
                yield from _lines(answer)

        return events()

    # -- one request ---------------------------------------------------------------------------------------------------

    def _json(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Json:
        with self._asked(method, path, body) as answer:
            data = answer.read()
        told: Json = json.loads(data) if data else {}
        return told

    @contextlib.contextmanager
    def _asked(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        headers = {"Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            try:
                connection.request(method, path, None if body is None else json.dumps(body), headers)
                answer = connection.getresponse()
                if answer.status >= 300:
                    raise _refused(answer.status, answer.read())
            except (OSError, http.client.HTTPException) as error:
                raise ControlError(f"the emulator does not answer: {_reason(error)}") from None
            try:
                yield answer
            except (OSError, http.client.HTTPException) as error:
                raise ControlError(f"the emulator has broken off: {_reason(error)}") from None
        finally:
            connection.close()


def _reason(error: Exception) -> str:
    return ((error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__).lower()


def _bmc(name: str) -> str:
    return f"/v1/bmcs/{quote(name, safe='')}"


def _journal(**query: object) -> str:
    return f"/v1/journal?{urlencode({key: value for key, value in query.items() if value is not None})}"


def _lines(answer: http.client.HTTPResponse) -> Iterator[Json]:
    for line in answer:
        if line.strip():
            yield json.loads(line)


def _refused(status: int, body: bytes) -> ControlError:
    try:
        told = json.loads(body)
        problems = tuple((str(each["path"]), str(each["message"])) for each in told["problems"])
        return ControlError(str(told["error"]), status, problems)
    except (ValueError, KeyError, TypeError):
        return ControlError(f"the emulator answered with status {status}", status)
