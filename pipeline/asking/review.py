"""Alone: one person cleans with the same loop and the same pages, without market, invite or money.

A round is a few pages, frozen like a batch of a market of the person's own. Each page is answered once; its
answers become votes of the person, who is believed: what the person said of a face is its answer, and is not asked
again. When the round's pages are answered, everything is decided anew and the next round is planned from that. What a
crowd left disputed comes to the person too.

The page that was sent last can be taken back: its votes go, and it opens again as it was sent.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from ...curation.types import AssignmentId, Face, FaceId, Question, Side, Status, VoterKind, WorkerId
from ..app import App
from ..errors import NothingToDo, StageError
from ..market.pictures import reference_files
from ..wording import counted
from ..workspace.acts import note_act
from ..workspace.records import (
    OWN_PAGES,
    FrozenBatch,
    FrozenTile,
    asked_tiles,
    audited_pairs,
    frozen_batches,
    mark_sent,
    tiles_of,
)
from ..workspace.reviewed import ReviewedPage, add_reviewed, reopen_reviewed, reviewed_pages, taken_back
from .advice import vote_price
from .ballots import Voter, read_votes
from .batches import freeze, number_batches
from .choosing import advise_round
from .decide import Inference, asked_questions, infer, record
from .doubts import who_first
from .layout import BatchPlan, lay_out
from .needs import NO_ADVICE, Advice, Need
from .publish import needs_now, page_layout
from .screening import grid_order
from .sight import look_at
from .tasks import elapsed_seconds

__all__ = [
    "OpenPage",
    "Standing",
    "answer",
    "next_page",
    "own_assignment",
    "own_market",
    "own_name",
    "standing",
    "take_back",
]

PAGES_A_ROUND = 4
"""So many pages are laid out at once: few, so that what the answers teach counts soon; some, so that nobody waits for
it after every page."""


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page that waits for the person. `marked` are the fields of the page as it was sent before it was taken back."""

    key: str
    batch: FrozenBatch
    tiles: Mapping[str, FrozenTile]
    marked: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the review is: settled faces of all as the round began, how many pages this person answered, and the key
    of the one that was sent last."""

    settled: int
    faces: int
    answered: int
    last: str

    @property
    def text(self) -> str:
        begun = f"{self.settled} of {counted(self.faces, 'face')} were settled when this round began"
        return f"{begun}; you answered {counted(self.answered, 'page')}."


def next_page(app: App, person: str) -> OpenPage:
    """The page to answer now; where none is open, a new round is frozen. The caller holds the workspace's lock.

    Raises NothingToDo where no face needs an answer, StageError without faces or a name.
    """
    market = own_market(person)
    found = _open_page(app, market, person)
    if found is not None:
        return found
    for plan in _round(app, market):
        (key,) = number_batches(app, [plan])
        freeze(app, market, key, plan)
        mark_sent(app.workspace, key)
    found = _open_page(app, market, person)
    assert found is not None, "a round holds at least one page"
    return found


def standing(app: App, person: str) -> Standing:
    """How far the review is, from the newest decisions."""
    counts = Counter(item.status for item in app.store.decisions() if item.question is None)
    settled = counts[Status.APPROVED] + counts[Status.REJECTED]
    pages = reviewed_pages(app.workspace, own_market(person))
    return Standing(settled, len(app.store.faces()), len(pages), pages[-1].hit_key if pages else "")


def answer(app: App, person: str, key: str, fields: Mapping[str, str]) -> int:
    """Keep what the person said of a page; how many votes that are. The caller holds the lock.

    Sent twice, the second one counts. Raises BadAnswer for fields that the page does not have, StageError for a page
    that is not this person's.
    """
    market = own_market(person)
    batch, tiles = _page(app, market, key)
    now = datetime.now(UTC)
    seconds = elapsed_seconds(fields)
    voter = Voter(own_name(person), own_assignment(key), now, seconds, VoterKind.PERSON)
    votes = read_votes(batch, tiles, fields, voter)
    done = ReviewedPage(key, batch.key, market, dict(fields), seconds, now)
    app.store.add_votes(votes, beside=partial(add_reviewed, page=done), instead_of=own_assignment(key))
    note_act(app.workspace, "decide", "a page answered alone", counted(len(tiles), "face"))
    return len(votes)


def take_back(app: App, person: str, key: str) -> None:
    """Take the page `key` back, which this person sent last: it opens again as it was sent. Where another one is the
    last by now, nothing is done: whoever asks twice takes one page back.

    The caller holds the lock. Raises NothingToDo where none was sent.
    """
    pages = reviewed_pages(app.workspace, own_market(person))
    if not pages:
        raise NothingToDo("There is no page to take back.")
    if pages[-1].hit_key == key:
        app.store.retract(own_assignment(key), beside=partial(reopen_reviewed, page=pages[-1]))


def own_market(person: str) -> str:
    """The state key of a person's own pages: no market has such a name. Raises StageError without a name."""
    if not person.strip():
        raise StageError("A review needs a name: the votes are kept under it, and it stands in the report.")
    # The name itself stands with the votes only: a person who is erased is gone from there.
    return f"{OWN_PAGES}{hashlib.sha256(person.strip().encode()).hexdigest()[:16]}"


def own_name(person: str) -> WorkerId:
    """The worker id under which a person's own votes stand."""
    return WorkerId(f"person:{person.strip()}"[:64])


