"""People's answers and the model's word together: how likely each face is good, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from .annotator import SILENT, Record, earn
from .features import Features
from .model import held_out_scores
from .voters import Answers, Heard, hear

__all__ = ["Taught", "teach"]

Floats = NDArray[np.float64]

_ROUNDS = 3
"""People's answers first, then twice with what the model has earned to say of them, held out: it converges."""


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
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(self.heard.odds + self.said, -40, 40))))

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
        worth = heard.worth[taught]
        for _ in range(_ROUNDS):
            truth = 1.0 / (1.0 + np.exp(-np.clip(heard.odds + said, -40, 40)))[taught]
            weights = worth * _balanced(truth, worth)
            scores = held_out_scores(features.matrix, taught, truth, weights, features.groups)
            record = earn(scores[taught], truth, worth)
            said = record.odds(scores)
    return Taught(heard, said, record, spoken + against)


def _balanced(truth: Floats, worth: Floats) -> Floats:
    """Weights under which good and bad count alike, however rare one is; a doubtful answer belongs to both."""
    good, bad = float(worth @ truth), float(worth @ (1 - truth))
    half = (good + bad) / 2
    return np.asarray(truth * half / max(good, 1.0) + (1 - truth) * half / max(bad, 1.0))
