"""What people alone say: votes weighed by how good each worker is, and nothing else.

One accuracy a worker, with a strong start: with few votes and a rare label, two accuracies drift (they explain the rare
label by bad workers). No screen, no near-copy and no model has a voice here: an annotator who votes everywhere would
teach this fit who is right.

Where it was measured that standing together draws answers to what is proposed (`pull`), an answer that agrees with the
proposal is a mixture: with the chance of being drawn it was given whatever the face shows, else it was looked at. So it
says less of the face, and as much less of its worker; one that disagrees was looked at and says what it said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .looks import look_weights

__all__ = ["Answers", "Heard", "hear", "looked_at", "told_by"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_RIGHT, _WRONG = 8.5, 1.5
"""What is believed of a worker before the first vote: right in 85 of 100, worth ten votes."""
_STEPS = 30
_LEAST, _MOST = 0.05, 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Workers' votes on one question, coded: int (votes,) each. `good` says that the vote speaks for the face.

    `known` float64 (faces,) holds what a person or gold settled: 1 good, 0 bad, NaN nobody. Abstentions are left out.
    `looks` int (votes,) is the same where one answer was given for several faces at once, -1 for a face by itself.
    `sought` bool (votes,): given where good faces are marked and the rest confirmed as bad, instead of the reverse.
    `shown` float64 (workers, 2): how many answers to known faces, which are none of these, were right and wrong.
    `drawn` float64 (votes,): the chance that the vote would have been given whatever the face shows, 0 where it does
    not agree with a proposal; None where no pull was measured.
    """

    faces: Codes
    workers: Codes
    pages: Codes
    good: NDArray[np.bool_]
    known: Floats
    worker_names: tuple[str, ...]
    looks: Codes | None = None
    shown: Floats | None = None
    sought: NDArray[np.bool_] | None = None
    drawn: Floats | None = None

    @property
    def n_faces(self) -> int:
        return len(self.known)

    def counts(self) -> tuple[Codes, Codes]:
        """How many votes speak for and against each face."""
        spoken = np.bincount(self.faces[self.good], minlength=self.n_faces)
        against = np.bincount(self.faces[~self.good], minlength=self.n_faces)
        return spoken.astype(np.intp), against.astype(np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What the votes say. `odds` (faces,): log odds of good, 0 where nobody voted; `accuracy` (workers,); `weights`
    (votes,) as of `look_weights`, less where a vote was likely drawn; `worth` (faces,): how much of an independent look
    each face had."""

    odds: Floats
    accuracy: Floats
    weights: Floats
    worth: Floats

    @property
    def posterior(self) -> Floats:
        return np.asarray(1.0 / (1.0 + np.exp(-self.odds)))


def hear(answers: Answers, groups: Codes, said: Floats | None = None) -> Heard:
    """Weigh the votes (Dawid & Skene 1979 with one accuracy a worker, MAP). `groups` (faces,) are of like faces.

    `said` (faces,) is what the model has earned to say, held out, where it may help to tell good workers from bad ones;
    it is not in the odds that come out.
    """
    alike = groups[answers.faces]
    if answers.looks is not None:
        alike = np.where(answers.looks >= 0, answers.n_faces + answers.looks, alike)
    weights = look_weights(answers.workers, answers.pages, answers.good.astype(np.intp), alike)
    count = len(answers.worker_names)
    start = np.tile([_RIGHT, _WRONG], (count, 1)) + (0.0 if answers.shown is None else answers.shown)
    settled = np.isfinite(answers.known)
    certain = np.where(answers.known > 0.5, 40.0, -40.0)
    sign = np.where(answers.good, 1.0, -1.0)
    accuracy = start[:, 0] / start.sum(axis=1)
    odds, seen = np.zeros(answers.n_faces), weights
    for _ in range(_STEPS):
        odds = np.bincount(answers.faces, told_by(answers, accuracy), answers.n_faces).astype(np.float64)
        odds = np.where(settled, certain, odds)
        believed = odds if said is None else odds + said
        right = 1.0 / (1.0 + np.exp(-sign * np.clip(believed, -40, 40)[answers.faces]))
        of_right, of_wrong = looked_at(answers, accuracy)
        seen = weights * (of_wrong + right * (of_right - of_wrong))
        agreed = np.bincount(answers.workers, weights * right * of_right, count)
        cast = np.bincount(answers.workers, seen, count)
        fresh = np.clip((agreed + start[:, 0]) / (cast + start.sum(axis=1)), _LEAST, _MOST)
        moved = float(np.abs(fresh - accuracy).max(initial=0.0))
        accuracy = fresh
        if moved < 1e-6:
            break
    looked = np.zeros(answers.n_faces)
    np.maximum.at(looked, answers.faces, seen)
    doubt = 1.0 / (1.0 + np.exp(np.minimum(np.abs(odds), 40)))
    shared = (1.0 / np.maximum(looked, 1e-6) - 1.0) * np.minimum(1.0, doubt * (_RIGHT + _WRONG) / _WRONG)
    return Heard(odds, accuracy, seen, np.where(settled, 1.0, np.where(looked > 0, 1.0 / (1.0 + shared), 0.0)))


def told_by(answers: Answers, accuracy: Floats) -> Floats:
    """What each vote says of its face, as log odds of good (votes,), by workers who are right so often."""
    right = accuracy[answers.workers]
    if answers.drawn is None:
        say = np.log(right / (1 - right))
    else:
        say = np.log(
            (answers.drawn + (1 - answers.drawn) * right) / (answers.drawn + (1 - answers.drawn) * (1 - right))
        )
    return np.asarray(np.where(answers.good, say, -say))


def looked_at(answers: Answers, accuracy: Floats) -> tuple[Floats, Floats]:
    """The chance that each vote was given for what the face shows, and not drawn (votes,): if it is right, and if it is
    wrong."""
    if answers.drawn is None:
        return np.ones(len(answers.faces)), np.ones(len(answers.faces))
    right, free = accuracy[answers.workers], 1 - answers.drawn
    return free * right / (answers.drawn + free * right), free * (1 - right) / (answers.drawn + free * (1 - right))
