"""Workers without their own say: intervals that hold what they promise, and flags that need evidence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from galloway.curation.report.advice import Next
from galloway.curation.report.inputs import QuestionData
from galloway.curation.report.leave_one_out import beliefs, skills_of
from galloway.curation.report.signals import ENOUGH_GOLD, Told
from galloway.curation.report.workers import WorkerFigures, worker_figures
from galloway.curation.truth import VotesTable, aggregate
from numpy.typing import NDArray

from tests.support.votes import make_crowd

Confusions = NDArray[np.float64]


def coins(rates: NDArray[np.float64], labels: int = 2) -> Confusions:
    """Confusion matrices of workers with these accuracies, whose errors fall evenly."""
    eye = np.eye(labels)
    return np.asarray(rates[:, None, None] * eye + ((1 - rates) / (labels - 1))[:, None, None] * (1 - eye))


CROWDS: dict[str, tuple[Callable[[np.random.Generator], Confusions], int, tuple[float, ...]]] = {
    "alike, three votes": (lambda _: coins(np.full(20, 0.85)), 3, (0.5, 0.5)),
    "alike, 95 % one answer": (lambda _: coins(np.full(20, 0.85)), 3, (0.95, 0.05)),
    "mixed, three votes": (lambda rng: coins(rng.beta(8, 2, 20)), 3, (0.7, 0.3)),
    "mixed, ten votes": (lambda rng: coins(rng.beta(8, 2, 20)), 10, (0.7, 0.3)),
    "a third blind": (lambda _: coins(np.repeat([0.9, 0.5], [14, 6])), 5, (0.7, 0.3)),
    "three answers": (lambda rng: coins(rng.beta(8, 2, 20), 3), 5, (0.5, 0.3, 0.2)),
    "few votes each": (lambda rng: coins(rng.beta(8, 2, 100)), 3, (0.7, 0.3)),
}


@pytest.mark.parametrize("name", CROWDS)
def test_a_95_percent_interval_holds_the_true_rate_in_93_of_100_at_least(name: str) -> None:
    draw, per_task, prior = CROWDS[name]
    inside = []
    for seed in range(12):
        confusion = draw(np.random.default_rng(1000 + seed))
        votes = make_crowd(confusion, tasks=400, per_task=per_task, seed=seed, class_prior=prior).votes
        found = skills_of(votes, beliefs(votes, np.full(400, -1, dtype=np.int32), ENOUGH_GOLD))
        inside.append(((found.low <= confusion) & (confusion <= found.high)).mean())
    assert np.mean(inside) >= 0.93


def figures(votes: VotesTable, gold: dict[str, str] | None = None) -> dict[str, WorkerFigures]:
    truth = aggregate(votes, method="majority")
    known = np.array([votes.label_names.index((gold or {})[t]) if t in (gold or {}) else -1 for t in votes.task_names])
    data = QuestionData.from_truth("label", truth, known.astype(np.int32))
    return {one.name: one for one in worker_figures(data)[0]}


@pytest.mark.parametrize(("per_task", "prior"), [(3, (0.95, 0.05)), (3, (0.7, 0.3)), (5, (0.5, 0.5))])
def test_honest_workers_of_85_percent_are_not_called_guessers(per_task: int, prior: tuple[float, float]) -> None:
    called = 0
    for seed in range(5):
        crowd = make_crowd(coins(np.full(20, 0.85)), tasks=400, per_task=per_task, seed=seed, class_prior=prior)
        called += sum(one.told is Told.BLIND for one in figures(crowd.votes).values())
    assert called == 0


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_of_a_crowd_that_flips_coins_nobody_is_right_and_nobody_is_singled_out(seed: int) -> None:
    crowd = make_crowd(coins(np.full(12, 0.5)), tasks=300, per_task=3, seed=seed)
    found = figures(crowd.votes).values()
    assert [one.told for one in found].count(Told.TOO_FEW) >= 11
    assert max(one.confusion.right.value for one in found) < 0.75
    assert all(one.confusion.low.max() < 0.6 for one in found)


def test_who_guesses_among_careful_workers_is_found_with_votes_enough() -> None:
    crowd = make_crowd(coins(np.repeat([0.92, 0.5], [14, 2])), tasks=500, per_task=5, seed=3)
    told = {name: one.told for name, one in figures(crowd.votes).items()}
    assert [name for name, said in told.items() if said is Told.BLIND] == ["14", "15"]
    few = figures(crowd.votes.take(np.flatnonzero(crowd.votes.tasks < 25)))
    assert {few["14"].told, few["15"].told} == {Told.TOO_FEW}


@pytest.mark.parametrize("labels", [5, 8, 12])
@pytest.mark.parametrize("usual", [0.85, 0.97])
def test_where_nearly_all_is_one_label_guessers_are_found_and_honest_workers_are_not(labels: int, usual: float) -> None:
    prior = (usual, *[(1 - usual) / (labels - 1)] * (labels - 1))
    for seed in range(2):
        careful = np.random.default_rng(seed).uniform(0.93, 0.99, 13)
        crowd = make_crowd(
            coins(np.append(careful, [1 / labels] * 2), labels), tasks=300, per_task=5, seed=seed, class_prior=prior
        )
        alone = crowd.votes.take(crowd.votes.workers < 13)
        assert not [name for name, one in figures(alone).items() if one.told is Told.BLIND]
        blind = {name for name, one in figures(crowd.votes).items() if one.told is Told.BLIND}
        assert blind and blind <= {"13", "14"}


def test_of_a_crowd_that_says_one_thing_of_everything_nothing_follows() -> None:
    rows = [(f"w{(task + place) % 9}", f"t{task}", "keep") for task in range(150) for place in range(5)]
    assert {one.told for one in figures(VotesTable.from_rows(rows)).values()} == {Told.TOO_FEW}
    once = [
        (who, task, "reject") if number == 7 else (who, task, said) for number, (who, task, said) in enumerate(rows)
    ]
    assert Told.BLIND not in {one.told for one in figures(VotesTable.from_rows(once)).values()}


def constant_and_honest() -> tuple[VotesTable, dict[str, str]]:
    """Three who always say no outvote two who look; the answers to forty tasks are known."""
    generator = np.random.default_rng(5)
    truth = generator.integers(0, 2, 200)
    said = {who: np.where(generator.random(200) < 0.95, truth, 1 - truth) for who in ("h0", "h1")}
    rows = [
        (who, f"t{task}", "yes" if who in said and said[who][task] else "no")
        for task in range(200)
        for who in ("h0", "h1", "s0", "s1", "s2")
    ]
    gold = {f"t{task}": "yes" if truth[task] else "no" for task in range(40)}
    return VotesTable.from_rows(rows), gold


def test_gold_outweighs_the_crowd() -> None:
    votes, gold = constant_and_honest()
    found = figures(votes, gold)
    assert {name: one.advice.next for name, one in found.items()} == {
        "h0": Next.PAY,
        "h1": Next.PAY,
        "s0": Next.STOP,
        "s1": Next.STOP,
        "s2": Next.STOP,
    }
    assert {flag.kind for flag in found["s0"].flags} >= {"guessing", "one answer"}
    assert found["h0"].confusion.right.total == 200, "without those who say one thing, the two agree and say more"


def test_a_workers_own_vote_has_no_say_in_what_is_right() -> None:
    """Whatever one worker answers, what the others make probable of each task stays the same."""
    crowd = make_crowd(coins(np.full(8, 0.8)), tasks=60, per_task=5, seed=6)
    votes = crowd.votes
    mine = votes.workers == 0
    right = [figures(table)["0"] for table in (votes, _answered(votes, mine))]
    assert (right[0].reference == right[1].reference).all()


def _answered(votes: VotesTable, mine: NDArray[np.bool_]) -> VotesTable:
    labels = np.where(mine, 1 - votes.labels, votes.labels)
    return VotesTable.from_codes(votes.workers, votes.tasks, labels, n_workers=8, n_tasks=60, n_labels=2)


def test_intervals_do_not_depend_on_the_order_of_rows_or_on_names() -> None:
    crowd = make_crowd(coins(np.full(8, 0.8), 3), tasks=60, per_task=5, seed=6)
    votes, none = crowd.votes, np.full(60, -1, dtype=np.int32)
    order = np.random.default_rng(0).permutation(len(votes))
    swap = np.array([2, 0, 1], dtype=np.int32)
    first = skills_of(votes, beliefs(votes, none, ENOUGH_GOLD))
    other = votes.take(order)
    named = VotesTable.from_codes(other.workers, other.tasks, swap[other.labels], n_workers=8, n_tasks=60, n_labels=3)
    second = skills_of(named, beliefs(named, none, ENOUGH_GOLD))
    assert first.low == pytest.approx(second.low[:, swap][:, :, swap], abs=1e-6)
    assert first.informed == pytest.approx(second.informed, abs=1e-6)
