"""AWS Signature Version 4, checked from the request as it arrived.

AWS General Reference, "Signature Version 4 signing process". The service in the scope is `mturk-requester`; any
region is taken, because clients sign with the one they happen to have set.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

from .errors import Refused

__all__ = ["Credential", "HttpRequest", "read_credential", "verify"]

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})"
)
_NEEDED = {"host", "x-amz-date", "x-amz-target"}
SERVICE = "mturk-requester"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Credential:
    """The parsed Authorization header."""

    access_key: str
    day: str
    region: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{SERVICE}/aws4_request"


def _refuse(error_type: str, message: str) -> Refused:
    return Refused(message, error_type=error_type)


def read_credential(request: HttpRequest) -> Credential:
    """Who says to have signed. Raises Refused with AWS's own error names."""
    header = request.headers.get("authorization", "")
    if not header:
        raise _refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _AUTHORIZATION.fullmatch(header.strip())
    parts = match[1].split("/") if match else []
    if match is None or len(parts) != 5 or parts[3] != SERVICE or parts[4] != "aws4_request":
        raise _refuse(
            "IncompleteSignatureException",
            f"The Authorization header is not a Signature Version 4 of the service {SERVICE}.",
        )
    headers = tuple(match[2].split(";"))
    missing = sorted(_NEEDED - set(headers))
    if missing:
        raise _refuse("IncompleteSignatureException", f"These headers must be signed: {', '.join(missing)}.")
    return Credential(parts[0], parts[1], parts[2], headers, match[3])


def verify(
    request: HttpRequest,
    credential: Credential,
    secret_of: Callable[[str], str | None],
    now: datetime,
    skew_seconds: int,
    public_host: str = "",
) -> None:
    """Raises Refused unless the request was signed with the key's secret, within the allowed clock skew.

    `public_host` is what clients know the marketplace by where a proxy stands in front: a signature for it is good,
    too, since nginx writes a Host of its own unless told otherwise.
    """
    secret = secret_of(credential.access_key)
    if secret is None:
        raise _refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
    stamp = request.headers.get("x-amz-date", "")
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise _refuse("IncompleteSignatureException", "X-Amz-Date must look like 20261122T070000Z.") from error
    hosts = [request.headers.get("host", ""), *([public_host] if public_host else [])]
    good = [hmac.compare_digest(_for_host(request, credential, secret, host), credential.signature) for host in hosts]
    if not any(good) or not stamp.startswith(credential.day):
        raise _refuse(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. "
            f"Check your AWS Secret Access Key and signing method. {_host_arrived(hosts)}",
        )
    if abs((now - signed_at).total_seconds()) > skew_seconds:
        raise _refuse(
            "InvalidSignatureException",
            f"Signature expired: {stamp} is not within {skew_seconds} seconds of {now:%Y%m%dT%H%M%SZ}.",
        )


def _for_host(request: HttpRequest, credential: Credential, secret: str, host: str) -> str:
    """The signature of the request, had it been sent to `host`."""
    named = replace(request, headers={**request.headers, "host": host})
    stamp = request.headers.get("x-amz-date", "")
    return _signature(secret, stamp, credential, _canonical(named, credential.signed_headers))


def _host_arrived(hosts: Sequence[str]) -> str:
    """The Host is signed, and proxies change it: what a person who looks at the keys in vain needs to know."""
    known = f", and the marketplace is known as {hosts[1][:100]!r}" if len(hosts) > 1 else ""
    return (
        f"The request arrived for the Host {hosts[0][:100]!r}{known}: if it was sent to another one, a proxy on the "
        "way changed it. Let it pass the Host on (nginx: proxy_set_header Host $http_host) or name the address that "
        "clients use (galloway market serve --api-url)."
    )


def _canonical(request: HttpRequest, signed: tuple[str, ...]) -> str:
    pairs = sorted(parse_qsl(request.query, keep_blank_values=True))
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed)
    digest = hashlib.sha256(request.body).hexdigest()
    path = quote(request.path or "/", safe="/-_.~")
    return "\n".join((request.method, path, query, headers, ";".join(signed), digest))


def _signature(secret: str, stamp: str, credential: Credential, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, credential.scope, digest))
    key = f"AWS4{secret}".encode()
    for part in (credential.day, credential.region, SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
