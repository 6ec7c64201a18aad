"""A BMC's ports: its absences, its certificate, the way from HTTP to HTTPS, several clients at once."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from emulator.assembly import Emulator
from emulator.core.bmc.eventlog import LogKind
from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.redfish.certificates.signing import SigningKey
from emulator.wire.certs import CertificateSpec, CertificateStore
from profiles.loader import load
from tests.redfish_lab import PATIENCE, Client, Lab, open_stream

RESET = "/redfish/v1/Managers/BMC/Actions/Manager.Reset"
FOLDER = "/redfish/v1/Managers/BMC/NetworkProtocol/HTTPS/Certificates"
REPLACE = "/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate"
GENERATE = "/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR"
WISH = {
    "CommonName": "bmc7.example",
    "Organization": "Contoso",
    "City": "Bern",
    "State": "BE",
    "Country": "CH",
    "AlternativeNames": ["127.0.0.1", "bmc7.example"],
    "CertificateCollection": {"@odata.id": FOLDER},
}


def test_of_four_patches_at_once_with_one_tag_one_wins(lab: Lab) -> None:
    path = "/redfish/v1/SessionService"
    tag = lab.client().send("GET", path).headers["ETag"]
    clients = [lab.client() for _ in range(4)]
    gate = threading.Barrier(4)

    def write(n: int) -> int:
        gate.wait(PATIENCE)
        return clients[n].ask("PATCH", path, {"SessionTimeout": 100 + n}, **{"If-Match": tag})[0]

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(write, range(4)))
    assert statuses == [200, 412, 412, 412]


# -- the BMC goes away --------------------------------------------------------------------------------------------------


def test_a_bmc_that_resets_is_really_gone_and_comes_back(lab: Lab) -> None:
    client, idle = lab.client(), lab.client()
    stream = open_stream(lab.client())
    idle.ask("GET", "/redfish/v1/")
    back = lab.when_logged(LogKind.BMC_READY)
    assert client.ask("POST", RESET, {"ResetType": "ForceRestart"})[0] == 204
    assert b"data: " in stream.read()  # the last event is that reset; then the stream is over
    with pytest.raises((ConnectionError, http.client.HTTPException, TimeoutError, ssl.SSLError)):
        idle.ask("GET", "/redfish/v1/")
    assert back.wait(PATIENCE)
    assert lab.client().ask("GET", "/redfish/v1/")[0] == 200


def test_a_bmc_without_input_power_accepts_nobody(lab: Lab) -> None:
    client = lab.client()
    client.ask("GET", "/redfish/v1/")
    lab.emulator.call(lambda rack: rack.mains_lost("b1"))
    late = lab.client()
    late.connection.timeout = 0.5
    with pytest.raises((TimeoutError, ConnectionError, ssl.SSLError)):
        late.ask("GET", "/redfish/v1/")
    back = lab.when_logged(LogKind.BMC_READY)
    lab.emulator.call(lambda rack: rack.mains_back("b1"))
    assert back.wait(PATIENCE)
    assert lab.client().ask("GET", "/redfish/v1/")[0] == 200


# -- certificates and plain HTTP ----------------------------------------------------------------------------------------


def test_a_certificate_with_its_key_is_used_from_then_on(lab: Lab) -> None:
    client = lab.client()
    spec = CertificateSpec("CN=mine", addresses=("127.0.0.1",), own_key=True)
    made = CertificateStore().certificate(spec)
    assert replace_by(client, (made.key + made.pem).decode()) == 204
    shown = client.ask("GET", f"{FOLDER}/1")[1]["CertificateString"]
    assert shown == made.pem.decode()
    assert "PRIVATE" not in shown
    assert on_the_port(lab) == shown.strip()


class Authority:
    """Signs what it is asked to."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name.from_rfc4514_string("CN=Test authority")

    def sign(self, request: x509.CertificateSigningRequest) -> str:
        assert request.is_signature_valid
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(self.name)
            .public_key(request.public_key())
            .serial_number(7)
            .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2060, 1, 1, tzinfo=UTC))
        )
        for extension in request.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def requested(client: Client, path: str = GENERATE, body: object = WISH) -> x509.CertificateSigningRequest:
    status, answer = client.ask("POST", path, body)
    assert status == 200, answer
    assert "PRIVATE" not in answer["CSRString"]
    return x509.load_pem_x509_csr(answer["CSRString"].encode())


def replace_by(client: Client, text: str) -> int:
    body = {"CertificateString": text, "CertificateType": "PEM", "CertificateUri": {"@odata.id": f"{FOLDER}/1"}}
    return client.ask("POST", REPLACE, body)[0]


