"""`auto` on the failures of its peers, made again in small: it must not share them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from galloway.curation.truth import VotesTable, aggregate
from galloway.curation.truth.adaptive import Goal, Prices, plan_round
from galloway.curation.truth.like_majority import expected_loss
from galloway.curation.truth.models import canonical
from galloway.curation.truth.models.blend import pool
from galloway.curation.truth.models.copies import copy_weights
from galloway.curation.truth.models.em import along_rows, softened
from galloway.curation.truth.models.groups import sizes_of
from galloway.curation.truth.models.methods import Inputs
from numpy.typing import NDArray

from tests.support.votes import Crowd, make_crowd


def binary(rates: list[tuple[float, float]]) -> np.ndarray:
    return np.array([[[a, 1 - a], [1 - b, b]] for a, b in rates])


def accuracy(crowd: Crowd, method: str) -> float:
    return crowd.accuracy(aggregate(crowd.votes, method=method).label)


def biased_crowd(seed: int) -> Crowd:
    """As with bluebird: half the workers cry wolf, half are blind; one accuracy per worker cannot say so."""
    return make_crowd(binary([(0.95, 0.35)] * 14 + [(0.35, 0.95)] * 6), tasks=250, per_task=20, seed=seed)


def crowd_with_kinds(seed: int) -> Crowd:
    """As with the ducks: tasks of one label come in kinds, and each worker takes whole kinds for the other label.

    A quarter of the tasks is easy on either side; half look alike to most, and workers differ in what they call them.
    """
    generator = np.random.default_rng(seed)
    rates = [0.03, 0.42, 0.82]
    truth_of_kind = np.array([0, 0, 1])
    kinds = generator.choice(3, size=240, p=[0.3, 0.35, 0.35])
    n_workers = 40
    says_second = generator.beta(0.6 * 6, 0.8 * 6, (n_workers, 1))
    rate = np.array(rates)[None, :] * np.ones((n_workers, 1))
    rate[:, 1] = np.where(generator.random(n_workers) < 0.42, 0.9, 0.08)
    rate = np.clip(rate + 0.0 * says_second, 0.02, 0.98)
    tasks = np.repeat(np.arange(240), n_workers)
    workers = np.tile(np.arange(n_workers), 240)
    labels = (generator.random(len(tasks)) < rate[workers, kinds[tasks]]).astype(int)
    return Crowd(VotesTable.from_codes(workers, tasks, labels, distinct=True), truth_of_kind[kinds])


def rare_label_crowd(seed: int, wrong: float = 0.35) -> Crowd:
    """As with ZenCrowd: one label is rare, and a third of the others draw a share of `wrong` of the votes to it."""
    generator = np.random.default_rng(seed)
    tasks, per_task, n_workers = 1200, 6, 50
    truth = (generator.random(tasks) < 0.2).astype(int)
    hard = (generator.random(tasks) < 0.35) & (truth == 0)
    lean = generator.beta(5, 5, n_workers)
    panels = np.concatenate([generator.permutation(n_workers)[:per_task] for _ in range(tasks)])
    task = np.repeat(np.arange(tasks), per_task)
    on_hard = np.clip(wrong + 0.6 * (lean[panels] - 0.5), 0.02, 0.98)
    chance = np.where(truth[task] == 1, 0.72, np.where(hard[task], on_hard, 0.06))
    labels = (generator.random(len(task)) < chance).astype(int)
    return Crowd(VotesTable.from_codes(panels, task, labels, distinct=True), truth)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_auto_keeps_what_dawid_skene_gains_where_workers_lean_to_a_side(seed: int) -> None:
    crowd = biased_crowd(seed)
    assert accuracy(crowd, "auto") >= accuracy(crowd, "majority") + 0.1
    assert accuracy(crowd, "auto") >= accuracy(crowd, "dawid-skene") - 0.02


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_auto_does_not_relabel_a_kind_that_dawid_skene_relabels(seed: int) -> None:
    crowd = crowd_with_kinds(seed)
    assert accuracy(crowd, "auto") >= accuracy(crowd, "majority") - 0.01


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_with_a_quarter_of_the_votes_the_view_that_is_not_fooled_is_heard(seed: int) -> None:
    crowd = crowd_with_kinds(seed)
    shuffled = np.lexsort((np.random.default_rng(seed).random(len(crowd.votes)), crowd.votes.tasks))
    few = np.sort(shuffled.reshape(240, 40)[:, :10].ravel())
    crowd = Crowd(crowd.votes.take(few), crowd.truth)
    assert accuracy(crowd, "auto") >= accuracy(crowd, "majority") + 0.08


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_auto_is_not_much_worse_than_majority_where_a_label_is_rare_and_lopsided(seed: int) -> None:
    crowd = rare_label_crowd(seed)
    assert accuracy(crowd, "auto") >= accuracy(crowd, "majority") - 0.02


def test_auto_loses_little_where_near_half_the_votes_on_a_hard_kind_are_wrong() -> None:
    crowds = [rare_label_crowd(seed, wrong=0.46) for seed in range(1, 7)]
    lost = [accuracy(crowd, "majority") - accuracy(crowd, "auto") for crowd in crowds]
    assert np.mean(lost) <= 0.039


def careless_crowd(seed: int) -> Crowd:
    """As with web: five labels, a few careful workers with many votes, and very many careless ones with few."""
    generator = np.random.default_rng(seed)
    n_labels, tasks, careful, careless = 5, 600, 6, 120
    eye = np.eye(n_labels)
    near = np.exp(-np.abs(np.subtract.outer(np.arange(n_labels), np.arange(n_labels))))
    near = np.where(eye > 0, 0, near)
    near /= near.sum(axis=1, keepdims=True)
    favourite = np.full((n_labels, n_labels), 0.1)
    favourite[:, -1] = 0.6
    habits = [0.75 * eye + 0.25 * near] * careful + [0.15 * eye + 0.85 * favourite] * careless
    truth = generator.integers(0, n_labels, tasks)
    panels = np.concatenate(
        [
            np.concatenate([generator.permutation(careful)[:2], careful + generator.permutation(careless)[:4]])
            for _ in range(tasks)
        ]
    )
    task = np.repeat(np.arange(tasks), 6)
    cumulative = (np.array(habits)[panels, truth[task]]).cumsum(axis=1)
    labels = (generator.random(len(task))[:, None] > cumulative[:, :-1]).sum(axis=1)
    return Crowd(VotesTable.from_codes(panels, task, labels, n_labels=n_labels, distinct=True), truth)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_auto_finds_the_few_careful_among_many_careless_workers(seed: int) -> None:
    crowd = careless_crowd(seed)
    assert accuracy(crowd, "auto") >= accuracy(crowd, "majority") + 0.06


CROWDS = {
    "spammers": (binary([(0.85, 0.85)] * 12 + [(0.5, 0.5)] * 12), 5, None),
    "one adversary": (binary([(0.8, 0.8)] * 9 + [(0.05, 0.05)]), 5, None),
    "two votes a task": (binary([(0.85, 0.8)] * 30), 2, None),
    "99 to 1": (binary([(0.95, 0.8)] * 20), 5, (0.99, 0.01)),
}


@pytest.mark.parametrize("name", CROWDS)
def test_auto_is_never_much_worse_than_majority_on_hard_crowds(name: str) -> None:
    confusion, per_task, prior = CROWDS[name]
    crowd = make_crowd(confusion, tasks=800, per_task=per_task, seed=11, class_prior=prior)
    assert accuracy(crowd, "auto") >= accuracy(crowd, "majority") - 0.01


def test_colluders_count_as_one_voice() -> None:
    honest = make_crowd(binary([(0.8, 0.8)] * 15), tasks=400, per_task=4, seed=12)
    said = np.random.default_rng(0).integers(0, 2, 400)
    workers = np.concatenate([honest.votes.workers, np.repeat([15, 16, 17], 400)])
    tasks = np.concatenate([honest.votes.tasks, np.tile(np.arange(400), 3)])
    labels = np.concatenate([honest.votes.labels, np.tile(said, 3)])
    crowd = Crowd(VotesTable.from_codes(workers, tasks, labels, distinct=True), honest.truth)
    weights = copy_weights(crowd.votes)
    assert weights is not None
    assert weights[-1200:] == pytest.approx(1 / 3)
    assert weights[:-1200] == pytest.approx(1.0)
    assert accuracy(crowd, "auto") >= accuracy(crowd, "majority") + 0.1


def test_workers_who_merely_lean_the_same_way_are_no_copies() -> None:
    assert copy_weights(biased_crowd(1).votes) is None
    assert copy_weights(make_crowd(binary([(0.95, 0.95)] * 10), tasks=500, per_task=6, seed=1).votes) is None


def test_stated_confidence_is_nearer_the_truth_than_dawid_skenes() -> None:
    crowd = crowd_with_kinds(5)
    gaps = {}
    for method in ("auto", "dawid-skene"):
        truth = aggregate(crowd.votes, method=method)
        gaps[method] = abs(float(truth.confidence.mean()) - crowd.accuracy(truth.label))
    assert gaps["auto"] < gaps["dawid-skene"]


def test_gold_sets_weight_and_sharpness_of_the_pool() -> None:
    crowd = crowd_with_kinds(6)
    names = crowd.votes.label_names
    gold = {str(task): names[crowd.truth[task]] for task in range(60)}
    assert aggregate(crowd.votes).blend.counting == pytest.approx(1 / 3)  # type: ignore[union-attr]
    told = aggregate(crowd.votes, gold=gold)
    assert told.blend is not None
    assert (told.blend.counting, told.blend.sharpness) != (pytest.approx(1 / 3), 1.0)
    assert all(told.labels()[task] == label for task, label in gold.items())


def test_a_pool_of_equals_is_that_opinion() -> None:
    opinion = np.array([[0.3, 0.7], [0.5, 0.5]])
    assert pool(opinion, opinion, 0.4) == pytest.approx(opinion)


def test_auto_goes_on_from_an_earlier_state() -> None:
    crowd = rare_label_crowd(7)
    first = aggregate(crowd.votes.take(np.arange(len(crowd.votes) - 60)))
    cold, warm = aggregate(crowd.votes), aggregate(crowd.votes, warm=first.state)
    assert warm.iterations < cold.iterations / 2
    assert (warm.label == cold.label).mean() > 0.99


def test_skills_known_from_elsewhere_weigh_in_and_fade() -> None:
    votes = VotesTable.from_rows([("ann", "t", "yes"), ("bob", "t", "no")])
    trusted = aggregate(votes, skills={"ann": (0.95, 20.0), "bob": (0.6, 20.0)})
    assert trusted.labels() == {"t": "yes"}
    assert aggregate(votes).labels() == {"t": None}


@pytest.mark.parametrize("make", [crowd_with_kinds, rare_label_crowd, careless_crowd, biased_crowd])
@pytest.mark.parametrize("seed", [1, 2])
def test_half_of_the_tasks_does_not_turn_the_choice_between_one_and_two_kinds(
    make: Callable[[int], Crowd], seed: int
) -> None:
    votes = make(seed).votes
    halves = (votes.take(np.flatnonzero(votes.tasks % 2 == which)) for which in (0, 1))
    whole, *parts = (aggregate(table).blend.two_kinds for table in (votes, *halves))  # type: ignore[union-attr]
    if whole > 0.69:
        assert min(parts) > 0.5
    elif whole < 0.31:
        assert max(parts) < 0.5


def test_while_the_halves_contradict_the_whole_neither_kind_gets_its_way() -> None:
    """All tasks together speak for two kinds of task, each half for one."""
    found = aggregate(rare_label_crowd(1).votes).blend
    assert found is not None
    assert 0.31 < found.two_kinds < 0.69


def test_on_two_schools_and_on_kinds_the_halves_leave_what_is_won() -> None:
    assert aggregate(crowd_with_kinds(1).votes).blend.two_kinds > 0.95  # type: ignore[union-attr]
    assert accuracy(biased_crowd(1), "auto") >= accuracy(biased_crowd(1), "majority") + 0.1


def shuffled(crowd: Crowd, seed: int) -> VotesTable:
    """The same votes by the same names, in another order of rows."""
    votes, order = crowd.votes, np.random.default_rng(seed).permutation(len(crowd.votes))
    columns = ((votes.worker_names, votes.workers), (votes.task_names, votes.tasks), (votes.label_names, votes.labels))
    named = [np.array(names, dtype=object)[codes[order]] for names, codes in columns]
    return VotesTable.from_columns(*named, label_order=votes.label_names)


@pytest.mark.parametrize("make", [crowd_with_kinds, rare_label_crowd, careless_crowd])
def test_the_order_of_rows_changes_no_digit(make: Callable[[int], Crowd]) -> None:
    crowd = make(1)
    first, other = aggregate(crowd.votes), aggregate(shuffled(crowd, 5))
    place = {name: code for code, name in enumerate(other.votes.task_names)}
    rows = [place[name] for name in first.votes.task_names]
    assert (first.posterior == other.posterior[rows]).all()
    assert first.blend is not None
    assert other.blend is not None
    assert first.blend.two_kinds == other.blend.two_kinds


@pytest.mark.parametrize("goal", [Goal(target_error=0.1), Goal(like_majority_of=8, most_votes=8)])
def test_the_order_of_rows_does_not_choose_whom_to_ask_next(goal: Goal) -> None:
    crowd = rare_label_crowd(2)
    plans = []
    for votes in (crowd.votes, shuffled(crowd, 6)):
        plan = plan_round(aggregate(votes), goal, Prices(Decimal(1)), seed=1)
        asked = {votes.task_names[task] for task in plan.ask.tolist()}
        audited = {votes.task_names[task] for task in plan.audit.tolist()}
        plans.append((asked, audited, plan.loss))
    assert plans[0] == plans[1]


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_the_order_of_rows_changes_no_digit_of_what_a_majority_would_gain(seed: int) -> None:
    crowd = rare_label_crowd(seed)
    one, two = (expected_loss(aggregate(votes), 9) for votes in (crowd.votes, shuffled(crowd, 6)))
    assert one == two


def test_of_very_many_tasks_some_say_how_to_blend_and_the_answers_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = make_crowd(binary([(0.9, 0.6)] * 10 + [(0.6, 0.9)] * 6 + [(0.5, 0.5)] * 2), tasks=6000, per_task=4, seed=4)
    names = crowd.votes.label_names
    gold = {name: names[crowd.truth[task]] for task, name in enumerate(crowd.votes.task_names[:300])}
    whole = aggregate(crowd.votes, method="auto", gold=gold)
    sizes: list[int] = []
    monkeypatch.setattr(canonical, "ENOUGH", 1000)
    kept = canonical.some_of

    def counted(inputs: Inputs, tasks: NDArray[np.intp]) -> Inputs:
        sizes.append(len(tasks))
        return kept(inputs, tasks)

    monkeypatch.setattr(canonical, "some_of", counted)
    some = aggregate(crowd.votes, method="auto", gold=gold)
    assert sizes, "what is enough was asked for"
    assert max(sizes) < 1000 + 300 + 10
    assert float((some.label == whole.label).mean()) > 0.995
    assert crowd.accuracy(some.label) > crowd.accuracy(whole.label) - 0.002


def test_few_columns_are_folded_one_by_one_and_to_the_same_bits() -> None:
    chance = np.random.default_rng(2)
    for columns in range(1, 11):
        table = chance.normal(size=(20_001, columns))
        for fold in (np.add, np.maximum):
            assert np.array_equal(along_rows(fold, table), fold.reduce(table, axis=1))
        np.testing.assert_allclose(sizes_of(table), table.sum(axis=0), rtol=1e-12)
        for shift in (chance.normal(size=columns), chance.normal(size=table.shape)):
            plain = np.exp(table + shift - (table + shift).max(axis=1, keepdims=True))
            assert np.array_equal(softened(table.copy(), shift), plain / plain.sum(axis=1, keepdims=True))
