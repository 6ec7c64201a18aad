"""Makes certificates like those that vendors ship: self-signed, with vendor names, on request expired or for another host.

The emulator's composition root, and Redfish's CertificateService, ask for certificates and TLS contexts, in any thread.

Rules
  1. Keys are kept in memory. The one file that OpenSSL needs has mode 0600 and is deleted before the call returns.
  2. Certificates with the same kind of key share it unless `own_key` is set: making a key for each of a thousand BMCs is slow.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from emulator.wire.wallclock import utc_now

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_DAY = timedelta(days=1)
_VALIDITY = timedelta(days=3650)
_WRONG_NAME = "bmc.invalid"  # RFC 2606: this name never resolves, so it is wrong for every BMC
_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


class CertificateKey(StrEnum):
    ECDSA_P256 = "ecdsa-p256"
    RSA_2048 = "rsa-2048"
    RSA_1024 = "rsa-1024"  # weak: clients of today refuse it


class Validity(StrEnum):
    CURRENT = "current"
    EXPIRED = "expired"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class CertificateSpec:
    """The contents of a certificate. Subject and issuer are RFC 4514 strings ("CN=idrac,O=Dell Inc.")."""

    subject: str
    issuer: str | None = None
    """None: self-signed. Otherwise the name of a CA that is made for it, see `Certificate.ca_pem`."""
    addresses: tuple[str, ...] = ()
    """IP addresses that it is valid for."""
    names: tuple[str, ...] = ()
    """DNS names that it is valid for."""
    key: CertificateKey = CertificateKey.ECDSA_P256
    validity: Validity = Validity.CURRENT
    wrong_name: bool = False
    """The certificate is valid for another name only, whatever `addresses` and `names` say."""
    own_key: bool = False
    """Make a key for this certificate alone."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, as PEM. A client that trusts `ca_pem` accepts `pem`."""

    pem: bytes
    key: bytes
    ca_pem: bytes


class CertificateStore:
    """Makes certificates and TLS contexts, each only once."""

    def __init__(self) -> None:
        self._keys: dict[CertificateKey, PrivateKey] = {}
        self._made: dict[CertificateSpec, Certificate] = {}
        self._contexts: dict[tuple[CertificateSpec, str, str | None], ssl.SSLContext] = {}

    def certificate(self, spec: CertificateSpec) -> Certificate:
        """The certificate for a spec. Raises ValueError for a subject, issuer or address that cannot be parsed."""
        made = self._made.get(spec)
        if made is None:
            key = _new_key(spec.key) if spec.own_key else self._shared_key(spec.key)
            made = self._made[spec] = _make(spec, key, self._shared_key(CertificateKey.ECDSA_P256), utc_now())
        return made

    def context(self, spec: CertificateSpec, minimum: str = "1.2", maximum: str | None = None) -> ssl.SSLContext:
        """A TLS context for a server, for TLS versions `minimum` ("1.0" to "1.3") to `maximum` (None: the newest)."""
        wish = (spec, minimum, maximum)
        made = self._contexts.get(wish)
        if made is None:
            weak = spec.key is CertificateKey.RSA_1024
            made = self._contexts[wish] = server_context(self.certificate(spec), minimum, maximum, weak=weak)
        return made

    def _shared_key(self, kind: CertificateKey) -> PrivateKey:
        if kind not in self._keys:
            self._keys[kind] = _new_key(kind)
        return self._keys[kind]


def server_context(
    certificate: Certificate, minimum: str = "1.2", maximum: str | None = None, *, weak: bool = False
) -> ssl.SSLContext:
    """A TLS context for `certificate`; `weak` takes keys that OpenSSL would refuse. Raises ValueError for a TLS version that has
    no name here."""
    for version in (minimum, maximum):
        if version is not None and version not in _VERSIONS:
            raise ValueError(f"TLS {version!r} is not one of {', '.join(_VERSIONS)}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old = minimum in ("1.0", "1.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are used on purpose
        context.minimum_version = _VERSIONS[minimum]
        if maximum is not None:
            context.maximum_version = _VERSIONS[maximum]
    if old or weak:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 offers nothing below TLS 1.2 above level 0
    with tempfile.NamedTemporaryFile(prefix="fencelab-", suffix=".pem") as file:
        file.write(certificate.key + certificate.pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _new_key(kind: CertificateKey) -> PrivateKey:
    if kind is not CertificateKey.ECDSA_P256:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048 if kind is CertificateKey.RSA_2048 else 1024)
    return ec.generate_private_key(ec.SECP256R1())


def _make(spec: CertificateSpec, key: PrivateKey, ca_key: PrivateKey, now: datetime) -> Certificate:
    subject = _name(spec.subject)
    issuer = _name(spec.issuer) if spec.issuer is not None else subject
    begin, end = _span(spec.validity, now)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=spec.issuer is None, path_length=None), critical=True)
    )
    alternatives = _alternatives(spec)
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    signer = key if spec.issuer is None else ca_key
    pem = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return Certificate(
        pem=pem,
        key=key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        ca_pem=pem if spec.issuer is None else _authority(issuer, ca_key, now),
    )


def _authority(name: x509.Name, key: PrivateKey, now: datetime) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _VALIDITY)
        .not_valid_after(now + _VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _span(validity: Validity, now: datetime) -> tuple[datetime, datetime]:
    match validity:
        case Validity.EXPIRED:
            return now - _VALIDITY, now - _DAY
        case Validity.FUTURE:
            return now + _DAY, now + _VALIDITY
        case Validity.CURRENT:
            return now - _DAY, now + _VALIDITY


def _alternatives(spec: CertificateSpec) -> list[x509.GeneralName]:
    if spec.wrong_name:
        return [x509.DNSName(_WRONG_NAME)]
    addresses: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(text)) for text in spec.addresses]
    return addresses + [x509.DNSName(text) for text in spec.names]


def _name(text: str) -> x509.Name:
    try:
        return x509.Name.from_rfc4514_string(text)
    except ValueError as error:
        raise ValueError(f"not a certificate name like 'CN=bmc,O=Example': {text!r}") from error


def check_handshake(context: ssl.SSLContext) -> None:
    """Shakes hands with a client of today in memory. Raises ssl.SSLError if that fails with this server context."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    ends = [
        trusting.wrap_bio(to_client, to_server, server_side=False),
        context.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _flight in range(8):
        for end in tuple(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)
        if not ends:
            return
    raise ssl.SSLError("the handshake does not end")
