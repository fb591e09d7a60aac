"""What is expected of a worker before all of his votes are weighed, learnt from the same votes.

A worker with thirty votes on five labels has six votes per row of his confusion matrix: too few to learn it from, and a
fixed prior then says the same of the careful and the careless. But thirty votes do say how often he is right. So each
row is drawn towards a worker who is right as often as this one, on whatever label, and whose errors fall as the crowd's
do: an empirical-Bayes prior in three levels, crowd, worker, row. (Confusion rows around a common mean are BCC as in Kim
& Ghahramani 2012; means shared by groups of workers, CommunityBCC, Venanzi et al. 2014. Here each worker is his own
group, with one number, his accuracy.)

How strong the pull is, in votes, is chosen by the evidence: the Dirichlet-multinomial likelihood of the expected counts
(Minka 2000, “Estimating a Dirichlet distribution”). While rows hold few votes, that likelihood takes agreement for
proof, and asks for more than is good; so the strength stays below a fifth of the votes in an average row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .em import VoteMatrix
from .groups import log_beta

__all__ = ["SkillPrior", "fixed_prior", "skill_prior"]

Floats = NDArray[np.float64]

_RIGHT, _WRONG = 2.0, 0.5
_STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)
_FIRST_STRENGTH = 4.0
_OF_A_ROW = 0.2
_ACCURACY_WORTH = 4.0
_CROWD_RIGHT, _CROWD_WRONG = 3.0, 1.0
_STRAY_ERROR = 0.5


def fixed_prior(n_labels: int, kinds: int, weight: float = 1.0) -> Floats:
    """Pseudo-votes (1, answer, label·kind): two on the right answer and a half on each other one, times `weight`."""
    counts = np.where(np.eye(n_labels, dtype=bool), _RIGHT, _WRONG)
    return np.asarray(weight * np.repeat(counts, kinds, axis=1)[None])


@dataclass(frozen=True, slots=True, eq=False)
class SkillPrior:
    """The prior of one fit: `floor` (1 or workers, answer, label·kind) always counts; `strengths` may be added to it.

    The strengths are votes per row, ascending from 0.
    """

    kinds: int
    floor: Floats
    strengths: tuple[float, ...]

    @property
    def first(self) -> float:
        """The strength for the first steps, before the counts can tell."""
        return _FIRST_STRENGTH

    def pseudo(self, answers: Floats, strength: float) -> Floats:
        """Pseudo-votes (workers, answer, label·kind) at this strength, given expected counts of the same shape."""
        return self.floor + strength * self._centre(answers) if strength else self.floor

    def best_strength(self, answers: Floats) -> float:
        """The strength under which these expected counts are most likely; the weaker one of two equals."""
        if len(self.strengths) == 1:
            return self.strengths[0]
        centre = self._centre(answers)
        likelihood = []
        for strength in self.strengths:
            pseudo = self.floor + strength * centre
            likelihood.append(float((log_beta(answers + pseudo, 1) - log_beta(pseudo, 1)).sum()))
        return self.strengths[int(np.argmax(likelihood))]

    def _centre(self, answers: Floats) -> Floats:
        """Per worker: his accuracy on the right answer of each group, the crowd's errors on the others; columns sum
        to 1."""
        n_labels = answers.shape[1]
        right = np.repeat(np.eye(n_labels, dtype=bool), self.kinds, axis=1)
        crowd = answers.sum(axis=0)
        errors = np.where(right, 0.0, crowd + _STRAY_ERROR)
        errors = errors / np.maximum(errors.sum(axis=0), 1e-300)
        hits, cast = (answers * right).sum(axis=(1, 2)), answers.sum(axis=(1, 2))
        usual = (hits.sum() + _CROWD_RIGHT) / (cast.sum() + _CROWD_RIGHT + _CROWD_WRONG)
        accuracy = ((hits + _ACCURACY_WORTH * usual) / (cast + _ACCURACY_WORTH))[:, None, None]
        return np.asarray(np.where(right, accuracy, (1.0 - accuracy) * errors))


def skill_prior(matrix: VoteMatrix, kinds: int, skills: Floats | None = None) -> SkillPrior:
    """The prior for these votes: the fixed one counts as one vote of a task does; what is learnt adds to it.

    `skills` (workers, answer, truth) are further pseudo-votes, known from elsewhere.
    """
    n_votes = float(matrix.votes.nnz)
    voted = float((np.diff(matrix.votes.indptr) > 0).sum())
    floor = fixed_prior(matrix.n_labels, kinds, voted / n_votes if n_votes else 1.0)
    if skills is not None:
        floor = floor + np.repeat(skills, kinds, axis=2)
    most = _OF_A_ROW * n_votes / max(matrix.n_workers * matrix.n_labels, 1)
    allowed = tuple(strength for strength in _STRENGTHS if strength <= most) if matrix.n_labels > 1 else (0.0,)
    return SkillPrior(kinds, floor, allowed)
