"""`bmc-emulator profile capture`, of a running service, of hostile ones and of mock-ups in every form, as a user types it."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emulator import Emulator, HostSpec, UnitSpec
from emulator.cli import cli
from profiles import lint, load

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("profile-capture")]

CANARY = "c4nary-Passw0rd!"
ROOT = {
    "@odata.id": "/redfish/v1",
    "@odata.type": "#ServiceRoot.v1_5_0.ServiceRoot",
    "Vendor": "Dell",
    "RedfishVersion": "1.9.0",
    "Systems": {"@odata.id": "/redfish/v1/Systems"},
}
SYSTEMS = {"@odata.id": "/redfish/v1/Systems", "Members": [{"@odata.id": "/redfish/v1/Systems/Node1"}]}
SYSTEM = {
    "@odata.id": "/redfish/v1/Systems/Node1",
    "@odata.type": "#ComputerSystem.v1_10_0.ComputerSystem",
    "SerialNumber": "ABC1234",
    "PowerState": "On",
    "Actions": {"#ComputerSystem.Reset": {"ResetType@Redfish.AllowableValues": ["On", "ForceOff", "FullPowerCycle"]}},
}
TREE = {str(body["@odata.id"]): body for body in (ROOT, SYSTEMS, SYSTEM)}


def capture(source: object, out: Path, *more: str, **environment: str) -> Result:
    words = ["profile", "capture", str(source), "--out", str(out), *more]
    return CliRunner(env={"BMC_PASSWORD": None, **environment}).invoke(cli, words)


def resources(out: Path) -> dict[str, object]:
    home = out / "resources"
    return {f"/{file.parent.relative_to(home)}": json.loads(file.read_text()) for file in home.rglob("index.json")}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    unit = UnitSpec(name="node1", profile=load("dell-idrac9"), hosts=(HostSpec(),), password=CANARY)
    with Emulator([unit]) as running:
        yield running


@pytest.fixture(scope="module")
def captured(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("captured") / "our-board"
    endpoint = emulator.endpoints["node1"]
    more = ("--user", endpoint.username, "--insecure", "--seed", "x")
    return capture(endpoint.redfish_url, out, *more, BMC_PASSWORD=CANARY), out


def test_a_captured_service_is_a_profile_that_extends_the_one_it_came_from(captured: tuple[Result, Path]) -> None:
    result, out = captured
    assert result.exit_code == 0, result.output
    report = lint(out)
    assert report.ok, report.problems
    profile, source = load(out), load("dell-idrac9")
    assert (profile.id, profile.extends) == ("our-board", ("dell-idrac9",))
    assert profile.ids == source.ids
    assert profile.power.reset_types == source.power.reset_types
    assert (profile.identity.model, profile.identity.bmc_firmware) == (source.identity.model, source.identity.bmc_firmware)
    assert (profile.http.etag, profile.http.json) == (source.http.etag, source.http.json)
    assert (report.cells_known, report.ipmi_known) == (0, 0), "nobody has tried a cell"
    assert [file.name for file in out.rglob("*.yaml")] == ["profile.yaml"]


def test_the_captured_resources_are_those_of_the_service_but_for_what_names_the_machine(
    emulator: Emulator, captured: tuple[Result, Path]
) -> None:
    _, out = captured
    found = resources(out)
    system = found["/redfish/v1/Systems/System.Embedded.1"]
    assert isinstance(system, dict)
    assert (system["PowerState"], system["Model"]) == ("On", load("dell-idrac9").identity.model)
    assert system["SerialNumber"] != emulator.endpoints["node1"].systems[0].id
    assert "ABC1234" not in json.dumps(found), "the service tag of the profile"


def test_no_file_holds_the_password_in_any_form(emulator: Emulator, captured: tuple[Result, Path]) -> None:
    result, out = captured
    written = "".join(file.read_text() for file in out.rglob("*") if file.is_file()) + result.output
    assert CANARY not in written


@contextmanager
def served(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """The URL of a service on plain HTTP that answers each GET in this way."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def test_what_the_service_echoes_of_the_credentials_is_replaced(tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        echoed = {
            "Header": handler.headers["Authorization"],
            "Said": f"wrong: {CANARY}",
            f"Key-{CANARY}": {"Token": "t0ken-value"},
        }
        send(handler, 200, json.dumps(ROOT | {"Oem": echoed}).encode(), Server=CANARY)

    file = tmp_path / "password"
    file.write_text(f"{CANARY}\n")
    with served(answer) as url:
        result = capture(url, tmp_path / "out", "--user", "root", "--password-file", str(file))
    assert result.exit_code == 0, result.output
    written = "".join(each.read_text() for each in (tmp_path / "out").rglob("*") if each.is_file())
    for secret in (CANARY, "cm9vdDpj", "t0ken-value"):
        assert secret not in written + result.output


