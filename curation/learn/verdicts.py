"""People's answers and the model's word together: how likely each face is good, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from .annotator import SILENT, Record, earn
from .copies import said_by_copies
from .features import Features
from .looks import ALIKE
from .model import held_out_scores
from .voters import Answers, Heard, hear

__all__ = ["Taught", "teach"]

Floats = NDArray[np.float64]

_ROUNDS = 3
"""People's answers first, then twice with what the model has earned to say of them, held out: it converges."""


_HEARINGS = 8
"""The model's confusion and the truth follow from one another (Dawid & Skene 1979): so often in turn, it converges."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What is known of every face of a set on one question.

    `heard` is what people alone say, `said` (faces,) what the model says in log odds (0: nothing), held out for faces
    that were asked; `record` what that rests on. `votes` (faces,) counts workers' votes.
    """

    heard: Heard
    said: Floats
    record: Record
    votes: NDArray[np.intp]

    @property
    def posterior(self) -> Floats:
        """Probability of good (faces,), by people and model together."""
        return _likely(self.heard.odds + self.said)

    @property
    def doubt(self) -> Floats:
        """The chance that the likelier verdict is wrong (faces,)."""
        likely = self.posterior
        return np.asarray(np.minimum(likely, 1 - likely))


def teach(features: Features, answers: Answers) -> Taught:
    """Hear the people, teach the model by them, let it say of every face what it has earned to say.

    On one core: the systems are so small that sharing them out costs more, on a busy machine forty times as much.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        return _teach(features, answers)


def _teach(features: Features, answers: Answers) -> Taught:
    heard = hear(answers, features.groups)
    spoken, against = answers.counts()
    taught = np.flatnonzero((spoken + against > 0) | np.isfinite(answers.known))
    said, record = np.zeros(answers.n_faces), SILENT
    if len(taught):
        once = _once(features.groups[taught])
        worth = _looks(heard.worth[taught], features.groups[taught])
        for _ in range(_ROUNDS):
            truth = _likely(heard.odds + said)[taught]
            weights = once * _balanced(truth, once)
            scores = held_out_scores(features.matrix, taught, truth, weights, features.groups)
            for _ in range(_HEARINGS):
                record = earn(scores[taught], _likely(heard.odds + said)[taught], once, worth)
                said = _either(
                    record.odds(scores), said_by_copies(answers, features.groups, heard, record.odds(scores))
                )
                heard = hear(answers, features.groups, said)
                worth = _looks(heard.worth[taught], features.groups[taught])
    return Taught(heard, said, record, spoken + against)


def _either(one: Floats, other: Floats) -> Floats:
    """What both say where they agree is what the surer one says, since they look at the same thing; where they do not,
    they weigh against one another."""
    surer = np.where(np.abs(one) >= np.abs(other), one, other)
    return np.where(one * other < 0, one + other, surer)


def _looks(worth: Floats, groups: NDArray[np.intp]) -> Floats:
    """Independent looks that each face stands for: like faces together as many as the best looked at of them."""
    _, place = np.unique(groups, return_inverse=True)
    place = place.reshape(-1)
    best = np.zeros(int(place.max(initial=-1)) + 1)
    np.maximum.at(best, place, worth)
    return np.asarray(worth * (best / np.maximum(np.bincount(place, worth), 1e-9))[place])


def _likely(odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -40, 40))))


def _once(groups: NDArray[np.intp]) -> Floats:
    """How much each face counts: like faces together hardly more than one."""
    _, place, count = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / (1.0 + ALIKE * (count[place.reshape(-1)] - 1)))


def _balanced(truth: Floats, worth: Floats) -> Floats:
    """Weights under which good and bad count alike, however rare one is; a doubtful answer belongs to both."""
    good, bad = float(worth @ truth), float(worth @ (1 - truth))
    half = (good + bad) / 2
    return np.asarray(truth * half / max(good, 1.0) + (1 - truth) * half / max(bad, 1.0))