def on_the_port(lab: Lab) -> str:
    """The certificate that a new connection gets."""
    fresh = lab.client(verify=False)
    fresh.ask("GET", "/redfish/v1/")
    return ssl.DER_cert_to_PEM_cert(fresh.connection.sock.getpeercert(binary_form=True)).strip()


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"KeyPairAlgorithm": "TPM_ALG_ECDSA", "KeyCurveId": "TPM_ECC_NIST_P256"},
        {"KeyPairAlgorithm": "TPM_ALG_RSA", "KeyBitLength": 2048},
    ],
)
def test_a_certificate_made_from_a_signing_request_is_used(lab: Lab, key: dict[str, object]) -> None:
    client = lab.client()
    signed = Authority().sign(requested(client, body=WISH | key))
    assert replace_by(client, signed) == 204
    assert on_the_port(lab) == signed.strip()


def test_rekey_and_renew_lead_to_certificates_that_work(lab: Lab) -> None:
    client, authority = lab.client(), Authority()
    before = x509.load_pem_x509_certificate(on_the_port(lab).encode())
    for action, same_key in (("Rekey", False), ("Renew", True)):
        request = requested(client, f"{FOLDER}/1/Actions/Certificate.{action}", {})
        assert request.subject == before.subject
        assert request.extensions.get_extension_for_class(x509.SubjectAlternativeName) in list(before.extensions)
        signed = authority.sign(request)
        assert replace_by(client, signed) == 204
        assert on_the_port(lab) == signed.strip()
        now = x509.load_pem_x509_certificate(signed.encode())
        assert (now.public_key() == before.public_key()) is same_key
        before = now


def test_the_key_of_an_older_request_is_forgotten_and_the_one_in_use_is_not(lab: Lab) -> None:
    client, authority = lab.client(), Authority()
    first, renewed = (
        authority.sign(requested(client)),
        authority.sign(requested(client, f"{FOLDER}/1/Actions/Certificate.Renew", {})),
    )
    requested(client)
    before = on_the_port(lab)
    assert replace_by(client, first) == 400
    assert on_the_port(lab) == before
    assert replace_by(client, renewed) == 204
    assert on_the_port(lab) == renewed.strip()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024), id="too-short"),
        pytest.param(lambda: dsa.generate_private_key(2048), id="no-cipher-suite"),
    ],
)
def test_a_key_that_tls_does_not_take_is_refused_and_changes_nothing(lab: Lab, make: Callable[[], SigningKey]) -> None:
    client = lab.client()
    key = make()
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    before = client.ask("GET", f"{FOLDER}/1")[1]
    assert replace_by(client, text + Authority().sign(request)) == 400
    assert client.ask("GET", f"{FOLDER}/1")[1] == before
    assert on_the_port(lab) == before["CertificateString"].strip()


CLEAR_TEXT = {"GET": {"Authorization": "Basic cm9vdDp4"}, "POST": {"X-Auth-Token": "0123"}}


def test_plain_http_leads_to_https_where_the_vendor_does_so() -> None:
    units = [UnitSpec(name="b1", profile=load("dell-idrac9")), UnitSpec(name="b2", profile=load("dmtf-generic"))]
    with Emulator(units, http_port=0) as emulator:
        idrac, generic = emulator.endpoints["b1"], emulator.endpoints["b2"]
        assert (idrac.http_port is None, generic.http_port) == (False, None)
        plain = http.client.HTTPConnection(idrac.host, idrac.http_port, timeout=PATIENCE)
        seen = []
        for method in ("GET", "POST"):
            plain.request(method, "/redfish/v1/Systems?$top=1", headers=CLEAR_TEXT[method])
            answer = plain.getresponse()
            answer.read()
            seen.append((answer.status, answer.headers["Location"]))
        plain.close()
        where = f"https://{idrac.host}:{idrac.redfish_port}/redfish/v1/Systems?$top=1"
        assert seen == [(301, where), (308, where)]
        heard = [e.data for e in emulator.events() if e.kind is EventKind.REQUEST]
        told = [(data["method"], data["auth"], data["tls"]) for data in heard]
        assert told == [("GET", "basic", False), ("POST", "session", False)]


def test_an_emulator_closes_while_a_stream_and_a_subscription_are_open() -> None:
    with Emulator([UnitSpec(name="b1", profile=load("dmtf-generic"))]) as emulator:
        client = Client(emulator)
        open_stream(client)
    client.close()
