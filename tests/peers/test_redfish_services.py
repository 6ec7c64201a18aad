"""Accounts, sessions, events, certificates and the BMC's own reset, by the clients that people use for them."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.peers.redfish.clients import ansible, curl, ipmitool, redfishtool, tacklebox
from tests.peers.redfish.served import Served

pytestmark = pytest.mark.timeout(300)

ACCOUNTS = "/redfish/v1/AccountService/Accounts"
SUBSCRIPTIONS = "/redfish/v1/EventService/Subscriptions"
MANAGER = "/redfish/v1/Managers/BMC"
SECRET, OTHER = "Zq7-first8842", "Zq7-second5513"


def reads_as(service: Served, user: str, password: str) -> int:
    """What this user gets for the System."""
    return curl(service, "GET", service.system, "-u", f"{user}:{password}")[0]


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_rf_accounts_makes_changes_disables_and_deletes_a_user(bmc: Served) -> None:
    assert tacklebox(bmc, "rf_accounts", "--add", "bob", SECRET, "ReadOnly").code == 0
    assert reads_as(bmc, "bob", SECRET) == 200
    assert tacklebox(bmc, "rf_accounts", "--setrole", "bob", "Operator").code == 0
    assert tacklebox(bmc, "rf_accounts", "--setpassword", "bob", OTHER).code == 0
    assert [reads_as(bmc, "bob", word) for word in (SECRET, OTHER)] == [401, 200]
    assert tacklebox(bmc, "rf_accounts", "--disable", "bob").code == 0
    assert reads_as(bmc, "bob", OTHER) == 401
    assert tacklebox(bmc, "rf_accounts", "--enable", "bob").code == 0
    assert reads_as(bmc, "bob", OTHER) == 200
    assert "bob" in tacklebox(bmc, "rf_accounts").out
    assert tacklebox(bmc, "rf_accounts", "--delete", "bob").code == 0
    assert reads_as(bmc, "bob", OTHER) == 401


def test_redfishtool_makes_and_deletes_a_user(bmc: Served) -> None:
    assert redfishtool(bmc, "AccountService", "adduser", "carol", SECRET, "Operator").code == 0
    assert reads_as(bmc, "carol", SECRET) == 200
    assert redfishtool(bmc, "AccountService", "setpassword", "carol", OTHER).code == 0
    assert redfishtool(bmc, "AccountService", "useradmin", "carol", "disable").code == 0
    assert reads_as(bmc, "carol", OTHER) == 401
    assert redfishtool(bmc, "AccountService", "deleteuser", "carol").code == 0


def test_ansible_manages_users(bmc: Served, tmp_path: Path) -> None:
    def accounts(command: str, **options: str) -> bool:
        done = ansible(bmc, "redfish_command", tmp_path, category="Accounts", command=command, **options)
        assert "msg" not in done or "Failed" not in str(done["msg"]), done
        return bool(done["changed"])

    assert accounts("AddUser", new_username="dave", new_password=SECRET, roleid="Operator")
    assert reads_as(bmc, "dave", SECRET) == 200
    assert accounts("UpdateUserRole", account_username="dave", roleid="ReadOnly")
    assert accounts("UpdateUserPassword", account_username="dave", account_password=OTHER)
    assert accounts("DisableUser", account_username="dave")
    assert reads_as(bmc, "dave", OTHER) == 401
    assert accounts("DeleteUser", account_username="dave")


def test_a_user_made_by_redfish_may_use_ipmi_as_long_as_redfish_says_so(bmc: Served) -> None:
    who = {"user": "erin", "password": SECRET}
    assert ipmitool(bmc, "chassis", "power", "status", **who).code != 0
    assert tacklebox(bmc, "rf_accounts", "--add", "erin", SECRET, "Administrator").code == 0
    assert ipmitool(bmc, "chassis", "power", "status", **who).out == "Chassis Power is on\n"
    assert tacklebox(bmc, "rf_accounts", "--delete", "erin").code == 0
    assert ipmitool(bmc, "chassis", "power", "status", **who).code != 0


# -- events ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[tuple[str, Queue[dict[str, object]]]]:
    """The address of a small web server, and what was posted to it."""
    posted: Queue[dict[str, object]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/events", posted
        server.shutdown()
        thread.join()


def test_rf_event_service_subscribes_and_a_power_change_is_delivered(
    bmc: Served, listener: tuple[str, Queue[dict[str, object]]]
) -> None:
    address, posted = listener
    made = tacklebox(bmc, "rf_event_service", "subscribe", "--destination", address, "--context", "from a test")
    assert made.code == 0, made.out
    assert address in tacklebox(bmc, "rf_event_service", "info").out
    assert tacklebox(bmc, "rf_power_reset", "--type", "ForceOff").code == 0
    event = posted.get(timeout=30)
    while "437XR1138R2" not in json.dumps(event):
        event = posted.get(timeout=30)
    assert event["Context"] == "from a test"
    members = json.loads(curl(bmc, "GET", SUBSCRIPTIONS)[1].out)["Members"]
    assert len(members) == 1
    gone = tacklebox(bmc, "rf_event_service", "unsubscribe", "--id", members[0]["@odata.id"].rpartition("/")[2])
    assert gone.code == 0
    assert json.loads(curl(bmc, "GET", SUBSCRIPTIONS)[1].out)["Members"] == []


# -- certificates and the BMC itself -----------------------------------------------------------------------------------


def test_rf_certificates_shows_the_certificate_of_the_port(bmc: Served) -> None:
    shown = tacklebox(bmc, "rf_certificates", "info")
    assert (shown.code, "BMC" in shown.out) == (0, True), shown.out


def test_rf_certificates_asks_for_a_certificate_and_installs_it(bmc: Served, tmp_path: Path) -> None:
    told = tacklebox(bmc, "rf_certificates", "csrinfo")
    assert (told.code, "CommonName (required)" in told.out, "TPM_ALG_RSA" in told.out) == (0, True, True), told.out
    folder = f"{MANAGER}/NetworkProtocol/HTTPS/Certificates"
    request, signed = tmp_path / "request.pem", tmp_path / "signed.pem"
    subject = ("-cn", "bmc7.example", "-o", "Contoso", "-l", "Bern", "-st", "BE", "-c", "CH")
    made = tacklebox(bmc, "rf_certificates", "csr", "-col", folder, *subject, "-alg", "TPM_ALG_RSA", "-out", str(request))
    assert (made.code, "BEGIN CERTIFICATE REQUEST" in request.read_text()) == (0, True), made.out
    signed.write_text(self_made(request.read_bytes()))
    installed = tacklebox(bmc, "rf_certificates", "install", "-dest", f"{folder}/1", "-cert", str(signed))
    assert installed.code == 0, installed.out
    host, _, port = bmc.url.removeprefix("https://").rpartition(":")
    assert ssl.get_server_certificate((host, int(port))).strip() == signed.read_text().strip()


def self_made(request: bytes) -> str:
    """A certificate for what a signing request asks, by an authority of our own."""
    asked = x509.load_pem_x509_csr(request)
    builder = (
        x509.CertificateBuilder()
        .subject_name(asked.subject)
        .issuer_name(x509.Name.from_rfc4514_string("CN=Test authority"))
        .public_key(asked.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2060, 1, 1, tzinfo=UTC))
    )
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_rf_manager_config_shows_the_bmc_and_how_it_can_be_reset(bmc: Served) -> None:
    shown = tacklebox(bmc, "rf_manager_config", "info")
    assert (shown.code, "1.45.455b66-rev4" in shown.out) == (0, True), shown.out
    how = tacklebox(bmc, "rf_manager_config", "reset", "--info")
    assert (how.code, "GracefulRestart" in how.out) == (0, True), how.out


def test_a_bmc_that_is_reset_goes_away_and_comes_back_and_the_host_does_not_notice(bmc: Served) -> None:
    body = ("-H", "Content-Type: application/json", "-d", '{"ResetType": "ForceRestart"}')
    assert curl(bmc, "POST", f"{MANAGER}/Actions/Manager.Reset", *body)[0] == 204
    seen: list[int] = []
    # Each look is a process with a time limit of its own; dmtf-generic is away for 20 s and not ready for 10 s more.
    for _ in range(2000):
        status, _answer = curl(bmc, "GET", bmc.system, "--max-time", "2")
        if not seen or seen[-1] != status:
            seen.append(status)
        if status == 200 and seen[:-1] not in ([], [200]):
            break
    assert [status for status in seen if status != 200] == [0, 503], "it is itself for a moment, then away, then not ready"
    assert seen[-1] == 200
    assert json.loads(curl(bmc, "GET", bmc.system)[1].out)["PowerState"] == "On"
    assert [event for event in bmc.events() if event["kind"] == "rail" and event.get("rail") == "down"] == []


def test_ansible_restarts_the_bmc(bmc: Served, tmp_path: Path) -> None:
    done = ansible(bmc, "redfish_command", tmp_path, category="Manager", command="GracefulRestart")
    assert done["changed"] is True
    assert went_down(bmc)


def test_rf_manager_config_resets_the_bmc_and_logs_out(bmc: Served) -> None:
    done = tacklebox(bmc, "rf_manager_config", "reset", "--type", "ForceRestart")
    assert (done.code, "Traceback" in done.err) == (0, False), done.out + done.err
    assert went_down(bmc)
    sessions = [event["what"] for event in bmc.events() if event["kind"] == "session"]
    assert sessions == ["opened", "closed"]


def went_down(service: Served) -> bool:
    """Whether the BMC goes away within the moment that it takes."""
    for _ in range(200):
        if curl(service, "GET", MANAGER, "--max-time", "2")[0] in (0, 503):
            return any(event["kind"] == "bmc" and event["what"] == "down" for event in service.events())
    return False
