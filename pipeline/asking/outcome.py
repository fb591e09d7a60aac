"""What was decided on each side, why and by whom, for whoever comes to the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ...curation.listing import Order, Wanted, count_outcomes, page_of_faces
from ...curation.types import DecidedBy, FaceId, Side, Status
from ..app import App

__all__ = ["SideOutcome", "outcomes"]

_WHO = {
    DecidedBy.CROWD: "by workers",
    DecidedBy.PERSON: "by a person",
    DecidedBy.GOLD: "known before",
    DecidedBy.MODEL: "by the model that the answers taught",
    DecidedBy.SCREEN: "left out or screened, without a question",
    DecidedBy.COPY: "as the face that they are a near-copy of",
}
_SAMPLE = 12
_SETTLED = (Status.APPROVED, Status.REJECTED)


@dataclass(frozen=True, slots=True)
class SideOutcome:
    """Faces of a side by status, rejected ones by reason, settled ones by who settled them, the most frequent first,
    and a few that the model alone decided: what is worth a look."""

    side: Side
    statuses: dict[Status, int]
    reasons: tuple[tuple[str, int], ...]
    by: tuple[tuple[str, int], ...]
    by_model: dict[Status, tuple[FaceId, ...]]

    @property
    def open(self) -> int:
        """Faces that are disputed or undecided."""
        return self.statuses[Status.DISPUTED] + self.statuses[Status.UNDECIDED]


def outcomes(app: App) -> list[SideOutcome]:
    """What stands of each side of which anything was decided, by the counts that are kept."""
    counted = count_outcomes(app.workspace.db)
    found = [_outcome(app, side, [row[1:] for row in counted if row[0] is side]) for side in Side]
    return [item for item in found if sum(item.statuses.values()) > item.statuses[Status.UNDECIDED]]


def _outcome(app: App, side: Side, rows: Sequence[tuple[Status, str, DecidedBy, int]]) -> SideOutcome:
    statuses: Counter[Status] = Counter()
    reasons: Counter[str] = Counter()
    by: Counter[str] = Counter()
    by_model: Counter[Status] = Counter()
    for status, reason, who, count in rows:
        statuses[status] += count
        if status is Status.REJECTED:
            reasons[reason or "no reason"] += count
        if status in _SETTLED:
            by[_WHO[who]] += count
            by_model[status] += count if who is DecidedBy.MODEL else 0
    return SideOutcome(
        side,
        {status: statuses[status] for status in Status},
        tuple(reasons.most_common()),
        tuple(by.most_common()),
        {status: _least_sure(app, side, status) if by_model[status] else () for status in _SETTLED},
    )


def _least_sure(app: App, side: Side, status: Status) -> tuple[FaceId, ...]:
    """A few that the model decided, the least sure first: these are worth a look."""
    wanted = Wanted(side=side, status=status, decided_by=DecidedBy.MODEL, gone=False, order=Order.DOUBT)
    found = page_of_faces(app.workspace.db, wanted, most=_SAMPLE)
    return tuple(item.face.face_id for item in sorted(found, key=lambda item: (-item.doubt, item.face.face_id)))
