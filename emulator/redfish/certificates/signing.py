"""Private keys and certificate signing requests (PKCS #10, RFC 2986). Pure functions over the cryptography library.

`signing_requests`, `keyring` and `tls_ports` call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

HashSigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey
SigningKey = HashSigningKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


class KeyKind(StrEnum):
    """Kinds of new keys. Longer RSA keys are not offered: they take seconds to make."""

    RSA_2048 = "RSA 2048"
    RSA_3072 = "RSA 3072"
    P256 = "ECDSA P-256"
    P384 = "ECDSA P-384"
    P521 = "ECDSA P-521"


_BITS: Final = {KeyKind.RSA_2048: 2048, KeyKind.RSA_3072: 3072}
_CURVES: Final[Mapping[KeyKind, ec.EllipticCurve]] = {
    KeyKind.P256: ec.SECP256R1(),
    KeyKind.P384: ec.SECP384R1(),
    KeyKind.P521: ec.SECP521R1(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CsrContent:
    """The content of a signing request. `key` None: sign with the key that is already in use."""

    subject: x509.Name
    key: KeyKind | None
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()  # each with its critical flag
    attributes: tuple[tuple[x509.ObjectIdentifier, bytes], ...] = ()


def new_key(kind: KeyKind) -> SigningKey:
    bits = _BITS.get(kind)
    if bits is not None:
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return ec.generate_private_key(_CURVES[kind])


def signing_request(request: CsrContent, key: SigningKey) -> str:
    """The signing request for this key, as PEM."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(request.subject)
    for extension, critical in request.extensions:
        builder = builder.add_extension(extension, critical=critical)
    for oid, value in request.attributes:
        builder = builder.add_attribute(oid, value)
    signed = builder.sign(key, hashes.SHA256() if isinstance(key, HashSigningKey) else None)
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def pem_of(key: SigningKey) -> bytes:
    """The private key as unencrypted PEM."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
