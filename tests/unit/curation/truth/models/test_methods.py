"""What each method makes of crowds whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.errors import VotesError
from galloway.curation.truth import METHOD_NAMES, TaskStatus, VotesTable, aggregate
from galloway.curation.truth.models.em import VoteMatrix, exact, fit

from tests.support.votes import make_crowd, table


def two_coin(rates: list[tuple[float, float]]) -> np.ndarray:
    """Confusion matrices (workers, truth, answer) from each worker's chance of being right on label 0 and 1."""
    return np.array([[[a, 1 - a], [1 - b, b]] for a, b in rates])


def test_majority_leaves_a_tie_a_tie() -> None:
    truth = aggregate(table("ann t yes", "bob t no"), method="majority")
    assert truth.labels() == {"t": None}
    assert truth.status.tolist() == ["disputed"]


def test_majority_decides_two_of_three_and_is_not_certain() -> None:
    truth = aggregate(table("ann t yes", "bob t no", "cy t yes"), method="majority")
    assert (truth.labels()["t"], truth.status[0]) == ("yes", "decided")
    assert truth.confidence[0] == pytest.approx(2.5 / 4)


def test_a_task_without_votes_is_undecided() -> None:
    votes = VotesTable.from_codes([0, 1], [0, 0], [1, 1], n_tasks=2, n_labels=2)
    for method in METHOD_NAMES:
        truth = aggregate(votes, method=method)
        assert truth.label[1] == -1
        assert truth.status_codes[1] == TaskStatus.UNDECIDED


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_an_empty_table_gives_an_empty_truth(method: str) -> None:
    truth = aggregate(VotesTable.from_rows([]), method=method)
    assert (len(truth.label), np.isnan(truth.expected_error)) == (0, True)


def test_dawid_skene_turns_an_adversary_into_evidence() -> None:
    crowd = make_crowd(two_coin([(0.9, 0.9)] * 3 + [(0.05, 0.05)] * 2), tasks=400, per_task=5, seed=1)
    truth = aggregate(crowd.votes, method="dawid-skene")
    assert crowd.accuracy(truth.label) > crowd.accuracy(aggregate(crowd.votes, method="majority").label) + 0.05
    assert truth.workers.accuracy[:3].min() > 0.8
    assert truth.workers.accuracy[3:].max() < 0.2


def test_confusion_rows_are_truth_and_columns_answers() -> None:
    crowd = make_crowd(two_coin([(0.95, 0.6)] * 12), tasks=2000, per_task=10, seed=2)
    skills = aggregate(crowd.votes, method="dawid-skene").workers
    assert skills.confusion.mean(axis=0) == pytest.approx(np.array([[0.95, 0.05], [0.4, 0.6]]), abs=0.04)
    assert skills.confusion.sum(axis=2) == pytest.approx(1.0)


def test_smoothing_holds_with_two_votes_a_task_where_maximum_likelihood_runs_to_certainty() -> None:
    crowd = make_crowd(two_coin([(0.75, 0.75)] * 60), tasks=150, per_task=2, seed=3)
    free = aggregate(crowd.votes, method="dawid-skene-exact")
    held = aggregate(crowd.votes, method="dawid-skene")
    assert crowd.accuracy(held.label) > crowd.accuracy(free.label)
    assert held.confidence.mean() < free.confidence.mean()


def test_gold_teaches_who_can_be_trusted() -> None:
    crowd = make_crowd(two_coin([(0.9, 0.9)] * 2 + [(0.1, 0.1)] * 3), tasks=300, per_task=5, seed=4)
    names = crowd.votes.label_names
    gold = {str(task): names[crowd.truth[task]] for task in range(40)}
    assert crowd.accuracy(aggregate(crowd.votes, method="one-coin", gold=gold).label) > 0.9
    assert crowd.accuracy(aggregate(crowd.votes, method="one-coin").label) < 0.1


def test_a_prior_per_task_settles_a_tie() -> None:
    votes = table("ann t yes", "bob t no", "ann u yes", "bob u no")
    prior = np.array([[0.1, 0.9], [0.9, 0.1]])
    assert aggregate(votes, method="majority", prior=prior).labels() == {"t": "yes", "u": "no"}


