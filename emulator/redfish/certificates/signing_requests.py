"""Signing requests: CertificateService.GenerateCSR, and the actions Rekey and Renew of the certificate.

`certificate_service` calls `signing_actions` when a tree is built; the actions run in the emulator's thread.

Rules
  1. The private key stays in the BMC until a client sends a certificate for it (ReplaceCertificate). It never leaves the BMC.
  2. A BMC keeps one such key: the next signing request replaces it.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID, NameOID

from emulator.redfish.certificates.signing import CsrContent, KeyKind
from emulator.redfish.power.actions import parameters
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import JSON_TYPE, HttpAnswer, RedfishCall, RegistryError, shown
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.resource import Operation, RedfishPrivilege, Resource, fixed_content, head_of, link
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import (
    InvalidValue,
    ListRule,
    OneOfRule,
    OrNullRule,
    ReferenceRule,
    TextRule,
    WritableFields,
)

SERVICE: Final = f"{ROOT}/CertificateService"
GENERATE: Final = f"{SERVICE}/Actions/CertificateService.GenerateCSR"
INFO: Final = f"{SERVICE}/GenerateCSRActionInfo"
ACTION: Final = "GenerateCSR"
INFO_TYPE: Final = "#ActionInfo.v1_3_0.ActionInfo"
"""The first version with AllowableNumbers."""

SUBJECT: Final = {
    "CommonName": NameOID.COMMON_NAME,
    "Organization": NameOID.ORGANIZATION_NAME,
    "OrganizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "City": NameOID.LOCALITY_NAME,
    "State": NameOID.STATE_OR_PROVINCE_NAME,
    "Country": NameOID.COUNTRY_NAME,
    "Email": NameOID.EMAIL_ADDRESS,
    "Surname": NameOID.SURNAME,
    "GivenName": NameOID.GIVEN_NAME,
    "Initials": NameOID.INITIALS,
    "ContactPerson": x509.ObjectIdentifier("2.5.4.41"),  # the attribute `name` of X.520
}
"""Parameters that become parts of the subject name."""

ATTRIBUTES: Final = {
    "ChallengePassword": AttributeOID.CHALLENGE_PASSWORD,
    "UnstructuredName": AttributeOID.UNSTRUCTURED_NAME,
}

USAGES: Final[Mapping[str, str]] = {
    "DigitalSignature": "digital_signature",
    "NonRepudiation": "content_commitment",
    "KeyEncipherment": "key_encipherment",
    "DataEncipherment": "data_encipherment",
    "KeyAgreement": "key_agreement",
    "KeyCertSign": "key_cert_sign",
    "CRLSigning": "crl_sign",
    "EncipherOnly": "encipher_only",
    "DecipherOnly": "decipher_only",
}
PURPOSES: Final[Mapping[str, x509.ObjectIdentifier]] = {
    "ServerAuthentication": ExtendedKeyUsageOID.SERVER_AUTH,
    "ClientAuthentication": ExtendedKeyUsageOID.CLIENT_AUTH,
    "CodeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "EmailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "Timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING,
}
SERVER_USAGE: Final = ("DigitalSignature", "ServerAuthentication")
"""The key usage if the client sends none."""

RSA, ECDSA = "TPM_ALG_RSA", "TPM_ALG_ECDSA"
LENGTHS: Final[Mapping[int, KeyKind]] = {2048: KeyKind.RSA_2048, 3072: KeyKind.RSA_3072}
CURVES: Final[Mapping[str, KeyKind]] = {
    "TPM_ECC_NIST_P256": KeyKind.P256,
    "TPM_ECC_NIST_P384": KeyKind.P384,
    "TPM_ECC_NIST_P521": KeyKind.P521,
}


@dataclass(frozen=True, slots=True)
class HostNameRule:
    """A DNS name, possibly with a wildcard, or an IP address."""

    def check(self, value: object, name: str) -> object:
        if not isinstance(value, str):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        try:
            ipaddress.ip_address(value)
        except ValueError:
            if len(value) > 253 or re.fullmatch(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", value) is None:
                raise InvalidValue("PropertyValueFormatError", shown(value), name) from None
        return value


@dataclass(frozen=True, slots=True)
class KeyLengthRule:
    """One of LENGTHS."""

    def check(self, value: object, name: str) -> object:
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        if value not in LENGTHS:
            raise InvalidValue("PropertyValueNotInList", shown(value), name)
        return value


_VISIBLE: Final = r"[^\x00-\x1f\x7f]*"


def _required_text(high: int) -> TextRule:
    return TextRule(low=1, high=high, pattern=_VISIBLE)


def _optional_text(high: int, pattern: str = _VISIBLE, *, secret: bool = False) -> OrNullRule:
    return OrNullRule(TextRule(high=high, pattern=pattern, secret=secret))


KEYS: Final[WritableFields] = {
    "KeyPairAlgorithm": OrNullRule(OneOfRule((RSA, ECDSA))),
    "KeyBitLength": OrNullRule(KeyLengthRule()),
    "KeyCurveId": OrNullRule(OneOfRule(tuple(CURVES))),
}
CHALLENGE: Final[WritableFields] = {"ChallengePassword": _optional_text(255, secret=True)}
# The highest lengths are those of RFC 5280, appendix A.1, and RFC 2985.
PARAMETERS: Final[WritableFields] = {
    "CommonName": _required_text(64),
    "AlternativeNames": OrNullRule(ListRule(item=HostNameRule())),
    "Organization": _required_text(64),
    "OrganizationalUnit": _optional_text(64),
    "City": _required_text(128),
    "State": _required_text(128),
    "Country": TextRule(low=2, high=2, pattern=r"[A-Za-z]{2}"),
    "Email": _optional_text(255, r"([\x21-\x7e]+@[\x21-\x7e]+)?"),
    **KEYS,
    "CertificateCollection": ReferenceRule(),
    "KeyUsage": OrNullRule(ListRule(item=OneOfRule((*USAGES, *PURPOSES)), high=32)),
    "Surname": _optional_text(64),
    "GivenName": _optional_text(64),
    "Initials": _optional_text(64),
    **CHALLENGE,
    "UnstructuredName": _optional_text(255),
    "ContactPerson": _optional_text(64),
}
REQUIRED: Final = ("CommonName", "Organization", "City", "State", "Country", "CertificateCollection")
"""What certificate authorities usually ask for; DMTF's mock-ups and bmcweb require the same."""


