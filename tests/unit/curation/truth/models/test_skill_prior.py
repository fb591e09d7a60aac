"""What is expected of a worker, learnt from the crowd: its shape, its strength and what it may not do."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.truth.models.em import VoteMatrix
from galloway.curation.truth.models.skill_prior import SkillPrior, fixed_prior, skill_prior

from tests.support.votes import make_crowd, table


def one_skill_each(accuracies: list[float], n_labels: int) -> np.ndarray:
    """Workers who are right equally often on every label, and err evenly: (workers, truth, answer)."""
    eye = np.eye(n_labels)
    return np.array([a * eye + (1 - a) / (n_labels - 1) * (1 - eye) for a in accuracies])


def true_counts(confusion: np.ndarray, *, tasks: int, per_task: int) -> tuple[VoteMatrix, np.ndarray]:
    """The votes of such workers, and how often each answer met each truth."""
    crowd = make_crowd(confusion, tasks=tasks, per_task=per_task, seed=4)
    matrix = VoteMatrix(crowd.votes)
    truth = np.eye(confusion.shape[1])[crowd.truth]
    return matrix, matrix.expected_counts(truth[:, 1].copy() if confusion.shape[1] == 2 else truth)


def test_each_row_is_drawn_towards_the_workers_own_accuracy_and_the_crowds_errors() -> None:
    answers = np.zeros((2, 3, 3))
    answers[0] = [[9, 0, 0], [1, 10, 0], [0, 0, 10]]
    answers[1] = [[3, 1, 1], [6, 4, 6], [1, 5, 3]]
    prior = SkillPrior(1, fixed_prior(3, 1), (0.0,))
    learnt = prior.pseudo(answers, 10.0) - fixed_prior(3, 1)
    assert learnt.sum(axis=1) == pytest.approx(10.0)
    right = np.einsum("wkk->wk", learnt)
    assert right[0].min() > 8.5
    assert right[1].max() < 5.0
    assert right == pytest.approx(right[:, :1].repeat(3, axis=1))
    assert (learnt[:, 1, 0] > 5 * learnt[:, 2, 0]).all()


def test_it_is_strong_where_a_worker_is_as_good_on_one_label_as_on_another() -> None:
    even = one_skill_each([0.95] * 8 + [0.4] * 8, 4)
    matrix, answers = true_counts(even, tasks=300, per_task=8)
    assert skill_prior(matrix, 1).best_strength(answers) >= 4.0


def test_it_is_weak_where_workers_lean_to_a_side() -> None:
    sides = np.array([[[0.95, 0.05], [0.65, 0.35]]] * 10 + [[[0.35, 0.65], [0.05, 0.95]]] * 10)
    matrix, answers = true_counts(sides, tasks=250, per_task=20)
    assert skill_prior(matrix, 1).best_strength(answers) <= 4.0


def test_it_stays_below_a_fifth_of_the_votes_in_an_average_row() -> None:
    matrix, _ = true_counts(one_skill_each([0.8] * 20, 2), tasks=200, per_task=5)
    assert skill_prior(matrix, 1).strengths[-1] == 4.0
    few = VoteMatrix(table("ann t1 a", "bob t1 a", "ann t2 b"))
    assert skill_prior(few, 2).strengths == (0.0,)


def test_the_fixed_part_counts_like_one_vote_of_a_task_and_holds_what_is_known_from_elsewhere() -> None:
    matrix, _ = true_counts(one_skill_each([0.8] * 20, 2), tasks=200, per_task=5)
    assert skill_prior(matrix, 1).floor == pytest.approx(fixed_prior(2, 1) / 5)
    known = np.zeros((20, 2, 2))
    known[3] = [[18.0, 2.0], [2.0, 18.0]]
    floor = skill_prior(matrix, 2, known).floor
    assert floor.shape == (20, 2, 4)
    assert floor[3, 0, 1] - floor[4, 0, 1] == pytest.approx(18.0)


def test_a_single_label_needs_no_prior_on_errors() -> None:
    matrix = VoteMatrix(table(*(f"w{worker} t{task} yes" for worker in range(3) for task in range(30))))
    prior = skill_prior(matrix, 1)
    answers = np.full((3, 1, 1), 30.0)
    assert prior.best_strength(answers) == 0.0
    assert np.isfinite(prior.pseudo(answers, 4.0)).all()
