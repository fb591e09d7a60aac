"""Requesters' secret keys as they are stored: sealed with the marketplace's own key, which is not in the database.

SigV4 is an HMAC with the secret itself, so a hash of it checks nothing; whoever has the database alone (a backup, a
dump, a copy) shall not be able to sign. `market.key` lies beside the database, readable for its owner only.

The secret is covered by HMAC-SHA-512 of a fresh nonce (a pseudorandom function's output, used once: as safe as its key)
and then authenticated together with the nonce and the access key that it belongs to (encrypt, then MAC).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

__all__ = ["PREFIX", "Unsealable", "seal", "unseal"]

PREFIX = "sealed:"
_NONCE, _TAG, _MOST = 16, 16, 64


class Unsealable(ValueError):
    """What is stored was sealed with another key, for another access key, or is damaged."""


def seal(key: bytes, access_key: str, secret: str) -> str:
    """`secret` as it is stored beside `access_key`: at most 64 bytes, else ValueError."""
    plain, nonce = secret.encode(), secrets.token_bytes(_NONCE)
    if len(plain) > _MOST:
        raise ValueError(f"A secret key has at most {_MOST} bytes; the one of {access_key} has {len(plain)}.")
    covered = _cover(key, nonce, plain)
    return PREFIX + base64.urlsafe_b64encode(nonce + _tag(key, access_key, nonce + covered) + covered).decode()


def unseal(key: bytes, access_key: str, stored: str) -> str:
    """The secret of `access_key` as it was given to `seal`. Raises Unsealable."""
    try:
        data = base64.urlsafe_b64decode(stored.removeprefix(PREFIX).encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        data = b""
    nonce, tag, covered = data[:_NONCE], data[_NONCE : _NONCE + _TAG], data[_NONCE + _TAG :]
    if not stored.startswith(PREFIX) or not hmac.compare_digest(tag, _tag(key, access_key, nonce + covered)):
        raise Unsealable(
            f"The secret of the access key {access_key} was not sealed with this marketplace's market.key."
        )
    return _cover(key, nonce, covered).decode()


def _cover(key: bytes, nonce: bytes, text: bytes) -> bytes:
    pad = hmac.digest(_purpose(key, b"cover"), nonce, hashlib.sha512)
    return bytes(one ^ other for one, other in zip(text, pad, strict=False))


def _tag(key: bytes, access_key: str, data: bytes) -> bytes:
    return hmac.digest(_purpose(key, b"tag"), access_key.encode() + b"\n" + data, hashlib.sha512)[:_TAG]


def _purpose(key: bytes, purpose: bytes) -> bytes:
    """A key for one purpose: the marketplace's signs cursors and links, too."""
    return hmac.digest(key, b"requesters' secrets\n" + purpose, hashlib.sha512)
