"""Workers who answer alike: found in a crowd in which nobody has votes enough to be known alone."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.truth import VotesTable
from galloway.curation.truth.models.communities import fit_communities
from galloway.curation.truth.models.em import VoteMatrix
from galloway.curation.truth.models.groups import Groups
from galloway.curation.truth.models.kinds import GroupsFit, fit_kinds
from galloway.curation.truth.models.standing import agreement_order, labels_by_agreement
from numpy.typing import NDArray

TASKS, WORKERS, EACH = 600, 400, 6


def crowd(seed: int) -> tuple[VotesTable, NDArray[np.intp], NDArray[np.bool_]]:
    """Six votes by each of many workers on three labels; half of them nearly always answer the last one."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 3, TASKS)
    lazy = np.arange(WORKERS) % 2 == 1
    workers = np.repeat(np.arange(WORKERS), EACH)
    tasks = np.concatenate([generator.permutation(TASKS)[:EACH] for _ in range(WORKERS)])
    careful = np.where(generator.random(len(tasks)) < 0.8, truth[tasks], generator.integers(0, 3, len(tasks)))
    labels = np.where(lazy[workers] & (generator.random(len(tasks)) < 0.9), 2, careful)
    return VotesTable.from_codes(workers, tasks, labels, n_tasks=TASKS, n_labels=3, distinct=True), truth, lazy


def both(votes: VotesTable) -> tuple[GroupsFit, GroupsFit]:
    matrix = VoteMatrix(votes)
    gold = np.full(votes.n_tasks, -1, dtype=np.int32)
    space = Groups(matrix, 1, matrix.shares(), gold=gold)
    alone = fit_kinds(space, matrix.shares())
    return alone, fit_communities(space, alone.groups, agreement_order(matrix))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_few_votes_each_are_enough_to_know_a_sort_of_worker(seed: int) -> None:
    votes, truth, lazy = crowd(seed)
    alone, together = both(votes)
    right = [(fit.posterior.argmax(axis=1) == truth).mean() for fit in (alone, together)]
    assert right[1] > right[0] + 0.02
    assert together.members is not None
    home = together.members.argmax(axis=1)
    share = np.array([lazy[home == one].mean() for one in range(together.members.shape[1]) if (home == one).any()])
    assert share.max() > 0.9 and share.min() < 0.1


def test_posteriors_and_members_are_probabilities_and_an_earlier_fit_is_gone_on_from() -> None:
    votes, _, _ = crowd(4)
    matrix = VoteMatrix(votes)
    space = Groups(matrix, 2, matrix.shares(), gold=np.full(votes.n_tasks, -1, dtype=np.int32))
    alone = fit_kinds(space, matrix.shares())
    order = agreement_order(matrix)
    cold = fit_communities(space, alone.groups, order)
    assert cold.members is not None
    assert cold.posterior.sum(axis=1) == pytest.approx(np.ones(votes.n_tasks))
    assert cold.members.sum(axis=1) == pytest.approx(np.ones(WORKERS))
    warm = fit_communities(space, alone.groups, order, warm=(cold.answers, cold.groups.sum(axis=0), cold.members))
    assert warm.iterations < cold.iterations / 2
    assert np.abs(warm.posterior - cold.posterior).max() < 0.02


def test_one_worker_is_a_community_of_one() -> None:
    votes = VotesTable.from_rows([("ann", "one", "keep"), ("ann", "two", "reject")])
    _, together = both(votes)
    assert together.members is not None
    assert together.members.shape == (1, 1)
    assert np.isfinite(together.evidence)


def test_a_label_that_careless_workers_favour_loses_size_by_agreement() -> None:
    generator = np.random.default_rng(5)
    truth = generator.integers(0, 3, TASKS)
    tasks = np.repeat(np.arange(TASKS), 4)
    workers = np.concatenate([generator.permutation(40)[:4] for _ in range(TASKS)])
    careful = np.where(generator.random(len(tasks)) < 0.85, truth[tasks], generator.integers(0, 3, len(tasks)))
    careless = np.where(generator.random(len(tasks)) < 0.6, 2, generator.integers(0, 3, len(tasks)))
    votes = VotesTable.from_codes(workers, tasks, np.where(workers % 5 < 2, careless, careful), n_labels=3)
    plain = VoteMatrix(votes).shares().mean(axis=0)
    by_agreement = labels_by_agreement(VoteMatrix(votes)).mean(axis=0)
    real = np.bincount(truth, minlength=3) / TASKS
    assert abs(by_agreement[2] - real[2]) < abs(plain[2] - real[2]) / 2


def test_workers_who_agree_more_stand_higher_and_equal_ones_alike() -> None:
    rows = [(worker, f"t{task}", "a") for worker in ("ann", "bob") for task in range(6)]
    rows += [("cy", f"t{task}", "b") for task in range(6)]
    votes = VotesTable.from_rows(rows)
    place = dict(zip(votes.worker_names, agreement_order(VoteMatrix(votes)).tolist(), strict=True))
    assert place["ann"] == place["bob"] > place["cy"]


def test_where_nobody_met_anybody_plain_votes_lead() -> None:
    votes = VotesTable.from_rows([("ann", "one", "a"), ("bob", "two", "b"), ("cy", "three", "b")])
    matrix = VoteMatrix(votes)
    assert labels_by_agreement(matrix) == pytest.approx(matrix.shares())