def test_a_service_in_trouble_is_captured_as_far_as_it_answers(tmp_path: Path) -> None:
    release = threading.Event()
    names = ("Missing", "Broken", "Huge", "Cut", "Away", "Slow", "Escape/../../../../etc/x")
    root = ROOT | {name: {"@odata.id": f"/redfish/v1/{name}"} for name in names}
    root["Loop"] = {"@odata.id": "/redfish/v1/"}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.rstrip("/")
        if path == "/redfish/v1":
            send(handler, 200, json.dumps(root).encode())
        elif path.endswith("Missing"):
            send(handler, 500, b"oops")
        elif path.endswith("Broken"):
            send(handler, 200, b'{"a": ')
        elif path.endswith("Huge"):
            send(handler, 200, b'"' + b"x" * 9_000_000 + b'"')
        elif path.endswith("Cut"):
            handler.send_response(200)
            handler.send_header("Content-Length", "100")
            handler.end_headers()
            handler.wfile.write(b"{")
            handler.close_connection = True
        elif path.endswith("Away"):
            send(handler, 302, b"", Location="http://192.0.2.1/redfish/v1")
        elif path.endswith("Slow"):
            release.wait(20)
        elif path in TREE:
            send(handler, 200, json.dumps(TREE[path]).encode())
        else:
            send(handler, 404, b"{}")

    with served(answer) as url:
        result = capture(url, tmp_path / "out", "--timeout", "3")
        release.set()
    assert result.exit_code == 0, result.output
    for name, why in (
        ("Missing", "HTTP 500"),
        ("Broken", "the body is not JSON"),
        ("Huge", "larger than 8 MB"),
        ("Cut", "the answer ends too early"),
        ("Away", "redirects to another service"),
        ("Slow", "no whole answer within 3 s"),
        ("Escape", "not a path of this service"),
    ):
        assert any(name in line and why in line for line in result.output.splitlines()), (name, result.output)
    assert set(resources(tmp_path / "out")) == set(TREE)


def test_odd_links_and_bodies_are_captured_or_named_and_cannot_move_the_cursor(tmp_path: Path) -> None:
    """Links with blanks and accents are read; half a UTF-16 pair, an endless number and a control character do no harm."""
    odd = {
        "Blank": "sp ace",
        "Accent": "Ünï",
        "Half": "half",
        "Number": "number",
        "Escape": "\x1b[31m",
        "Elsewhere": "//192.0.2.1/x",
    }
    links = {name: {"@odata.id": word if word.startswith("//") else f"/redfish/v1/{word}"} for name, word in odd.items()}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.rstrip("/")
        if path == "/redfish/v1":
            send(handler, 200, json.dumps(ROOT | links).encode())
        elif path.endswith("half"):
            send(handler, 200, b'{"Name": "\\ud800"}')
        elif path.endswith("number"):
            send(handler, 200, b'{"Reading": 1e999}')
        elif path in ("/redfish/v1/sp%20ace", "/redfish/v1/%C3%9Cn%C3%AF"):
            send(handler, 200, b"{}")
        else:
            send(handler, 200 if path in TREE else 404, json.dumps(TREE.get(path, {})).encode())

    with served(answer) as url:
        result = capture(url, tmp_path / "out")
    assert (result.exit_code, lint(tmp_path / "out").ok) == (0, True), result.output
    assert set(resources(tmp_path / "out")) == {*TREE, "/redfish/v1/sp ace", "/redfish/v1/Ünï"}
    for name, why in (("half", "half of a UTF-16 pair"), ("number", "the body is not JSON"), ("\\x1b[31m", "not a path")):
        assert any(name in line and why in line for line in result.output.splitlines()), (name, result.output)
    assert "\x1b" not in result.output
    assert all(file.stat().st_size for file in (tmp_path / "out").rglob("*") if file.is_file())


def test_an_answer_that_drips_ends_with_the_time_out(tmp_path: Path) -> None:
    release = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not release.wait(0.05):
            handler.wfile.write(b" ")

    with served(answer) as url:
        result = capture(url, tmp_path / "out", "--timeout", "3")
        release.set()
    assert (result.exit_code, "no whole answer within 3 s" in result.output) == (2, True)


def write_tree(home: Path, form: str) -> Path:
    """The tree as a mock-up in one of the forms that are published."""
    for path, body in TREE.items():
        below = path.removeprefix("/redfish/v1").lstrip("/")
        name = {
            "tree": f"redfish/v1/{below}/index.json",
            "short": f"./{below}/index.json",
            "deep": f"a/b/{below}/index.json",
            "flat": f"{path.replace('/', '_')}.json",
            "loose": f"{len(path)}.json",
        }[form]
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(body))
    return home