def own_assignment(key: str) -> AssignmentId:
    """The assignment under which what a person said of the page with that key is kept."""
    return AssignmentId(f"review-{key}"[:64])


def _open_page(app: App, market: str, person: str) -> OpenPage | None:
    answered = {page.hit_key for page in reviewed_pages(app.workspace, market)}
    sent = {page.hit_key: page.answers for page in taken_back(app.workspace, market)}
    for batch in frozen_batches(app.workspace, market):
        for key, tiles in tiles_of(app.workspace, batch.key).items():
            if key not in answered:
                return OpenPage(key, batch, tiles, sent.get(key, {}))
    return None


def _page(app: App, market: str, key: str) -> tuple[FrozenBatch, Mapping[str, FrozenTile]]:
    for batch in frozen_batches(app.workspace, market):
        if key.startswith(f"{batch.key}-"):
            tiles = tiles_of(app.workspace, batch.key).get(key)
            if tiles is not None:
                return batch, tiles
    raise StageError(f"There is no page {key} in this review. Open the review again: galloway review")


def _round(app: App, market: str) -> list[BatchPlan]:
    """Decide by what was answered so far; the first pages of what is to be asked now."""
    faces = app.store.faces()
    if not faces:
        raise StageError("There are no faces yet. Find them first: galloway extract")
    settings = app.settings.ask
    if settings.learns:
        for side in Side:
            look_at(app, side)
    known = infer(app)
    record(app, known)
    # What the person was shown and left without an answer is not shown again.
    seen = {(face_id, question) for _, _, face_id, question in asked_tiles(app.workspace, market)}
    first = who_first(app, known, waiting=(), passed=seen)
    advice = advise_round(
        app,
        known,
        price=vote_price(settings, Decimal(0)),
        budget=None,
        waiting=frozenset(),
        audited=audited_pairs(app.workspace, market),
        later=first,
    )
    plans = _plans(app, known, faces, seen, advice, first)
    if not plans:
        # Nothing more is chosen, as where all that was chosen was passed over: what is open and was not seen yet.
        plans = _plans(app, known, faces, seen, NO_ADVICE, {})
    if not plans:
        raise NothingToDo(_done(app, known))
    return _first(plans, PAGES_A_ROUND)


def _plans(
    app: App,
    known: Inference,
    faces: Sequence[Face],
    seen: Collection[tuple[FaceId, Question]],
    advice: Advice,
    first: Mapping[Side, Sequence[Face]],
) -> list[BatchPlan]:
    needs, stuck = needs_now(app, known, faces, waiting=seen, first=first, advice=advice)
    layout = replace(page_layout(app, known, order=grid_order(app)), seen_by=1)
    return [
        plan
        for need in _for_one(needs, [pair for pair in stuck if pair not in seen], faces)
        if need.question is not Question.IDENTITY or need.side in layout.photographed
        for plan in lay_out(need, layout)
    ]


def _done(app: App, known: Inference) -> str:
    """What the end is: all decided, or what is left and why."""
    settled = (Status.APPROVED, Status.REJECTED)
    left = {item.face_id for item in known.decisions if item.question is None and item.status not in settled}
    sides = {face.side for face in app.store.faces() if face.face_id in left}
    if not sides:
        return "Every face is decided. Next: galloway merge"
    blind = sorted(side for side in sides if not reference_files(app.workspace, side))
    if blind and any(Question.IDENTITY in asked_questions(app)[side] for side in blind):
        return (
            f"What can be asked is answered. Who it is cannot be asked on side {' and '.join(blind)} without a "
            f"photograph: galloway ingest --side {blind[0]} --reference PHOTO"
        )
    return (
        f"Every page is answered. Not decided: {counted(len(left), 'face')}; decide them: galloway serve (Faces), or "
        "galloway merge, which asks what becomes of them."
    )


def _for_one(needs: Sequence[Need], stuck: Sequence[tuple[FaceId, Question]], faces: Sequence[Face]) -> list[Need]:
    """The needs as one person's: whoever answered before shuts nobody out, and what a crowd left open is asked too."""
    kinds: dict[tuple[Side, Question, bool, bool, bool, bool], list[Face]] = {}
    for need in needs:
        kind = (need.side, need.question, need.audit, need.round > 1, need.beside, need.sought)
        kinds.setdefault(kind, []).extend(need.faces)
    known = {face.face_id: face for face in faces}
    for face_id, question in stuck:
        kinds.setdefault((known[face_id].side, question, False, True, False, False), []).append(known[face_id])
    return [
        Need(side, question, 2 if again else 1, 1, frozenset(), tuple(found), audit, beside, sought)
        for (side, question, audit, again, beside, sought), found in kinds.items()
    ]


def _first(plans: Sequence[BatchPlan], most: int) -> list[BatchPlan]:
    """The plans cut to so many pages; nothing is paid for them."""
    kept: list[BatchPlan] = []
    for plan in plans:
        pages = plan.pages[:most]
        most -= len(pages)
        if pages:
            shown = {face for page in pages for face in page.faces}
            need = replace(plan.need, faces=tuple(face for face in plan.need.faces if face.face_id in shown))
            kept.append(replace(plan, need=need, pages=pages, reward=Decimal(0)))
    return kept