def signing_actions(folder: str, only: str) -> tuple[Resource, ...]:
    """The actions and GenerateCSRActionInfo. `only` is the path of the only certificate in the collection `folder`."""

    def post(do: Callable[[RedfishCall], HttpAnswer]) -> Mapping[str, Operation]:
        return {"POST": Operation(RedfishPrivilege.CONFIGURE_MANAGER, do)}

    return (
        Resource(path=GENERATE, operations=post(_generate(folder))),
        Resource(path=INFO, type=INFO_TYPE, content=fixed_content(_info)),
        Resource(path=f"{only}/Actions/Certificate.Rekey", operations=post(_renew(only, "Rekey"))),
        Resource(path=f"{only}/Actions/Certificate.Renew", operations=post(_renew(only, "Renew"))),
    )


def generate_entry() -> Json:
    """The GenerateCSR entry of CertificateService.Actions."""
    return {"#CertificateService.GenerateCSR": {"target": GENERATE, "@Redfish.ActionInfo": INFO}}


def renewal_entries(only: str) -> Json:
    """The Rekey and Renew entries of Certificate.Actions."""
    return {f"#Certificate.{name}": {"target": f"{only}/Actions/Certificate.{name}"} for name in ("Rekey", "Renew")}


def _info(view: RedfishBmc) -> Json:
    known: list[Json] = []
    for name in PARAMETERS:
        entry: Json = {"Name": name, "Required": name in REQUIRED, "DataType": "String"}
        match name:
            case "AlternativeNames":
                entry["DataType"] = "StringArray"
            case "KeyUsage":
                entry |= {"DataType": "StringArray", "AllowableValues": [*USAGES, *PURPOSES]}
            case "KeyPairAlgorithm":
                entry["AllowableValues"] = [RSA, ECDSA]
            case "KeyBitLength":
                entry |= {"DataType": "Number", "AllowableNumbers": [str(length) for length in LENGTHS]}
            case "KeyCurveId":
                entry["AllowableValues"] = list(CURVES)
            case "CertificateCollection":
                entry["DataType"] = "Object"
        known.append(entry)
    return head_of(INFO, INFO_TYPE, "GenerateCSRActionInfo", "Generate CSR Action Info") | {"Parameters": known}


# -- the actions --------------------------------------------------------------------------------------------------------


