"""Pages that were handed in, as checks look at them: how long each took, what was said, which faces were known already.

All of it is read from what is kept anyway: the ledger's answers and times, and the pages as they were planned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from ...curation.decide import as_asked
from ...curation.types import AssignmentId, Face, PageKind, Vote, WorkerId
from ...mturk.requester.collect import CollectedAssignment, collected
from ...mturk.requester.errors import BadAnswer
from ..app import App
from ..asking.ballots import Voter, read_votes
from ..asking.tasks import GridTask, Tile, elapsed_seconds, parse_answers
from ..workspace.records import (
    OWN_PAGES,
    FrozenBatch,
    FrozenTile,
    frozen_batches,
    has_known_tiles,
    simulated_workers,
    tiles_of,
)
from .gold import as_known, known_labels

__all__ = ["DonePage", "done_pages", "known_votes"]


@dataclass(frozen=True, slots=True)
class DonePage:
    """One page that a worker handed in.

    `milliseconds` is for how long it was looked at, as the page told, None where it did not; `span` the seconds from
    accept to submit by the market's clock. `said` are (key of the face on its page, answer), skipped faces left out.
    `known` are the answers on faces that were known already.
    """

    worker_id: WorkerId
    page: str
    kind: PageKind
    faces: int
    milliseconds: int | None
    span: float
    accepted_at: datetime
    submitted_at: datetime
    said: tuple[tuple[str, str], ...]
    simulated: bool = False
    known: tuple[Vote, ...] = ()

    @property
    def seconds(self) -> float:
        """How long somebody worked at it: what the page told, as far as that can be true."""
        return self.span if self.milliseconds is None else min(self.milliseconds / 1000, self.span)


_kept: WeakKeyDictionary[App, tuple[int, list[DonePage]]] = WeakKeyDictionary()


def done_pages(app: App) -> list[DonePage]:
    """All pages of faces that workers handed in on any market, oldest first; answers that cannot be read left out. Read
    once as long as nothing is collected."""
    count = app.ledger.count_answers()
    if app not in _kept or _kept[app][0] != count:
        _kept[app] = count, sorted(_read(app), key=lambda page: (page.submitted_at, page.page, page.worker_id))
    return _kept[app][1]


def known_votes(app: App, faces: Sequence[Face], votes: Sequence[Vote]) -> list[Vote]:
    """What workers answered on known faces, as `as_known` gives it; `votes` are all that count."""
    if not has_known_tiles(app.workspace):
        return []
    side = {face.face_id: face.side for face in faces}
    known = known_labels(faces, votes, app.settings.gold.source)
    answers = [
        as_asked(vote, side[vote.face_id]) for page in done_pages(app) for vote in page.known if vote.face_id in side
    ]
    return as_known(answers, known, votes)


def _read(app: App) -> list[DonePage]:
    batches = {one.key: one for one in frozen_batches(app.workspace) if not one.market.startswith(OWN_PAGES)}
    simulated = simulated_workers(app.workspace)
    found = []
    for market in {batch.market for batch in batches.values()}:
        keys = [key for key, batch in batches.items() if batch.market == market]
        tiles = {key: tiles_of(app.workspace, key) for key in keys}
        for item in collected(app.ledger, market, keys):
            batch, page = batches[item.batch_key], tiles[item.batch_key].get(item.hit_key, {})
            done = None if item.problem else _page(batch, page, item, item.worker_id in simulated)
            found += [] if done is None else [done]
    return found


def _page(
    batch: FrozenBatch, tiles: Mapping[str, FrozenTile], item: CollectedAssignment, simulated: bool
) -> DonePage | None:
    worker = WorkerId(item.worker_id)
    voter = Voter(worker, AssignmentId(item.assignment_id), item.submitted_at, item.seconds, simulated=simulated)
    task = GridTask(batch.page, batch.side, [Tile(key, "", group=tile.group) for key, tile in tiles.items()])
    try:
        said = parse_answers(task, item.answers)
        known = read_votes(batch, tiles, item.answers, voter, known=True)
    except BadAnswer:
        return None
    told, span = elapsed_seconds(item.answers), item.seconds or 0.0
    return DonePage(
        worker_id=worker,
        page=item.hit_key,
        kind=batch.page,
        faces=len(tiles),
        milliseconds=None if told is None else round(1000 * told),
        # Simulated workers do not wait: what they say that they took is all that there is.
        span=told if simulated and told is not None else span,
        accepted_at=item.accepted_at,
        submitted_at=item.submitted_at,
        said=tuple((answer.key, answer.value) for answer in said),
        simulated=simulated,
        known=tuple(known),
    )
