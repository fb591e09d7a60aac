"""What blind votes settle: which audited decisions they confirm, which turned out wrong, where another look is due.

Each audited face is a sequential test of "the decision is right" against "it is wrong" (Wald 1945), by the audit's own
votes alone: those on which a decision rests would speak for its errors. A vote against it is a suspicion, not an error:
others settle it. A vote for it by somebody who says so of everything proves nothing: another one is asked.

How likely such votes are where the decision is wrong follows from those where it is right: by Wald's likelihood ratio
a wrong one is confirmed with the chance E[exp(-L)], L being the log odds at which the right ones were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .voters import Answers, Heard, looked_at, told_by

__all__ = ["Settled", "overlooks", "settle", "skills", "tells"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_CONFIRMED = float(np.log(4))
"""From these log odds a decision is confirmed: one usual worker who notices both kinds is enough."""
_WRONG = float(np.log(999))
"""From these it turned out wrong: where one decision in a thousand is, nearly every vote against one is a slip, and of
four hundred faces two usual workers slip on the same one or two."""
_LAST = 0.1
"""Where nobody is left to ask, a decision stands unless so much speaks against it that this share of what the audit
notices would be lost by letting it stand."""
_AGREED = 3
"""So many who agree settle a face (`curation/decide.py`)."""
_KNOWN = float(np.log(9))
"""A worker is judged by faces of which all the others are so sure, not by their own vote."""
_START = 4.0
"""What is known of a worker on the whole counts as so many votes on good faces, and as many on bad ones."""
_TELLS = 0.3
"""Who keeps good faces hardly oftener than bad ones (Youden 1950) tells too little to settle a suspicion: three who
agree are believed, and such a one agrees by chance."""
_LEAST, _MOST = 0.02, 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """`asked` (faces,) those with blind votes, of which `right` were confirmed and `wrong` turned out wrong; the others
    are open, and `doubted` where two or more speak and all of them against it. `missed` (faces,) is the chance that
    votes as surely for it confirm a wrong decision; 0 where not `right`.
    """

    asked: Flags
    right: Flags
    wrong: Flags
    doubted: Flags
    missed: Floats

    @property
    def open(self) -> Flags:
        return np.asarray(self.asked & ~self.right & ~self.wrong)


def skills(answers: Answers, heard: Heard, said: Floats) -> Floats:
    """How often each worker is right about bad and about good faces (2, workers, 2), by what the others and the model
    (`said`, log odds) say of them: first where bad faces are marked, then where good ones are `sought`. Who overlooks
    what is to be marked may be right about all the rest. A worker who sought little is expected to find good faces as
    often as bad ones where those are marked, and the reverse."""
    others = (heard.odds + said)[answers.faces] - told_by(answers, heard.accuracy)
    good = 1.0 / (1.0 + np.exp(-np.clip(others, -40, 40)))
    count = len(answers.worker_names)
    # How a worker's answers were given takes from how much they show, alike on those that are right and wrong.
    looks = np.bincount(answers.workers, heard.weights, count) / np.maximum(
        np.bincount(answers.workers, None, count), 1
    )
    of_right, of_wrong = looked_at(answers, heard.accuracy)
    seen = of_wrong + np.where(answers.good, good, 1 - good) * (of_right - of_wrong)
    sure = looks[answers.workers] * seen * (np.abs(others) >= _KNOWN)
    sought = _sought(answers)
    found = np.empty((2, count, 2))
    for way in (0, 1):
        here = sure * (sought == way)
        for kind, likely, right in ((0, 1 - good, ~answers.good), (1, good, answers.good)):
            start = found[0, :, 1 - kind] if way else heard.accuracy
            cast = np.bincount(answers.workers, here * likely, count)
            hits = np.bincount(answers.workers, here * likely * right, count)
            found[way, :, kind] = (hits + _START * start) / (cast + _START)
    return np.clip(found, _LEAST, _MOST)


def _sought(answers: Answers) -> NDArray[np.intp]:
    """1 for the votes given where good faces were sought, else 0."""
    if answers.sought is None:
        return np.zeros(len(answers.faces), dtype=np.intp)
    return answers.sought.astype(np.intp)


def tells(right: Floats) -> Flags:
    """Of workers with these `skills`, whose answers tell anything (workers,)."""
    return np.asarray((right.sum(axis=-1) - 1 >= _TELLS).all(axis=0))


def overlooks(right: Floats) -> Flags:
    """Of workers with these `skills`, who finds so few good faces that their leaving one unmarked confirms nothing
    (workers,)."""
    return np.asarray(np.log(right[1, :, 0] / (1 - right[1, :, 1])) < _CONFIRMED)


def settle(answers: Answers, right: Floats, kept: Flags, last: Flags) -> Settled:
    """What the audit's `answers`, and no others, say of the decisions; `kept` (faces,) are those for the face, `right`
    the `skills` of the answers' workers. Of `last` faces nobody is left to ask."""
    bad, good = right[_sought(answers), answers.workers].T
    ratio = np.where(answers.good, np.log(good / (1 - bad)), np.log((1 - good) / bad))
    odds = np.bincount(answers.faces, ratio, answers.n_faces) * np.where(kept, 1.0, -1.0)
    spoken, against = answers.counts()
    pro, contra = np.where(kept, spoken, against), np.where(kept, against, spoken)
    person = np.isfinite(answers.known)
    agrees = person & ((answers.known > 0.5) == kept)
    asked = person | (pro + contra > 0)
    alike = np.where(kept, (asked & kept).sum(), (asked & ~kept).sum())
    stands = np.where(last, -np.log(np.maximum(_LAST * alike, 1.0)), _CONFIRMED)
    refuted = (odds <= -_WRONG) | ((contra >= _AGREED) & (pro == 0)) | (last & (odds < stands))
    confirmed = ~refuted & ((odds >= stands) | ((pro >= _AGREED) & (contra == 0)))
    told = asked & np.where(person, agrees, confirmed)
    missed = np.where(told & ~person, np.exp(-odds), 0.0)
    wrong = asked & np.where(person, ~agrees, refuted)
    return Settled(asked, told, wrong, (contra >= 2) & (pro == 0), missed)
