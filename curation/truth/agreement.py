"""How far voters agree: in percent, Gwet's AC1, Krippendorff's alpha, Fleiss' kappa, unanimity and by pairs.

All are functions of the counts of labels per task, so they cost one pass over the votes, which may be a VotesTable or a
DataFrame with the columns worker, task and label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .votes import VotesTable, as_table, vote_counts

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Agreement",
    "Interval",
    "LabelAgreement",
    "Pairwise",
    "fleiss_kappa",
    "krippendorff_alpha",
    "krippendorff_alpha_interval",
    "label_agreements",
    "overall_agreement",
    "pairwise_agreement",
    "reading_of",
    "unanimous_share",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the bounds of its interval; NaN where it is not defined."""

    value: float
    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Pairwise:
    """`together[i, j]` tasks that both workers judged, `agreed[i, j]` of them with the same label (float64)."""

    workers: tuple[str, ...]
    together: Floats
    agreed: Floats

    @property
    def share(self) -> Floats:
        """Agreement of each pair; NaN where the two never met."""
        with np.errstate(invalid="ignore"):
            return np.where(self.together > 0, self.agreed / np.maximum(self.together, 1), np.nan)


def krippendorff_alpha(votes: VotesTable | pd.DataFrame) -> float:
    """Krippendorff's alpha for nominal labels; NaN when no two votes can be compared or all votes are one label.

    1 is perfect agreement, 0 what chance gives, below 0 systematic disagreement. Missing votes are no trouble.
    Formula: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", from coincidences within tasks.
    """
    counts = vote_counts(as_table(votes))
    pairable, agreeing, totals = _coincidences(counts)
    return _alpha(float(pairable.sum()), float(agreeing.sum()), totals.sum(axis=0))


def krippendorff_alpha_interval(
    votes: VotesTable | pd.DataFrame, *, seed: int, level: float = 0.95, draws: int = 1000
) -> Interval:
    """Alpha with a percentile bootstrap interval over tasks (whole tasks are drawn, with their votes)."""
    pairable, agreeing, totals = _coincidences(vote_counts(as_table(votes)))
    value = _alpha(float(pairable.sum()), float(agreeing.sum()), totals.sum(axis=0))
    rows = np.column_stack([pairable, agreeing, totals])[pairable > 0]
    if not len(rows) or np.isnan(value):
        return Interval(value, float("nan"), float("nan"), level)
    # Tasks with the same counts are interchangeable: draw how often each kind occurs.
    kinds, size = np.unique(rows, axis=0, return_counts=True)
    generator = np.random.default_rng(seed)
    drawn = (generator.multinomial(len(rows), size / len(rows)) @ kinds for _ in range(draws))
    alphas = np.array([_alpha(float(row[0]), float(row[1]), row[2:]) for row in drawn])
    alphas = alphas[~np.isnan(alphas)]
    if not len(alphas):
        return Interval(value, float("nan"), float("nan"), level)
    low, high = np.quantile(alphas, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level)


