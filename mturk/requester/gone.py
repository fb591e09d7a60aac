"""Is a HIT that the market does not know gone for good, or another requester's? `DoesNotExist` answers both alike."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from .client import MTurkClient
from .errors import DoesNotExist, LedgerError
from .ledger import Ledger, Row

__all__ = ["Gone"]

_log = logging.getLogger(__name__)
_KEPT = timedelta(days=120)
"""For so long Mechanical Turk keeps a HIT; whoever asks later is told that it does not exist."""


class Gone:
    """Tells which HITs are gone from the market of `client`, on which `shown` HIT ids stand now.

    With `believed` every HIT that the market does not know is: somebody said so.
    """

    def __init__(self, ledger: Ledger, client: MTurkClient, shown: Collection[str], *, believed: bool = False) -> None:
        self._ledger, self._client = ledger, client
        self._shown, self._believed = frozenset(shown), believed
        self._told: dict[str, bool] = {}

    def check(self, rows: Iterable[Row]) -> None:
        """Raise LedgerError where the market knows none of these HITs, nor any other of ours; before anything is
        done to them."""
        first = next(iter(rows), None)
        if first is not None and first["hit_id"] not in self._shown:
            self.is_gone(first)

    def is_gone(self, row: Row) -> bool:
        """Whether a HIT that does not stand any more is gone: deleted, or older than what the market keeps. Not where
        it may be another requester's.

        Raises LedgerError where the market knows no HIT of ours at all: then the keys, or the market, are others.
        """
        if self._believed:
            return self._status(row) in (None, "Disposed")
        batch = row["batch_key"]
        if self._told.get(batch, True):
            status = self._status(row)
            if status is not None:
                return status == "Disposed"
        if batch not in self._told:
            self._told[batch] = self._has_others(row)
        past = row["expires_at"] is not None and row["expires_at"] + _KEPT < datetime.now(UTC)
        return self._told[batch] or past

    def _status(self, row: Row) -> str | None:
        try:
            return self._client.get_hit(row["hit_id"]).status
        except DoesNotExist:
            return None

    def _has_others(self, row: Row) -> bool:
        """Whether other HITs of its batch stand at the market, so that this one alone is gone."""
        state_key, batch, name = row["state_key"], row["batch_key"], self._client.market.name
        known = {other["batch_key"] for other in self._ledger.hits(state_key) if other["hit_id"] in self._shown}
        if not known:
            raise LedgerError(
                f"The market {name} knows no HIT of batch {batch}, nor any other of this workspace; nothing was "
                "changed. Either the keys are another requester's: check AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY. Or it is a new market: bring the workspace's folder market/ back from a "
                f"backup. Where those HITs are gone for good: galloway batch cancel {batch} --gone"
            )
        if batch not in known:
            _log.warning(
                "The market %s knows no HIT of batch %s, but others of ours. Was it sent with other keys? "
                "Where it was deleted there: galloway batch cancel %s --gone",
                name,
                batch,
                batch,
            )
        return batch in known