@pytest.mark.parametrize("form", ["tree", "short", "deep", "flat", "loose"])
def test_a_mockup_is_read_in_every_form_that_is_published(form: str, tmp_path: Path) -> None:
    result = capture(write_tree(tmp_path / "mockup", form), tmp_path / "out", "--seed", "x")
    assert result.exit_code == 0, result.output
    assert set(resources(tmp_path / "out")) == set(TREE)
    assert load(tmp_path / "out").ids.system == "Node1"


@pytest.mark.parametrize("kind", ["mockup.tar.gz", "mockup.zip"])
def test_an_archive_is_read_without_unpacking_it(kind: str, tmp_path: Path) -> None:
    home, archive = write_tree(tmp_path / "mockup", "tree"), tmp_path / kind
    evil = json.dumps(SYSTEM | {"@odata.id": "/redfish/v1/../../evil"}).encode()
    if kind.endswith(".zip"):
        with zipfile.ZipFile(archive, "w") as files:
            for file in home.rglob("*.json"):
                files.write(file, f"x/{file.relative_to(home)}")
            files.writestr("../../evil.json", evil)
    else:
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(home, "x")
            member = tarfile.TarInfo("../../evil.json")
            member.size = len(evil)
            tar.addfile(member, io.BytesIO(evil))
    result = capture(archive, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert set(resources(tmp_path / "out")) == set(TREE)
    assert not list(tmp_path.rglob("evil*"))


def test_a_reset_type_that_no_parent_knows_is_a_guess_that_says_so(tmp_path: Path) -> None:
    capture(write_tree(tmp_path / "mockup", "tree"), tmp_path / "out")
    profile = load(tmp_path / "out")
    assert profile.power.reset_types == ("On", "ForceOff", "FullPowerCycle")
    assert profile.power.table["On"]["ForceOff"].assumed
    assert profile.power.table["On"]["FullPowerCycle"].evidence.confidence.value == "inferred"


def test_the_parent_can_be_named(tmp_path: Path) -> None:
    mockup = write_tree(tmp_path / "mockup", "tree")
    capture(mockup, tmp_path / "near")
    capture(mockup, tmp_path / "named", "--extends", "openbmc-x86")
    assert load(tmp_path / "near").extends == ("dell-idrac9",)
    assert load(tmp_path / "named").extends == ("openbmc-x86",)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("https://root:pw@192.0.2.1", "the URL must hold no user name or password"),
        ("https://192.0.2.1/redfish/v1/Systems", "give the address of the BMC alone"),
        ("gopher://192.0.2.1", "not a URL such as"),
        ("https://", "not a URL such as"),
        ("http://127.0.0.1:1", "no service root: connection refused"),
        ("./nowhere", "no such folder, and not an archive"),
        ("./nowhere.tar.gz", "No such file or directory"),
        ("./broken.tar.gz", "broken.tar.gz: "),
        ("./empty", "no Redfish resources in it"),
    ],
)
def test_what_cannot_be_captured_is_one_sentence(source: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.tar.gz").write_bytes(b"no archive")
    result = capture(source, tmp_path / "out")
    assert (result.exit_code, said in result.output, "Traceback" in result.output) == (2, True, False), result.output
    assert "pw" not in result.output.replace("--password", "")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["broken.tar.gz", "empty"]


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    mockup = write_tree(tmp_path / "mockup", "tree")
    result = capture(mockup, mockup)
    assert (result.exit_code, "exists already" in result.output) == (2, True)
    assert set(resources(mockup)) == set()


def test_a_certificate_that_nobody_signed_is_refused_unless_allowed(emulator: Emulator, tmp_path: Path) -> None:
    endpoint = emulator.endpoints["node1"]
    result = capture(endpoint.redfish_url, tmp_path / "out", "--user", endpoint.username, BMC_PASSWORD=CANARY)
    assert (result.exit_code, "give --insecure" in result.output) == (2, True)
    more = ("--user", endpoint.username, "--cacert", str(endpoint.ca_file), "--max-resources", "3")
    assert capture(endpoint.redfish_url, tmp_path / "out", *more, BMC_PASSWORD=CANARY).exit_code == 0


def test_a_user_without_a_password_is_told_where_to_put_one(tmp_path: Path) -> None:
    result = capture("https://127.0.0.1:1", tmp_path / "out", "--user", "root")
    assert (result.exit_code, "set BMC_PASSWORD, or give --password-file FILE" in result.output) == (2, True)
