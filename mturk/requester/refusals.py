"""What botocore raises → our error tree. Branches on TurkErrorCode, never on message text where a code exists."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from .errors import (
    AlreadyExists,
    DoesNotExist,
    InsufficientFunds,
    MarketUnreachable,
    MTurkError,
    RequestRefused,
    WrongState,
)
from .markets import AWS_CLOSED, Market

__all__ = ["translate"]

_HIT_ID = re.compile(r"\b3[A-Z0-9]{29}\b")
_QUOTED_ID = re.compile(r'"([A-Z0-9]{1,64})"')
_SIGNATURE = (
    "InvalidSignatureException",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "AccessDeniedException",
    "ExpiredTokenException",
)
_BUSY = ("ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException")
# AWS documents only "an error with a message containing the request ID" for a repeated bonus token.
_REPEATED = re.compile(r"idempotency|UniqueRequestToken.*(already|used before)", re.IGNORECASE | re.DOTALL)


def translate(error: BotoCoreError | ClientError, market: Market, operation: str) -> MTurkError:
    """The error to raise instead of `error`; the caller chains it."""
    if isinstance(error, ClientError):
        return _refusal(error, market, operation)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return MTurkError(
            f"There are no requester keys for the market {market.name!r}. "
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use the market local, which makes its own."
        )
    if isinstance(error, ParamValidationError):
        return RequestRefused(f"{operation} was not sent: {error}", operation=operation)
    return _unreachable(market, operation, str(error), sent=isinstance(error, HTTPClientError))


def _unreachable(market: Market, operation: str, cause: str, *, sent: bool = False) -> MarketUnreachable:
    where = f"The market {market.name!r} does not answer at {market.endpoint_url} ({operation}: {cause})."
    if market.is_aws:
        return MarketUnreachable(f"{where} {AWS_CLOSED}")
    if market.name == "local":
        return MarketUnreachable(f"{where} Start it with: galloway market serve. Then run the same command again.")
    again = " Run the same command again: it looks at the market before it sends anything twice." if sent else ""
    return MarketUnreachable(f"{where} Check the address and the network.{again}")


def _refusal(error: ClientError, market: Market, operation: str) -> MTurkError:
    response: dict[str, Any] = dict(error.response)
    details = response.get("Error", {})
    code = str(details.get("Code", ""))
    turk_code = str(response.get("TurkErrorCode") or details.get("TurkErrorCode") or "")
    message = str(response.get("Message") or details.get("Message") or error)
    http = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
    if not turk_code and market.is_aws and http in (403, 404):
        return _unreachable(market, operation, f"HTTP {http} {code}: {message}")
    if http >= 500 or code in _BUSY:
        # Whether an earlier attempt of the same call was done is open: an outage, not a refusal.
        return _unreachable(market, operation, f"{code}: {message}", sent=True)
    if not turk_code and code in _SIGNATURE:
        return RequestRefused(
            f"The market {market.name!r} refused the requester's keys ({code}: {message}). "
            "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY and this machine's clock.",
            operation=operation,
            turk_code=code,
        )
    if not turk_code and (http in (403, 404) or http < 400):
        return MarketUnreachable(
            f"{market.endpoint_url} answered {operation} with HTTP {http}: that address speaks no MTurk API. "
            "Check market.name in galloway.toml."
        )
    return _by_code(turk_code or code, message, operation)


def _by_code(code: str, message: str, operation: str) -> RequestRefused:
    name = code.rpartition(".")[2]
    text = f"{operation} was refused: {message} [{code}]"
    if name.lower() == "hitalreadyexists":
        found = _HIT_ID.search(message) or _QUOTED_ID.search(message)
        hit_id = found.group(found.lastindex or 0) if found else None
        return AlreadyExists(text, operation=operation, turk_code=code, hit_id=hit_id)
    if name == "DuplicateRequest" or _REPEATED.search(message):
        return AlreadyExists(text, operation=operation, turk_code=code)
    kind: type[RequestRefused] = RequestRefused
    if name.endswith("DoesNotExist"):
        kind = DoesNotExist
    elif name.endswith("AlreadyExists"):
        kind = AlreadyExists
    elif name.startswith("Invalid") and name.endswith("State"):
        kind = WrongState
    elif name == "InsufficientFunds":
        kind = InsufficientFunds
    return kind(text, operation=operation, turk_code=code)
