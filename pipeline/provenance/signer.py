"""Who signs: the certificate that the user's own configuration names, else one of the workspace's own, made once.

A certificate of our own shows that a film was not changed since and that two films come from the same workspace; that
it is nobody's name, validators say as "untrusted". C2PA's trust list wants a certificate that is bought.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ...curation.files import write_once
from ..errors import StageError

__all__ = ["Identity", "identity"]

CERTIFICATE, KEY = "GALLOWAY_C2PA_CERTIFICATE", "GALLOWAY_C2PA_KEY"
_YEARS = 10
_ALGORITHMS = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate chain, leaf first, and its private key, both PEM; `algorithm` as C2PA names it."""

    chain: bytes
    key: bytes
    algorithm: str


def identity(root: Path) -> Identity:
    """Who signs films of the workspace at `root`. Raises StageError for a certificate or key that cannot be used."""
    certificate, key = os.environ.get(CERTIFICATE, ""), os.environ.get(KEY, "")
    if bool(certificate) != bool(key):
        raise StageError(f"{CERTIFICATE} and {KEY} belong together: a PEM chain, leaf first, and its private key.")
    if certificate:
        try:
            return _checked(Path(certificate).read_bytes(), Path(key).read_bytes(), certificate)
        except OSError as error:
            raise StageError(f"{error.filename} cannot be read: {error.strerror}.") from error
    path = root / "provenance" / "signer.pem"
    remedy = f"{path}; delete it, and a new signer is made"
    held = write_once(path, _made()) if not path.exists() else path.read_bytes()
    private, mark, chain = held.partition(b"-----END PRIVATE KEY-----\n")
    return _checked(chain, private + mark, remedy)


def _checked(chain: bytes, key: bytes, where: str) -> Identity:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificates

    try:
        private = load_pem_private_key(key, password=None)
        leaf = load_pem_x509_certificates(chain)[0]
        fits = leaf.public_key() == private.public_key()
    except (ValueError, TypeError, IndexError) as error:
        raise StageError(f"No certificate with its key can be read from {where}: {error}") from error
    name = ""
    if isinstance(private, ec.EllipticCurvePrivateKey):
        name = _ALGORITHMS.get(private.curve.name, "")
    elif isinstance(private, ed25519.Ed25519PrivateKey):
        name = "ed25519"
    if not fits or not name:
        raise StageError(
            f"The key does not fit {where}, or is of a kind that is not used here (P-256, P-384, P-521, Ed25519)."
        )
    return Identity(chain, key, name)


def _made() -> bytes:
    """A private key, its certificate and the one that issued it, whose own key is thrown away."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    issuer, private = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Galloway workspace root", issuer, "Galloway workspace root", issuer, is_root=True)
    leaf = _certificate("Galloway workspace", private, "Galloway workspace root", issuer, is_root=False)
    pem = serialization.Encoding.PEM
    written: bytes = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return b"".join((written, leaf.public_bytes(pem), root.public_bytes(pem)))


def _certificate(name: str, private: Any, issued_by: str, issuer: Any, *, is_root: bool) -> Any:
    """A certificate as C2PA asks for (Technical Specification 2.2, 14.5.1.1: key usage, purpose, key identifiers)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def called(text: str) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Galloway"), x509.NameAttribute(NameOID.COMMON_NAME, text)]
        )

    now = datetime.now(UTC).replace(microsecond=0)
    usage = x509.KeyUsage(
        digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(called(name))
        .issuer_name(called(issued_by))
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
    )
    if not is_root:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return made.sign(issuer, hashes.SHA256())
