"""Groups of tasks: what all worker models share in which a label may hold several kinds of task.

Column g of a group table is kind g % kinds of label g // kinds. The E-step, the sizes of labels and kinds with their
priors, gold, and their part of the evidence (mean-field variational Bayes; Bishop 2006, section 10.2) are here; how
workers answer on a group is the business of `kinds` and `communities`.

With few votes per task no model can tell a rare label from bad workers, and it drifts: on five labels and one vote a
task it gave up 50 points against counting. So the sizes of the labels get pseudo-tasks in proportion to given shares,
`_HOLD` per task divided by the square of the votes per task: much while there are few votes, next to nothing later.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from ..votes import Codes
from .em import VoteMatrix, along_rows, softened

__all__ = ["Groups", "expected_log", "log_beta", "moved", "sizes_of"]

Floats = NDArray[np.float64]

_KIND, _LABEL = 0.1, 1.0
_HOLD = 6.0


class Groups:
    """The tasks of one vote table in `kinds` groups per label.

    `gold` has a label code or -1 per task. `prior`, (labels,) or (tasks, labels) probabilities, replaces the estimated
    label shares. `label_shares`, (tasks, labels), are those that label sizes are held near.
    """

    def __init__(
        self, matrix: VoteMatrix, kinds: int, label_shares: Floats, *, gold: Codes, prior: Floats | None = None
    ) -> None:
        self.matrix, self.kinds, self.n_groups = matrix, kinds, matrix.n_labels * kinds
        self._known = np.flatnonzero(gold >= 0)
        self._allowed = np.repeat(np.eye(matrix.n_labels)[gold[self._known]], kinds, axis=1)
        self._log_prior = None if prior is None else np.repeat(np.log(np.maximum(prior, 1e-6)), kinds, axis=-1)
        self._held = self._pseudo_tasks(label_shares)

    def _pseudo_tasks(self, label_shares: Floats) -> Floats:
        """Per label (labels,): one, and more in proportion to the shares while votes are few."""
        voted = np.diff(self.matrix.votes.indptr) > 0
        n_voted, n_votes = float(voted.sum()), float(self.matrix.votes.nnz)
        if not n_votes:
            return np.full(self.matrix.n_labels, _LABEL)
        return np.asarray(_LABEL + _HOLD * (n_voted / n_votes) ** 2 * label_shares[voted].sum(axis=0))

    def clamp(self, groups: Floats) -> Floats:
        """`groups` with nothing outside the known answer; changed in place."""
        if len(self._known):
            kept = (groups[self._known] + 1e-12) * self._allowed
            groups[self._known] = kept / kept.sum(axis=1, keepdims=True)
        return groups

    def counts(self, groups: Floats) -> Floats:
        """(workers, answer, group): how often each answer is expected to have met each group."""
        counts = np.asarray(self.matrix.votes.T @ groups)
        return counts.reshape(self.matrix.n_workers, self.matrix.n_labels, self.n_groups)

    def update(self, answers: Floats, sizes: Floats) -> Floats:
        """The E-step: (tasks, groups) from Dirichlet `answers` (workers, answer, group) and group `sizes`."""
        scores = np.asarray(self.matrix.votes @ expected_log(answers, 1).reshape(-1, self.n_groups))
        return self.clamp(softened(scores, self._log_shares(sizes)))

    def _log_shares(self, sizes: Floats) -> Floats:
        """Expected log shares of the groups: (groups,), or (tasks, groups) with a prior per task."""
        table = sizes.reshape(self.matrix.n_labels, -1)
        within = expected_log(table + _KIND, 1)
        if self._log_prior is not None:
            return np.asarray(self._log_prior + within.ravel())
        return np.asarray((within + expected_log(table.sum(axis=1) + self._held, 0)[:, None]).ravel())

    def evidence(self, groups: Floats) -> float:
        """The part of the lower bound on the log evidence that does not depend on how workers answer."""
        sizes = sizes_of(groups).reshape(self.matrix.n_labels, -1)
        bound = float((log_beta(sizes + _KIND, 1) - log_beta(np.full_like(sizes, _KIND), 1)).sum())
        if self._log_prior is None:
            bound += float(log_beta(sizes.sum(axis=1) + self._held, 0) - log_beta(self._held, 0))
        else:
            bound += float((groups * self._log_prior).sum())
        return bound - float((groups * np.log(np.maximum(groups, 1e-300))).sum())

    def labels(self, groups: Floats) -> Floats:
        """(tasks, labels) of (tasks, groups)."""
        return along_rows(np.add, groups.reshape(-1, self.matrix.n_labels, self.kinds))


def sizes_of(groups: Floats) -> Floats:
    """How many tasks each group holds (groups,): `groups.sum(axis=0)`, which takes four times as long."""
    return np.asarray(np.einsum("tg->g", groups))


def moved(groups: Floats, before: Floats) -> float:
    """How far the posterior of all groups moved, summed; `before` is used up."""
    before -= groups
    return float(np.abs(before, out=before).sum())


def expected_log(counts: Floats, axis: int) -> Floats:
    """E[log p] under a Dirichlet with these counts along `axis`."""
    return np.asarray(digamma(counts) - digamma(counts.sum(axis=axis, keepdims=True)))


def log_beta(counts: Floats, axis: int) -> Floats:
    """The log of the multivariate beta function along `axis`."""
    return np.asarray(gammaln(counts).sum(axis=axis) - gammaln(counts.sum(axis=axis)))
