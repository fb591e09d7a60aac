"""How one marketplace is set up, and where it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

__all__ = ["Addresses", "Clock", "MarketConfig", "system_clock"]

Clock = Callable[[], datetime]
"""Returns the time now, aware UTC. Tests pass one that they can move."""


def system_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the three parts answer: `http://host:port`, without a slash at the end."""

    api: str
    worker: str
    frames: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketConfig:
    """Everything that can be set. A port of 0 takes a free one when `serve` binds it.

    `worker_url` and `frame_url` are the public origins when a proxy stands in front; they must differ, because
    requesters' pages are served from the frame origin and must not share cookies with the worker site.
    """

    state_dir: Path
    """Secrets (cursor and frame keys, operator token) and, by default, the database."""
    database_url: str = ""
    """SQLAlchemy URL; empty: `market.db` in `state_dir`."""
    patience_seconds: float = 10
    """After so long PostgreSQL cuts off a server that holds locks and says nothing; waiting for a lock takes twice that
    at most."""
    host: str = "127.0.0.1"
    api_port: int = 0
    worker_port: int = 0
    frame_port: int = 0
    api_url: str = ""
    worker_url: str = ""
    frame_url: str = ""
    name: str = "Galloway"
    currency: str = "$"
    """How pay is labelled on the worker site; "" and "points" are fine."""
    fee_percent: Decimal = Decimal("0")
    """Added to rewards and bonuses for the requester; twice that from ten assignments on, as on MTurk."""
    sandbox: bool = True
    """True: the balance is always 10000.00 and nothing is debited. False: a ledger, topped up by the operator."""
    verify_signatures: bool = True
    clock_skew_seconds: int = 900
    token_hours: int | None = None
    """How long a UniqueRequestToken is remembered; None keeps it for good, 24 is MTurk's rule."""
    throttle_tps: float = 0.0
    """Requests a second for each requester before ThrottlingException; 0 never throttles."""
    visible_after_seconds: float = 0.0
    """Test switch: a new HIT answers "does not exist" to every call but expiry for so long, as MTurk could."""
    max_held: int = 25
    """How many assignments one worker may hold at once."""
    session_days: int = 30
    webhook_hosts: tuple[str, ...] = ()
    """Hosts that notification webhooks may reach although they are private addresses."""
    aws_endpoint_url: str = ""
    """Endpoint for SQS and SNS deliveries (moto, ElasticMQ, LocalStack); empty: AWS itself."""
    clock: Clock = field(default=system_clock)

    @property
    def url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.state_dir / 'market.db'}"

    @property
    def addresses(self) -> Addresses:
        """The public addresses; correct once the ports are known."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return Addresses(
            api=self.api_url or f"http://{host}:{self.api_port}",
            worker=self.worker_url or f"http://{host}:{self.worker_port}",
            frames=self.frame_url or f"http://{host}:{self.frame_port}",
        )
