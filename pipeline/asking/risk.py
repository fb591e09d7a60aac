"""How likely what stands of each face is wrong, by all that is known: so that errors are met first.

How sure the answers are is half of it. The other half is whether a face was decided as those that are like it were: its
neighbours a moment earlier and later, and all faces of the side, as a ridge regression on the side's features sees
them that never saw the face itself nor its neighbours. Nothing is decided by it: it only says where to look first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...curation.learn.features import Features
from ...curation.types import DecidedBy, Decision, FaceId, Side, Status
from .sight import seen

if TYPE_CHECKING:
    from ..app import App

__all__ = ["note_risks", "risk_of"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_FOLDS = 5
_RIDGE = 10.0
"""As much as so many faces that say nothing."""
_LEAST = 20
"""Fewer decided faces of either kind teach nothing."""
_OPEN, _BY_PERSON = 1.0, 0.0
_MOST = 0.98
"""No answer and no likeness counts as surer than this."""
_WEIGHT = 0.7
"""What likeness says is no second opinion of its own: its log odds count so much."""
_NEIGHBOUR = 0.5
"""The log odds of a neighbour that was decided the other way, or alike."""
_NEIGHBOURS = 4.0
"""More of them say no more: those of one track may be wrong together."""


def note_risks(app: App, decisions: Sequence[Decision]) -> None:
    """Keep the risk of every face of the sides that were looked at; of the others the doubt of the answers stands."""
    whole = {item.face_id: item for item in decisions if item.question is None}
    for side in Side:
        sight = seen(app, side)
        if sight is not None:
            app.store.note_risks(risk_of(sight.faces, sight.features, whole))


def risk_of(faces: Sequence[FaceId], features: Features, decided: Mapping[FaceId, Decision]) -> dict[FaceId, float]:
    """The chance that what stands of each of these faces is wrong; `features` are theirs, in their order."""
    rows = [decided.get(face) for face in faces]
    kept = np.array([item is not None and item.status is Status.APPROVED for item in rows])
    stands = kept | np.array([item is not None and item.status is Status.REJECTED for item in rows])
    sure = np.array([0.5 if item is None or item.posterior is None else item.posterior for item in rows])
    by_person = np.array([item is not None and item.decided_by is DecidedBy.PERSON for item in rows])
    odds = _odds(np.clip(sure, 1 - _MOST, _MOST))
    alike = _WEIGHT * _by_likeness(features, kept, stands) + _by_neighbours(features.groups, kept, stands)
    odds = odds + np.where(kept, alike, -alike)
    risk = np.where(stands, 1 / (1 + np.exp(np.clip(odds, -30, 30))), _OPEN)
    risk[by_person & stands] = _BY_PERSON
    return dict(zip(faces, np.round(risk, 6).tolist(), strict=True))


def _by_likeness(features: Features, kept: Bools, stands: Bools) -> Floats:
    """Log odds that a face is to be kept, by how the others were decided (those of its own track left out); 0 where too
    few are."""
    if min(int((kept & stands).sum()), int((~kept & stands).sum())) < _LEAST:
        return np.zeros(len(kept))
    matrix, wanted = features.matrix, np.where(kept, 1.0, -1.0)
    fold = features.groups % _FOLDS

    def values(rows: Bools) -> Floats:
        return np.hstack([matrix[rows], np.ones((int(rows.sum()), 1))])

    # Sums over folds: each regression is the whole one without its own fold.
    squares, sides = [], []
    for number in range(_FOLDS):
        part = stands & (fold == number)
        known = values(part)
        squares.append(known.T @ known)
        sides.append(known.T @ wanted[part])
    whole, right = sum(squares) + _RIDGE * np.eye(matrix.shape[1] + 1), sum(sides)
    score = np.zeros(len(kept))
    for number in range(_FOLDS):
        mine = fold == number
        score[mine] = values(mine) @ np.linalg.solve(whole - squares[number], right - sides[number])
    return _calibrated(score, kept, stands)


def _calibrated(score: Floats, kept: Bools, stands: Bools) -> Floats:
    """Scores as log odds: of two bells, one of the kept faces and one of the rejected."""
    good, bad = score[kept & stands], score[~kept & stands]
    spread = max(float(np.sqrt((good.var() * len(good) + bad.var() * len(bad)) / (len(good) + len(bad)))), 1e-3)
    middle, apart = (good.mean() + bad.mean()) / 2, good.mean() - bad.mean()
    lean = np.log(len(good) / len(bad))
    return np.asarray(np.clip((score - middle) * apart / spread**2 + lean, -_odds(_MOST), _odds(_MOST)))


def _by_neighbours(groups: NDArray[np.intp], kept: Bools, stands: Bools) -> Floats:
    """Log odds that a face is to be kept, by the others of its track."""
    said = np.where(stands, np.where(kept, 1.0, -1.0), 0.0)
    _, track = np.unique(groups, return_inverse=True)
    others = np.bincount(track, said)[track] - said
    return np.asarray(_NEIGHBOUR * np.clip(others, -_NEIGHBOURS, _NEIGHBOURS))


def _odds(chance: Floats | float) -> Floats | float:
    return np.log(chance / (1 - chance))