def test_a_warm_start_ends_where_a_cold_one_does_in_fewer_steps() -> None:
    crowd = make_crowd(two_coin([(0.8, 0.6)] * 10 + [(0.5, 0.5)] * 5), tasks=600, per_task=5, seed=5)
    first = aggregate(crowd.votes.take(np.arange(2900)), method="dawid-skene")
    cold = aggregate(crowd.votes, method="dawid-skene")
    warm = aggregate(crowd.votes, method="dawid-skene", warm=first.state)
    assert warm.iterations < cold.iterations
    assert np.abs(warm.posterior - cold.posterior).max() < 0.02


def test_two_labels_and_many_take_the_same_road() -> None:
    crowd = make_crowd(two_coin([(0.8, 0.7)] * 8), tasks=200, per_task=4, seed=6)
    wide = VotesTable.from_codes(crowd.votes.workers, crowd.votes.tasks, crowd.votes.labels, n_labels=3)
    narrow = VoteMatrix(crowd.votes)
    broad = VoteMatrix(wide)
    both = [
        fit(matrix, matrix.shares(), exact(matrix), tolerance=-np.inf, max_iterations=10)
        for matrix, votes in ((narrow, crowd.votes), (broad, wide))
    ]
    assert both[1].posterior[:, :2] == pytest.approx(both[0].posterior, abs=1e-9)


def dawid_skene_by_the_book(votes: VotesTable) -> np.ndarray:
    """Dense and slow: expectation and maximisation in turn until the bound no longer grows by 1e-5.

    As in crowd-kit, label shares enter that bound once per vote, not once per task: it may fall, and that is the end.
    """
    answered = np.zeros((votes.n_tasks, votes.n_workers, votes.n_labels))
    answered[votes.tasks, votes.workers, votes.labels] = 1.0
    given = answered.any(axis=0)[:, :, None]
    voters = answered.sum(axis=(1, 2))[:, None]

    def parts(posterior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        counts = np.where(given, np.maximum(np.einsum("twa,tk->wak", answered, posterior), 1e-10), 0.0)
        confusion = np.maximum(counts / counts.sum(axis=1, keepdims=True), 1e-20)
        return np.einsum("twa,wak->tk", answered, np.log(confusion)), np.log(np.maximum(posterior.mean(axis=0), 1e-10))

    posterior = answered.sum(axis=1) / voters
    before = -np.inf
    for _ in range(100):
        logs = np.add(*parts(posterior))
        posterior = np.exp(logs - logs.max(axis=1, keepdims=True))
        posterior /= posterior.sum(axis=1, keepdims=True)
        said, shares = parts(posterior)
        bound = (posterior * (said + voters * shares - np.log(np.maximum(posterior, 1e-300)))).sum() / len(votes)
        if bound - before < 1e-5:
            break
        before = bound
    return posterior


@pytest.mark.parametrize("seed", [6, 10, 17, 37, 42, 48, 67, 83])
def test_exact_dawid_skene_ends_where_the_book_ends_even_where_the_likelihood_falls(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n_labels, n_workers, per_task = (int(generator.integers(*bounds)) for bounds in ((2, 5), (4, 12), (2, 4)))
    habits = generator.dirichlet(np.full(n_labels, 0.7), size=(n_workers, n_labels))
    habits += np.eye(n_labels) * generator.uniform(0, 3)
    habits /= habits.sum(axis=2, keepdims=True)
    votes = make_crowd(habits, tasks=int(generator.integers(12, 40)), per_task=per_task, seed=seed).votes
    ours = aggregate(votes, method="dawid-skene-exact").posterior
    assert ours == pytest.approx(dawid_skene_by_the_book(votes), abs=1e-6)


def test_an_unknown_method_and_a_wrong_prior_are_named() -> None:
    with pytest.raises(VotesError, match="no method 'best'; choose one of auto"):
        aggregate(table("ann t yes"), method="best")
    with pytest.raises(VotesError, match=r"shape \(3,\)"):
        aggregate(table("ann t yes", "bob t no"), prior=np.ones(3))


@pytest.mark.parametrize(("method", "labels"), [("auto", 5_400), ("majority", 10_400)])
def test_tables_too_large_for_memory_are_refused_before_they_are_made(method: str, labels: int) -> None:
    rows = [("ann" if place % 2 else "bob", f"t{place}", f"text {place}") for place in range(labels)]
    with pytest.raises(VotesError, match=rf"{labels:,} labels by 2 workers would take 8 GiB of memory.*sorted into"):
        aggregate(VotesTable.from_rows(rows), method=method)
