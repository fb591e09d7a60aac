"""What was decided on each side, why and by whom, for whoever comes to the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

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
        """Faces that got no answer."""
        return self.statuses[Status.DISPUTED] + self.statuses[Status.UNDECIDED]


def outcomes(app: App) -> list[SideOutcome]:
    """What the newest decisions say of each side that has faces."""
    decided = {item.face_id: item for item in app.store.decisions() if item.question is None}
    found = []
    for side in Side:
        faces = app.store.faces(side)
        here = [decided[face.face_id] for face in faces if face.face_id in decided]
        if not here:
            continue
        settled = [item for item in here if item.status in (Status.APPROVED, Status.REJECTED)]
        statuses = Counter(item.status for item in here)
        reasons = Counter(item.reason or "no reason" for item in here if item.status is Status.REJECTED)
        model = [item for item in settled if item.decided_by is DecidedBy.MODEL]
        # The least sure first: these are worth a look.
        model.sort(key=lambda item: (item.posterior or 0.0, item.face_id))
        found.append(
            SideOutcome(
                side,
                {status: statuses[status] for status in Status},
                tuple(reasons.most_common()),
                tuple(Counter(_WHO[item.decided_by] for item in settled).most_common()),
                {
                    status: tuple(item.face_id for item in model if item.status is status)[:_SAMPLE]
                    for status in (Status.APPROVED, Status.REJECTED)
                },
            )
        )
    return found