def _coincidences(counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Per task: pairable votes, agreeing ones (ordered pairs over n-1), and label totals; tasks with one vote are 0."""
    size = np.einsum("tk->t", counts)
    comparable = size > 1
    squares = np.einsum("tk,tk->t", counts, counts)
    agreeing = np.where(comparable, (squares - size) / np.maximum(size - 1, 1), 0.0)
    return np.where(comparable, size, 0.0), agreeing, counts * comparable[:, None]


def _alpha(pairable: float, agreeing: float, totals: Floats) -> float:
    expected = (pairable * pairable - float(totals @ totals)) / (pairable - 1) if pairable > 1 else 0.0
    return 1.0 - (pairable - agreeing) / expected if expected > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two voters on the same task agree, `share`, and Gwet's AC1, `ac1`; NaN where no two votes compare.

    AC1 takes chance from how evenly the labels are used, so it keeps its meaning where nearly every task has the same
    answer, while alpha falls to 0 there however well people agree. `usual` is the most frequent label's code and
    `usual_share` its share of all votes.
    """

    share: float
    ac1: float
    usual: int
    usual_share: float


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """One label against all others: its share of the votes; how often another voter says it too where one does
    (`again`, the specific agreement of Cicchetti & Feinstein 1990); alpha and AC1."""

    share: float
    again: float
    alpha: float
    ac1: float


def overall_agreement(votes: VotesTable | pd.DataFrame) -> Agreement:
    """Percent agreement, the mean over tasks with two votes or more, and AC1.

    Gwet 2008, “Computing inter-rater reliability and its variance in the presence of high agreement”.
    """
    counts = vote_counts(as_table(votes))
    total = counts.sum(axis=0)
    if not total.sum():
        return Agreement(float("nan"), float("nan"), -1, float("nan"))
    share, ac1 = _gwet(counts)
    return Agreement(share, ac1, int(total.argmax()), float(total.max() / total.sum()))


def label_agreements(votes: VotesTable | pd.DataFrame) -> tuple[LabelAgreement, ...]:
    """The same label by label, in the order of their codes."""
    counts = vote_counts(as_table(votes))
    size = counts.sum(axis=1)
    pairs = np.where(size > 1, 1.0 / np.maximum(size - 1.0, 1.0), 0.0)
    found = []
    for given in counts.T:
        against = np.stack([given, size - given], axis=1)
        pairable, agreeing, totals = _coincidences(against)
        met = float(given[size > 1].sum())
        again = float((given * (given - 1.0) * pairs).sum() / met) if met else float("nan")
        alpha = _alpha(float(pairable.sum()), float(agreeing.sum()), totals.sum(axis=0))
        found.append(LabelAgreement(float(given.sum() / max(size.sum(), 1.0)), again, alpha, _gwet(against)[1]))
    return tuple(found)


def _gwet(counts: Floats) -> tuple[float, float]:
    """Mean agreement of two voters on a task, and AC1."""
    size = counts.sum(axis=1)
    pairable, agreeing, _ = _coincidences(counts)
    comparable = pairable > 0
    if not comparable.any():
        return float("nan"), float("nan")
    share = float((agreeing[comparable] / pairable[comparable]).mean())
    voted = size > 0
    used = (counts[voted] / size[voted][:, None]).mean(axis=0)
    chance = float((used * (1.0 - used)).sum() / (len(used) - 1)) if len(used) > 1 else 0.0
    return share, (share - chance) / (1.0 - chance)


def reading_of(agreement: Agreement, alpha: Interval, thing: str, usual: str) -> str:
    """How to read the agreement, in sentences: what is seen first, then what alpha is worth here.

    `usual` is the most frequent label's name. Bounds of alpha: Krippendorff 2004, Content Analysis, ch. 11.
    """
    if np.isnan(agreement.share):
        return f"Not defined: no two voters have judged the same {thing}."
    seen = f"Two voters on the same {thing} agree in {agreement.share:.0%}."
    if agreement.usual_share >= _NEARLY_UNIVERSAL:
        return (
            f"{seen} “{usual}” is {agreement.usual_share:.0%} of all votes. Where one answer is nearly universal, "
            f"alpha says little, high or low: read AC1 ({agreement.ac1:.2f}), and how often rare ones are shared."
        )
    return f"{seen} {_worth(alpha)}".rstrip()


_NEARLY_UNIVERSAL = 0.85


def _worth(alpha: Interval) -> str:
    if np.isnan(alpha.value):
        return ""
    if alpha.value >= 0.8:
        return "Reliable: voters mean the same by the question."
    if alpha.value >= 0.667:
        return "Good enough for tentative conclusions; look at what is disputed."
    if alpha.high > 0.1:
        return "Beyond chance that is not much: look at the instructions, at what is disputed and at flagged workers."
    return "No better than chance: the question or the workers are the trouble, more votes will not mend it."


def fleiss_kappa(votes: VotesTable | pd.DataFrame) -> float:
    """Fleiss' kappa; with unequal numbers of votes per task, tasks weigh by their votes (NaN where undefined)."""
    pairable, agreeing, totals = _coincidences(vote_counts(as_table(votes)))
    size = float(pairable.sum())
    if size == 0:
        return float("nan")
    observed = float(agreeing.sum()) / size
    share = totals.sum(axis=0) / size
    chance = float(share @ share)
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")


def unanimous_share(votes: VotesTable | pd.DataFrame) -> float:
    """The share of tasks with two votes or more on which all agree; NaN when there is none."""
    counts = vote_counts(as_table(votes))
    size = counts.sum(axis=1)
    comparable = size > 1
    if not comparable.any():
        return float("nan")
    return float((counts.max(axis=1)[comparable] == size[comparable]).mean())


def pairwise_agreement(votes: VotesTable | pd.DataFrame) -> Pairwise:
    """How often each two workers met and agreed; the diagonal holds each worker's own votes."""
    votes = as_table(votes)
    shape = (votes.n_workers, votes.n_tasks)
    together = np.zeros((votes.n_workers, votes.n_workers))
    agreed = np.zeros_like(together)
    for label in range(votes.n_labels):
        rows = votes.labels == label
        given = sparse.csr_array((np.ones(int(rows.sum())), (votes.workers[rows], votes.tasks[rows])), shape=shape)
        agreed += (given @ given.T).toarray()
    cast = sparse.csr_array((np.ones(len(votes)), (votes.workers, votes.tasks)), shape=shape)
    together += (cast @ cast.T).toarray()
    return Pairwise(votes.worker_names, together, agreed)
