"""What standing together does to answers is measured on groups shown mixed, and taken out of the others."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
import pytest
from galloway.curation.learn.pull import Drawn, Look, drawn_by, pull_of, pull_shown, weight_of_drawn
from galloway.curation.learn.voters import Answers, hear, told_by
from galloway.curation.truth import VotesTable, aggregate
from numpy.typing import NDArray

from tests.unit.curation.learn.test_laws import RATES

GROUPS, SIZE = 300, 6


@dataclass
class Crowd:
    """Answers (votes, 5: face, worker, page, good, together) of the demo's crowd on groups, a tenth shown mixed."""

    truth: NDArray[np.bool_]
    rows: NDArray[np.intp]

    @property
    def looks(self) -> list[Look]:
        told: dict[tuple[int, int, bool], list[bool]] = defaultdict(list)
        for face, worker, _, good, together in self.rows.tolist():
            told[worker, face // SIZE, together > 0].append(not good)
        return [Look(str(who), str(group), kind, float(np.mean(said))) for (who, group, kind), said in told.items()]

    def chances(self, drawn: Drawn | None) -> list[float] | None:
        if drawn is None:
            return None
        return [
            drawn.chance(str(worker), good=good > 0) if together else 0.0
            for _, worker, _, good, together in self.rows.tolist()
        ]

    def answers(self, drawn: Drawn | None) -> Answers:
        chances = self.chances(drawn)
        faces, workers, pages, good, together = self.rows.T
        return Answers(
            *(faces, workers, pages, good > 0, np.full(len(self.truth), np.nan), tuple("012345")),
            looks=np.where(together > 0, pages, -1),
            drawn=None if chances is None else np.array(chances),
        )


def crowd(pulls: tuple[float, ...], seed: int, votes: int = 2) -> Crowd:
    """Groups of which half show somebody else, seen by so many workers each: who is drawn confirms it unseen."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.random(GROUPS) < 0.5, SIZE) ^ (rng.random(GROUPS * SIZE) < 0.05)
    mixed, rows = rng.random(GROUPS) < 0.1, []
    for group in range(GROUPS):
        for worker in rng.permutation(6)[:votes]:
            confirms = rng.random() < pulls[worker] and not mixed[group]
            for face in range(SIZE * group, SIZE * (group + 1)):
                good = confirms or truth[face] ^ (rng.random() < RATES[worker][int(truth[face])])
                rows.append((face, worker, 10 * group + worker, good, not mixed[group]))
    return Crowd(truth, np.array(rows, dtype=np.intp))


def judged(posterior: NDArray[np.float64], truth: NDArray[np.bool_], sure: float) -> tuple[float, float]:
    """Logarithmic loss, and the share of wrong ones among faces that are so sure."""
    likely = np.clip(posterior, 1e-6, 1 - 1e-6)
    wrong, decided = (likely > 0.5) != truth, np.maximum(likely, 1 - likely) >= sure
    return float(-np.log(np.where(truth, likely, 1 - likely)).mean()), float(wrong[decided].mean())


def test_what_standing_together_does_is_measured_by_groups() -> None:
    none = pull_of([0.0] * 20, [])
    assert none.answers == 0
    alike = pull_of([0.0] * 18 + [1.0] * 2, [0.0] * 9 + [1.0])
    assert alike.low < 0 < alike.high
    assert not alike.over_confident
    pulled = pull_of([0.0] * 60, [0.5] * 20)
    # Newcombe 1998, method 10, for 0 of 60 against 10 of 20.
    assert (pulled.low, pulled.high) == pytest.approx((-0.7007, -0.2905), abs=1e-4)
    assert "a difference of -50.0%" in pulled.text()
    assert pulled.over_confident


@pytest.mark.parametrize("pulls", [(0.6,) * 6, (0.9, 0.3, 0.9, 0.3, 0.6, 0.6)])
def test_a_pull_that_is_shown_is_taken_out_of_the_answers(pulls: tuple[float, ...]) -> None:
    """Who confirms groups unseen made bad faces sure; what is left of such an answer leaves them open."""
    before, after = [], []
    for seed in range(4):
        made = crowd(pulls, seed)
        drawn = drawn_by(made.looks)
        assert drawn is not None and drawn.to_good
        everything = np.arange(len(made.truth)) // SIZE
        before.append(judged(hear(made.answers(None), everything).posterior, made.truth, 0.95))
        after.append(judged(hear(made.answers(drawn), everything).posterior, made.truth, 0.95))
    (loss, wrong), (left, still) = np.mean(before, axis=0), np.mean(after, axis=0)
    assert left < 0.85 * loss
    assert still < 0.2 * wrong


def test_it_is_taken_out_where_votes_alone_are_weighed() -> None:
    before, after = [], []
    for seed in range(3):
        made = crowd((0.6,) * 6, seed, votes=3)
        drawn = drawn_by(made.looks)
        for chances, found in ((None, before), (made.chances(drawn), after)):
            table = VotesTable.from_columns(
                *([str(code) for code in made.rows[:, column]] for column in (1, 0)),
                ["keep" if good else "reject" for good in made.rows[:, 3]],
                label_order=("keep", "reject"),
                weights=None if chances is None else [weight_of_drawn(chance) for chance in chances],
            )
            truth = made.truth[np.array([int(name) for name in table.task_names])]
            found.append(judged(aggregate(table).posterior[:, 0], truth, 0.75))
            counted = aggregate(table, method="majority").posterior
            plain = aggregate(replace(table, weights=None), method="majority").posterior
            assert np.array_equal(counted, plain), "a majority is one of votes"
    (loss, wrong), (left, still) = np.mean(before, axis=0), np.mean(after, axis=0)
    assert left < 0.8 * loss
    assert still < 0.6 * wrong


def test_where_no_pull_is_shown_nothing_changes() -> None:
    shown = [drawn_by(crowd((0.0,) * 6, seed).looks) for seed in range(20)]
    assert sum(drawn is not None for drawn in shown) <= 1
    made = crowd((0.0,) * 6, 1)
    plain, never = made.answers(None), made.answers(Drawn(True, 0.0))
    groups = np.arange(len(made.truth)) // SIZE
    one, other = hear(plain, groups), hear(never, groups)
    assert np.array_equal(one.odds, other.odds) and np.array_equal(one.weights, other.weights)
    assert weight_of_drawn(0.0) == 1.0


def test_an_answer_that_disagrees_says_what_it_said() -> None:
    two = np.array([0, 1], dtype=np.intp)
    none = np.zeros(2, dtype=np.intp)
    answers = Answers(two, none, none, np.array([True, False]), np.full(2, np.nan), ("a",), drawn=np.array([0.5, 0.0]))
    agrees, against = told_by(answers, np.array([0.9])).tolist()
    assert agrees == pytest.approx(np.log((0.5 + 0.45) / (0.5 + 0.05)))
    assert against == pytest.approx(-np.log(0.9 / 0.1))


def test_each_worker_is_drawn_as_their_own_groups_show_and_few_groups_show_little() -> None:
    made = crowd((0.9, 0.9, 0.9, 0.4, 0.4, 0.4), 5)
    drawn = drawn_by(made.looks)
    assert drawn is not None
    assert min(drawn.workers[who] for who in "012") > max(drawn.workers[who] for who in "345")
    looks = [*made.looks, Look("new", "0", together=True, rejected=1.0)]
    told = drawn_by(looks)
    assert told is not None
    assert told.chance("new", good=True) == pytest.approx(told.crowd, abs=0.05)
    assert told.chance("nobody", good=True) == told.crowd
    assert told.chance("new", good=False) == 0.0
    assert f"{pull_shown(looks).drawn:.0%} of the answers on groups, or more, keep" in pull_shown(looks).text()
