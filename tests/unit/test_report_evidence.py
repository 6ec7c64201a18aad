"""The evidence folder: journal, HAR, lines of IPMI, and no secret in any of them."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from conformance.givens.ipmi_setup import KG
from conformance.report import evidence
from conformance.report.har import to_har, to_ipmi_lines
from conformance.scenarios import BY_ID
from conformance.scrubbing import scrub, scrub_journal
from conformance.vocabulary import Verdict
from emulator import Event, event_from_json
from tests.formats import check_har
from tests.report_samples import STARTED, journal, sample

PASSWORD = 'Zq7-0123 "456/é'
TOKEN = "0f8fad5bd9cb469fa16570867728950e"


def events(*lines: dict[str, object]) -> tuple[Event, ...]:
    told = ({"seq": n, "t": 1.0 + n / 10, "bmc": "target", "cause": None, **line} for n, line in enumerate(lines, 1))
    return tuple(event_from_json(json.dumps(line)) for line in told)


def entries(*lines: dict[str, object]) -> list[dict[str, object]]:
    return check_har(to_har(events(*lines), STARTED.timestamp(), "1.0"))


GET: dict[str, object] = {
    "kind": "request", "protocol": "redfish", "method": "GET", "path": "/redfish/v1/Systems/a b", "intent": "power-read",
    "auth": "session", "user": "root", "system": "1",
}  # fmt: skip


def test_a_har_entry_has_method_url_status_and_times() -> None:
    (entry,) = entries(GET, {"kind": "response", "cause": 1, "status": 200, "message_id": None})
    request, response = entry["request"], entry["response"]
    assert isinstance(request, dict)
    assert isinstance(response, dict)
    assert (request["method"], request["url"]) == ("GET", "https://target/redfish/v1/Systems/a%20b")
    assert (response["status"], response["statusText"]) == (200, "OK")
    assert request["headers"] == [{"name": "X-Auth-Token", "value": "[removed]"}]
    assert entry["startedDateTime"] == "2026-11-28T09:30:01.100+00:00"
    assert entry["timings"] == {"send": 0, "wait": 100.0, "receive": 0}
    assert (entry["_seq"], entry["_intent"], entry["_system"]) == (1, "power-read", "1")


def test_a_har_entry_tells_words_faults_and_what_the_wire_did() -> None:
    (entry,) = entries(
        {**GET, "auth": "none", "tls": False},
        {"kind": "fault", "cause": 1, "fault": "wire.cut"},
        {"kind": "response", "cause": 1, "status": 503, "message_id": "Base.1.8.X", "retry_after": "3"},
        {"kind": "look", "cause": 1, "system": "1", "view": "system", "word": None},
        {"kind": "wire", "cause": 1, "fault": "wire.cut", "answer": "cut", "sent": 3, "size": 9},
    )
    assert entry["request"]["url"].startswith("http://target/")  # type: ignore[index]
    assert entry["request"]["headers"] == []  # type: ignore[index]
    assert entry["response"]["status"] == 0  # type: ignore[index]
    assert entry["response"]["headers"] == [{"name": "Retry-After", "value": "3"}]  # type: ignore[index]
    assert entry["_told"] == [{"system": "1", "view": "system", "word": None}]
    assert entry["_faults"] == ["wire.cut"]
    assert entry["_wire"] == [{"fault": "wire.cut", "answer": "cut", "sent": 3, "size": 9}]
    assert entry["_message_id"] == ["Base.1.8.X"]


def test_a_request_without_an_answer_has_status_0() -> None:
    (entry,) = entries({**GET, "executed": False}, {"kind": "response", "cause": 7, "status": 200})
    assert (entry["response"]["status"], entry["time"], entry["_executed"]) == (0, 0.0, False)  # type: ignore[index]


def test_an_unknown_status_is_given_without_a_phrase() -> None:
    (entry,) = entries(GET, {"kind": "response", "cause": 1, "status": 799})
    assert (entry["response"]["status"], entry["response"]["statusText"]) == (799, "")  # type: ignore[index]


def test_ipmi_is_a_line_per_command() -> None:
    told = events(
        {"kind": "request", "protocol": "ipmi", "method": "IPMI", "path": "chassis-control", "intent": "power-command",
         "user": "root", "system": "1", "reset": "ForceOff"},
        {"kind": "response", "cause": 1, "protocol": "ipmi", "completion_code": 213},
        {"kind": "request", "protocol": "ipmi", "method": "IPMI", "path": "chassis-status", "intent": "power-read", "user": None},
        GET,
    )  # fmt: skip
    first, second = map(json.loads, to_ipmi_lines(told, STARTED.timestamp()).splitlines())
    assert (first["command"], first["completion_code"], first["reset"], first["wait_ms"]) == (
        "chassis-control", "0xD5", "ForceOff", 100.0,
    )  # fmt: skip
    assert (second["command"], second["completion_code"], second["user"]) == ("chassis-status", None, None)


def test_a_folder_has_traffic_for_each_protocol_that_was_spoken(tmp_path: Path) -> None:
    results = [
        sample(BY_ID["STATE-001"], "a fencer", "p/q", Verdict.UNSAFE),
        sample(BY_ID["IPMI-001"], "mine", "p", Verdict.STUCK),
        sample(BY_ID["STATE-002"], "mine", "p", Verdict.PASS),
        sample(BY_ID["STATE-003"], "mine", "p", Verdict.ERROR, journal=""),
    ]
    evidence.write(results, tmp_path, "1.0")
    found = {folder.name: sorted(file.name for file in folder.iterdir()) for folder in tmp_path.iterdir()}
    always = ["finding.txt", "journal.jsonl", "result.json", "said.txt"]
    assert found == {
        "STATE-001-a_fencer-p_q": sorted([*always, "redfish.har"]),
        "IPMI-001-mine-p": sorted([*always, "ipmi.jsonl"]),
        "STATE-003-mine-p": always,
    }
    assert len(check_har((tmp_path / "STATE-001-a_fencer-p_q" / "redfish.har").read_text())) == 7


# What a fencer may print


@pytest.mark.parametrize(
    "printed",
    [
        f"> X-Auth-Token: {TOKEN}\r\n> Accept: */*",
        f"{{'X-Auth-Token': '{TOKEN}', 'Accept': '*/*'}}",
        f'{{"X-Auth-Token":"{TOKEN}","Accept":"*/*"}}',
        f"send: b'GET / HTTP/1.1\\r\\nX-Auth-Token: {TOKEN}\\r\\nAccept: */*\\r\\n'",
        f"Set-Cookie: SESSION={TOKEN}; Path=/; Secure\nAccept: */*",
        f"cookie={TOKEN} Accept: b\nAccept: */*",
        f"Authorization: Basic {TOKEN}\nAccept: */*",
        f"authorization = Bearer {TOKEN}\nAccept: */*",
        f"('X-Auth-Token', '{TOKEN}'), ('Accept', '*/*')",
        f"{{'X-Auth-Token': b'{TOKEN}', 'Accept': '*/*'}}",
        f'{{"UserName": "root", "Password": "{TOKEN}", "Accept": "*/*"}}',
        f'{{"token" : "{TOKEN}\\"", "Accept": "*/*"}}',
    ],
)
def test_tokens_cookies_and_passwords_are_taken_out_by_their_names(printed: str) -> None:
    shown = scrub(printed, ())
    assert TOKEN not in shown
    assert "[removed]" in shown
    assert "Accept" in shown
    assert "*/*" in shown


def test_what_is_no_secret_stays() -> None:
    text = "Password: is wrong\nauthorization failed\nHTTP 401 Unauthorized: no token\n{'PowerState': 'On', 'TokenCount': '3'}"
    assert scrub(text, ()) == text


def test_the_key_of_a_bmc_is_taken_out_as_text_and_in_hexadecimal() -> None:
    shown = scrub(f"ipmitool -k '{KG}' -y {KG.encode().hex()} {KG.encode().hex().upper()}", ())
    assert KG not in shown
    assert KG.encode().hex() not in shown.lower()


def canaries(secret: str) -> list[str]:
    """The secret as it may stand in a file."""
    joined = [b64encode(f"{user}:{secret}".encode()).decode().rstrip("=")[len(user) + 6 : -2] for user in ("root", "admin", "ro")]
    return [secret, b64encode(secret.encode()).decode().rstrip("="), quote(secret, safe=""), json.dumps(secret)[1:-1], *joined]


def test_no_file_of_the_evidence_holds_a_password_in_any_form(tmp_path: Path) -> None:
    basic = [f"Basic {b64encode(f'{user}:{PASSWORD}'.encode()).decode()}" for user in ("root", "admin", "ro")]
    written = "\n".join([*canaries(PASSWORD)[:4], *basic])
    path = f"/redfish/v1/{PASSWORD}/{quote(PASSWORD, safe='')}"
    leaked = (
        journal()
        + json.dumps({"seq": 90, "t": 9.0, "bmc": "target", "kind": "request", "cause": None, **GET, "path": path})
        + "\n"
    )
    result = sample(
        BY_ID["STATE-001"], "mine", "p", Verdict.UNSAFE,
        said=scrub(written, [PASSWORD]), journal=scrub_journal(leaked, [PASSWORD]),
    )  # fmt: skip
    evidence.write([result], tmp_path, "1.0")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) == 5
    assert "/redfish/v1/[password]" in (tmp_path / "STATE-001-mine-p" / "journal.jsonl").read_text()
    for file in files:
        content = file.read_text(encoding="utf-8")
        assert [form for form in canaries(PASSWORD) if form in content] == [], file.name


def test_the_search_for_canaries_finds_what_was_not_taken_out(tmp_path: Path) -> None:
    """A control: without the scrubbing, the same search fails."""
    evidence.write([sample(BY_ID["STATE-001"], "mine", "p", Verdict.UNSAFE, said=canaries(PASSWORD)[1])], tmp_path)
    content = "".join(file.read_text() for file in tmp_path.rglob("*.txt"))
    assert any(form in content for form in canaries(PASSWORD))


def test_a_short_password_leaves_the_journal_as_it_is() -> None:
    """It stands in many a line by chance."""
    assert scrub_journal(journal(), ["On"]) == journal()