def _generate(folder: str) -> Callable[[RedfishCall], HttpAnswer]:
    def generate(call: RedfishCall) -> HttpAnswer:
        """Raises RegistryError (400)."""
        taken = parameters(call.json_object(), PARAMETERS, REQUIRED, ACTION)
        if taken["CertificateCollection"] != folder or call.view.keyring.current() is None:
            raise _wrong("CertificateCollection", ACTION)
        parts = [x509.NameAttribute(oid, str(taken[name])) for name, oid in SUBJECT.items() if taken.get(name)]
        request = CsrContent(
            subject=x509.Name(parts), key=_kind(taken), extensions=_extensions(taken), attributes=_attributes(taken, ATTRIBUTES)
        )
        return _requested(call, request, {"CertificateCollection": link(folder)})

    return generate


def _renew(only: str, action: str) -> Callable[[RedfishCall], HttpAnswer]:
    """A signing request with the content of the certificate in use, for a new key (Rekey) or for its own key (Renew)."""

    def renew(call: RedfishCall) -> HttpAnswer:
        """Raises RegistryError (400, 404)."""
        pem = call.view.keyring.current()
        if pem is None:
            raise RegistryError(404, "ResourceMissingAtURI", only)
        taken = parameters(call.json_object(), {**KEYS, **CHALLENGE} if action == "Rekey" else CHALLENGE, (), action)
        held = x509.load_pem_x509_certificate(pem.encode())
        kept = (x509.SubjectAlternativeName, x509.KeyUsage, x509.ExtendedKeyUsage)
        request = CsrContent(
            subject=held.subject,
            key=_kind(taken) if action == "Rekey" else None,
            extensions=tuple((found.value, found.critical) for found in held.extensions if isinstance(found.value, kept)),
            attributes=_attributes(taken, {"ChallengePassword": AttributeOID.CHALLENGE_PASSWORD}),
        )
        return _requested(call, request, {"Certificate": link(only)})

    return renew


def _requested(call: RedfishCall, request: CsrContent, answer: Json) -> HttpAnswer:
    """The answer; while a key is made, its head without its body, which comes as soon as the key is there.

    Raises RegistryError (503).
    """
    stream, seq, view = call.incoming.stream, call.seq, call.view
    made: list[bytes] = []
    is_waiting = False

    def done(text: str) -> None:
        view.record_notice("signing request made", seq, key=request.key or "the one in use")
        made.append(json.dumps(answer | {"CSRString": text}).encode())
        if is_waiting and stream is not None:
            stream.push(made[0])
            stream.end()

    if not view.keyring.signing_request(request, done):
        raise RegistryError(503, "ServiceTemporarilyUnavailable", "1", headers=(("Retry-After", "1"),))
    if not made:
        if stream is None:
            raise RegistryError(503, "ServiceTemporarilyUnavailable", "1", headers=(("Retry-After", "1"),))
        is_waiting = True
        stream.attach(lambda: None)
    return HttpAnswer(200, (("Content-Type", JSON_TYPE),), b"".join(made))


def _kind(taken: Json) -> KeyKind:
    """The kind of the new key. Parameters of the other algorithm are ignored."""
    if taken.get("KeyPairAlgorithm") == RSA:
        length = taken.get("KeyBitLength")
        return LENGTHS[length] if isinstance(length, int) else KeyKind.RSA_2048
    return CURVES[str(taken.get("KeyCurveId") or "TPM_ECC_NIST_P384")]


def _extensions(taken: Json) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    usages = _list(taken, "KeyUsage") or SERVER_USAGE
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if any(word in USAGES for word in usages):
        try:
            usage = x509.KeyUsage(**{keyword: word in usages for word, keyword in USAGES.items()})
        except ValueError:  # EncipherOnly and DecipherOnly say nothing without KeyAgreement (RFC 5280 4.2.1.3)
            raise _wrong("KeyUsage", ACTION) from None
        extensions.append((usage, True))
    purposes = [oid for word, oid in PURPOSES.items() if word in usages]
    if purposes:
        extensions.append((x509.ExtendedKeyUsage(purposes), False))
    names = [_general_name(name) for name in _list(taken, "AlternativeNames")]
    if names:
        extensions.append((x509.SubjectAlternativeName(names), False))
    return tuple(extensions)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _attributes(taken: Json, known: Mapping[str, x509.ObjectIdentifier]) -> tuple[tuple[x509.ObjectIdentifier, bytes], ...]:
    return tuple((oid, str(taken[name]).encode()) for name, oid in known.items() if taken.get(name))


def _list(taken: Json, name: str) -> tuple[str, ...]:
    value = taken.get(name)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _wrong(parameter: str, action: str) -> RegistryError:
    return RegistryError(400, "ActionParameterValueError", parameter, action, related=(f"#/{parameter}",))
