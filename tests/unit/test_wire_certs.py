"""Certificates and TLS contexts, checked by a TLS client in memory."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from pathlib import Path

import pytest
from cryptography import x509

from emulator.wire.certs import CertificateKey, CertificateSpec, CertificateStore, Validity, server_context
from emulator.wire.tls import TlsLayer


@pytest.fixture(scope="module")
def store() -> CertificateStore:
    return CertificateStore()


def shake_hands(server: ssl.SSLContext, ca_pem: bytes, name: str = "127.0.5.1", newest: ssl.TLSVersion | None = None) -> str:
    """The TLS version that a verifying client and `server` agree on. Raises ssl.SSLError."""
    context = ssl.create_default_context(cadata=ca_pem.decode())
    if newest is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = newest
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=name)
    layer = TlsLayer(server)
    for _ in range(10):
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            pass
        else:
            layer.feed(to_server.read())
            # A server that says nothing now leaves the client's first request to Nagle and delayed ACKs: 40 ms each.
            assert layer.take() or client.version() != "TLSv1.3"
            return client.version() or ""
        data = to_server.read()
        if data:
            layer.feed(data)
        to_client.write(layer.take())
    raise AssertionError("the handshake has no end")


@pytest.mark.parametrize("kind", [kind for kind in CertificateKey if kind is not CertificateKey.RSA_1024])
def test_a_client_that_trusts_it_accepts_it_for_its_address(store, kind):
    spec = CertificateSpec("CN=idrac-ABC1234,O=Dell Inc.", addresses=("127.0.5.1",), key=kind)
    assert shake_hands(store.context(spec), store.certificate(spec).ca_pem) == "TLSv1.3"


def test_a_client_of_today_refuses_a_weak_key(store):
    spec = CertificateSpec("CN=idrac-ABC1234,O=Dell Inc.", addresses=("127.0.5.1",), key=CertificateKey.RSA_1024)
    with pytest.raises(ssl.SSLError, match="key too weak"):
        shake_hands(store.context(spec), store.certificate(spec).ca_pem)


def test_a_certificate_of_a_named_issuer_is_accepted_by_who_trusts_that_issuer(store):
    spec = CertificateSpec(
        "CN=bmc", issuer="CN=Default Issuer (Do not trust),O=Hewlett Packard Enterprise", addresses=("127.0.5.1",)
    )
    made = store.certificate(spec)
    assert made.ca_pem != made.pem
    assert shake_hands(store.context(spec), made.ca_pem) == "TLSv1.3"
    certificate = x509.load_pem_x509_certificate(made.pem)
    assert certificate.issuer.rfc4514_string() == spec.issuer


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"validity": Validity.EXPIRED}, "expired"),
        ({"validity": Validity.FUTURE}, "not yet valid"),
        ({"wrong_name": True}, "IP address mismatch"),
        ({"addresses": ("127.0.5.2",)}, "IP address mismatch"),
    ],
)
def test_what_is_wrong_on_purpose_is_refused_by_a_verifying_client(store, change, reason):
    spec = CertificateSpec(**{"subject": "CN=bmc", "addresses": ("127.0.5.1",), **change})
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        shake_hands(store.context(spec), store.certificate(spec).ca_pem)


def test_a_dns_name_is_a_name_too(store):
    spec = CertificateSpec("CN=bmc", names=("node1-bmc",))
    assert shake_hands(store.context(spec), store.certificate(spec).ca_pem, "node1-bmc") == "TLSv1.3"


def test_names_and_keys_are_made_once_and_shared(store):
    specs = [CertificateSpec("CN=bmc", addresses=(f"127.0.0.{number}",)) for number in range(1, 100)]
    assert len({store.certificate(spec).pem for spec in specs}) == 99
    assert len({store.certificate(spec).key for spec in specs}) == 1
    assert store.certificate(specs[0]) is store.certificate(specs[0])
    assert store.context(specs[0]) is store.context(specs[0])
    assert store.context(specs[0]) is not store.context(specs[0], "1.3")
    own = CertificateSpec("CN=bmc", addresses=("127.0.0.1",), own_key=True)
    assert store.certificate(own).key != store.certificate(specs[0]).key


@pytest.mark.parametrize(
    ("minimum", "client", "accepted"),
    [
        ("1.0", ssl.TLSVersion.TLSv1, True),
        ("1.1", ssl.TLSVersion.TLSv1, False),
        ("1.1", ssl.TLSVersion.TLSv1_1, True),
        ("1.2", ssl.TLSVersion.TLSv1_1, False),
        ("1.2", ssl.TLSVersion.TLSv1_2, True),
        ("1.3", ssl.TLSVersion.TLSv1_2, False),
    ],
)
def test_the_minimum_tls_version_is_kept(store, minimum, client, accepted):
    spec = CertificateSpec("CN=bmc", addresses=("127.0.5.1",))
    context, ca_pem = store.context(spec, minimum), store.certificate(spec).ca_pem
    if accepted:
        assert shake_hands(context, ca_pem, newest=client) == client.name.replace("_", ".")
    else:
        with pytest.raises(ssl.SSLError):
            shake_hands(context, ca_pem, newest=client)


def test_a_maximum_tls_version_is_kept(store):
    spec = CertificateSpec("CN=bmc", addresses=("127.0.5.1",))
    assert shake_hands(store.context(spec, "1.0", "1.2"), store.certificate(spec).ca_pem) == "TLSv1.2"


def test_no_key_file_is_left_behind(store, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server_context(store.certificate(CertificateSpec("CN=bmc")))
    assert list(Path(tmp_path).iterdir()) == []


def test_bad_wishes_are_refused_in_words(store):
    with pytest.raises(ValueError, match=r"TLS '1\.4' is not one of 1\.0, 1\.1, 1\.2, 1\.3"):
        store.context(CertificateSpec("CN=bmc"), "1.4")
    with pytest.raises(ValueError, match="not a certificate name"):
        store.certificate(CertificateSpec("iDRAC"))
    with pytest.raises(ValueError, match="localhost"):
        store.certificate(CertificateSpec("CN=bmc", addresses=("localhost",)))
