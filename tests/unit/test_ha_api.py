"""The HTTP API of fence-ha without sockets: what each route answers, and that the OpenAPI document says so."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fencer.ha.api.openapi import document
from fencer.ha.api.progress import Progress
from fencer.ha.api.routes import ROUTES, Api
from fencer.ha.api.server import ApiReply, ApiRequest
from fencer.ha.api.store_thread import StoreThread
from fencer.ha.api.token import BadToken, load_or_make
from fencer.ha.config import load_config
from fencer.ha.effects import LineKind, OperatorAnswer, TimelineLine
from fencer.ha.entries import ManagerLease, StoredEvent
from fencer.ha.operations import ACTIONS
from fencer.ha.record import Fence, HostRecord
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState

TOKEN = "a-token-of-this-test"
HOSTS = "hosts:\n" + "".join(
    f"  - {{name: {name}, bmc: {{host: 127.0.0.1, port: {port}}}, health: [{{kind: exec, argv: ['true']}}]}}\n"
    for name, port in (("a", 1), ("b", 2))
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Bed:
    """An API over a store in which the host `a` is fenced and `b` is known to the file only."""

    def __init__(self, path: Path) -> None:
        (path / "ha.yaml").write_text(HOSTS)
        self.config, self.clock = load_config(path / "ha.yaml"), Clock()
        self.store = SqliteStore(self.config.state_file)
        self.store.register(HostRecord(host="a", state=HAState.FENCED, released="a-f1", healthy=False), ["v1"])
        self.store.register(HostRecord(host="old", state=HAState.AVAILABLE), [])
        evidence = {"how": "already-off", "first_read_at": 1.0, "last_read_at": 5.0, "word": "Off"}
        line = TimelineLine(
            kind=LineKind.ALERT, detail={"alert": "FENCED", "text": "a is off", "fence_id": "a-f1", "reason": None, **evidence}
        )
        self.store.add_events("a", [line], 7.0)
        self.progress = Progress(patience_s=10.0, now=self.clock)
        self.thread = StoreThread(self.config.state_file)
        self.api = Api(
            config=self.config, token=TOKEN, progress=self.progress, store=self.thread, routes=ROUTES,
            document=document(ROUTES, "1"),
        )  # fmt: skip

    def ask(self, method: str, path: str, body: object = None, token: str = TOKEN) -> tuple[int, dict[str, object]]:
        reply = self.raw(method, path, b"" if body is None else json.dumps(body).encode(), token)
        return reply.status, json.loads(reply.content)

    def raw(self, method: str, path: str, body: bytes = b"", token: str = TOKEN) -> ApiReply:
        path, _, query = path.partition("?")
        return self.api.answer(ApiRequest(method=method, path=path, query=query, body=body, token=token))

    def close(self) -> None:
        self.thread.close()
        self.store.close()


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = Bed(tmp_path)
    yield made
    made.close()


def test_a_host_is_told_with_its_state_its_fence_its_evidence_and_its_alerts(bed: Bed) -> None:
    status, host = bed.ask("GET", "/v1/hosts/a")
    assert status == 200
    assert {key: host[key] for key in ("state", "host_status", "fence_id", "in_file", "vms")} == {
        "state": "Fenced", "host_status": "Down", "fence_id": "a-f1", "in_file": True, "vms": ["v1"],
    }  # fmt: skip
    assert host["evidence"] == {"how": "already-off", "first_read_at": 1.0, "last_read_at": 5.0, "word": "Off"}
    assert [alert["alert"] for alert in host["alerts"]] == ["FENCED"]  # type: ignore[attr-defined]


def test_all_hosts_are_told_those_without_a_manager_and_those_that_left_the_file_too(bed: Bed) -> None:
    _, answer = bed.ask("GET", "/v1/hosts")
    told = {host["host"]: (host["state"], host["in_file"]) for host in answer["hosts"]}  # type: ignore[attr-defined]
    assert told == {"a": ("Fenced", True), "b": (None, True), "old": ("Available", False)}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/v1/hosts/zz", "no host is called zz; there are a, b, old"),
        ("/v1/hosts/b", "no manager has taken b up yet: start fence-ha run with this file"),
        ("/v2", "there is no /v2; /v1/openapi.json lists what there is"),
        ("/v1/requests/7", "there is no request 7"),
    ],
)
def test_what_is_not_there_is_said_so(bed: Bed, path: str, why: str) -> None:
    assert bed.ask("GET", path) == (404, {"error": why})


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], f"{TOKEN}x"])
def test_nothing_but_health_and_the_document_is_told_without_the_token(bed: Bed, token: str) -> None:
    opened = set()
    for route in ROUTES:
        path = route.pattern.replace("{name}", "a").replace("{id}", "1")
        reply = bed.raw(route.method, path, token=token)
        if reply.status == 401:
            assert reply.headers == {"WWW-Authenticate": "Bearer"}
        else:
            opened.add(route.pattern)
    assert opened == {"/healthz", "/readyz", "/v1/openapi.json"}


def test_health_follows_the_loop(bed: Bed) -> None:
    bed.progress.round_done()
    assert bed.ask("GET", "/healthz", token="")[0] == 200
    bed.clock.now += 10.5
    assert bed.ask("GET", "/healthz", token="") == (503, {"seconds_since_round": 10.5})
    assert bed.ask("GET", "/readyz", token="") == (503, {"ready": False, "why": "the manager's loop stands still"})


def test_ready_means_that_every_host_of_the_file_belongs_to_a_manager(bed: Bed) -> None:
    assert bed.ask("GET", "/readyz", token="") == (503, {"ready": False, "why": "no manager has a, b"})
    bed.store.register(HostRecord(host="b", state=HAState.AVAILABLE), [])
    now = bed.store.now()
    assert bed.store.renew(ManagerLease(owner="m", until=now + 60, boot=bed.store.snapshot().boot), now)
    assert bed.store.claim(["a", "b"], "m", now) == ["a", "b"]
    assert bed.ask("GET", "/readyz", token="") == (200, {"ready": True, "no_health_check_yet": ["b"]})


def test_a_request_is_answered_by_the_manager_and_passed_on(bed: Bed) -> None:
    def manager() -> None:
        while not (asked := bed.store.open_requests("a")):
            bed.store.watch(1.0)
        record = bed.store.load("a")
        assert (asked[0].what, asked[0].detail) == ("confirm", {"fence_id": "a-f1", "who": "ann", "why": "saw it"})
        bed.store.save(record, record, [OperatorAnswer(request=asked[0].id, ok=False, text="its BMC says On")], bed.store.now())

    bed.store.close()
    answering = threading.Thread(target=lambda: (setattr(bed, "store", SqliteStore(bed.config.state_file)), manager()))
    answering.start()
    answer = bed.ask("POST", "/v1/hosts/a/confirm", {"fence_id": "a-f1", "who": "ann", "why": "saw it"})
    answering.join()
    bed.store = SqliteStore(bed.config.state_file)
    assert answer == (409, {"request": 1, "error": "its BMC says On"})
    assert bed.ask("GET", "/v1/requests/1") == answer


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "the body must be a JSON object"),
        (b"[" * 20_000, "the body must be a JSON object"),
        (b"[]", "the body must be a JSON object"),
        (b"{}", "confirm needs fence_id: The fence that is open."),
        (b'{"x": 1}', "confirm has no field 'x'; there are: fence_id, who, why"),
        (b'{"fence_id": "f", "who": "ann", "why": "  "}', "why must be a text that is not empty"),
        (b'{"fence_id": 7}', "fence_id must be a text that is not empty"),
    ],
)
def test_a_request_that_lacks_something_is_refused_and_not_stored(bed: Bed, body: bytes, why: str) -> None:
    reply = bed.raw("POST", "/v1/hosts/a/confirm", body)
    assert (reply.status, json.loads(reply.content)) == (400, {"error": why})
    assert bed.store.open_requests("a") == []


def test_another_method_is_refused_with_those_that_there_are(bed: Bed) -> None:
    reply = bed.raw("DELETE", "/v1/hosts/a")
    assert (reply.status, reply.headers) == (405, {"Allow": "GET"})


def test_events_after_a_number_are_told(bed: Bed) -> None:
    _, every = bed.ask("GET", "/v1/hosts/a/timeline")
    assert [event["alert"] for event in every["events"]] == ["FENCED"]  # type: ignore[attr-defined]
    newest = every["events"][-1]["seq"]  # type: ignore[index]
    assert bed.ask("GET", f"/v1/hosts/a/timeline?after={newest}") == (200, {"events": []})
    assert bed.ask("GET", "/v1/hosts/a/timeline?after=x")[0] == 400


def test_a_store_that_cannot_be_used_is_503_with_its_reason(bed: Bed) -> None:
    bed.ask("GET", "/v1/hosts")
    bed.config.state_file.unlink()
    status, answer = bed.ask("GET", "/v1/hosts")
    assert (status, "is gone" in str(answer["error"])) == (503, True)


def test_metrics_are_samples_with_help_and_type(bed: Bed) -> None:
    taken: list[StoredEvent] = []
    sink = bed.progress.counting(taken.append)
    sink(StoredEvent(seq=1, t=0.0, host="a", kind=LineKind.ALERT, detail={"alert": "FENCED"}))
    lines = bed.raw("GET", "/metrics").content.decode().splitlines()
    assert 'fence_ha_host_state{host="a",state="Fenced"} 1' in lines
    assert 'fence_ha_host_state{host="a",state="Available"} 0' in lines
    assert 'fence_ha_host_status{host="a",status="Down"} 1' in lines
    assert 'fence_ha_host_healthy{host="a"} 0' in lines
    assert 'fence_ha_events_total{kind="alert",name="FENCED"} 1' in lines
    described = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    samples = [line for line in lines if not line.startswith("#")]
    assert {re.split(r"[{ ]", line)[0] for line in samples} <= described
    assert all(re.fullmatch(r'[a-z_]+(\{([a-z_]+="[^"\n]*",?)+\})? \S+', line) for line in samples)


def test_an_open_fence_is_told_with_its_phase(bed: Bed) -> None:
    bed.store.register(HostRecord(host="b", state=HAState.FENCING, fence=Fence(id="b-f1", started_at=1.0, attempts=3)), [])
    _, host = bed.ask("GET", "/v1/hosts/b")
    assert (host["fence_id"], host["phase"], host["attempts"], host["evidence"]) == ("b-f1", "StatusFirst", 3, None)


# -- the document ----------------------------------------------------------------------------------------------------------


def test_the_document_has_every_route_and_every_operation(bed: Bed) -> None:
    _, told = bed.ask("GET", "/v1/openapi.json", token="")
    assert told["openapi"] == "3.1.0"
    paths = told["paths"]
    assert isinstance(paths, dict)
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == {
        (route.method, route.pattern) for route in ROUTES
    }
    names = [one["operationId"] for methods in paths.values() for one in methods.values()]
    assert len(set(names)) == len(names)
    for operation in ACTIONS:
        body = paths[operation.pattern]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert set(body["properties"]) == set(operation.fields)
    for ref in re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(told)):
        assert ref in told["components"]["schemas"]  # type: ignore[index]


def test_an_answer_has_the_keys_that_the_document_gives_a_host(bed: Bed) -> None:
    _, told = bed.ask("GET", "/v1/openapi.json", token="")
    schema = told["components"]["schemas"]["Host"]  # type: ignore[index]
    for name in ("a", "old"):
        _, host = bed.ask("GET", f"/v1/hosts/{name}")
        assert set(host) <= set(schema["properties"])
        assert set(schema["required"]) <= set(host)


# -- the token ---------------------------------------------------------------------------------------------------------------


def test_a_token_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "token"
    made = load_or_make(file)
    assert (len(made) >= 32, file.stat().st_mode & 0o777, load_or_make(file)) == (True, 0o600, made)


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("long-enough-for-a-token\n", 0o640, "can be read by others: chmod 600"),
        ("long-enough-for-a-token\n", 0o604, "can be read by others: chmod 600"),
        ("short\n", 0o600, "at least 16 printable characters"),
        ("two words are no token\n", 0o600, "at least 16 printable characters"),
        ("", 0o600, "at least 16 printable characters"),
    ],
)
def test_a_token_file_that_is_none_is_refused(tmp_path: Path, text: str, mode: int, why: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(BadToken, match=why):
        load_or_make(file)


def test_a_token_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadToken, match="No such file or directory"):
        load_or_make(tmp_path / "nowhere" / "token")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadToken, match="cannot be"):
        load_or_make(tmp_path / "link")
