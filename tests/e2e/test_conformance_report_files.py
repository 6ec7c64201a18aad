"""The reports of a real run are what other people's schemas and readers take, and no file of them holds a secret."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as Xml

import pytest
from jsonschema import Draft202012Validator

from tests.e2e.test_conformance_cli import cli
from tests.formats import check_har, check_junit, check_sarif

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]
NAMES = {
    "json": "o.json", "junit": "o.xml", "sarif": "o.sarif", "tap": "o.tap", "markdown": "o.md", "github": "o.txt",
    "badge": "o.svg", "html": "o.html",
}  # fmt: skip
LEAKY = """
import base64, json, pathlib, ssl, urllib.parse, urllib.request


def fence(ask, bmc):
    password = bmc["password"]
    pathlib.Path(__file__).with_name("password").write_text(password)
    basic = base64.b64encode(f"{bmc['user']}:{password}".encode()).decode()
    forms = [password, base64.b64encode(password.encode()).decode(), urllib.parse.quote(password, safe=""), basic,
             "".join(f"%{byte:02x}" for byte in password.encode())]
    print(*forms, json.dumps({"Authorization": "Basic " + basic, "X-Auth-Token": "tokentokentoken"}), sep="\\n")
    for form in forms:
        request = urllib.request.Request(f"{bmc['url']}/redfish/v1/{form}", headers={"Authorization": "Basic " + basic})
        try:
            urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=5).read()
        except OSError:
            pass
    raise RuntimeError(" ".join(forms))
"""


def forms_of(secret: str) -> list[str]:
    """A secret as it may stand in a file: plain, in percent form, and in base64 wherever it begins in a longer text."""
    inside = [b64encode(b"x" * before + secret.encode()).decode().rstrip("=")[before + 2 : -2] for before in range(3)]
    percent = ["".join(f"%{byte:02{case}}" for byte in secret.encode()) for case in "xX"]
    return [secret, quote(secret, safe=""), *percent, *inside]


def reports(folder: Path, *arguments: str) -> list[str]:
    """The options for every report, and the evidence."""
    options = [word for name, file in NAMES.items() for word in (f"--{name}", str(folder / file))]
    return ["run", *arguments, *options, "--evidence", str(folder / "evidence")]


def test_a_run_of_cloudstacks_driver_makes_reports_that_their_readers_take(tmp_path: Path) -> None:
    done = cli(
        *reports(
            tmp_path, "--fencer", "cloudstack-redfish", "--profile", "dell-idrac9", "--scenario", "STATE-001,STATE-003,STATE-016"
        )
    )
    assert done.returncode == 3, done.stdout + done.stderr
    text = {name: (tmp_path / file).read_text(encoding="utf-8") for name, file in NAMES.items()}

    check_junit(text["junit"])
    cases = Xml.fromstring(text["junit"]).findall("testsuite/testcase")
    assert [[inner.tag for inner in case][:1] for case in cases] == [["failure"], ["skipped"], ["failure"]]
    run = check_sarif(text["sarif"])
    assert [(r["ruleId"], r["level"]) for r in run["results"]] == [("STATE-001", "error"), ("STATE-016", "error")]  # type: ignore[attr-defined]
    assert re.findall(r"^(not ok|ok) \d", text["tap"], re.MULTILINE) == ["not ok", "ok", "not ok"]
    assert text["markdown"].count("<details>") == 2
    assert text["github"].count("::error ") == 2
    assert ">fencing 3 scenarios<" in text["badge"]
    assert text["html"].count("<svg ") == 2

    form = json.loads(cli("schema", "report").stdout)
    Draft202012Validator(form).validate(json.loads(text["json"]))
    folders = sorted(folder.name for folder in (tmp_path / "evidence").iterdir())
    assert folders == ["STATE-001-cloudstack-redfish-dell-idrac9", "STATE-016-cloudstack-redfish-dell-idrac9"]
    entries = check_har((tmp_path / "evidence" / folders[1] / "redfish.har").read_text(encoding="utf-8"))
    posts = [entry for entry in entries if entry["request"]["method"] == "POST"]  # type: ignore[index]
    assert [(post["_intent"], post["_reset"], post["response"]["status"]) for post in posts] == [  # type: ignore[index]
        ("power-command", "GracefulShutdown", 204)
    ]
    result = json.loads((tmp_path / "evidence" / folders[1] / "result.json").read_text(encoding="utf-8"))
    Draft202012Validator({"$ref": "#/$defs/result", "$defs": form["$defs"]}).validate(result[0])


def test_no_report_of_a_fencer_that_tells_its_password_everywhere_holds_it(tmp_path: Path) -> None:
    (tmp_path / "leaky.py").write_text(LEAKY, encoding="utf-8")
    file = tmp_path / "leaky.yaml"
    file.write_text(
        'fencer: leaky\nadapter: python\ncommand: leaky:fence\nlimits: {deadline: 15}\ncapabilities: ["off", redfish]\n',
        encoding="utf-8",
    )
    out = tmp_path / "out"
    done = cli(*reports(out, "--fencer", str(file), "--profile", "dell-idrac9", "--scenario", "STATE-016"))
    assert done.returncode == 1, done.stdout + done.stderr
    files = [found for found in out.rglob("*") if found.is_file()]
    assert len(files) == len(NAMES) + 5
    folder = out / "evidence" / "STATE-016-leaky-dell-idrac9"
    assert "[password]" in (folder / "said.txt").read_text(encoding="utf-8")
    assert "/redfish/v1/[password]" in (folder / "journal.jsonl").read_text(encoding="utf-8")
    known = [*forms_of((tmp_path / "password").read_text(encoding="utf-8")), "tokentoken"]
    for found in files:
        content = found.read_text(encoding="utf-8")
        assert [form for form in known if form in content] == [], found.name
    assert [form for form in known if form in done.stdout + done.stderr] == []
