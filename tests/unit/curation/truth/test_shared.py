"""Worker skill across questions, and reasons."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.truth import aggregate
from galloway.curation.truth.shared import aggregate_questions, transfer_between

from tests.support.votes import Crowd, make_crowd


def one_coin(accuracies: np.ndarray) -> np.ndarray:
    return np.array([[[a, 1 - a], [1 - a, a]] for a in accuracies])


def two_questions(seed: int, *, alike: bool) -> tuple[Crowd, Crowd]:
    """Many votes on one question, few on the other; the same workers, with the same skills or shuffled ones."""
    generator = np.random.default_rng(seed)
    skill = np.where(generator.random(24) < 0.5, 0.95, 0.55)
    there = skill if alike else generator.permutation(skill)
    rich = make_crowd(one_coin(there), tasks=500, per_task=6, seed=seed)
    poor = make_crowd(one_coin(skill), tasks=80, per_task=3, seed=seed + 1)
    return rich, poor


def log_score(crowd: Crowd, posterior: np.ndarray) -> float:
    return float(np.log(posterior[np.arange(len(crowd.truth)), crowd.truth]).mean())


def test_what_is_known_from_one_question_sharpens_the_other() -> None:
    gains = []
    for seed in range(1, 7):
        rich, poor = two_questions(seed, alike=True)
        together = aggregate_questions({"usable": rich.votes, "identity": poor.votes})["identity"]
        gains.append(log_score(poor, together.posterior) - log_score(poor, aggregate(poor.votes).posterior))
    assert np.mean(gains) > 0.01


def test_skills_that_do_not_go_together_are_left_apart() -> None:
    rich, poor = two_questions(3, alike=True)
    apart, other = two_questions(3, alike=False)
    close = transfer_between(aggregate(rich.votes), aggregate(poor.votes))
    far = transfer_between(aggregate(apart.votes), aggregate(other.votes))
    assert close.correlation > 0.5
    assert far.correlation < close.correlation


def test_one_question_alone_is_plain_aggregation() -> None:
    rich, _ = two_questions(4, alike=True)
    alone = aggregate_questions({"usable": rich.votes})["usable"]
    assert alone.posterior == pytest.approx(aggregate(rich.votes).posterior)
