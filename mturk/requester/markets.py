"""Markets: where HITs go. `local` (the embedded marketplace), any MTurk-compatible URL, `aws-sandbox`, `aws`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from .errors import MTurkError
from .money import AWS_FEES, NO_FEES, FeeSchedule

__all__ = ["AWS_CLOSED", "Market", "resolve_market"]

AWS_CLOSED = (
    "AWS announced that Amazon Mechanical Turk closes permanently on 30 September 2026. "
    'Use the embedded marketplace instead (market name "local", the default: galloway market serve), '
    "or the URL of any MTurk-compatible endpoint."
)
"""What the AWS markets say up front, and what their DNS, 403 and 404 failures become."""

_REGION = "us-east-1"
_AWS = {
    "aws": ("https://mturk-requester.us-east-1.amazonaws.com", "https://worker.mturk.com", True),
    "aws-sandbox": (
        "https://mturk-requester-sandbox.us-east-1.amazonaws.com",
        "https://workersandbox.mturk.com",
        False,
    ),
}


@dataclass(frozen=True, slots=True)
class Market:
    """One place where HITs go.

    `paying` says that real money leaves an account. `state_key` names the market in every ledger row, so that state
    of two markets never mixes; it does not hold the port of the embedded marketplace, which may change.
    """

    name: str
    endpoint_url: str | None
    region: str
    paying: bool
    worker_url: str | None
    state_key: str
    fees: FeeSchedule = NO_FEES

    @property
    def is_aws(self) -> bool:
        """Whether this is one of AWS's own hosts."""
        return (urlsplit(self.endpoint_url or "").hostname or "").endswith(".amazonaws.com")

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is on this machine (no pacing, few retries, no proxy)."""
        host = urlsplit(self.endpoint_url or "").hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def notice(self) -> str | None:
        """What to tell the requester before anything is sent; None where there is nothing to say."""
        return AWS_CLOSED if self.is_aws else None


def resolve_market(
    name: str,
    *,
    local_endpoint: str | None = None,
    worker_url: str | None = None,
    fees: FeeSchedule | None = None,
    paying: bool | None = None,
) -> Market:
    """The market called `name`: `local`, `aws-sandbox`, `aws`, or an http(s) URL.

    `local_endpoint` is where the embedded marketplace answers just now. `fees` defaults to AWS's own on AWS and to
    none elsewhere; a URL counts as paying unless `paying` says otherwise. Raises MTurkError for any other name.
    """
    if name == "local":
        return Market(
            name, local_endpoint, _REGION, bool(paying), worker_url, "local", NO_FEES if fees is None else fees
        )
    if name in _AWS:
        endpoint, site, pays = _AWS[name]
        return Market(name, endpoint, _REGION, pays, worker_url or site, name, fees or AWS_FEES)
    url = _endpoint(name)
    return Market(
        name,
        url,
        _REGION,
        True if paying is None else paying,
        worker_url,
        f"url:{url}",
        NO_FEES if fees is None else fees,
    )


def _endpoint(name: str) -> str:
    """A URL in one spelling: lower-case scheme and host, no default port, no trailing slash."""
    try:
        parts = urlsplit(name.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise MTurkError(
            f"{name!r} is not a market. Use local, aws-sandbox, aws, "
            "or the http(s) URL of an MTurk-compatible endpoint."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != {"http": 80, "https": 443}[parts.scheme]:
        host = f"{host}:{port}"
    url = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    if parts.scheme == "http" and not Market("", url, "", False, None, "").is_loopback:
        # Signed requests are not secret, but answers and worker ids would be readable on the way.
        raise MTurkError(f"{name!r} would send requests unencrypted. Use https for an endpoint on another machine.")
    return url
