"""Opening a market: the embedded one (started where none is running), any MTurk-compatible URL, or AWS."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial

from ...mturk.marketplace.config import Addresses
from ...mturk.requester.client import MTurkClient
from ...mturk.requester.hosting import Hosting, LocalHosting, S3Hosting
from ...mturk.requester.markets import Market, resolve_market
from ...mturk.requester.money import percent_fees
from ..errors import StageError
from ..workspace.folder import Workspace
from ..workspace.place import check_place
from .local import local_keys, running_market, serve_market
from .pictures import IMAGE_PATH, hosting_secret

__all__ = ["MarketSession", "MarketTerms", "market_terms", "open_market", "public_hosting"]


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """What is known of a market without asking it: its name and fees, and where its workers fetch pictures."""

    market: Market
    hosted: Callable[[], Hosting]

    @property
    def hosting(self) -> Hosting:
        """Where pictures are. Raises StageError where another market's workers could not fetch any: only work that
        shows pictures of ours asks for it."""
        return self.hosted()


@dataclass(frozen=True, slots=True)
class MarketSession(MarketTerms):
    """An open market: also who signs the calls to it, and where the embedded one answers."""

    client: MTurkClient
    addresses: Addresses | None


@contextmanager
def open_market(workspace: Workspace, name: str) -> Iterator[MarketSession]:
    """A session with the market called `name`.

    Raises StageError or MTurkError naming the remedy, UnclaimedWorkspace for a copy that has not said what it is.
    """
    check_place(workspace.root)
    if name == "local":
        with serve_market(workspace) as running:
            terms = _local_terms(workspace, running.addresses)
            client = MTurkClient(terms.market, *local_keys(workspace))
            yield MarketSession(terms.market, terms.hosted, client, running.addresses)
        return
    terms = market_terms(workspace, name)
    client = MTurkClient(terms.market, *_environment_keys(terms.market))
    yield MarketSession(terms.market, terms.hosted, client, None)


def market_terms(workspace: Workspace, name: str) -> MarketTerms:
    """What a round would cost on the market called `name`: nothing is started, asked or signed."""
    if name == "local":
        return _local_terms(workspace, running_market(workspace))
    # AWS's own fees are known; what another marketplace takes is a setting, as for the embedded one.
    own_fees = percent_fees(workspace.settings.market.fee_percent)
    market = resolve_market(name, fees=None if name in ("aws", "aws-sandbox") else own_fees)
    return MarketTerms(market, cache(partial(public_hosting, workspace)))


def _local_terms(workspace: Workspace, addresses: Addresses | None) -> MarketTerms:
    market = resolve_market(
        "local",
        local_endpoint=addresses.api if addresses else None,
        worker_url=addresses.worker if addresses else None,
        fees=percent_fees(workspace.settings.market.fee_percent),
    )
    # Relative links: the frame origin serves the pictures itself, at whatever address a worker reaches it.
    return MarketTerms(market, cache(lambda: LocalHosting(hosting_secret(workspace.root), IMAGE_PATH)))


def public_hosting(workspace: Workspace) -> Hosting:
    """Where workers of a market that is not ours fetch pictures. Raises StageError where that is not set."""
    settings = workspace.settings.hosting
    if settings.s3_bucket:
        return S3Hosting(
            settings.s3_bucket,
            hosting_secret(workspace.root),
            prefix=settings.s3_prefix,
            endpoint_url=settings.s3_endpoint or None,
            region=settings.s3_region,
            access_key=settings.s3_access_key or None,
            secret_key=settings.s3_secret_key or None,
        )
    if settings.public_url:
        return LocalHosting(hosting_secret(workspace.root), settings.public_url.rstrip("/") + IMAGE_PATH)
    raise StageError(
        "Workers of another market must be able to fetch the pictures. Set hosting.s3_bucket, or hosting.public_url to "
        "the https address under which `galloway serve --pictures` is reachable, in galloway.toml."
    )


def _environment_keys(market: Market) -> tuple[str, str]:
    access, secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    if not access or not secret:
        raise StageError(
            f"The market {market.name} needs a requester's keys: export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
            "(for a Galloway marketplace: galloway market requester add NAME)."
            + (f" {market.notice}" if market.notice else "")
        )
    return access, secret
