"""The votes that may decide something: all but those of answers that were rejected.

A vote is a fact and stays in its table; whether its answer was rejected is the ledger's word, and an approval that
overrules the rejection brings the vote back. Blocking a worker rejects nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ...curation.types import FaceId, Question, Side, Vote
from ...curation.votes import Votes
from ..app import App

__all__ = ["count_heeded", "heeded", "heeded_state", "heeded_votes"]


def heeded_votes(
    app: App, question: Question | None = None, *, faces: Sequence[FaceId] | None = None, side: Side | None = None
) -> Votes:
    """As `Store.votes`, without those of rejected answers."""
    return heeded(app, app.store.votes(question, faces=faces, side=side))


def count_heeded(app: App) -> int:
    """How many there are; none is loaded."""
    return app.store.count_votes(without=app.ledger.rejected())


def heeded(app: App, votes: Sequence[Vote]) -> Votes:
    """Of these votes those whose answer was not rejected, in their order."""
    cast, rejected = Votes.of(votes), app.ledger.rejected()
    return cast.at(~cast.columns["assignment_id"].where(rejected.__contains__)) if rejected else cast


def heeded_state(app: App) -> str:
    """The same as long as no vote came or went, and no answer was rejected or taken in again."""
    said = "\n".join(sorted(app.ledger.rejected()))
    rejected = hashlib.sha256(said.encode()).hexdigest()[:16] if said else "none"
    return " ".join(str(part) for part in (*app.store.vote_state(), rejected))
